import type { Match } from "./find";
import type { Segment } from "./model";

/** A place that another part of the page, or a link, wants to be shown; a new object each time. */
export type Target = {
  /** First segment. */
  readonly segment: number;
  /** Last segment. */
  readonly last: number;
  /** What of their text is meant; empty: all of it. */
  readonly quote: string;
};

/** Reads what an address names, "12" or "12-14", with what is quoted of it; null for what is no place. */
export function targetOf(text: string, quote = ""): Target | null {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
  if (match === null) return null;
  const segment = Number(match[1]);
  const last = match[2] === undefined ? segment : Number(match[2]);
  return last < segment ? null : { segment, last, quote };
}

export function isInside(target: Target | null, segment: number): boolean {
  return target !== null && segment >= target.segment && segment <= target.last;
}

/**
 * Returns where the quote stands in the target's segments, a stretch for each segment; none where it does not stand there
 * word for word. White space does not matter: segments, lines and sentences are joined by another one elsewhere.
 */
export function quotedIn(segments: readonly Segment[], target: Target): Match[] {
  const wanted = target.quote.replace(/\s+/g, "");
  if (wanted === "") return [];
  const places: { segment: number; at: number }[] = [];
  let written = "";
  for (const [offset, { text }] of segments.slice(target.segment, target.last + 1).entries()) {
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charAt(at);
      if (/\s/.test(unit)) continue;
      written += unit;
      places.push({ segment: target.segment + offset, at });
    }
  }
  const begin = written.indexOf(wanted);
  if (begin < 0) return [];
  const matches = new Map<number, Match>();
  for (const { segment, at } of places.slice(begin, begin + wanted.length)) {
    const match = matches.get(segment);
    if (match === undefined) matches.set(segment, { segment, start: at, end: at + 1 });
    else match.end = at + 1;
  }
  return [...matches.values()];
}
