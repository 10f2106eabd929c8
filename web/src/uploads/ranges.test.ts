import { expect, test } from "vitest";
import { missingRanges, nextPieceBytes, Pieces, totalBytes } from "./ranges";

test.each([
  ["nothing has come", [], [{ start: 0, end: 100 }]],
  ["all has come", [{ start: 0, end: 100 }], []],
  ["the begin is missing", [{ start: 40, end: 100 }], [{ start: 0, end: 40 }]],
  [
    "gaps are left",
    [
      { start: 10, end: 20 },
      { start: 30, end: 90 },
    ],
    [
      { start: 0, end: 10 },
      { start: 20, end: 30 },
      { start: 90, end: 100 },
    ],
  ],
])("what is missing where %s", (_, received, missing) => {
  expect(missingRanges(received, 100)).toEqual(missing);
  expect(totalBytes(received) + totalBytes(missing)).toBe(100);
});

test("pieces cover what is missing, once", () => {
  const pieces = new Pieces([{ start: 5, end: 8 }], 20);
  expect([pieces.take(4), pieces.take(4), pieces.take(100), pieces.take(4)]).toEqual([
    { start: 0, end: 4 },
    { start: 4, end: 5 },
    { start: 8, end: 20 },
    null,
  ]);
});

test("pieces get smaller on a slow line and larger again", () => {
  const best = 1 << 20;
  expect(nextPieceBytes(best, 500, best)).toBe(best);
  expect(nextPieceBytes(best, 20_000, best)).toBe(best / 2);
  expect(nextPieceBytes(64 * 1024, 60_000, best)).toBe(64 * 1024);
  expect(nextPieceBytes(best / 4, 4_000, best)).toBe(best / 4);
  expect(nextPieceBytes(best / 4, 500, best)).toBe(best / 2);
});
