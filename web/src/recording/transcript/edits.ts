import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { TranscriptEditSchema } from "@/gen/recordroute/gateway/v1/library_pb";
import { type RecordingSpeaker, RecordingSpeakerSchema } from "@/gen/recordroute/gateway/v1/library_pb";
import { lengthOf, patternOf } from "./find";
import type { Segment, Transcript, Word } from "./model";

/** A change of a transcript, told in the indices that the changes before it have left; places are code points. */
export type Edit =
  | { kind: "replaceText"; segment: number; start: number; end: number; text: string }
  | { kind: "split"; segment: number; position: number }
  | { kind: "merge"; first: number; last: number }
  | { kind: "assign"; segments: readonly number[]; label: string }
  | { kind: "rename"; label: string; name: string }
  | { kind: "replaceAll"; find: string; replacement: string; matchCase: boolean; wholeWords: boolean };

export function editMessage(edit: Edit): MessageInitShape<typeof TranscriptEditSchema> {
  switch (edit.kind) {
    case "replaceText": {
      const { segment, start, end, text } = edit;
      return { edit: { case: "replaceText", value: { segmentIndex: segment, start, end, text } } };
    }
    case "split":
      return {
        edit: { case: "splitSegment", value: { segmentIndex: edit.segment, position: edit.position } },
      };
    case "merge":
      return {
        edit: {
          case: "mergeSegments",
          value: { firstSegmentIndex: edit.first, lastSegmentIndex: edit.last },
        },
      };
    case "assign":
      return {
        edit: { case: "assignSpeaker", value: { segmentIndices: [...edit.segments], label: edit.label } },
      };
    case "rename":
      return { edit: { case: "renameSpeaker", value: { label: edit.label, name: edit.name } } };
    case "replaceAll": {
      const { find, replacement, matchCase, wholeWords } = edit;
      return { edit: { case: "findAndReplace", value: { find, replacement, matchCase, wholeWords } } };
    }
  }
}

/**
 * Does an edit on the page's own transcript, so that it is seen at once. The times of new words are a guess that the
 * server's answer replaces.
 */
export function withEdit(transcript: Transcript, edit: Edit): Transcript {
  const { segments } = transcript;
  switch (edit.kind) {
    case "replaceText": {
      const segment = segments[edit.segment];
      if (segment === undefined) return transcript;
      const points = [...segment.text];
      const text = [...points.slice(0, edit.start), edit.text, ...points.slice(edit.end)].join("").trim();
      const retold = text === "" ? [] : [withText(segment, text)];
      return { ...transcript, segments: segments.toSpliced(edit.segment, 1, ...retold) };
    }
    case "split": {
      const segment = segments[edit.segment];
      if (segment === undefined) return transcript;
      return {
        ...transcript,
        segments: segments.toSpliced(edit.segment, 1, ...split(segment, edit.position)),
      };
    }
    case "merge": {
      const parts = segments.slice(edit.first, edit.last + 1);
      return { ...transcript, segments: segments.toSpliced(edit.first, parts.length, merged(parts)) };
    }
    case "assign": {
      const chosen = new Set(edit.segments);
      return {
        ...transcript,
        segments: segments.map((segment, index) =>
          chosen.has(index) ? { ...segment, speaker: edit.label } : segment,
        ),
        speakers: withSpeaker(transcript.speakers, edit.label),
      };
    }
    case "rename":
      return {
        ...transcript,
        speakers: withSpeaker(transcript.speakers, edit.label).map((speaker) =>
          speaker.label === edit.label ? { ...speaker, name: edit.name.trim() } : speaker,
        ),
      };
    case "replaceAll": {
      const pattern = patternOf(edit);
      return {
        ...transcript,
        segments: segments.flatMap((segment) => {
          const text = segment.text.replace(pattern, () => edit.replacement).trim();
          if (text === segment.text) return [segment];
          return text === "" ? [] : [withText(segment, text)];
        }),
      };
    }
  }
}

