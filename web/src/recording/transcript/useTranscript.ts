import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { keys } from "@/api/queries";
import { ArtifactKind, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import type { Transcript } from "./model";
import { type EditState, TranscriptStore } from "./TranscriptStore";

export type TranscriptAccess = {
  query: UseQueryResult<Transcript>;
  store: TranscriptStore;
};

/** The transcript of a recording, as far as there is one; first its beginning, then all of it. */
export function useTranscript(recording: Recording): TranscriptAccess {
  const cache = useQueryClient();
  const [store] = useState(() => new TranscriptStore(recording.id, cache));
  const query = useQuery({
    queryKey: keys.transcript(recording.id),
    queryFn: store.load,
    enabled: recording.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT),
    // It is compared by etag; comparing 50,000 words would take longer than showing them.
    structuralSharing: false,
  });
  return { query, store };
}

export function useEditState(store: TranscriptStore): EditState {
  return useSyncExternalStore(store.subscribe, store.getState);
}
