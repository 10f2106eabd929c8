import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { lineRange, templateErrorOf } from "./templateError";

function failure(message: string, metadata: Record<string, string>, reason = "BAD_TEMPLATE") {
  return { code: Code.InvalidArgument, reason, message, metadata, retryAfterMs: null };
}

test("a mistake is told with its line", () => {
  expect(templateErrorOf(failure("line 4: unknown kind 'x'", { line: "4" }))).toEqual({
    line: 4,
    message: "unknown kind 'x'",
  });
  expect(templateErrorOf(failure("line 12: expected '# Name'", {}))?.line).toBe(12);
});

test("a mistake without a line, and an error that is none", () => {
  expect(templateErrorOf(failure("too long", {}))).toEqual({ line: null, message: "too long" });
  expect(templateErrorOf(failure("line 1: x", { line: "nothing" }))?.line).toBeNull();
  expect(templateErrorOf(failure("the server is away", {}, "UPSTREAM_UNAVAILABLE"))).toBeNull();
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
