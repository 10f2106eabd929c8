import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { library } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import {
  type GetMinutesResponse,
  GetMinutesResponseSchema,
  type MinutesEditSchema,
} from "@/gen/recordroute/gateway/v1/library_pb";
import { useToasts } from "@/ui/Toast";

export type MinutesEditInit = MessageInitShape<typeof MinutesEditSchema>;
/** Changes the minutes; resolves to whether that worked. What went wrong is shown. */
export type EditMinutes = (edit: MinutesEditInit) => Promise<boolean>;

/** Edits of a recording's minutes, one after the other, each on what the one before has left. */
export function useMinutesEdits(recordingId: string): EditMinutes {
  const cache = useQueryClient();
  const toasts = useToasts();
  const key = keys.minutes(recordingId);
  const change = useMutation({
    scope: { id: `minutes-${recordingId}` },
    mutationFn: async (edit: MinutesEditInit) => {
      const shown = cache.getQueryData<GetMinutesResponse>(key);
      const answer = await library.editMinutes({
        requestId: crypto.randomUUID(),
        recordingId,
        etag: shown?.etag ?? "",
        edits: [edit],
      });
      // What is being read is of before the edit.
      await cache.cancelQueries({ queryKey: key });
      cache.setQueryData<GetMinutesResponse>(key, (before) =>
        create(GetMinutesResponseSchema, {
          ...(answer.minutes && { minutes: answer.minutes }),
          etag: answer.etag,
          stale: before?.stale ?? false,
        }),
      );
    },
  });
  return async (edit) => {
    try {
      await change.mutateAsync(edit);
      return true;
    } catch (error) {
      if (failureOf(error).reason === "ETAG_MISMATCH") void cache.invalidateQueries({ queryKey: key });
      toasts.showError(error);
      return false;
    }
  };
}
