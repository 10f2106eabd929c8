import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import { keys } from "@/api/queries";
import { ErrorInfoSchema } from "@/gen/google/rpc/error_details_pb";
import { SegmentSchema } from "@/gen/recordroute/common/v1/transcript_pb";
import {
  type EditTranscriptRequest,
  EditTranscriptResponseSchema,
  GetTranscriptResponseSchema,
  RevertTranscriptResponseSchema,
} from "@/gen/recordroute/gateway/v1/library_pb";
import type { Transcript } from "./model";
import { TranscriptChanged, TranscriptStore } from "./TranscriptStore";

const calls = { getTranscript: vi.fn(), editTranscript: vi.fn(), revertTranscript: vi.fn() };

const ID = "0c5dd9f2-95a6-4c3f-8a60-6b3b9b5bb6ab";

/** A small server: texts by revision, edits only of kind replaceText. */
class Server {
  revisions: string[][];
  largestPage = 5000;

  constructor(texts: string[]) {
    this.revisions = [texts];
  }

  get texts(): string[] {
    return this.revisions.at(-1) ?? [];
  }

  get etag(): string {
    return `e${this.revisions.length}`;
  }

  segment(index: number) {
    return create(SegmentSchema, {
      index,
      start: durationFromMs(index * 1000),
      end: durationFromMs(index * 1000 + 900),
      text: this.texts[index] ?? "",
    });
  }

  page({ pageSize, pageToken }: { pageSize: number; pageToken?: string }) {
    const from = Number(pageToken || 0);
    const to = Math.min(this.texts.length, from + Math.min(pageSize, this.largestPage));
    return create(GetTranscriptResponseSchema, {
      segments: this.texts.slice(from, to).map((_, place) => this.segment(from + place)),
      nextPageToken: to < this.texts.length ? String(to) : "",
      etag: this.etag,
      revision: this.revisions.length,
    });
  }

  edit(request: EditTranscriptRequest) {
    this.check(request.etag);
    const texts = [...this.texts];
    const changed: number[] = [];
    for (const { edit } of request.edits) {
      if (edit.case !== "replaceText") throw new Error("not of this server");
      const { segmentIndex, start, end, text } = edit.value;
      const points = [...(texts[segmentIndex] ?? "")];
      texts[segmentIndex] = [...points.slice(0, start), text, ...points.slice(end)].join("");
      changed.push(segmentIndex);
    }
    this.revisions.push(texts);
    return create(EditTranscriptResponseSchema, {
      revision: { revision: this.revisions.length, etag: this.etag },
      changedSegments: changed.map((index) => this.segment(index)),
      changedCount: changed.length,
      segmentCount: texts.length,
    });
  }

  revert(request: { etag: string; revision: number }) {
    this.check(request.etag);
    this.revisions.push(this.revisions[request.revision - 1] ?? []);
    return create(RevertTranscriptResponseSchema, {
      revision: { revision: this.revisions.length, etag: this.etag },
    });
  }

  check(etag: string) {
    if (etag === this.etag) return;
    throw new ConnectError("changed meanwhile", Code.Aborted, undefined, [
      { desc: ErrorInfoSchema, value: { reason: "ETAG_MISMATCH", domain: "recordroute" } },
    ]);
  }
}

let server: Server;
let cache: QueryClient;
let store: TranscriptStore;

function shown(): string[] {
  return cache.getQueryData<Transcript>(keys.transcript(ID))?.segments.map(({ text }) => text) ?? [];
}

function load() {
  return cache.fetchQuery({ queryKey: keys.transcript(ID), queryFn: store.load });
}

function replace(segment: number, text: string) {
  return store.edit([{ kind: "replaceText", segment, start: 0, end: shown()[segment]?.length ?? 0, text }]);
}

beforeEach(async () => {
  server = new Server(["one", "two", "three"]);
  calls.getTranscript.mockReset().mockImplementation(async (request) => server.page(request));
  calls.editTranscript.mockReset().mockImplementation(async (request) => server.edit(request));
  calls.revertTranscript.mockReset().mockImplementation(async (request) => server.revert(request));
  cache = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  store = new TranscriptStore(ID, cache, calls);
});

