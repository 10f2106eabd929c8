import { defaultRangeExtractor, type Range, useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/api/errors";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button } from "@/ui/Button";
import { Spinner } from "@/ui/Spinner";
import type { Filter } from "./filter";
import type { Asking } from "./LibraryPage";
import styles from "./RecordingList.module.css";
import { RecordingRow } from "./RecordingRow";
import type { Actions } from "./useActions";

const ROW_PIXELS = 72;
/** The next page is asked for when so many rows are left. */
const ROWS_AHEAD = 20;

type RecordingListProps = {
  recordings: readonly Recording[];
  filter: Filter;
  selection: ReadonlySet<string>;
  actions: Actions;
  /** What is shown is of the filter before: the list for this one is on its way. */
  isStale: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  error: unknown;
  onMore: () => void;
  onToggle: (id: string, isRange: boolean) => void;
  onAsk: (what: Asking["what"], recording: Recording) => void;
  onTag: (tag: string) => void;
  onFolder: (folder: string) => void;
};

/** The list: only the rows in view are in the page, and more are loaded before its end comes into view. */
export function RecordingList(props: RecordingListProps) {
  const { recordings, filter, selection, actions, isStale, hasMore, isLoadingMore, error, onMore } = props;
  const { t } = useTranslation("library");
  const errorText = useErrorText(error);
  const list = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  const [focused, setFocused] = useState<string | null>(null);
  useLayoutEffect(() => {
    const measure = () => setTop(list.current?.offsetTop ?? 0);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const focusedIndex = focused === null ? -1 : recordings.findIndex(({ id }) => id === focused);
  const rows = useWindowVirtualizer({
    count: recordings.length,
    estimateSize: () => ROW_PIXELS,
    overscan: 8,
    scrollMargin: top,
    getItemKey: useCallback((index: number) => recordings[index]?.id ?? index, [recordings]),
    // A row that has the focus stays, so that the focus does not get lost while one scrolls.
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
  useEffect(() => {
    if (hasMore && !isLoadingMore && !error && last >= recordings.length - ROWS_AHEAD) onMore();
  }, [hasMore, isLoadingMore, error, last, recordings.length, onMore]);
  const remove = async (recording: Recording) => {
    const next =
      recordings[recordings.indexOf(recording) + 1] ?? recordings[recordings.indexOf(recording) - 1];
    await actions.remove([recording.id]);
    // The row that had the focus is gone: its neighbour gets it.
    const link = list.current?.querySelector<HTMLElement>(`[data-id="${next?.id}"] a`);
    if (document.activeElement === document.body) link?.focus();
  };
  return (
    <>
      <ul
        ref={list}
        className={styles.list}
        style={{ height: rows.getTotalSize() }}
        aria-label={t("listOf")}
        aria-busy={isStale}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) setFocused(null);
        }}
      >
        {shown.map(({ index, key, start }) => {
          const recording = recordings[index];
          if (recording === undefined) return null;
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              data-id={recording.id}
              className={styles.item}
              style={{ transform: `translateY(${start - top}px)` }}
              aria-setsize={hasMore ? -1 : recordings.length}
              aria-posinset={index + 1}
              onFocus={() => setFocused(recording.id)}
            >
              <RecordingRow
                recording={recording}
                sort={filter.sort}
                isSelected={selection.has(recording.id)}
                actions={actions}
                onRemove={() => void remove(recording)}
                onToggle={(isRange) => props.onToggle(recording.id, isRange)}
                onAsk={(what) => props.onAsk(what, recording)}
                onTag={props.onTag}
                onFolder={props.onFolder}
              />
            </li>
          );
        })}
      </ul>
      {isLoadingMore && (
        <div className={styles.more}>
          <Spinner label={t("loadingMore")} />
        </div>
      )}
      {error !== null && (
        <div className={styles.more} role="alert">
          <p>{errorText}</p>
          <Button size="small" onClick={onMore}>
            {t("loadMore")}
          </Button>
        </div>
      )}
    </>
  );
}
