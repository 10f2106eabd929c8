/**
 * What a link into a document quotes from it. It is kept with the entry of the browser's history, not in the address:
 * that names the passage, and is as short as others.
 */
export type Quoting = { quote: string };

/** Reads the quote of an entry; empty where there is none. */
export function quoteOf(entry: unknown): string {
  const isQuoting = typeof entry === "object" && entry !== null && "quote" in entry;
  return isQuoting && typeof entry.quote === "string" ? entry.quote : "";
}