test("the first page is shown before the last one is there", async () => {
  server.largestPage = 1;
  const seen: number[] = [];
  cache.getQueryCache().subscribe(() => {
    const count = shown().length;
    if (seen.at(-1) !== count) seen.push(count);
  });
  await load();
  expect(seen.filter((count) => count > 0)).toEqual([1, 2, 3]);
  expect(store.transcript?.complete).toBe(true);
});

test("a transcript that changes between two pages is read from the beginning", async () => {
  server.largestPage = 2;
  calls.getTranscript.mockImplementationOnce(async (request) => {
    const page = server.page(request);
    server.revisions.push(["one", "zwei", "drei"]);
    return page;
  });
  await load();
  expect(shown()).toEqual(["one", "zwei", "drei"]);
});

test("what is there already is not read again", async () => {
  await load();
  await cache.invalidateQueries({ queryKey: keys.transcript(ID) });
  calls.getTranscript.mockClear();
  await load();
  expect(calls.getTranscript).toHaveBeenCalledTimes(1);
  expect(calls.getTranscript.mock.calls[0]?.[0]).toMatchObject({ pageSize: 1 });
});

test("a change is seen at once, and confirmed by the server", async () => {
  await load();
  const saved = replace(1, "TWO");
  expect(shown()).toEqual(["one", "TWO", "three"]);
  expect(store.getState().isSaving).toBe(true);
  await saved;
  expect(store.getState()).toEqual({ canUndo: true, canRedo: false, isSaving: false });
  expect(server.texts).toEqual(["one", "TWO", "three"]);
  expect(store.transcript?.etag).toBe("e2");
});

test("changes in a row are based on each other", async () => {
  await load();
  await Promise.all([replace(0, "uno"), replace(1, "dos"), replace(0, "un")]);
  expect(server.texts).toEqual(["un", "dos", "three"]);
  expect(shown()).toEqual(server.texts);
});

test("somebody else was faster: theirs is shown, and what waited is refused with it", async () => {
  await load();
  server.revisions.push(["one", "two", "drei"]);
  const results = await Promise.allSettled([replace(0, "uno"), replace(1, "dos")]);
  for (const result of results) {
    expect(result.status).toBe("rejected");
    if (result.status === "rejected") expect(result.reason).toBeInstanceOf(TranscriptChanged);
  }
  expect(shown()).toEqual(["one", "two", "drei"]);
  expect(store.getState()).toEqual({ canUndo: false, canRedo: false, isSaving: false });
  await replace(0, "uno");
  expect(server.texts).toEqual(["uno", "two", "drei"]);
});

test("without the server the text is as it was, and the error is told", async () => {
  await load();
  const away = new ConnectError("away", Code.Unavailable);
  calls.editTranscript.mockRejectedValue(away);
  calls.getTranscript.mockRejectedValue(away);
  await expect(replace(0, "uno")).rejects.toBe(away);
  expect(shown()).toEqual(["one", "two", "three"]);
});

test("undo and redo go through revisions of the server", async () => {
  await load();
  await replace(0, "uno");
  await replace(1, "dos");
  await store.undo();
  expect(shown()).toEqual(["uno", "two", "three"]);
  await store.undo();
  expect(shown()).toEqual(["one", "two", "three"]);
  expect(store.getState()).toMatchObject({ canUndo: false, canRedo: true });
  await store.redo();
  expect(shown()).toEqual(["uno", "two", "three"]);
  await replace(2, "tres");
  expect(store.getState()).toMatchObject({ canUndo: true, canRedo: false });
  await store.undo();
  expect(shown()).toEqual(["uno", "two", "three"]);
  expect(server.texts).toEqual(["uno", "two", "three"]);
});

test("a change of somebody else ends what could be undone here", async () => {
  await load();
  await replace(0, "uno");
  server.revisions.push(["uno", "two", "drei"]);
  await cache.invalidateQueries({ queryKey: keys.transcript(ID) });
  await load();
  expect(shown()).toEqual(["uno", "two", "drei"]);
  expect(store.getState().canUndo).toBe(false);
});
