import { expect, test } from "vitest";
import { cleanText, codePointsBefore, minimalChange } from "./codePoints";

function applied(before: string, change: { start: number; end: number; text: string }): string {
  const points = [...before];
  return [...points.slice(0, change.start), change.text, ...points.slice(change.end)].join("");
}

test("code points, not UTF-16 units", () => {
  expect(codePointsBefore("a😀b", 0)).toBe(0);
  expect(codePointsBefore("a😀b", 1)).toBe(1);
  expect(codePointsBefore("a😀b", 3)).toBe(2);
  expect(codePointsBefore("a😀b", 99)).toBe(3);
  expect(codePointsBefore("회의록", 2)).toBe(2);
});

test.each([
  ["the budget is fine", "the budget was fine", { start: 11, end: 12, text: "wa" }],
  ["one two", "one two three", { start: 7, end: 7, text: " three" }],
  ["one two three", "two three", { start: 0, end: 4, text: "" }],
  ["😀 yes", "😁 yes", { start: 0, end: 1, text: "😁" }],
  ["😀😀", "😀", { start: 1, end: 2, text: "" }],
  ["aaa", "aa", { start: 2, end: 3, text: "" }],
  ["예산은 확정", "예산안은 확정", { start: 2, end: 2, text: "안" }],
  ["gone", "", { start: 0, end: 4, text: "" }],
])("from %j to %j", (before, after, change) => {
  expect(minimalChange(before, after)).toEqual(change);
  expect(applied(before, change)).toBe(after);
});

test("nothing changed", () => {
  expect(minimalChange("same", "same")).toBeNull();
});

test("typed text as the server keeps it", () => {
  expect(cleanText("  two\n lines ")).toBe("two lines");
  expect(cleanText("한".normalize("NFD"))).toBe("한");
});
