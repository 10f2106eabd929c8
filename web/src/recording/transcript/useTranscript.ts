import {
  type QueryClient,
  queryOptions,
  type UseQueryResult,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { keys } from "@/api/queries";
import { ArtifactKind, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import type { Transcript } from "./model";
import { type EditState, TranscriptStore } from "./TranscriptStore";

export type TranscriptAccess = {
  query: UseQueryResult<Transcript>;
  store: TranscriptStore;
};

function transcriptQuery(id: string, store: TranscriptStore) {
  return queryOptions({
    queryKey: keys.transcript(id),
    queryFn: store.load,
    // It is compared by etag; comparing 50,000 words would take longer than showing them.
    structuralSharing: false,
  });
}

/** What was begun before its page was there. */
let begun: { id: string; cache: QueryClient; store: TranscriptStore } | undefined;

/** Begins to read a transcript that is going to be shown. */
export function preloadTranscript(cache: QueryClient, id: string): void {
  begun = { id, cache, store: new TranscriptStore(id, cache) };
  void cache.prefetchQuery(transcriptQuery(id, begun.store));
}

/**
 * The transcript of a recording, as far as there is one; first its beginning, then all of it. It is asked for before the
 * recording is known, too: mostly there is one, and its text is what the page is opened for.
 */
export function useTranscript(id: string, recording: Recording | undefined): TranscriptAccess {
  const cache = useQueryClient();
  const [store] = useState(() =>
    begun?.id === id && begun.cache === cache ? begun.store : new TranscriptStore(id, cache),
  );
  const query = useQuery({
    ...transcriptQuery(id, store),
    enabled: recording?.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT) ?? true,
  });
  return { query, store };
}

export function useEditState(store: TranscriptStore): EditState {
  return useSyncExternalStore(store.subscribe, store.getState);
}
