import { clock } from "@/lib/time";
import type { Segment } from "./model";

/** Returns one line of a copied transcript. */
export function copiedLine(segment: Segment, text: string, name: string): string {
  const place = segment.page > 0 || segment.line > 0 ? "" : `[${clock(segment.start)}] `;
  return `${place}${name === "" ? "" : `${name}: `}${text.trim()}`;
}

/** Returns all of it, or the segments from `first` to `last`. */
export function copiedText(
  segments: readonly Segment[],
  nameOf: (label: string) => string,
  first = 0,
  last = segments.length - 1,
): string {
  return segments
    .slice(first, last + 1)
    .map((segment) =>
      copiedLine(segment, segment.text, segment.speaker === "" ? "" : nameOf(segment.speaker)),
    )
    .join("\n");
}

/** Returns the selected text with times and names where it goes over several segments; null otherwise. */
export function copiedSelection(
  selection: Selection,
  list: Element,
  segments: readonly Segment[],
  nameOf: (label: string) => string,
): string | null {
  if (selection.isCollapsed || selection.rangeCount === 0) return null;
  const selected = selection.getRangeAt(0);
  const lines: string[] = [];
  for (const text of list.querySelectorAll<HTMLElement>("[data-text]")) {
    const segment = segments[Number(text.dataset.text)];
    if (segment === undefined || !selected.intersectsNode(text)) continue;
    const part = document.createRange();
    part.selectNodeContents(text);
    if (selected.compareBoundaryPoints(Range.START_TO_START, part) > 0) {
      part.setStart(selected.startContainer, selected.startOffset);
    }
    if (selected.compareBoundaryPoints(Range.END_TO_END, part) < 0) {
      part.setEnd(selected.endContainer, selected.endOffset);
    }
    if (part.toString().trim() === "") continue;
    lines.push(copiedLine(segment, part.toString(), segment.speaker === "" ? "" : nameOf(segment.speaker)));
  }
  return lines.length > 1 ? lines.join("\n") : null;
}
