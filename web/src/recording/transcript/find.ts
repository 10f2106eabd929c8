import type { Segment } from "./model";

export type Wanted = { find: string; matchCase: boolean; wholeWords: boolean };

/** A place in a segment's text, in UTF-16 units. */
export type Match = { segment: number; start: number; end: number };

/** Returns what the server looks for, too: the text as it stands, in any case unless asked otherwise. */
export function patternOf({ find, matchCase, wholeWords }: Wanted): RegExp {
  const escaped = find.normalize("NFC").replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const source = wholeWords ? `(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])` : escaped;
  return new RegExp(source, matchCase ? "gu" : "giu");
}

/** Returns all places in their order; none where nothing is looked for. */
export function findAll(segments: readonly Segment[], wanted: Wanted): Match[] {
  if (wanted.find === "") return [];
  const pattern = patternOf(wanted);
  const matches: Match[] = [];
  segments.forEach(({ text }, segment) => {
    for (const match of text.matchAll(pattern)) {
      matches.push({ segment, start: match.index, end: match.index + match[0].length });
    }
  });
  return matches;
}

/** Returns the index of the first match in a segment or after it, the very first where there is none. */
export function firstFrom(matches: readonly Match[], segment: number): number {
  return Math.max(
    0,
    matches.findIndex((match) => match.segment >= segment),
  );
}

export function lengthOf(words: readonly { text: string }[]): number {
  return words.reduce((length, word) => length + word.text.length, 0);
}
