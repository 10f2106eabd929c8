import { cleanText, minimalChange } from "./codePoints";
import type { Edit } from "./edits";
import type { Segment } from "./model";

/** Returns the edits that make of a segment what was typed; none where that is what it says already. */
export function textEdits(index: number, before: string, draft: string): Edit[] {
  const change = minimalChange(before, cleanText(draft));
  return change === null ? [] : [{ kind: "replaceText", segment: index, ...change }];
}

/** Returns the edits that also split it at the caret; null where one side would have no text. */
export function splitEdits(index: number, before: string, draft: string, caret: number): Edit[] | null {
  const head = cleanText(draft.slice(0, caret));
  const tail = cleanText(draft.slice(caret));
  if (head === "" || tail === "") return null;
  return [...textEdits(index, before, draft), { kind: "split", segment: index, position: [...head].length }];
}

export type Base = { readonly index: number; readonly before: Segment };

/**
 * Returns where the segment that is being edited is now; `isOther` says that its text is another one, because somebody
 * has changed it meanwhile. Null where there is no segment left.
 */
export function rebased(
  { index, before }: Base,
  segments: readonly Segment[],
): (Base & { isOther: boolean }) | null {
  const here = segments[index];
  const isHere = here !== undefined && here.text === before.text && here.start === before.start;
  const found = isHere ? index : relocated(segments, before);
  const now = segments[found];
  return now === undefined ? null : { index: found, before: now, isOther: now.text !== before.text };
}

/**
 * Finds a segment in a transcript that somebody else has changed: the one with the same text that is nearest in time,
 * else the one that is heard at its time. Returns -1 where there is none at all.
 */
export function relocated(segments: readonly Segment[], wanted: Segment): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  segments.forEach((segment, index) => {
    const away = Math.abs(segment.start - wanted.start) + (segment.text === wanted.text ? 0 : 1e6);
    if (away < least) {
      least = away;
      best = index;
    }
  });
  return best;
}
