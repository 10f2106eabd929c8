import { expect, test } from "vitest";
import { rebased, relocated, splitEdits, textEdits } from "./drafts";
import { speech } from "./testing";

test("only what was changed is sent, in code points", () => {
  expect(textEdits(4, "😀 we meat", "😀 we meet ")).toEqual([
    { kind: "replaceText", segment: 4, start: 7, end: 8, text: "e" },
  ]);
  expect(textEdits(4, "same", " same\n")).toEqual([]);
});

test("split at the caret, after what was typed", () => {
  expect(splitEdits(1, "one two", "one two", 3)).toEqual([{ kind: "split", segment: 1, position: 3 }]);
  expect(splitEdits(1, "one two", "😀one two", 5)).toEqual([
    { kind: "replaceText", segment: 1, start: 0, end: 0, text: "😀" },
    { kind: "split", segment: 1, position: 4 },
  ]);
  expect(splitEdits(1, "one two", "one two", 0)).toBeNull();
  expect(splitEdits(1, "one two", "one two  ", 8)).toBeNull();
});

test("the same segment in a transcript that was changed meanwhile", () => {
  const wanted = speech("S1", 10, "yes");
  const segments = [speech("S1", 0, "yes"), speech("S1", 9, "no"), speech("S1", 11, "yes")];
  expect(relocated(segments, wanted)).toBe(2);
  expect(relocated([speech("S1", 0, "a"), speech("S1", 9, "b")], wanted)).toBe(1);
  expect(relocated([], wanted)).toBe(-1);
});

test("the segment that is edited moves with the transcript, and says when it was changed", () => {
  const before = speech("S1", 10, "yes");
  const same = [speech("S1", 0, "a"), speech("S1", 10, "yes")];
  expect(rebased({ index: 1, before }, same)).toEqual({ index: 1, before: same[1], isOther: false });
  const moved = [speech("S1", 0, "a"), speech("S1", 5, "b"), speech("S1", 10, "yes")];
  expect(rebased({ index: 1, before }, moved)).toEqual({ index: 2, before: moved[2], isOther: false });
  const changed = [speech("S1", 0, "a"), speech("S1", 10, "no")];
  expect(rebased({ index: 1, before }, changed)).toEqual({ index: 1, before: changed[1], isOther: true });
  expect(rebased({ index: 1, before }, [])).toBeNull();
});
