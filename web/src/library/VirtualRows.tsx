import { defaultRangeExtractor, type Range, useWindowVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, type Ref, useCallback, useEffect, useState } from "react";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import styles from "./RecordingList.module.css";

const ROW_PIXELS = 68;

/** Where a row stands, and how it is measured. */
export type Placement = { ref: Ref<HTMLLIElement>; style: CSSProperties; className: string | undefined };

type VirtualRowsProps = {
  recordings: readonly Recording[];
  /** Pixels from the top of the page to the list. */
  top: number;
  /** The row that has the focus. */
  focused: string | null;
  renderRow: (recording: Recording, index: number, placement: Placement) => ReactNode;
  onLast: (index: number) => void;
};

/** Puts only those rows into the page that are in view, and the one that has the focus: it must not get lost. */
export default function VirtualRows({ recordings, top, focused, renderRow, onLast }: VirtualRowsProps) {
  const focusedIndex = focused === null ? -1 : recordings.findIndex(({ id }) => id === focused);
  const rows = useWindowVirtualizer({
    count: recordings.length,
    estimateSize: () => ROW_PIXELS,
    overscan: 8,
    scrollMargin: top,
    getItemKey: useCallback((index: number) => recordings[index]?.id ?? index, [recordings]),
    rangeExtractor: useCallback(
      (range: Range) => {
        const shown = defaultRangeExtractor(range);
        if (focusedIndex < 0 || shown.includes(focusedIndex)) return shown;
        return [...shown, focusedIndex].sort((one, other) => one - other);
      },
      [focusedIndex],
    ),
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => onLast(last), [onLast, last]);
  const [height, setHeight] = useState<HTMLElement | null>(null);
  const total = rows.getTotalSize();
  useEffect(() => {
    height?.style.setProperty("height", `${total}px`);
  }, [height, total]);
  return (
    <>
      <li aria-hidden ref={setHeight} className={styles.space} />
      {shown.map(({ index, start }) => {
        const recording = recordings[index];
        return (
          recording !== undefined &&
          renderRow(recording, index, {
            ref: rows.measureElement,
            style: { transform: `translateY(${start - top}px)` },
            className: styles.placed,
          })
        );
      })}
    </>
  );
}
