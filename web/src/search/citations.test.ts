import { expect, test } from "vitest";
import { answerText, citedSources, numberedCitations } from "./citations";
import { newExchange } from "./exchange";
import type { Place } from "./place";

function place(title: string, text: string): Place {
  return {
    recordingId: title,
    title,
    start: 10,
    text,
    speakers: [],
    recordedAt: null,
    isDocument: false,
    page: null,
    line: null,
    segmentIndex: 0,
    lastSegmentIndex: 0,
  };
}

function cite(source: number, start: number, end: number) {
  return { source, range: { start, end }, start: 10 + start };
}

const exchange = {
  ...newExchange("1", "What does it cost?"),
  sources: [place("A", "one two"), place("B", "🎉 three four"), place("C", "never cited")],
  sentences: [
    { text: "Three.", citations: [cite(1, 2, 7), cite(1, 2, 7)] },
    { text: "One and four.", citations: [cite(0, 0, 3), cite(1, 8, 12)] },
    { text: "Broken.", citations: [cite(9, 0, 1)] },
  ],
};

test("sources are numbered in the order in which they are cited", () => {
  const sources = citedSources(exchange);
  expect(sources.map(({ number, place: { title }, citations }) => [number, title, citations.length])).toEqual(
    [
      [1, "B", 2],
      [2, "A", 1],
    ],
  );
});

test("a sentence shows each number once, and leads to what it cites itself", () => {
  const sources = citedSources(exchange);
  const [first, second, third] = exchange.sentences.map((sentence) => numberedCitations(sentence, sources));
  expect(first?.map(({ source }) => source.number)).toEqual([1]);
  expect(second?.map(({ source, citation }) => [source.number, citation.start])).toEqual([
    [2, 10],
    [1, 18],
  ]);
  expect(third).toEqual([]);
});

test("an answer as text with its sources", () => {
  expect(answerText(exchange, (_place, seconds) => `at ${seconds}`, "Sources")).toBe(`What does it cost?

Three. [1] One and four. [2][1] Broken.

Sources
[1] B, at 12: “three”
[1] B, at 18: “four”
[2] A, at 10: “one”
`);
});
