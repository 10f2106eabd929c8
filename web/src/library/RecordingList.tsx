import { lazy, Suspense, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/api/errors";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button } from "@/ui/Button";
import { Spinner } from "@/ui/Spinner";
import type { Filter } from "./filter";
import type { Asking } from "./LibraryPage";
import styles from "./RecordingList.module.css";
import { RecordingRow, type RowEvents } from "./RecordingRow";
import { ROW_PIXELS } from "./row";
import type { Actions } from "./useActions";
import type { Placement } from "./VirtualRows";

const VirtualRows = lazy(() => import("./VirtualRows"));

/** The next page is asked for when so many rows are left. */
const ROWS_AHEAD = 20;

type RecordingListProps = {
  recordings: readonly Recording[];
  filter: Filter;
  selection: ReadonlySet<string>;
  actions: Actions;
  /** What is shown is of the filter before: the list for this one is on its way. */
  isStale: boolean;
  /** It has just come from the server: nothing was shown in its place before. */
  isNew: boolean;
  /** There is more than one page. */
  isLong: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  error: unknown;
  onMore: () => void;
  onToggle: (id: string, isRange: boolean) => void;
  onAsk: (what: Asking["what"], recording: Recording) => void;
  onTag: (tag: string) => void;
  onFolder: (folder: string) => void;
};

/** Returns what calls the handlers of the last rendering and stays the same: rows are drawn again only for their own sake. */
function useRowEvents(props: RecordingListProps, onRemove: (recording: Recording) => void): RowEvents {
  const latest = useRef({ ...props, onRemove });
  latest.current = { ...props, onRemove };
  return useMemo(
    () => ({
      onRemove: (recording) => latest.current.onRemove(recording),
      onToggle: (recording, isRange) => latest.current.onToggle(recording.id, isRange),
      onAsk: (what, recording) => latest.current.onAsk(what, recording),
      onTag: (tag) => latest.current.onTag(tag),
      onFolder: (folder) => latest.current.onFolder(folder),
    }),
    [],
  );
}

/**
 * Returns how many rows are drawn: of a list that has just come those that a window has room for, and then, when the
 * browser has time for it, all. A list that was there before is drawn at once: the browser puts it where it was scrolled.
 */
function useDrawnCount(count: number, isNew: boolean): number {
  return useDeferredValue(count, isNew ? Math.ceil(window.innerHeight / ROW_PIXELS) : count);
}

/** The list. Of a long one only the rows in view are in the page; more are loaded before its end comes into view. */
export function RecordingList(props: RecordingListProps) {
  const { recordings, filter, selection, actions, isNew, isStale, hasMore, isLoadingMore, error, onMore } =
    props;
  const { t } = useTranslation("library");
  const list = useRef<HTMLUListElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const [last, setLast] = useState(0);
  const drawnCount = useDrawnCount(recordings.length, isNew);
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
  const events = useRowEvents(props, (recording) => void remove(recording));
  const renderRow = (recording: Recording, index: number, placement?: Placement) => (
    <li
      key={recording.id}
      data-index={index}
      data-id={recording.id}
      aria-setsize={hasMore ? -1 : recordings.length}
      aria-posinset={index + 1}
      onFocus={() => setFocused(recording.id)}
      {...placement}
    >
      <RecordingRow
        recording={recording}
        sort={filter.sort}
        isSelected={selection.has(recording.id)}
        actions={actions}
        events={events}
        t={t}
      />
    </li>
  );
  const drawn = () => recordings.slice(0, drawnCount).map((recording, index) => renderRow(recording, index));
  return (
    <>
      <ul
        ref={list}
        className={styles.list}
        aria-label={t("listOf")}
        aria-busy={isStale}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) setFocused(null);
        }}
      >
        {props.isLong ? (
          <Suspense fallback={drawn()}>
            <VirtualRows recordings={recordings} focused={focused} renderRow={renderRow} onLast={setLast} />
          </Suspense>
        ) : (
          drawn()
        )}
      </ul>
      {isLoadingMore && (
        <div className={styles.more}>
          <Spinner label={t("loadingMore")} />
        </div>
      )}
      {error !== null && <MoreFailed error={error} onMore={onMore} />}
    </>
  );
}

function MoreFailed({ error, onMore }: { error: unknown; onMore: () => void }) {
  const { t } = useTranslation("library");
  const text = useErrorText(error);
  return (
    <div className={styles.more} role="alert">
      <p>{text}</p>
      <Button size="small" onClick={onMore}>
        {t("loadMore")}
      </Button>
    </div>
  );
}
