import { useCallback, useMemo, useState } from "react";
import { findAll, firstFrom, type Match, type Wanted } from "./find";
import type { Segment } from "./model";

export type Finding = {
  isOpen: boolean;
  wanted: Wanted;
  matches: readonly Match[];
  /** Matches by their segments. */
  matchesOf: ReadonlyMap<number, readonly Match[]>;
  /** Which of them is chosen; -1: none. */
  current: number;
  open: () => void;
  close: () => void;
  want: (wanted: Wanted) => void;
  step: (step: 1 | -1) => void;
};

const NOTHING: Wanted = { find: "", matchCase: false, wholeWords: false };

/** Finds in the transcript; the first match is the first one from the reader's place on. */
export function useFind(
  segments: readonly Segment[],
  placeOfReader: () => number,
  onMatch: (match: Match) => void,
): Finding {
  const [isOpen, setOpen] = useState(false);
  const [wanted, setWanted] = useState(NOTHING);
  const [chosen, setChosen] = useState(0);
  const matches = useMemo(() => (isOpen ? findAll(segments, wanted) : []), [isOpen, segments, wanted]);
  const matchesOf = useMemo(() => {
    const grouped = new Map<number, Match[]>();
    for (const match of matches) {
      const group = grouped.get(match.segment);
      if (group === undefined) grouped.set(match.segment, [match]);
      else group.push(match);
    }
    return grouped;
  }, [matches]);
  const current = matches.length === 0 ? -1 : Math.min(chosen, matches.length - 1);

  const want = (next: Wanted) => {
    setWanted(next);
    const found = findAll(segments, next);
    const first = firstFrom(found, placeOfReader());
    setChosen(first);
    const match = found[first];
    if (match !== undefined) onMatch(match);
  };
  const step = (by: 1 | -1) => {
    if (matches.length === 0) return;
    const next = (current + by + matches.length) % matches.length;
    setChosen(next);
    const match = matches[next];
    if (match !== undefined) onMatch(match);
  };
  const open = useCallback(() => setOpen(true), []);
  const close = useCallback(() => setOpen(false), []);
  return { isOpen, wanted, matches, matchesOf, current, open, close, want, step };
}
