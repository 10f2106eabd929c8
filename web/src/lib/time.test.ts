import { expect, test } from "vitest";
import { clock, secondsOf, span } from "./time";

test.each([
  [0, "0:00"],
  [7.9, "0:07"],
  [754, "12:34"],
  [3723, "1:02:03"],
  [-1, "0:00"],
])("%d seconds on a clock", (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});

test("a duration of the contract in seconds", () => {
  expect(secondsOf(undefined)).toBe(0);
  expect(secondsOf({ $typeName: "google.protobuf.Duration", seconds: 2n, nanos: 500_000_000 })).toBe(2.5);
});

test("how long something takes", () => {
  expect(span(0.2, "en")).toBe("1 sec");
  expect(span(59.4, "en")).toBe("59 sec");
  expect(span(3900, "en")).toBe("1 hr 5 min");
  expect(span(180, "ko")).toBe("3분");
});
