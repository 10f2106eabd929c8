import type { Segment } from "./model";
import { type Place, placeAt } from "./times";

/**
 * Marks the segment and the word that are heard. It works on the page's elements by itself: while it plays, nothing is
 * rendered anew, and only the elements that change are touched.
 */
export class Highlighter {
  #segments: readonly Segment[] = [];
  #complete = false;
  #time = 0;
  #place: Place = { segment: -1, word: -1 };
  #row: Element | null = null;
  #word: Element | null = null;
  #list: ParentNode | null = null;
  readonly #onSegment: (segment: number) => void;

  /** `onSegment` is called whenever another segment is heard, with -1 before the first one. */
  constructor(onSegment: (segment: number) => void) {
    this.#onSegment = onSegment;
  }

  get segment(): number {
    return this.#place.segment;
  }

  setSegments(segments: readonly Segment[], complete: boolean): void {
    this.#segments = segments;
    this.#complete = complete;
    this.setTime(this.#time);
  }

  setTime(seconds: number): void {
    this.#time = seconds;
    const place = placeAt(this.#segments, seconds);
    // Past what has been read so far nobody knows what is heard.
    if (!this.#complete && place.segment === this.#segments.length - 1) place.segment = -1;
    if (place.segment === this.#place.segment && place.word === this.#place.word) return;
    const isOther = place.segment !== this.#place.segment;
    this.#place = place;
    this.#mark();
    if (isOther) this.#onSegment(place.segment);
  }

  /** To be called whenever rows have come or gone. */
  setList(list: ParentNode | null): void {
    this.#list = list;
    this.#mark();
  }

  #mark(): void {
    const { segment, word } = this.#place;
    const row = segment < 0 ? null : (this.#list?.querySelector(`[data-segment="${segment}"]`) ?? null);
    const shown = word < 0 ? null : (row?.querySelector(`[data-word="${word}"]`) ?? null);
    this.#row = swap(this.#row, row);
    this.#word = swap(this.#word, shown);
  }
}

function swap(before: Element | null, after: Element | null): Element | null {
  if (before !== after) before?.removeAttribute("data-current");
  after?.setAttribute("data-current", "");
  return after;
}
