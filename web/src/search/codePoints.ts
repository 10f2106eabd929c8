/** A stretch of a text, in Unicode code points. */
export type CodePointRange = { start: number; end: number };

export type Piece = {
  text: string;
  isMarked: boolean /** Where it begins, in code points. */;
  start: number;
};

/**
 * Cuts a text into marked and other pieces. JavaScript counts in UTF-16 units, the contract in code points: they differ
 * from the first emoji on. Ranges may overlap, be out of order and reach beyond the text.
 */
export function markedPieces(text: string, ranges: readonly CodePointRange[]): Piece[] {
  const points = Array.from(text);
  const clamped = ranges
    .map(({ start, end }) => ({ start: Math.max(0, start), end: Math.min(points.length, end) }))
    .filter(({ start, end }) => start < end)
    .sort((one, other) => one.start - other.start);
  const pieces: Piece[] = [];
  const add = (start: number, end: number, isMarked: boolean) => {
    if (start < end) pieces.push({ text: points.slice(start, end).join(""), isMarked, start });
  };
  let done = 0;
  let index = 0;
  while (index < clamped.length) {
    const first = clamped[index];
    if (first === undefined) break;
    let { end } = first;
    index += 1;
    for (let next = clamped[index]; next !== undefined && next.start <= end; next = clamped[index]) {
      end = Math.max(end, next.end);
      index += 1;
    }
    add(done, first.start, false);
    add(first.start, end, true);
    done = end;
  }
  add(done, points.length, false);
  return pieces;
}

export function codePoints(text: string, { start, end }: CodePointRange): string {
  return Array.from(text).slice(start, end).join("");
}
