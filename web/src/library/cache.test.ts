import { create } from "@bufbuild/protobuf";
import { type InfiniteData, QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { keys } from "@/api/queries";
import {
  type ListRecordingsResponse,
  ListRecordingsResponseSchema,
  type Recording,
  RecordingSchema,
} from "@/gen/recordroute/gateway/v1/library_pb";
import { changeListed, takeBack } from "./cache";

const LISTS = [keys.recordingList({ text: "" }), keys.recordingList({ text: "a" })];

function filled(): QueryClient {
  const cache = new QueryClient();
  const recordings = ["a", "b", "c"].map((id) => create(RecordingSchema, { id, title: id }));
  for (const key of LISTS) {
    const pages = [recordings.slice(0, 2), recordings.slice(2)].map((page) =>
      create(ListRecordingsResponseSchema, { recordings: page }),
    );
    cache.setQueryData(key, { pages, pageParams: ["", "x"] });
  }
  cache.setQueryData(keys.recording("b"), recordings[1]);
  return cache;
}

function titles(cache: QueryClient): string[][] {
  return LISTS.map((key) => {
    const data = cache.getQueryData<InfiniteData<ListRecordingsResponse>>(key);
    return data?.pages.flatMap((page) => page.recordings.map(({ title }) => title)) ?? [];
  });
}

test("a change is seen in all lists and on the recording's page, and can be taken back", async () => {
  const cache = filled();
  const before = await changeListed(cache, ["b", "c"], (one) => ({ ...one, title: one.title.toUpperCase() }));
  expect(titles(cache)).toEqual([
    ["a", "B", "C"],
    ["a", "B", "C"],
  ]);
  expect(cache.getQueryData<Recording>(keys.recording("b"))?.title).toBe("B");
  takeBack(cache, before);
  expect(titles(cache)[0]).toEqual(["a", "b", "c"]);
  expect(cache.getQueryData<Recording>(keys.recording("b"))?.title).toBe("b");
});

test("what is deleted leaves the lists, and comes back where that was refused", async () => {
  const cache = filled();
  const before = await changeListed(cache, ["a", "c"], () => null);
  expect(titles(cache)).toEqual([["b"], ["b"]]);
  takeBack(cache, before);
  expect(titles(cache)).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
});
