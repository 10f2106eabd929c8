import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { SearchX } from "lucide-react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import { search } from "@/api/search";
import { Button } from "@/ui/Button";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { isByMeaningOnly } from "./byMeaning";
import { type Filters, filterFields, hasFilters } from "./filters";
import { HitCard } from "./HitCard";
import styles from "./SearchResults.module.css";

const PAGE = 20;

type SearchResultsProps = {
  query: string;
  filters: Filters;
  onClearFilters: () => void;
  onAsk: () => void;
};

/** The places that fit a query, best first. */
export function SearchResults({ query, filters, onClearFilters, onAsk }: SearchResultsProps) {
  const { t } = useTranslation("search");
  const results = useInfiniteQuery({
    queryKey: keys.search({ query, filters }),
    queryFn: ({ pageParam, signal }) =>
      search.search({ query, limit: PAGE, pageToken: pageParam, ...filterFields(filters) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });
  if (results.isPending) return <LoadingState />;
  if (results.isError) return <ErrorState error={results.error} onRetry={() => void results.refetch()} />;
  const hits = results.data.pages.flatMap((page) => page.hits);
  const isOld = results.isPlaceholderData;
  if (hits.length === 0 && !isOld) {
    return (
      <div role="status">
        <EmptyState
          icon={<SearchX />}
          title={t("nothing")}
          text={t(hasFilters(filters) ? "nothingFiltered" : "nothingText")}
          action={
            <div className={styles.ways}>
              {hasFilters(filters) && <Button onClick={onClearFilters}>{t("clearFilters")}</Button>}
              <Button variant="ghost" onClick={onAsk}>
                {t("askInstead")}
              </Button>
            </div>
          }
        />
      </div>
    );
  }
  const note = isByMeaningOnly(hits) ? t("byMeaningOnly") : "";
  return (
    <>
      <p role="status" className="visually-hidden">
        {isOld ? "" : `${t("found", { count: hits.length })} ${note}`.trim()}
      </p>
      {note !== "" && !isOld && (
        <p className={styles.note} aria-hidden>
          {note}
        </p>
      )}
      <ol className={isOld ? `${styles.hits} ${styles.old}` : styles.hits} aria-busy={isOld}>
        {hits.map((hit) => (
          <li key={`${hit.recordingId}-${hit.segmentIndex}-${hit.text}`}>
            <HitCard hit={hit} />
          </li>
        ))}
      </ol>
      {results.hasNextPage && (
        <Button
          className={styles.next}
          busy={results.isFetchingNextPage}
          onClick={() => void results.fetchNextPage()}
        >
          {t("further")}
        </Button>
      )}
    </>
  );
}
