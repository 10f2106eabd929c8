/** Terms that a request holds at most. */
export const MOST_TERMS = 1000;
/** Bytes that a term has at most. */
export const MOST_BYTES = 128;

export type ReadTerms = { terms: string[] /** Those that are too long. */; tooLong: string[] };

/** Reads terms, one a line; each once. */
export function readTerms(text: string): ReadTerms {
  const lines = [...new Set(text.split("\n").map((line) => line.trim().replace(/\s+/g, " ")))];
  const isLong = (line: string) => new TextEncoder().encode(line).length > MOST_BYTES;
  const terms = lines.filter((line) => line !== "");
  return { terms: terms.filter((line) => !isLong(line)), tooLong: terms.filter(isLong) };
}

/** Cuts terms into as many as a request holds. */
export function batches(terms: readonly string[]): string[][] {
  const count = Math.ceil(terms.length / MOST_TERMS);
  return Array.from({ length: count }, (_, at) => terms.slice(at * MOST_TERMS, (at + 1) * MOST_TERMS));
}
