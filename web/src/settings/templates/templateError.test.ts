import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { textsOf } from "@/testing";
import { lengthErrorOf, lineRange, templateErrorOf } from "./templateError";

const { english, korean } = await textsOf("settings");

function failure(message: string, metadata: Record<string, string>, reason = "BAD_TEMPLATE") {
  return { code: Code.InvalidArgument, reason, message, metadata, retryAfterMs: null };
}

test("a mistake is told with its line", () => {
  expect(templateErrorOf(failure("line 4: unknown kind 'x'", { line: "4" }), english)).toEqual({
    line: 4,
    message: "unknown kind 'x'",
  });
  expect(templateErrorOf(failure("line 12: expected '# Name'", {}), english)?.line).toBe(12);
});

test("a mistake that the server names is told in the page's language", () => {
  const metadata = { line: "4", problem: "UNKNOWN_KIND", found: "songs", known: "topics, custom" };
  const told = failure("line 4: unknown kind 'songs'; there are topics, custom", metadata);
  expect(templateErrorOf(told, english)?.message).toBe(
    "There is no kind “songs”. There are: topics, custom.",
  );
  expect(templateErrorOf(told, korean)?.message).toBe(
    "“songs”(이)라는 종류는 없습니다. 쓸 수 있는 종류: topics, custom.",
  );
  const newer = failure("line 4: too blue", { line: "4", problem: "TOO_BLUE" });
  expect(templateErrorOf(newer, korean)?.message).toBe("too blue");
});

test("a mistake without a line, and an error that is none", () => {
  expect(templateErrorOf(failure("too long", {}), english)).toEqual({ line: null, message: "too long" });
  expect(templateErrorOf(failure("line 1: x", { line: "nothing" }), english)?.line).toBeNull();
  expect(templateErrorOf(failure("the server is away", {}, "UPSTREAM_UNAVAILABLE"), english)).toBeNull();
});

test("what is too long for the server is told before it is sent, by bytes", () => {
  expect(lengthErrorOf("x".repeat(16_384), english)).toBeNull();
  expect(lengthErrorOf("x".repeat(16_385), english)).toMatchObject({ line: null });
  expect(lengthErrorOf("결".repeat(5_462), english)?.message).toMatch(/at most 16384 bytes/);
});

test.each([
  [1, "# Name"],
  [2, ""],
  [3, "## 결정 사항"],
  [9, ""],
])("line %d of a text", (line, expected) => {
  const text = "# Name\n\n## 결정 사항";
  const { start, end } = lineRange(text, line);
  expect(text.slice(start, end)).toBe(expected);
});

test("what is missing at the end is marked there", () => {
  expect(lineRange("# Name", 2)).toEqual({ start: 6, end: 6 });
});
