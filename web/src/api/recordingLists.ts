import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { ListRecordingsResponse, Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { keys } from "./queries";

export type RecordingPages = InfiniteData<ListRecordingsResponse>;

/** Puts other recordings in the places of those that are listed, in all lists at once; null takes one off. */
export function changeListedRecordings(
  cache: QueryClient,
  change: (listed: Recording) => Recording | null,
): void {
  cache.setQueriesData<RecordingPages>(
    { queryKey: keys.recordingLists },
    (pages) =>
      pages && {
        ...pages,
        pages: pages.pages.map((page) => ({
          ...page,
          recordings: page.recordings.map(change).filter((recording) => recording !== null),
        })),
      },
  );
}
