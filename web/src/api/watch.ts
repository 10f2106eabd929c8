import { type InfiniteData, type QueryClient, type QueryKey, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import type { WatchLibraryResponse } from "@/gen/recordroute/gateway/v1/watch_pb";
import type { ListWorkflowsResponse, Workflow } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { waitOnline } from "@/lib/wait";
import { watching } from "./clients";
import { keys } from "./queries";
import { changeListedRecordings } from "./recordingLists";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

type WorkflowPages = InfiniteData<ListWorkflowsResponse>;

function artifactsOf(recording: Recording): string {
  return recording.artifacts
    .map((artifact) => `${artifact.kind}:${artifact.state}:${artifact.sha256}`)
    .join();
}

/** What decides whether a list shows a recording, and where. */
function placeOf({
  title,
  tags,
  folder,
  language,
  speakers,
  latestWorkflowState,
  ...recording
}: Recording): string {
  const names = speakers.map(({ name }) => name);
  const times = [recording.recordedAt, recording.deletedAt, recording.duration].map((time) =>
    time?.seconds.toString(),
  );
  return JSON.stringify([title, tags, folder, language, names, latestWorkflowState, times]);
}

/** Puts a recording as it is now into the cache; returns whether the lists have to be read anew for it. */
function applyRecording(cache: QueryClient, recording: Recording): boolean {
  const before = cache.getQueryData<Recording>(keys.recording(recording.id));
  cache.setQueryData(keys.recording(recording.id), recording);
  if (before !== undefined && artifactsOf(before) !== artifactsOf(recording)) {
    void cache.invalidateQueries({ queryKey: keys.transcript(recording.id) });
    void cache.invalidateQueries({ queryKey: keys.minutes(recording.id) });
    void cache.invalidateQueries({ queryKey: keys.waveform(recording.id) });
    void cache.invalidateQueries({ queryKey: keys.revisions(recording.id) });
  }
  const place = placeOf(recording);
  let isWhereItWas = false;
  // In its place at once, so that it does not jump; where it belongs by the list's filter and order, a moment later.
  changeListedRecordings(cache, (listed) => {
    if (listed.id !== recording.id) return listed;
    isWhereItWas = placeOf(listed) === place;
    return recording;
  });
  return !isWhereItWas;
}

/** Puts a workflow as it is now into the cache; returns whether the lists have to be read anew for it. */
function applyWorkflow(cache: QueryClient, workflow: Workflow): boolean {
  cache.setQueryData(keys.workflow(workflow.id), workflow);
  let isWhereItWas = false;
  cache.setQueriesData<WorkflowPages>(
    { queryKey: keys.workflowLists },
    (pages) =>
      pages && {
        ...pages,
        pages: pages.pages.map((page) => ({
          ...page,
          workflows: page.workflows.map((listed) => {
            if (listed.id !== workflow.id) return listed;
            isWhereItWas = listed.state === workflow.state;
            return workflow;
          }),
        })),
      },
  );
  return !isWhereItWas;
}

/** Lists are read anew at most this often, however much happens. */
const LIST_PAUSE_MS = 1_000;

/** Keeps the cache in step with the server: one stream for the whole tab, which comes back by itself. */
export class LibraryWatch {
  #cache: QueryClient;
  #stop = new AbortController();
  #onConnected: (connected: boolean) => void;
  #sequence: bigint | undefined;
  #outdated = new Set<QueryKey>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(cache: QueryClient, onConnected: (connected: boolean) => void) {
    this.#cache = cache;
    this.#onConnected = onConnected;
  }

  /** Runs until `close`. */
  async run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stop.signal.aborted) {
      const cut = new AbortController();
      const onOffline = () => cut.abort();
      window.addEventListener("offline", onOffline);
      try {
        const signal = AbortSignal.any([this.#stop.signal, cut.signal]);
        const request = this.#sequence === undefined ? {} : { afterSequence: this.#sequence };
        for await (const change of watching.watchLibrary(request, { signal })) {
          pause = FIRST_PAUSE_MS;
          this.#onConnected(true);
          this.#apply(change);
        }
      } catch {
        // Whatever ended it: it is tried again, for as long as the page is there.
      } finally {
        window.removeEventListener("offline", onOffline);
      }
      if (this.#stop.signal.aborted) return;
      this.#onConnected(false);
      await waitOnline(pause, this.#stop.signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  #apply({ sequence, change }: WatchLibraryResponse): void {
    this.#sequence = sequence;
    switch (change.case) {
      case "recording":
        if (applyRecording(this.#cache, change.value)) this.#readAnew(keys.recordingLists, keys.facets);
        break;
      case "recordingRemoved":
        this.#cache.removeQueries({ queryKey: keys.recording(change.value.recordingId) });
        this.#readAnew(keys.recordingLists, keys.facets);
        break;
      case "workflow":
        if (applyWorkflow(this.#cache, change.value)) this.#readAnew(keys.workflowLists);
        break;
      case "reset":
        void this.#cache.invalidateQueries();
        break;
    }
  }

  /** Reads anew a moment later, and once for all that happens until then. */
  #readAnew(...lists: QueryKey[]): void {
    for (const key of lists) this.#outdated.add(key);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const queryKey of this.#outdated) void this.#cache.invalidateQueries({ queryKey });
      this.#outdated.clear();
    }, LIST_PAUSE_MS);
  }
}

export const ConnectedContext = createContext(true);

/** Whether changes on the server are being told to this page. */
export function useConnected(): boolean {
  return useContext(ConnectedContext);
}

/** Watches as long as the component is there; returns whether the stream stands. */
export function useLibraryWatch(): boolean {
  const cache = useQueryClient();
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    const watch = new LibraryWatch(cache, setConnected);
    void watch.run();
    return () => watch.close();
  }, [cache]);
  return connected;
}
