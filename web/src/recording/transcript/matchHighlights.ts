import type { Match } from "./find";

/** Names of the style sheet's ::highlight() rules. */
const ALL = "recordroute-match";
const CURRENT = "recordroute-current-match";
const QUOTE = "recordroute-quote";

/** Returns a stretch of an element's text, in UTF-16 units; null where the text is not that long. */
export function rangeIn(element: Element, start: number, end: number): Range | null {
  const range = document.createRange();
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let at = 0;
  let begun = false;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const length = node.nodeValue?.length ?? 0;
    if (!begun && start < at + length) {
      range.setStart(node, start - at);
      begun = true;
    }
    if (begun && end <= at + length) {
      range.setEnd(node, end - at);
      return range;
    }
    at += length;
  }
  return null;
}

/** Marks the matches in the rows that are on the page. The browser paints them; no element changes. */
export function highlightMatches(
  list: ParentNode,
  matchesOf: ReadonlyMap<number, readonly Match[]>,
  current: Match | undefined,
): void {
  if (!("highlights" in CSS)) return;
  const all = new Highlight();
  const chosen = new Highlight();
  chosen.priority = 1;
  if (matchesOf.size > 0) {
    for (const text of list.querySelectorAll<HTMLElement>("[data-text]")) {
      for (const match of matchesOf.get(Number(text.dataset.text)) ?? []) {
        const range = rangeIn(text, match.start, match.end);
        if (range !== null) (match === current ? chosen : all).add(range);
      }
    }
  }
  CSS.highlights.set(ALL, all);
  CSS.highlights.set(CURRENT, chosen);
}

/** Marks what is quoted, in the rows that are on the page. */
export function highlightQuote(list: ParentNode, quoted: readonly Match[]): void {
  if (!("highlights" in CSS)) return;
  const quote = new Highlight();
  for (const { segment, start, end } of quoted) {
    const text = list.querySelector(`[data-text="${segment}"]`);
    const range = text === null ? null : rangeIn(text, start, end);
    if (range !== null) quote.add(range);
  }
  CSS.highlights.set(QUOTE, quote);
}

export function clearMatchHighlights(): void {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(QUOTE);
  CSS.highlights.delete(ALL);
  CSS.highlights.delete(CURRENT);
}
