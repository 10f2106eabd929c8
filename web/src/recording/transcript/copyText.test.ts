import { expect, test } from "vitest";
import { copiedSelection, copiedText } from "./copyText";
import { speech } from "./testing";

const segments = [speech("S1", 0, "one two"), speech("S2", 65, "three four"), speech("", 70, "five")];
const nameOf = (label: string) => `Speaker ${label.slice(1)}`;

test("with times and names", () => {
  expect(copiedText(segments, nameOf)).toBe(
    "[0:00] Speaker 1: one two\n[1:05] Speaker 2: three four\n[1:10] five",
  );
  expect(copiedText(segments, nameOf, 1, 1)).toBe("[1:05] Speaker 2: three four");
});

test("a document has no times", () => {
  expect(copiedText([{ ...speech("", 0, "text"), page: 2 }], nameOf)).toBe("text");
});

test("a selection over several segments gets times, one inside of a segment stays as it is", () => {
  const list = document.createElement("div");
  segments.forEach((segment, index) => {
    const text = document.createElement("p");
    text.dataset.text = String(index);
    text.textContent = segment.text;
    list.append(text);
  });
  document.body.replaceChildren(list);
  const selection = document.getSelection();
  const [first, second] = [...list.children].map((element) => element.firstChild);
  if (selection === null || !first || !second) throw new Error("no selection");
  selection.setBaseAndExtent(first, 4, second, 5);
  expect(copiedSelection(selection, list, segments, nameOf)).toBe(
    "[0:00] Speaker 1: two\n[1:05] Speaker 2: three",
  );
  selection.setBaseAndExtent(first, 0, first, 3);
  expect(copiedSelection(selection, list, segments, nameOf)).toBeNull();
});
