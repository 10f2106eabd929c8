import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import type { ListRecordingsResponse, Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import type { WatchLibraryResponse } from "@/gen/recordroute/gateway/v1/watch_pb";
import type { ListWorkflowsResponse, Workflow } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { watching } from "./clients";
import { isAborted } from "./errors";
import { keys } from "./queries";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

type Pages = InfiniteData<ListRecordingsResponse>;
type WorkflowPages = InfiniteData<ListWorkflowsResponse>;

function artifactsOf(recording: Recording): string {
  return recording.artifacts
    .map((artifact) => `${artifact.kind}:${artifact.state}:${artifact.sha256}`)
    .join();
}

function applyRecording(cache: QueryClient, recording: Recording): void {
  const before = cache.getQueryData<Recording>(keys.recording(recording.id));
  cache.setQueryData(keys.recording(recording.id), recording);
  if (before !== undefined && artifactsOf(before) !== artifactsOf(recording)) {
    void cache.invalidateQueries({ queryKey: keys.transcript(recording.id) });
    void cache.invalidateQueries({ queryKey: keys.minutes(recording.id) });
    void cache.invalidateQueries({ queryKey: keys.waveform(recording.id) });
    void cache.invalidateQueries({ queryKey: keys.revisions(recording.id) });
  }
  // In its place at once, so that it does not jump; where it belongs by the list's filter and order, a moment later.
  cache.setQueriesData<Pages>(
    { queryKey: keys.recordingLists },
    (pages) =>
      pages && {
        ...pages,
        pages: pages.pages.map((page) => ({
          ...page,
          recordings: page.recordings.map((listed) => (listed.id === recording.id ? recording : listed)),
        })),
      },
  );
}

function applyWorkflow(cache: QueryClient, workflow: Workflow): void {
  const before = cache.getQueryData<Workflow>(keys.workflow(workflow.id));
  cache.setQueryData(keys.workflow(workflow.id), workflow);
  let listed = false;
  cache.setQueriesData<WorkflowPages>(
    { queryKey: [...keys.workflows, "list"] },
    (pages) =>
      pages && {
        ...pages,
        pages: pages.pages.map((page) => ({
          ...page,
          workflows: page.workflows.map((other) => {
            if (other.id !== workflow.id) return other;
            listed = true;
            return workflow;
          }),
        })),
      },
  );
  if (!listed || before?.state !== workflow.state) {
    void cache.invalidateQueries({ queryKey: [...keys.workflows, "list"] });
  }
}

/** Lists are read anew at most this often, however much happens. */
const LIST_PAUSE_MS = 1_000;

/** Keeps the cache in step with the server: one stream for the whole tab, which comes back by itself. */
export class LibraryWatch {
  #cache: QueryClient;
  #stop = new AbortController();
  #onConnected: (connected: boolean) => void;
  #sequence: bigint | undefined;
  #listTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(cache: QueryClient, onConnected: (connected: boolean) => void) {
    this.#cache = cache;
    this.#onConnected = onConnected;
  }

  /** Runs until `close`. */
  async run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stop.signal.aborted) {
      try {
        const request = this.#sequence === undefined ? {} : { afterSequence: this.#sequence };
        for await (const change of watching.watchLibrary(request, { signal: this.#stop.signal })) {
          pause = FIRST_PAUSE_MS;
          this.#onConnected(true);
          this.#apply(change);
        }
      } catch (error) {
        if (isAborted(error)) return;
      }
      this.#onConnected(false);
      await this.#wait(pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  close(): void {
    clearTimeout(this.#listTimer);
    this.#stop.abort();
  }

  #apply({ sequence, change }: WatchLibraryResponse): void {
    this.#sequence = sequence;
    switch (change.case) {
      case "recording":
        applyRecording(this.#cache, change.value);
        this.#refreshLists();
        break;
      case "recordingRemoved":
        this.#cache.removeQueries({ queryKey: keys.recording(change.value.recordingId) });
        this.#refreshLists();
        break;
      case "workflow":
        applyWorkflow(this.#cache, change.value);
        break;
      case "reset":
        void this.#cache.invalidateQueries();
        break;
    }
  }

  #refreshLists(): void {
    this.#listTimer ??= setTimeout(() => {
      this.#listTimer = undefined;
      void this.#cache.invalidateQueries({ queryKey: keys.recordingLists });
      void this.#cache.invalidateQueries({ queryKey: keys.facets });
    }, LIST_PAUSE_MS);
  }

  /** The pause ends at once when the network comes back. */
  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        window.removeEventListener("online", done);
        this.#stop.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      window.addEventListener("online", done);
      this.#stop.signal.addEventListener("abort", done);
    });
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
