import { expect, test } from "vitest";
import { speech } from "./testing";
import { gapsOf, lastStarted, placeAt, skipTo, turnsOf, wordFrom } from "./times";

const segments = [speech("S1", 2, "one two three"), speech("S2", 5.2, "four five"), speech("S2", 12, "six")];

test("the last that has started", () => {
  const items = [1, 2, 2, 5].map((start) => ({ start }));
  expect(lastStarted([], 1)).toBe(-1);
  expect(lastStarted(items, 0.9)).toBe(-1);
  expect(lastStarted(items, 1)).toBe(0);
  expect(lastStarted(items, 2)).toBe(2);
  expect(lastStarted(items, 99)).toBe(3);
});

test("what is heard at a time", () => {
  expect(placeAt(segments, 0)).toEqual({ segment: -1, word: -1 });
  expect(placeAt(segments, 2)).toEqual({ segment: 0, word: 0 });
  expect(placeAt(segments, 3.5)).toEqual({ segment: 0, word: 1 });
  expect(placeAt(segments, 5.1)).toEqual({ segment: 0, word: 2 });
  expect(placeAt(segments, 9)).toEqual({ segment: 1, word: -1 });
  expect(placeAt(segments, 12.5)).toEqual({ segment: 2, word: 0 });
});

test("from word to word, over segments", () => {
  expect(wordFrom(segments, 0, 1)).toBe(2);
  expect(wordFrom(segments, 2, 1)).toBe(3);
  expect(wordFrom(segments, 4.2, 1)).toBe(5.2);
  expect(wordFrom(segments, 5.2, -1)).toBe(4);
  expect(wordFrom(segments, 2, -1)).toBeNull();
  expect(wordFrom(segments, 0, -1)).toBeNull();
  expect(wordFrom(segments, 12.5, 1)).toBeNull();
});

test("a stretch at one word a time through all words", () => {
  const starts: number[] = [];
  for (let at = wordFrom(segments, 0, 1); at !== null; at = wordFrom(segments, at, 1)) starts.push(at);
  expect(starts).toEqual(segments.flatMap((segment) => segment.words.map((word) => word.start)));
});

test("silence is jumped over, speech is not", () => {
  const gaps = gapsOf(segments);
  expect(gaps).toEqual([
    { start: 0.25, end: 1.75 },
    { start: 7.45, end: 11.75 },
  ]);
  expect(skipTo(gaps, 0)).toBeNull();
  expect(skipTo(gaps, 0.3)).toBe(1.75);
  expect(skipTo(gaps, 1.75)).toBeNull();
  expect(skipTo(gaps, 5)).toBeNull();
  expect(skipTo(gaps, 8)).toBe(11.75);
  expect(skipTo([], 8)).toBeNull();
});

test("a segment inside of a longer one opens no gap", () => {
  const overlapped = [
    { ...speech("S1", 0, "a"), end: 20 },
    { ...speech("S2", 5, "b"), end: 6 },
    { ...speech("S1", 20.5, "c"), end: 21 },
  ];
  expect(gapsOf(overlapped)).toEqual([]);
});

test("who speaks most in each stretch; neighbours are joined, pauses stay empty", () => {
  const turns = turnsOf(segments, 16, 8);
  expect(turns).toEqual([
    { start: 1 / 8, end: 3 / 8, speaker: "S1" },
    { start: 3 / 8, end: 4 / 8, speaker: "S2" },
    { start: 6 / 8, end: 7 / 8, speaker: "S2" },
  ]);
  expect(turnsOf(segments, 0, 8)).toEqual([]);
  expect(turnsOf(segments, 16, 0)).toEqual([]);
});
