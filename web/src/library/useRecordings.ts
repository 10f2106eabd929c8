import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";
import type { ListRecordingsResponse } from "@/gen/recordroute/gateway/v1/library_pb";
import { type Filter, toRequest } from "./filter";

const PAGE_SIZE = 60;

/** Returns how many recordings a list has, loaded or not: the first page tells, and what is loaded may have grown since. */
export function totalOf(pages: readonly ListRecordingsResponse[], hasMore: boolean): number {
  const loaded = pages.reduce((sum, { recordings }) => sum + recordings.length, 0);
  return hasMore ? Math.max(pages[0]?.totalCount ?? 0, loaded) : loaded;
}

/** The recordings that a filter shows, page after page. */
export function useRecordings(filter: Filter) {
  const query = useInfiniteQuery({
    queryKey: keys.recordingList(filter),
    queryFn: ({ pageParam, signal }) =>
      library.listRecordings({ ...toRequest(filter), pageSize: PAGE_SIZE, pageToken: pageParam }, { signal }),
    initialPageParam: "",
    getNextPageParam: ({ nextPageToken }) => nextPageToken || null,
    placeholderData: keepPreviousData,
  });
  const recordings = useMemo(() => query.data?.pages.flatMap((page) => page.recordings) ?? [], [query.data]);
  const total = totalOf(query.data?.pages ?? [], query.hasNextPage);
  return { ...query, recordings, total };
}
