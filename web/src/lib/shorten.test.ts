import { expect, test } from "vitest";
import { shorten } from "./shorten";

test("what is short enough stays as it is", () => {
  expect(shorten("회의록", 3)).toBe("회의록");
});

test("what is longer ends with a mark, between characters", () => {
  expect(shorten("one two three", 5)).toBe("one…");
  expect(shorten("🎙🎙🎙", 2)).toBe("🎙…");
});
