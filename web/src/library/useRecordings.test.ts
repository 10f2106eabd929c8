import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ListRecordingsResponseSchema } from "@/gen/recordroute/gateway/v1/library_pb";
import { totalOf } from "./useRecordings";

function page(count: number, totalCount?: number) {
  const recordings = Array.from({ length: count }, (_, id) => ({ id: `${id}` }));
  return create(ListRecordingsResponseSchema, {
    recordings,
    ...(totalCount === undefined ? {} : { totalCount }),
  });
}

test("the first page tells how many there are", () => {
  expect(totalOf([], false)).toBe(0);
  expect(totalOf([page(60, 214)], true)).toBe(214);
  expect(totalOf([page(60, 214), page(60)], true)).toBe(214);
});

test("what is loaded is counted where that is all, or more than was told", () => {
  expect(totalOf([page(2, 3)], false)).toBe(2);
  expect(totalOf([page(60, 100), page(60)], true)).toBe(120);
});
