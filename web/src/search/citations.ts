import { codePoints } from "./codePoints";
import type { Citation, Exchange, Sentence } from "./exchange";
import type { Place } from "./place";

export type CitedSource = { number: number; place: Place; citations: Citation[] };

/** Numbers the sources of an answer from 1, in the order in which they are first cited, with what is cited of each. */
export function citedSources({ sentences, sources }: Pick<Exchange, "sentences" | "sources">): CitedSource[] {
  const cited = new Map<number, CitedSource>();
  for (const citation of sentences.flatMap(({ citations }) => citations)) {
    const place = sources[citation.source];
    if (place === undefined) continue;
    const known = cited.get(citation.source);
    if (known === undefined) {
      cited.set(citation.source, { number: cited.size + 1, place, citations: [citation] });
    } else if (known.citations.every(({ range }) => range.start !== citation.range.start)) {
      known.citations.push(citation);
    }
  }
  return [...cited.values()];
}

/** Returns a sentence's citations with their numbers, each number once. */
export function numberedCitations(
  sentence: Sentence,
  sources: readonly CitedSource[],
): { source: CitedSource; citation: Citation }[] {
  const found = new Map<number, { source: CitedSource; citation: Citation }>();
  for (const citation of sentence.citations) {
    const source = sources.find(({ citations }) => citations[0]?.source === citation.source);
    if (source !== undefined && !found.has(source.number)) found.set(source.number, { source, citation });
  }
  return [...found.values()];
}

/** Returns an answer as text, its sources below. `where` tells where a citation stands: "12:34, Anna". */
export function answerText(
  exchange: Exchange,
  where: (place: Place, seconds: number) => string,
  heading: string,
): string {
  const sources = citedSources(exchange);
  const answer = exchange.sentences.map((sentence) => {
    const numbers = numberedCitations(sentence, sources).map(({ source }) => `[${source.number}]`);
    return numbers.length === 0 ? sentence.text : `${sentence.text} ${numbers.join("")}`;
  });
  const lines = sources.flatMap(({ number, place, citations }) =>
    citations.map(
      ({ range, start }) =>
        `[${number}] ${place.title}, ${where(place, start)}: “${codePoints(place.text, range).trim()}”`,
    ),
  );
  const parts = [exchange.question, answer.join(" ")];
  if (lines.length > 0) parts.push(`${heading}\n${lines.join("\n")}`);
  return `${parts.join("\n\n")}\n`;
}
