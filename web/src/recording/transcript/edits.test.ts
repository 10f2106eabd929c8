import { describe, expect, test } from "vitest";
import { minimalChange } from "./codePoints";
import { type Edit, editMessage, newSpeakerLabel, withEdit } from "./edits";
import type { Segment } from "./model";
import { speech, transcriptOf } from "./testing";

function textOf(segment: Segment | undefined): string {
  return (
    segment?.words
      .map((word) => word.text)
      .join("")
      .trim() ?? ""
  );
}

function replaced(before: string, after: string): Segment | undefined {
  const change = minimalChange(before, after);
  if (change === null) throw new Error("nothing to change");
  const edit: Edit = { kind: "replaceText", segment: 0, ...change };
  return withEdit(transcriptOf([speech("S1", 10, before)]), edit).segments[0];
}

describe("other text", () => {
  test.each([
    ["we meat on monday", "we meet on monday"],
    ["we meet", "we all meet"],
    ["we meet", "we meet today"],
    ["we meet today", "today"],
    ["we meet", "they meat"],
    ["😀 one two", "😁 one two"],
    ["one two", "onetwo"],
    ["onetwo", "one two"],
    ["한국 사람", "한국의 사람"],
  ])("from %j to %j: the words say the text", (before, after) => {
    const segment = replaced(before, after);
    expect(segment?.text).toBe(after);
    expect(textOf(segment)).toBe(after);
    const times = segment?.words.flatMap((word) => [word.start, word.end]) ?? [];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("words that stay keep their times and how sure they are", () => {
    const segment = replaced("we meat on monday", "we meet on monday");
    expect(segment?.words.map(({ start, probability }) => [start, probability])).toEqual([
      [10, 0.9],
      [11, 1],
      [12, 0.9],
      [13, 0.9],
    ]);
  });

  test("a segment without text is gone", () => {
    const before = transcriptOf([speech("S1", 0, "a"), speech("S1", 1, "b")]);
    const after = withEdit(before, { kind: "replaceText", segment: 0, start: 0, end: 1, text: "" });
    expect(after.segments).toEqual([before.segments[1]]);
  });
});

test("a segment becomes two", () => {
  const before = transcriptOf([speech("S1", 0, "one two three four")]);
  const { segments } = withEdit(before, { kind: "split", segment: 0, position: 8 });
  expect(segments.map(({ text, start, end }) => [text, start, end])).toEqual([
    ["one two", 0, 2],
    ["three four", 2, 4],
  ]);
  expect(segments.map(textOf)).toEqual(["one two", "three four"]);
});

test("a word is split, too", () => {
  const before = transcriptOf([speech("S1", 0, "one twothree four")]);
  const { segments } = withEdit(before, { kind: "split", segment: 0, position: 7 });
  expect(segments.map(textOf)).toEqual(["one two", "three four"]);
});

test("segments become one", () => {
  const before = transcriptOf([speech("S1", 0, "one"), speech("S2", 1, "two"), speech("S2", 2, "three")]);
  const { segments } = withEdit(before, { kind: "merge", first: 0, last: 1 });
  expect(segments.map(({ text, speaker, end }) => [text, speaker, end])).toEqual([
    ["one two", "S1", 2],
    ["three", "S2", 3],
  ]);
  expect(segments.map(textOf)).toEqual(["one two", "three"]);
});

test("who speaks, and what they are called", () => {
  const before = transcriptOf([speech("S1", 0, "one"), speech("S1", 1, "two")]);
  const assigned = withEdit(before, { kind: "assign", segments: [1], label: "S2" });
  expect(assigned.segments.map(({ speaker }) => speaker)).toEqual(["S1", "S2"]);
  expect(assigned.segments[0]).toBe(before.segments[0]);
  const named = withEdit(assigned, { kind: "rename", label: "S2", name: " Anna " });
  expect(named.speakers.map(({ label, name }) => [label, name])).toEqual([["S2", "Anna"]]);
  expect(newSpeakerLabel(named.speakers)).toBe("S3");
  expect(newSpeakerLabel([])).toBe("S1");
});

test("the same text in many places; what is not touched stays the same object", () => {
  const before = transcriptOf([
    speech("S1", 0, "colour me"),
    speech("S1", 5, "no"),
    speech("S1", 9, "Colour"),
  ]);
  const after = withEdit(before, {
    kind: "replaceAll",
    find: "colour",
    replacement: "$&color",
    matchCase: false,
    wholeWords: true,
  });
  expect(after.segments.map(({ text }) => text)).toEqual(["$&color me", "no", "$&color"]);
  expect(after.segments[1]).toBe(before.segments[1]);
});

test("as the contract writes it", () => {
  expect(editMessage({ kind: "replaceText", segment: 3, start: 1, end: 2, text: "x" })).toEqual({
    edit: { case: "replaceText", value: { segmentIndex: 3, start: 1, end: 2, text: "x" } },
  });
  expect(editMessage({ kind: "merge", first: 1, last: 4 })).toEqual({
    edit: { case: "mergeSegments", value: { firstSegmentIndex: 1, lastSegmentIndex: 4 } },
  });
});