function withSpeaker(speakers: readonly RecordingSpeaker[], label: string): readonly RecordingSpeaker[] {
  if (speakers.some((speaker) => speaker.label === label)) return speakers;
  return [...speakers, create(RecordingSpeakerSchema, { label })];
}

/** Returns a label that no speaker has yet. */
export function newSpeakerLabel(speakers: readonly { label: string }[]): string {
  const labels = new Set(speakers.map((speaker) => speaker.label));
  let number = speakers.length + 1;
  while (labels.has(`S${number}`)) number += 1;
  return `S${number}`;
}

/** Words before and after the changed stretch keep their times; those in it share out the time of the old ones. */
function withText(segment: Segment, text: string): Segment {
  const { words } = segment;
  if (words.length === 0) return { ...segment, text };
  const joined = words.map((word) => word.text).join("");
  const lead = joined.length - joined.trimStart().length;
  const shorter = Math.min(segment.text.length, text.length);
  let same = 0;
  while (same < shorter && segment.text[same] === text[same]) same += 1;
  let tail = 0;
  while (tail < shorter - same && segment.text.at(-1 - tail) === text.at(-1 - tail)) tail += 1;
  const changedTo = segment.text.length - tail;

  const before: Word[] = [];
  const replaced: Word[] = [];
  const after: Word[] = [];
  let at = -lead;
  for (const word of words) {
    const end = at + word.text.length;
    if (end < same || (end === same && /^\s/.test(text.slice(end)))) before.push(word);
    else if (at > changedTo || (at === changedTo && /^\s/.test(word.text))) after.push(word);
    else replaced.push(word);
    at = end;
  }
  const used = lengthOf(before) - (before.length > 0 ? lead : 0);
  const rest = lengthOf(after);
  const fresh = text.slice(used, text.length - rest).match(/\s*\S+/g) ?? [];
  const from = replaced[0]?.start ?? before.at(-1)?.end ?? segment.start;
  const to = Math.max(from, replaced.at(-1)?.end ?? after[0]?.start ?? segment.end);
  const each = (to - from) / Math.max(1, fresh.length);
  const made = fresh.map((part, position) => ({
    text: part,
    start: from + position * each,
    end: from + (position + 1) * each,
    probability: 1,
  }));
  return { ...segment, text, words: [...before, ...made, ...after] };
}

function split(segment: Segment, position: number): Segment[] {
  const points = [...segment.text];
  const head = points.slice(0, position).join("").trimEnd();
  const tail = points.slice(position).join("").trimStart();
  if (head === "" || tail === "") return [segment];
  const left: Word[] = [];
  let length = 0;
  for (const word of segment.words) {
    if (length + word.text.trim().length > head.length) break;
    left.push(word);
    length = left
      .map((taken) => taken.text)
      .join("")
      .trimStart().length;
  }
  const right = segment.words.slice(left.length);
  const share = segment.start + ((segment.end - segment.start) * head.length) / segment.text.length;
  const middle = left.at(-1)?.end ?? share;
  return [
    withText(
      {
        ...segment,
        text: left
          .map((word) => word.text)
          .join("")
          .trim(),
        end: middle,
        words: left,
      },
      head,
    ),
    withText(
      {
        ...segment,
        text: right
          .map((word) => word.text)
          .join("")
          .trim(),
        start: right[0]?.start ?? middle,
        words: right,
      },
      tail,
    ),
  ];
}

function merged(parts: readonly Segment[]): Segment {
  const [first, ...rest] = parts;
  if (first === undefined) throw new Error("there is nothing to merge");
  const added = rest.flatMap(({ words }) =>
    words.map((word, position) => (position === 0 ? { ...word, text: ` ${word.text.trimStart()}` } : word)),
  );
  return {
    ...first,
    text: parts.map(({ text }) => text).join(" "),
    end: Math.max(...parts.map(({ end }) => end)),
    words: [...first.words, ...added],
  };
}
