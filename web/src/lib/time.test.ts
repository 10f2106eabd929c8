import { expect, test, vi } from "vitest";
import { clock, day, secondsOf, span } from "./time";

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

test("a day is told without its hour, and with its year where that is another", () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 22, 12) });
  try {
    expect(day(new Date(2026, 10, 22, 0, 1), "en-GB")).toBe("today");
    expect(day(new Date(2026, 10, 22, 23, 59), "ko-KR")).toBe("오늘");
    expect(day(new Date(2026, 2, 1, 9), "en-GB")).toBe("1 Mar");
    expect(day(new Date(1999, 11, 31, 23, 59), "en-GB")).toBe("31 Dec 1999");
    expect(day(new Date(1999, 11, 31), "ko-KR")).toBe("1999년 12월 31일");
  } finally {
    vi.useRealTimers();
  }
});
