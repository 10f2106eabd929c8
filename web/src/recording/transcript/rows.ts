import type { RemovedText } from "@/gen/recordroute/stt/v1/stt_pb";
import type { Segment } from "./model";

/** A line of the list: a segment, or text that was taken out before it. */
export type Row =
  | {
      kind: "segment";
      index: number;
      /** Somebody else begins to speak here: the name stands above it. */
      isTurn: boolean;
      /** A page of the document begins here. */
      isPage: boolean;
    }
  | { kind: "removed"; removed: RemovedText };

/** After so long a pause the name stands above the same speaker again. */
const LONG_PAUSE_SECONDS = 30;

export function rowsOf(segments: readonly Segment[], removed: readonly RemovedText[] = []): Row[] {
  const rows: Row[] = [];
  const taken = removed.toSorted((one, other) => (one.segment?.index ?? 0) - (other.segment?.index ?? 0));
  let next = 0;
  const takeUntil = (index: number) => {
    for (
      let item = taken[next];
      item !== undefined && (item.segment?.index ?? 0) <= index;
      item = taken[next]
    ) {
      rows.push({ kind: "removed", removed: item });
      next += 1;
    }
  };
  segments.forEach((segment, index) => {
    takeUntil(index);
    const before = segments[index - 1];
    rows.push({
      kind: "segment",
      index,
      isTurn:
        segment.speaker !== "" &&
        (before === undefined ||
          before.speaker !== segment.speaker ||
          segment.start - before.end > LONG_PAUSE_SECONDS),
      isPage: segment.page > 0 && segment.page !== before?.page,
    });
  });
  takeUntil(Number.POSITIVE_INFINITY);
  return rows;
}

/** Returns the position of a segment's row. Removed text only ever pushes it further down. */
export function rowOfSegment(rows: readonly Row[], index: number): number {
  if (rows.length === 0) return -1;
  let low = Math.min(index, rows.length - 1);
  while (low < rows.length) {
    const row = rows[low];
    if (row?.kind === "segment" && row.index === index) return low;
    low += 1;
  }
  return -1;
}

/** Returns about how high a row is going to be, in pixels, before it was measured. */
export function guessHeight(row: Row, segments: readonly Segment[], charactersPerLine: number): number {
  const text = row.kind === "segment" ? (segments[row.index]?.text ?? "") : (row.removed.segment?.text ?? "");
  const lines = Math.max(1, Math.ceil(text.length / charactersPerLine));
  const heading = row.kind === "segment" && (row.isTurn || row.isPage) ? 34 : 0;
  return 10 + heading + lines * 26;
}
