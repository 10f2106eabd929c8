import { beforeEach, expect, test, vi } from "vitest";
import { Highlighter } from "./Highlighter";
import { speech } from "./testing";

const segments = [speech("S1", 0, "one two"), speech("S2", 5, "three four")];
let list: HTMLElement;

beforeEach(() => {
  list = document.createElement("div");
  segments.forEach((segment, index) => {
    const row = document.createElement("p");
    row.dataset.segment = String(index);
    segment.words.forEach((word, position) => {
      const span = document.createElement("span");
      span.dataset.word = String(position);
      span.textContent = word.text;
      row.append(span);
    });
    list.append(row);
  });
});

function marked(): string[] {
  return [...list.querySelectorAll("span[data-current]")].map((element) => element.textContent?.trim() ?? "");
}

test("one word at a time is marked", () => {
  const heard = vi.fn();
  const highlighter = new Highlighter(heard);
  highlighter.setSegments(segments, true);
  highlighter.setList(list);
  highlighter.setTime(0.5);
  expect(marked()).toEqual(["one"]);
  highlighter.setTime(1.5);
  expect(marked()).toEqual(["two"]);
  highlighter.setTime(4);
  expect(marked()).toEqual([]);
  expect(list.querySelectorAll("p[data-current]")).toHaveLength(1);
  highlighter.setTime(5);
  expect(marked()).toEqual(["three"]);
  expect(heard.mock.calls).toEqual([[0], [1]]);
});

test("rows that come into view later are marked, too", () => {
  const highlighter = new Highlighter(() => undefined);
  highlighter.setSegments(segments, true);
  highlighter.setTime(6);
  expect(marked()).toEqual([]);
  highlighter.setList(list);
  expect(marked()).toEqual(["four"]);
});

test("what has not been read yet is not guessed", () => {
  const heard = vi.fn();
  const highlighter = new Highlighter(heard);
  highlighter.setTime(900);
  highlighter.setSegments(segments, false);
  expect(heard).not.toHaveBeenCalled();
  highlighter.setSegments([...segments, speech("S1", 890, "long ".repeat(20))], true);
  expect(heard.mock.calls).toEqual([[2]]);
});
