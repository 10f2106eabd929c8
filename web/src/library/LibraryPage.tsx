import { Trash2 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Checkbox } from "@/ui/Field";
import { Page } from "@/ui/Page";
import { QuietLink } from "@/ui/QuietLink";
import { ErrorState, LoadingState } from "@/ui/State";
import { AddFiles } from "./AddFiles";
import { BulkBar } from "./BulkBar";
import { DropZone } from "./DropZone";
import { Emptiness } from "./Emptiness";
import { FilterChips } from "./FilterChips";
import { isFiltered, NO_FILTER } from "./filter";
import styles from "./LibraryPage.module.css";
import { RecordingList } from "./RecordingList";
import { keepListed, NOTHING, toggle } from "./selection";
import { Toolbar } from "./Toolbar";
import { useActions } from "./useActions";
import { useAddFiles } from "./useAddFiles";
import { useFilter } from "./useFilter";
import { useRecordings } from "./useRecordings";

const Dialogs = lazy(() => import("./dialogs/Dialogs"));

/** What a dialog is open for. */
export type Asking = { what: "labels" | "process" | "purge" | "share"; recordings: Recording[] };

/** All recordings: to find, to order, and to add more. */
export default function LibraryPage() {
  const { t } = useTranslation("library");
  const [filter, changeFilter] = useFilter();
  const { recordings, total, ...list } = useRecordings(filter);
  const actions = useActions();
  const adding = useAddFiles();
  const [selected, setSelected] = useState(NOTHING);
  const [asking, setAsking] = useState<Asking | null>(null);
  const ids = useMemo(() => recordings.map(({ id }) => id), [recordings]);
  const selection = useMemo(() => keepListed(selected, ids), [selected, ids]);
  const chosen = recordings.filter(({ id }) => selection.ids.has(id));
  const isAllChosen = chosen.length > 0 && chosen.length === recordings.length;
  const isEmpty = !isFiltered(filter) && list.isSuccess && recordings.length === 0;
  return (
    <Page
      wide
      title={t(filter.inBin ? "bin" : "title")}
      actions={
        filter.inBin ? (
          <QuietLink href="/">{t("backToLibrary")}</QuietLink>
        ) : (
          <>
            <QuietLink href="/?bin=1" onClick={() => setSelected(NOTHING)}>
              <Trash2 aria-hidden />
              <span className={styles.binText}>{t("bin")}</span>
            </QuietLink>
            {/* Not before it is known where it stands: a field that moves loses what is being chosen. */}
            {!isEmpty && !list.isPending && <AddFiles adding={adding} />}
          </>
        )
      }
    >
      {!filter.inBin && <DropZone onPicked={adding.add} />}
      {filter.inBin && recordings.length > 0 && <p className={styles.binNote}>{t("binText")}</p>}
      {!isEmpty && (
        <div className={styles.tools}>
          {chosen.length === 0 ? (
            <Toolbar filter={filter} onChange={changeFilter} />
          ) : (
            <BulkBar
              recordings={chosen}
              inBin={filter.inBin}
              actions={actions}
              onAsk={(what) => setAsking({ what, recordings: chosen })}
              onClear={() => setSelected(NOTHING)}
            />
          )}
          <div className={styles.below}>
            {recordings.length > 0 && (
              <Checkbox
                aria-label={t("selectAll")}
                label={<span className={styles.shown}>{t("count", { count: total })}</span>}
                className={styles.all}
                checked={isAllChosen}
                mixed={chosen.length > 0 && !isAllChosen}
                onChange={() => setSelected(isAllChosen ? NOTHING : { ids: new Set(ids), anchor: null })}
              />
            )}
            <FilterChips filter={filter} onChange={changeFilter} />
          </div>
        </div>
      )}
      <p role="status" className="visually-hidden">
        {list.isSuccess && !list.isPlaceholderData && t("loadedSome", { count: recordings.length })}
      </p>
      {list.isPending && <LoadingState />}
      {list.isError && recordings.length === 0 && (
        <ErrorState error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isSuccess && recordings.length === 0 && (
        <Emptiness
          filter={filter}
          adding={adding}
          onClear={() => changeFilter({ ...NO_FILTER, inBin: filter.inBin })}
        />
      )}
      {recordings.length > 0 && (
        <RecordingList
          recordings={recordings}
          filter={filter}
          selection={selection.ids}
          actions={actions}
          isNew={list.isFetchedAfterMount}
          isStale={list.isPlaceholderData}
          isLong={list.hasNextPage || (list.data?.pages.length ?? 0) > 1}
          hasMore={list.hasNextPage}
          isLoadingMore={list.isFetchingNextPage}
          error={list.isFetchNextPageError ? list.error : null}
          onMore={() => void list.fetchNextPage()}
          onToggle={(id, isRange) => setSelected(toggle(selection, id, isRange, ids))}
          onAsk={(what, recording) => setAsking({ what, recordings: [recording] })}
          onTag={(tag) => changeFilter({ tags: [...new Set([...filter.tags, tag])] })}
          onFolder={(folder) => changeFilter({ folder })}
        />
      )}
      {asking !== null && (
        <Suspense fallback={null}>
          <Dialogs
            asking={asking}
            actions={actions}
            onClose={() => setAsking(null)}
            onDone={() => {
              setAsking(null);
              setSelected(NOTHING);
            }}
          />
        </Suspense>
      )}
    </Page>
  );
}
