import type { Segment, Word } from "./model";

type Timed = { readonly start: number };

/** Returns the index of the last item that starts at `time` or before it; -1 where none does. */
export function lastStarted(items: readonly Timed[], time: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && item.start <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A word lights up until so long after it ended: short pauses don't make it blink. */
const AFTERGLOW_SECONDS = 0.4;

export type Place = { segment: number; word: number };

/** Returns the segment and the word that are heard at a time; -1 where there is none. */
export function placeAt(segments: readonly Segment[], time: number): Place {
  const index = lastStarted(segments, time);
  const segment = segments[index];
  if (segment === undefined) return { segment: -1, word: -1 };
  const position = lastStarted(segment.words, time);
  const word = segment.words[position];
  const isHeard =
    word !== undefined && (time < word.end + AFTERGLOW_SECONDS || position + 1 < segment.words.length);
  return { segment: index, word: isHeard ? position : -1 };
}

/** Returns the start of the word after, or before, the one at a time; null where there is none. */
export function wordFrom(segments: readonly Segment[], time: number, step: 1 | -1): number | null {
  const place = placeAt(segments, time);
  let { segment } = place;
  let word = place.segment < 0 ? -1 : lastStarted(segments[segment]?.words ?? [], time);
  while (segment < segments.length) {
    word += step;
    const words: readonly Word[] = segments[segment]?.words ?? [];
    const found = words[word];
    if (found !== undefined) return found.start;
    if (step < 0 && segment <= 0) return null;
    segment += step;
    word = step > 0 ? -1 : (segments[segment]?.words.length ?? 0);
  }
  return null;
}

/** A stretch in which nobody speaks, in seconds. */
export type Gap = { readonly start: number; readonly end: number };

/** Pauses from this length on are skipped. */
const SHORTEST_GAP_SECONDS = 1;
/** So much of a pause stays on both sides: speech that is cut off at once sounds wrong. */
const BREATH_SECONDS = 0.25;

/** Returns the stretches without speech, before the first segment and between segments, that are worth skipping. */
export function gapsOf(segments: readonly Segment[]): Gap[] {
  const gaps: Gap[] = [];
  let heard = 0;
  for (const { start, end } of segments) {
    if (start - heard > SHORTEST_GAP_SECONDS) {
      gaps.push({ start: heard + BREATH_SECONDS, end: start - BREATH_SECONDS });
    }
    heard = Math.max(heard, end);
  }
  return gaps;
}

/** Returns where playing goes on when it has come to `time`; null where it just goes on. */
export function skipTo(gaps: readonly Gap[], time: number): number | null {
  const gap = gaps[lastStarted(gaps, time)];
  // The last moments are not worth a jump, which itself takes some.
  return gap !== undefined && time < gap.end - 0.1 ? gap.end : null;
}

/** A stretch of one speaker, as shares of the length, 0 to 1. */
export type Turn = { start: number; end: number; speaker: string };

/** Returns who speaks most in each of `count` equal stretches of the recording, with neighbours joined. */
export function turnsOf(segments: readonly Segment[], duration: number, count: number): Turn[] {
  if (!(duration > 0) || count <= 0) return [];
  const spoken = Array.from({ length: count }, () => new Map<string, number>());
  const size = duration / count;
  for (const { start, end, speaker } of segments) {
    const last = Math.min(count - 1, Math.floor(end / size));
    for (let at = Math.max(0, Math.floor(start / size)); at <= last; at += 1) {
      const stretch = spoken[at];
      const seconds = Math.min(end, (at + 1) * size) - Math.max(start, at * size);
      stretch?.set(speaker, (stretch.get(speaker) ?? 0) + seconds);
    }
  }
  const turns: Turn[] = [];
  spoken.forEach((stretch, at) => {
    let most = "";
    // Less than a fifth of a stretch is a pause with a few words.
    let seconds = size / 5;
    for (const [speaker, heard] of stretch) if (heard > seconds) [most, seconds] = [speaker, heard];
    if (most === "") return;
    const last = turns.at(-1);
    const start = at / count;
    if (last !== undefined && last.speaker === most && last.end === start) last.end = (at + 1) / count;
    else turns.push({ start, end: (at + 1) / count, speaker: most });
  });
  return turns;
}
