import type { MediaDamage, Segment as SegmentMessage } from "@/gen/recordroute/common/v1/transcript_pb";
import type { GetTranscriptResponse, RecordingSpeaker } from "@/gen/recordroute/gateway/v1/library_pb";
import { secondsOf } from "@/lib/time";

/** A word with its time in seconds; its text has the white space before it. */
export type Word = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How sure the recogniser is, 0 to 1; 1 where a person wrote it. */
  readonly probability: number;
};

/** A stretch of speech, or of a document. Its place in the transcript is its index. */
export type Segment = {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly speaker: string;
  readonly words: readonly Word[];
  /** Page of a document, from 1; 0 where there is none. */
  readonly page: number;
  /** Line of a document, from 1; 0 where there is none. */
  readonly line: number;
};

export type Transcript = {
  readonly segments: readonly Segment[];
  readonly speakers: readonly RecordingSpeaker[];
  readonly language: string;
  readonly damages: readonly Pick<MediaDamage, "reason" | "message" | "metadata">[];
  readonly etag: string;
  readonly revision: number;
  /** False while further pages are on their way. */
  readonly complete: boolean;
};

export function segmentOf(message: SegmentMessage): Segment {
  return {
    start: secondsOf(message.start),
    end: secondsOf(message.end),
    text: message.text,
    speaker: message.speaker,
    words: message.words.map((word) => ({
      text: word.text,
      start: secondsOf(word.start),
      end: secondsOf(word.end),
      probability: word.probability,
    })),
    page: message.page ?? 0,
    line: message.line ?? 0,
  };
}

/** Returns the transcript as far as it is known after a page; `before` are the segments of the pages before it. */
export function withPage(before: readonly Segment[], page: GetTranscriptResponse): Transcript {
  return {
    segments: [...before, ...page.segments.map(segmentOf)],
    speakers: page.speakers,
    language: page.language,
    damages:
      page.damages.length > 0
        ? page.damages
        : // A transcript of before there were reasons.
          page.warnings.map((message) => ({ reason: "", message, metadata: {} })),
    etag: page.etag,
    revision: page.revision,
    complete: page.nextPageToken === "",
  };
}
