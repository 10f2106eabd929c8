import { expect, test } from "vitest";
import { codePoints, markedPieces } from "./codePoints";

function shown(text: string, ranges: [number, number][]): string {
  return markedPieces(
    text,
    ranges.map(([start, end]) => ({ start, end })),
  )
    .map((piece) => (piece.isMarked ? `[${piece.text}]` : piece.text))
    .join("");
}

test.each<[string, [number, number][], string]>([
  ["the budget", [[4, 10]], "the [budget]"],
  ["the budget", [], "the budget"],
  ["🎉🎉 예산 회의", [[3, 5]], "🎉🎉 [예산] 회의"],
  ["👨‍👩‍👧 budget", [[6, 12]], "👨‍👩‍👧 [budget]"],
  [
    "abcdef",
    [
      [4, 6],
      [0, 2],
    ],
    "[ab]cd[ef]",
  ],
  [
    "abcdef",
    [
      [0, 3],
      [2, 4],
    ],
    "[abcd]ef",
  ],
  [
    "abcdef",
    [
      [0, 2],
      [2, 4],
    ],
    "[abcd]ef",
  ],
  ["abc", [[1, 99]], "a[bc]"],
  [
    "abc",
    [
      [2, 2],
      [3, 1],
    ],
    "abc",
  ],
  ["", [[0, 3]], ""],
])("%j marked at %j", (text, ranges, expected) => {
  expect(shown(text, ranges)).toBe(expected);
});

test("pieces know where they begin", () => {
  expect(markedPieces("a🎉b", [{ start: 1, end: 2 }]).map(({ start }) => start)).toEqual([0, 1, 2]);
});

test("a stretch in code points", () => {
  expect(codePoints("🎉🎉 예산", { start: 3, end: 5 })).toBe("예산");
});
