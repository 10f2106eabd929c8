import type { Segment, Transcript } from "./model";

/** Returns a segment for tests: each word takes a second. */
export function speech(speaker: string, start: number, text: string, probability = 0.9): Segment {
  const words = (text.match(/\s*\S+/g) ?? []).map((word, position) => ({
    text: word,
    start: start + position,
    end: start + position + 1,
    probability,
  }));
  return { start, end: start + words.length, text, speaker, words, page: 0, line: 0 };
}

/** Returns a complete transcript for tests. */
export function transcriptOf(segments: readonly Segment[], revision = 1): Transcript {
  return {
    segments,
    speakers: [],
    language: "en",
    damages: [],
    etag: `etag-${revision}`,
    revision,
    complete: true,
  };
}
