import { expect, test } from "vitest";
import { Rate, secondsLeft } from "./rate";

test("the speed is that of the last seconds", () => {
  const rate = new Rate(0);
  rate.add(1_000, 500);
  expect(rate.bytesPerSecond(1_000)).toBe(0);
  rate.add(3_000, 2_000);
  expect(rate.bytesPerSecond(2_000)).toBe(2_000);
  // What is longer ago than the window counts no more.
  expect(rate.bytesPerSecond(13_900)).toBe(250);
  expect(rate.bytesPerSecond(20_000)).toBe(0);
});

test("after a pause it begins anew", () => {
  const rate = new Rate(0);
  rate.add(1_000_000, 1_000);
  rate.reset(60_000);
  rate.add(4_000, 62_000);
  expect(rate.bytesPerSecond(62_000)).toBe(2_000);
});

test("the time that is left", () => {
  expect(secondsLeft(10_000, 2_000)).toBe(5);
  expect(secondsLeft(10_000, 0)).toBeNull();
});
