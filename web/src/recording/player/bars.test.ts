import { expect, test } from "vitest";
import { barPath, barsOf } from "./bars";

test("the largest peak of each stretch, the loudest at full height", () => {
  expect(barsOf(Uint8Array.of(10, 50, 100, 0), 2)).toEqual([0.5, 1]);
  expect(barsOf(Uint8Array.of(10, 50, 100, 0), 4)).toEqual([0.1, 0.5, 1, 0]);
});

test("more bars than peaks: each peak is drawn several times", () => {
  expect(barsOf(Uint8Array.of(4, 2), 4)).toEqual([1, 1, 0.5, 0.5]);
});

test("silence and nothing", () => {
  expect(barsOf(Uint8Array.of(0, 0), 2)).toEqual([0, 0]);
  expect(barsOf(new Uint8Array(), 8)).toEqual([]);
  expect(barsOf(Uint8Array.of(1), 0)).toEqual([]);
});

test("bars stand around the middle and are seen even where it is silent", () => {
  expect(barPath([1, 0], 10)).toBe("M0 0.0h2v10.0h-2zM3 4.0h2v2.0h-2z");
});
