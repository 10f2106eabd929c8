import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { RecordingKind, RecordingOrder } from "@/gen/recordroute/gateway/v1/library_pb";
import { WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import {
  countConditions,
  type Filter,
  isFiltered,
  NO_FILTER,
  readFilter,
  toRequest,
  withoutConditions,
  writeFilter,
} from "./filter";

const ALL: Filter = {
  text: "budget & plan",
  tags: ["a", "b/c"],
  folder: "work/2026",
  from: "2026-01-31",
  to: "2026-02-01",
  languages: ["ko", "en"],
  speakers: ["김민지", "Anna"],
  states: ["running", "failed"],
  kinds: ["document"],
  sort: "title",
  isAscending: true,
  inBin: true,
};

test("an address holds the whole filter", () => {
  expect(readFilter(new URLSearchParams(writeFilter(ALL).toString()))).toEqual(ALL);
  expect(writeFilter(NO_FILTER).toString()).toBe("");
});

test("what an address has that means nothing is left out", () => {
  const params = new URLSearchParams(
    "state=x&kind=media&sort=y&from=2026-13-45&to=soon&language=EN&bin=0&tag=",
  );
  expect(readFilter(params)).toEqual({ ...NO_FILTER, kinds: ["media"] });
});

test("the server is asked for whole days of the reader", () => {
  const { recordedFrom, recordedBefore, ...rest } = toRequest(ALL);
  expect(recordedFrom && timestampDate(recordedFrom)).toEqual(new Date(2026, 0, 31));
  expect(recordedBefore && timestampDate(recordedBefore)).toEqual(new Date(2026, 1, 2));
  expect(rest).toEqual({
    text: "budget & plan",
    tags: ["a", "b/c"],
    folder: "work/2026",
    languages: ["ko", "en"],
    speakers: ["김민지", "Anna"],
    workflowStates: [WorkflowState.QUEUED, WorkflowState.RUNNING, WorkflowState.FAILED],
    kinds: [RecordingKind.DOCUMENT],
    inBin: true,
    orderBy: RecordingOrder.TITLE,
    ascending: true,
  });
  expect(toRequest(NO_FILTER)).not.toHaveProperty("recordedFrom");
});

test("conditions are counted, and cleared without what is no condition", () => {
  expect(countConditions(ALL)).toBe(12);
  expect(isFiltered(NO_FILTER)).toBe(false);
  expect(isFiltered({ ...NO_FILTER, text: "x" })).toBe(true);
  expect(isFiltered({ ...NO_FILTER, sort: "size", inBin: true })).toBe(false);
  expect(withoutConditions(ALL)).toEqual({ ...NO_FILTER, sort: "title", isAscending: true, inBin: true });
});
