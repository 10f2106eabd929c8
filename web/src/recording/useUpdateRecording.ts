import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { library } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";

export type RecordingFields = Partial<Pick<Recording, "title" | "tags" | "folder" | "bookmarks">>;

/** Returns the new values of the fields that are to be changed. */
export type RecordingChange = (recording: Recording) => RecordingFields;

async function read(id: string): Promise<Recording> {
  const { recording } = await library.getRecording({ recordingId: id });
  if (recording === undefined) throw new Error("the server told no recording");
  return recording;
}

/**
 * Returns a function that changes what people set. The change is seen at once and taken back where it is refused; where
 * somebody else was faster it is made once more on top of theirs.
 */
export function useUpdateRecording(id: string): (change: RecordingChange) => Promise<void> {
  const cache = useQueryClient();
  return useCallback(
    async (change) => {
      const key = keys.recording(id);
      const send = async (base: Recording) => {
        const fields = change(base);
        cache.setQueryData<Recording>(key, { ...base, ...fields });
        const { recording } = await library.updateRecording({
          requestId: crypto.randomUUID(),
          recording: { id, ...fields },
          updateMask: { paths: Object.keys(fields) },
          etag: base.etag,
        });
        if (recording !== undefined) cache.setQueryData(key, recording);
      };
      const before = cache.getQueryData<Recording>(key) ?? (await read(id));
      try {
        await send(before);
      } catch (error) {
        if (failureOf(error).reason !== "ETAG_MISMATCH") {
          cache.setQueryData(key, before);
          throw error;
        }
        const newest = await read(id);
        try {
          await send(newest);
        } catch (again) {
          cache.setQueryData(key, newest);
          throw again;
        }
      }
      void cache.invalidateQueries({ queryKey: keys.recordingLists });
    },
    [cache, id],
  );
}
