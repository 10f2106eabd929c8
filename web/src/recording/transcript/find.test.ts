import { expect, test } from "vitest";
import { findAll, firstFrom } from "./find";
import { speech } from "./testing";

const segments = [
  speech("S1", 0, "The cat sat, the caterpillar did not."),
  speech("S1", 20, "Costs (net) are 5.0%"),
  speech("S2", 40, "예산 예산안 CAT"),
];
const plain = { matchCase: false, wholeWords: false };

test("every place, in order", () => {
  expect(findAll(segments, { ...plain, find: "cat" })).toEqual([
    { segment: 0, start: 4, end: 7 },
    { segment: 0, start: 17, end: 20 },
    { segment: 2, start: 7, end: 10 },
  ]);
});

test("case and whole words", () => {
  expect(findAll(segments, { find: "CAT", matchCase: true, wholeWords: false })).toHaveLength(1);
  expect(findAll(segments, { find: "cat", matchCase: false, wholeWords: true })).toHaveLength(2);
  expect(findAll(segments, { find: "예산", matchCase: false, wholeWords: true })).toHaveLength(1);
});

test.each(["(net)", "5.0%", "Costs (", "5.0", "a-z", "\\", "/", "^$", "[", "{1}"])(
  "%j is a text, not a pattern",
  (find) => {
    const places = findAll(segments, { ...plain, find });
    const text = segments.map((segment) => segment.text.toLowerCase()).join("\n");
    expect(places).toHaveLength(text.split(find.toLowerCase()).length - 1);
  },
);

test("nothing is looked for", () => {
  expect(findAll(segments, { ...plain, find: "" })).toEqual([]);
});

test("the search begins where the reader is", () => {
  const matches = findAll(segments, { ...plain, find: "cat" });
  expect(firstFrom(matches, 0)).toBe(0);
  expect(firstFrom(matches, 1)).toBe(2);
  expect(firstFrom(matches, 9)).toBe(0);
});
