import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import {
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Player } from "../player/Player";
import type { Match } from "./find";
import { Highlighter } from "./Highlighter";
import { clearMatchHighlights, highlightMatches, highlightQuote } from "./matchHighlights";
import type { Transcript } from "./model";
import { RemovedRow } from "./RemovedRow";
import { guessHeight, type Row, rowOfSegment } from "./rows";
import styles from "./TranscriptList.module.css";
import type { Finding } from "./useFind";

export type TranscriptListHandle = {
  /** Brings a segment into view. */
  reveal: (segment: number) => void;
  /** Stops following, as a scroll of the user does. */
  stopFollowing: () => void;
  follow: () => void;
  /** The segment at the top of the view. */
  firstInView: () => number;
  /** The segment that is heard; -1: none. */
  heard: () => number;
};

type TranscriptListProps = {
  ref: Ref<TranscriptListHandle>;
  /** Name for screen readers. */
  name: string;
  transcript: Transcript;
  rows: readonly Row[];
  player: Player | null;
  finding: Finding;
  /** What a link into a document quotes. */
  quoted: readonly Match[];
  /** The segment that is edited: it stays on the page, and the view stays with it. */
  edited: number | null;
  renderSegment: (index: number, row: Extract<Row, { kind: "segment" }>) => ReactNode;
  onFollowing: (isFollowing: boolean) => void;
};

const KEYS_THAT_SCROLL = new Set(["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"]);
/** The segment that is heard is kept between these parts of the view's height. */
const HIGHEST = 0.08;
const LOWEST = 0.72;
const WHERE = 0.3;

/** Names for rows that stay with their segments when others come and go before them: measured heights stay, too. */
function useRowKeys(transcript: Transcript, rows: readonly Row[]): (position: number) => number | string {
  const names = useRef({ next: 0, of: new WeakMap<object, number>() });
  return useCallback(
    (position: number) => {
      const row = rows[position];
      const named = row?.kind === "segment" ? transcript.segments[row.index] : row?.removed;
      if (named === undefined) return `at-${position}`;
      const known = names.current.of.get(named);
      if (known !== undefined) return known;
      names.current.next += 1;
      names.current.of.set(named, names.current.next);
      return names.current.next;
    },
    [transcript, rows],
  );
}

