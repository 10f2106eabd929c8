import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RemovedTextSchema } from "@/gen/recordroute/stt/v1/stt_pb";
import { guessHeight, rowOfSegment, rowsOf } from "./rows";
import { speech } from "./testing";

const segments = [
  speech("S1", 0, "one"),
  speech("S1", 1, "two"),
  speech("S2", 2, "three"),
  speech("S2", 60, "four"),
  speech("", 62, "five"),
];

function removedBefore(index: number) {
  return create(RemovedTextSchema, { segment: { index, text: "thanks for watching" } });
}

test("a name stands where another speaker begins, and after a long pause", () => {
  const rows = rowsOf(segments);
  expect(rows.map((row) => row.kind === "segment" && row.isTurn)).toEqual([true, false, true, true, false]);
});

test("removed text stands before the segment that followed it", () => {
  const rows = rowsOf(segments, [removedBefore(99), removedBefore(2), removedBefore(0)]);
  expect(rows.map((row) => (row.kind === "segment" ? row.index : "removed"))).toEqual([
    "removed",
    0,
    1,
    "removed",
    2,
    3,
    4,
    "removed",
  ]);
  expect(segments.map((_, index) => rowOfSegment(rows, index))).toEqual([1, 2, 4, 5, 6]);
  expect(rowOfSegment(rows, 5)).toBe(-1);
  expect(rowOfSegment([], 0)).toBe(-1);
});

test("pages of a document", () => {
  const pages = [1, 1, 2].map((page) => ({ ...speech("", 0, "text"), page }));
  expect(rowsOf(pages).map((row) => row.kind === "segment" && row.isPage)).toEqual([true, false, true]);
});

test("long text is guessed to be higher", () => {
  const rows = rowsOf([speech("S1", 0, "short"), speech("S1", 1, "long ".repeat(100))]);
  const [short, long] = rows.map((row) =>
    guessHeight(row, [speech("S1", 0, "short"), speech("S1", 1, "long ".repeat(100))], 70),
  );
  expect(long).toBeGreaterThan(short ?? Number.POSITIVE_INFINITY);
});
