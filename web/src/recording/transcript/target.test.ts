import { expect, test } from "vitest";
import type { Segment } from "./model";
import { isInside, quotedIn, targetOf } from "./target";

test("an address names a segment, or several", () => {
  expect(targetOf("12")).toEqual({ segment: 12, last: 12, quote: "" });
  expect(targetOf("12-14", "Hello.")).toEqual({ segment: 12, last: 14, quote: "Hello." });
  for (const wrong of ["", "-1", "1.5", "14-12", "12-", "a", "1e3", "9999999999"])
    expect(targetOf(wrong)).toBeNull();
});

test("a passage holds its first and its last segment", () => {
  const target = targetOf("12-14");
  expect([11, 12, 13, 14, 15].map((segment) => isInside(target, segment))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(isInside(null, 0)).toBe(false);
});

const SEGMENTS = ["Out of it. 예산", "One  two.", "Three\nfour 🎉 five.", "Out of it."].map(
  (text): Segment => ({ start: 0, end: 0, text, speaker: "", words: [], page: 0, line: 0 }),
);

function quoted(quote: string): string[] {
  const target = targetOf("1-2", quote);
  const matches = target === null ? [] : quotedIn(SEGMENTS, target);
  return matches.map(({ segment, start, end }) => `${segment}: ${SEGMENTS[segment]?.text.slice(start, end)}`);
}

test("a quote is found in its passage, over lines and segments", () => {
  expect(quoted("two.")).toEqual(["1: two."]);
  expect(quoted("One two. Three four")).toEqual(["1: One  two.", "2: Three\nfour"]);
  expect(quoted("🎉 five.")).toEqual(["2: 🎉 five."]);
});

test("what does not stand there, or stands elsewhere, is not marked", () => {
  for (const other of ["", " ", "Out of it.", "예산", "one two", "five. Out"])
    expect(quoted(other)).toEqual([]);
});