/** The rows that are in view, and the marks that move over them. */
export function TranscriptList({
  ref,
  name,
  transcript,
  rows,
  player,
  finding,
  quoted,
  edited,
  ...more
}: TranscriptListProps) {
  const { segments, complete } = transcript;
  const scroller = useRef<HTMLElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [charactersPerLine, setCharactersPerLine] = useState(70);
  const rowKey = useRowKeys(transcript, rows);
  const editedRow = edited === null ? -1 : rowOfSegment(rows, edited);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (position) => {
      const row = rows[position];
      return row === undefined ? 0 : guessHeight(row, segments, charactersPerLine);
    },
    getItemKey: rowKey,
    overscan: 6,
    paddingStart: 8,
    paddingEnd: 72,
    directDomUpdates: true,
    directDomUpdatesMode: "position",
    rangeExtractor: useCallback(
      (range: Range) => {
        const positions = defaultRangeExtractor(range);
        if (editedRow < 0 || positions.includes(editedRow)) return positions;
        return [...positions, editedRow].sort((one, other) => one - other);
      },
      [editedRow],
    ),
  });

  // What the listeners below need, as it is now.
  const live = useRef({ rows, isFollowing: true, edited });
  live.current.rows = rows;
  live.current.edited = edited;
  const { onFollowing } = more;
  const setFollowing = useCallback(
    (isFollowing: boolean) => {
      if (live.current.isFollowing === isFollowing) return;
      live.current.isFollowing = isFollowing;
      onFollowing(isFollowing);
    },
    [onFollowing],
  );

  const bring = useCallback(
    (segment: number, isGentle: boolean) => {
      const view = scroller.current;
      const position = rowOfSegment(live.current.rows, segment);
      if (view === null || position < 0) return;
      const row = list.current?.querySelector(`[data-segment="${segment}"]`);
      if (!row) {
        virtualizer.scrollToIndex(position, { align: "center" });
        return;
      }
      const box = view.getBoundingClientRect();
      const place = row.getBoundingClientRect();
      const top = (place.top - box.top) / box.height;
      const bottom = (place.bottom - box.top) / box.height;
      if (top >= HIGHEST && (bottom <= LOWEST || (place.height > box.height / 2 && top < WHERE))) return;
      const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      view.scrollBy({
        top: place.top - box.top - box.height * WHERE,
        behavior: isGentle && !isCalm ? "smooth" : "auto",
      });
    },
    [virtualizer],
  );

  const [highlighter] = useState(
    () =>
      new Highlighter((segment) => {
        if (segment >= 0 && live.current.isFollowing && live.current.edited === null) bring(segment, true);
      }),
  );
  useEffect(() => {
    // Nobody hears a document.
    if (player !== null) highlighter.setSegments(segments, complete);
  }, [highlighter, segments, complete, player]);
  useEffect(() => player?.onTime((seconds) => highlighter.setTime(seconds)), [player, highlighter]);
  const items = virtualizer.getVirtualItems();
  useLayoutEffect(() => {
    // Rows have come or gone, or say something else now.
    highlighter.setList(list.current);
    if (list.current === null) return;
    highlightMatches(list.current, finding.matchesOf, finding.matches[finding.current]);
    highlightQuote(list.current, quoted);
  });
  useEffect(() => clearMatchHighlights, []);

  useEffect(() => {
    const view = scroller.current;
    if (view === null) return;
    const observer = new ResizeObserver(([entry]) => {
      setCharactersPerLine(
        Math.max(20, Math.min(80, Math.floor(((entry?.contentRect.width ?? 600) - 120) / 8))),
      );
    });
    observer.observe(view);
    return () => observer.disconnect();
  }, []);

  useImperativeHandle(
    ref,
    () => ({
      reveal: (segment) => bring(segment, false),
      stopFollowing: () => setFollowing(false),
      follow: () => {
        setFollowing(true);
        if (highlighter.segment >= 0) bring(highlighter.segment, false);
      },
      firstInView: () => {
        const top = scroller.current?.scrollTop ?? 0;
        const first = virtualizer.getVirtualItems().find((item) => item.end > top);
        const row = first === undefined ? undefined : live.current.rows[first.index];
        return row?.kind === "segment" ? row.index : 0;
      },
      heard: () => highlighter.segment,
    }),
    [bring, setFollowing, highlighter, virtualizer],
  );

  const stop = () => setFollowing(false);
  return (
    <section
      ref={scroller}
      className={styles.scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
      tabIndex={0}
      aria-label={name}
      lang={transcript.language || undefined}
      onWheel={stop}
      onTouchMove={stop}
      onPointerDown={(event) => {
        // The scroll bar.
        if (event.target === event.currentTarget) stop();
      }}
      onKeyDown={(event) => {
        if (KEYS_THAT_SCROLL.has(event.key) && event.target === event.currentTarget && !event.altKey) stop();
      }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: most of the items are not on the page */}
      <div
        ref={(element) => {
          list.current = element;
          virtualizer.containerRef(element);
        }}
        role="list"
        className={styles.list}
      >
        {items.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            // biome-ignore lint/a11y/useSemanticElements: as above
            <div
              key={item.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              data-segment={row.kind === "segment" ? row.index : undefined}
              role="listitem"
              aria-setsize={complete ? rows.length : -1}
              aria-posinset={item.index + 1}
              className={styles.item}
            >
              {row.kind === "segment" ? (
                more.renderSegment(row.index, row)
              ) : (
                <RemovedRow removed={row.removed} />
              )}
            </div>
          );
        })}
      </div>
    </section>
  );
}
