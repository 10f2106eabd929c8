import { defaultRangeExtractor, type Range, useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useLayoutEffect,
  useState,
} from "react";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import styles from "./RecordingList.module.css";
import { ROW_PIXELS } from "./row";

/** Where a row stands, and how it is measured. */
export type Placement = { ref: Ref<HTMLLIElement>; style: CSSProperties; className: string | undefined };

type VirtualRowsProps = {
  recordings: readonly Recording[];
  /** The row that has the focus. */
  focused: string | null;
  renderRow: (recording: Recording, index: number, placement: Placement) => ReactNode;
  onLast: (index: number) => void;
};

/** Returns how many pixels are between the top of the page and an element; it follows what changes above it. */
function useTop(element: HTMLElement | null): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (element === null) return;
    const measure = () => setTop(element.getBoundingClientRect().top + window.scrollY);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [element]);
  return top;
}

/** Puts only those rows into the page that are in view, and the one that has the focus: it must not get lost. */
export default function VirtualRows({ recordings, focused, renderRow, onLast }: VirtualRowsProps) {
  const [space, setSpace] = useState<HTMLElement | null>(null);
  const top = useTop(space);
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
  const total = rows.getTotalSize();
  useEffect(() => {
    space?.style.setProperty("height", `${total}px`);
  }, [space, total]);
  return (
    <>
      <li aria-hidden ref={setSpace} className={styles.space} />
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
