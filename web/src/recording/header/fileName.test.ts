import { expect, test } from "vitest";
import { fileNameOf } from "./fileName";

test.each([
  ["Budget 2026", "Budget 2026.txt"],
  ['a/b\\c: "d"?', "a b c d.txt"],
  ["3분기 예산 회의", "3분기 예산 회의.txt"],
  ["...", "recording.txt"],
  ["", "recording.txt"],
  ["x".repeat(300), `${"x".repeat(120)}.txt`],
])("%j", (title, name) => {
  expect(fileNameOf(title, "txt")).toBe(name);
});
