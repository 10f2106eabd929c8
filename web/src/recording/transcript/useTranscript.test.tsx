import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { library } from "@/api/clients";
import { makeQueryClient } from "@/api/queries";
import { SegmentSchema } from "@/gen/recordroute/common/v1/transcript_pb";
import {
  ArtifactKind,
  EditTranscriptResponseSchema,
  GetTranscriptResponseSchema,
  type Recording,
  RecordingSchema,
} from "@/gen/recordroute/gateway/v1/library_pb";
import { preloadTranscript, useTranscript } from "./useTranscript";

const ID = "0c5dd9f2-95a6-4c3f-8a60-6b3b9b5bb6ab";
const EMPTY = create(RecordingSchema, { id: ID });
const TRANSCRIBED = create(RecordingSchema, { id: ID, artifacts: [{ kind: ArtifactKind.TRANSCRIPT }] });
const getTranscript = vi.fn<typeof library.getTranscript>();
let cache = makeQueryClient();

/** Answers with a transcript of three segments, a page of one segment for each that is asked for. */
async function page({ pageToken }: { pageToken?: string | undefined }) {
  const at = Number(pageToken || 0);
  return create(GetTranscriptResponseSchema, {
    segments: [create(SegmentSchema, { index: at, text: `text ${at}` })],
    nextPageToken: at < 2 ? String(at + 1) : "",
    etag: "e1",
    revision: 1,
  });
}

beforeEach(() => {
  cache = makeQueryClient();
  getTranscript.mockReset().mockImplementation((request) => page(request));
  vi.spyOn(library, "getTranscript").mockImplementation(getTranscript);
});

function show(recording: Recording | undefined) {
  return renderHook(({ known }) => useTranscript(ID, known), {
    initialProps: { known: recording },
    wrapper: ({ children }) => <QueryClientProvider client={cache}>{children}</QueryClientProvider>,
  });
}

test("the text is asked for before the recording is known", async () => {
  const { result } = show(undefined);
  await waitFor(() => expect(result.current.query.data?.complete).toBe(true));
  expect(result.current.query.data?.segments.map(({ text }) => text)).toEqual(["text 0", "text 1", "text 2"]);
});

test("the beginning is shown while the rest is on its way", async () => {
  const rest = Promise.withResolvers<void>();
  getTranscript.mockImplementation(async (request) => {
    if (request.pageToken) await rest.promise;
    return page(request);
  });
  const { result } = show(TRANSCRIBED);
  await waitFor(() => expect(result.current.query.data?.segments.length).toBe(1));
  expect(result.current.query.data?.complete).toBe(false);
  rest.resolve();
  await waitFor(() => expect(result.current.query.data?.complete).toBe(true));
});

test("what was begun before the page was there is not read twice, and can be undone as ever", async () => {
  preloadTranscript(cache, ID);
  const { result } = show(TRANSCRIBED);
  await waitFor(() => expect(result.current.query.data?.complete).toBe(true));
  expect(getTranscript).toHaveBeenCalledTimes(3);
  vi.spyOn(library, "editTranscript").mockResolvedValue(
    create(EditTranscriptResponseSchema, { revision: { revision: 2, etag: "e2" }, segmentCount: 3 }),
  );
  await result.current.store.edit([{ kind: "replaceText", segment: 0, start: 0, end: 4, text: "Text" }]);
  expect(result.current.store.getState().canUndo).toBe(true);
});

test("a recording without a transcript has one as soon as it is made", async () => {
  getTranscript.mockRejectedValueOnce(new ConnectError("not yet", Code.NotFound));
  const { result, rerender } = show(undefined);
  rerender({ known: EMPTY });
  await waitFor(() => expect(result.current.query.isError).toBe(true));
  rerender({ known: TRANSCRIBED });
  await waitFor(() => expect(result.current.query.data?.complete).toBe(true));
  expect(result.current.query.isError).toBe(false);
});
