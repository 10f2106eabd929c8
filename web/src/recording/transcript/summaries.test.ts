import { expect, test } from "vitest";
import { summaryKey } from "./summaries";

test.each([
  ["transcribed", "summary_transcribed", {}],
  ["1 word", "summary_words", { count: 1 }],
  ["12 words", "summary_words", { count: 12 }],
  ["2 segments merged", "summary_merged", { count: 2 }],
  ["1 segment split", "summary_split", { count: 1 }],
  ["3 segments by Anna Kim", "summary_assigned", { count: 3, name: "Anna Kim" }],
  ["speaker S1 is Anna Kim", "summary_renamed", { label: "S1", name: "Anna Kim" }],
  ["2 more", "summary_more", { count: 2 }],
])("%s", (part, key, values) => {
  expect(summaryKey(part)).toEqual({ key, values });
});

test("what the page does not know is shown as it is", () => {
  expect(summaryKey("“a” → “b” 3×")).toBeNull();
});
