import { expect, test } from "vitest";
import { rangeIn } from "./matchHighlights";

function paragraph(...words: string[]): HTMLElement {
  const text = document.createElement("p");
  for (const word of words) {
    const span = document.createElement("span");
    span.textContent = word;
    text.append(span);
  }
  return text;
}

test.each([
  [0, 3, "The"],
  [4, 7, "cat"],
  [2, 9, "e cat s"],
  [8, 11, "sat"],
])("%d to %d over words", (start, end, text) => {
  expect(rangeIn(paragraph("The", " cat", " sat"), start, end)?.toString()).toBe(text);
});

test("what is not there", () => {
  expect(rangeIn(paragraph("The"), 2, 9)).toBeNull();
  expect(rangeIn(paragraph(), 0, 1)).toBeNull();
});
