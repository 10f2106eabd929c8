import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type InfiniteData, QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type ListRecordingsResponse,
  ListRecordingsResponseSchema,
  type Recording,
  RecordingSchema,
} from "@/gen/recordroute/gateway/v1/library_pb";
import {
  LibraryResetSchema,
  type WatchLibraryResponse,
  WatchLibraryResponseSchema,
} from "@/gen/recordroute/gateway/v1/watch_pb";
import { WorkflowSchema, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { watching } from "./clients";
import { keys } from "./queries";
import { LibraryWatch } from "./watch";

type Change = WatchLibraryResponse["change"];

const LIST = keys.recordingList({ text: "" });

let cache: QueryClient;
let connected: boolean[];
let asked: unknown[];
let watch: LibraryWatch;

/** Streams that the server answers with, one a call; each ends where it is cut. */
function answerWith(...streams: Change[][]): void {
  const rest = [...streams];
  let sequence = 0n;
  vi.spyOn(watching, "watchLibrary").mockImplementation((request, options) => {
    asked.push(request);
    const changes = rest.shift();
    return (async function* () {
      for (const change of changes ?? []) {
        sequence += 1n;
        yield create(WatchLibraryResponseSchema, { sequence, change });
      }
      if (changes !== undefined) return;
      await new Promise((_, reject) =>
        options?.signal?.addEventListener("abort", () => reject(new Error("cut"))),
      );
    })();
  });
}

function recording(id: string, values: MessageInitShape<typeof RecordingSchema> = {}): Recording {
  return create(RecordingSchema, { id, title: id, latestWorkflowState: WorkflowState.RUNNING, ...values });
}

function listed(): string[] {
  const data = cache.getQueryData<InfiniteData<ListRecordingsResponse>>(LIST);
  return data?.pages.flatMap((page) => page.recordings.map(({ title }) => title)) ?? [];
}

beforeEach(() => {
  vi.useFakeTimers();
  cache = new QueryClient();
  connected = [];
  asked = [];
  const page = create(ListRecordingsResponseSchema, { recordings: [recording("a"), recording("b")] });
  cache.setQueryData(LIST, { pages: [page], pageParams: [""] });
  watch = new LibraryWatch(cache, (isConnected) => connected.push(isConnected));
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

test("a recording that changes is changed in its place; lists are read anew only where it may stand elsewhere", async () => {
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  answerWith([{ case: "recording", value: recording("a", { sizeBytes: 7n }) }]);
  void watch.run();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(cache.getQueryData<Recording>(keys.recording("a"))?.sizeBytes).toBe(7n);
  expect(invalidate).not.toHaveBeenCalledWith({ queryKey: keys.recordingLists });
});

test("a new title is seen at once, and the order a moment later", async () => {
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  answerWith([
    { case: "recording", value: recording("b", { title: "B" }) },
    { case: "recording", value: recording("c") },
  ]);
  void watch.run();
  await vi.advanceTimersByTimeAsync(10);
  expect(listed()).toEqual(["a", "B"]);
  expect(invalidate).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(invalidate.mock.calls.filter(([filter]) => filter?.queryKey === keys.recordingLists)).toHaveLength(
    1,
  );
});

test("a workflow is told to whoever shows it", async () => {
  const workflow = create(WorkflowSchema, { id: "w", state: WorkflowState.FAILED });
  answerWith([{ case: "workflow", value: workflow }]);
  void watch.run();
  await vi.advanceTimersByTimeAsync(10);
  expect(cache.getQueryData(keys.workflow("w"))).toMatchObject({ state: WorkflowState.FAILED });
});

test("a stream that is lost is asked for again, from the last change on", async () => {
  answerWith([{ case: "recording", value: recording("a") }], [{ case: "recording", value: recording("b") }]);
  void watch.run();
  await vi.advanceTimersByTimeAsync(10);
  expect(connected.at(-1)).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toEqual([{}, { afterSequence: 1n }, { afterSequence: 2n }]);
});

test("without a network the page says so at once, and is back with it", async () => {
  answerWith();
  void watch.run();
  await vi.advanceTimersByTimeAsync(10);
  window.dispatchEvent(new Event("offline"));
  await vi.advanceTimersByTimeAsync(10);
  expect(connected).toEqual([false]);
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(10);
  expect(asked).toHaveLength(2);
});

test("what is missing in between is read anew", async () => {
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  answerWith([{ case: "reset", value: create(LibraryResetSchema) }]);
  void watch.run();
  await vi.advanceTimersByTimeAsync(10);
  expect(invalidate).toHaveBeenCalledWith();
});
