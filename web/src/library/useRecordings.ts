import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";
import { type Filter, toRequest } from "./filter";

const PAGE_SIZE = 60;

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
  // What the first page told may be older than what has come since.
  const told = query.hasNextPage ? (query.data?.pages[0]?.totalCount ?? 0) : 0;
  const total = Math.max(told, recordings.length);
  return { ...query, recordings, total };
}
