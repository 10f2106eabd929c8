import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { dayText, readDay, recordedBetween } from "./days";

test.each([
  "2026-02-30",
  "2026-13-01",
  "2026-00-10",
  "2026-1-2",
  "0026-01-31",
  "soon",
  "2026-01-31T00:00",
  "",
  null,
])("%s is no day", (text) => {
  expect(readDay(text)).toBe("");
});

test("a day is told with its year", () => {
  expect(readDay("2028-02-29")).toBe("2028-02-29");
  expect(dayText("2026-01-31", "en-GB")).toBe("31 Jan 2026");
  expect(dayText("2026-01-31", "ko-KR")).toBe("2026. 1. 31.");
});

test("days are those of the reader, the last one included", () => {
  const { recordedFrom, recordedBefore } = recordedBetween("2026-02-28", "2026-12-31");
  expect(recordedFrom && timestampDate(recordedFrom)).toEqual(new Date(2026, 1, 28));
  expect(recordedBefore && timestampDate(recordedBefore)).toEqual(new Date(2027, 0, 1));
  expect(recordedBetween("", "")).toEqual({});
});
