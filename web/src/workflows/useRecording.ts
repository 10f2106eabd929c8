import { Code } from "@connectrpc/connect";
import { type InfiniteData, useQuery, useQueryClient } from "@tanstack/react-query";
import { library } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import type { ListRecordingsResponse, Recording } from "@/gen/recordroute/gateway/v1/library_pb";

/** The recording of a workflow: undefined while it is not known, null where it is gone. */
export function useRecording(id: string): Recording | null | undefined {
  const cache = useQueryClient();
  const query = useQuery({
    queryKey: keys.recording(id),
    queryFn: async ({ signal }) => {
      const { recording } = await library.getRecording({ recordingId: id }, { signal });
      if (recording === undefined) throw new Error("the server told no recording");
      return recording;
    },
    initialData: () =>
      cache
        .getQueriesData<InfiniteData<ListRecordingsResponse>>({ queryKey: keys.recordingLists })
        .flatMap(([, pages]) => pages?.pages.flatMap((page) => page.recordings) ?? [])
        .find((recording) => recording.id === id),
  });
  return query.isError && failureOf(query.error).code === Code.NotFound ? null : query.data;
}
