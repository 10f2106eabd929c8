/** A stretch of a file: its first byte, and one past its last. */
export type Range = { start: number; end: number };

/** Returns the stretches of a file that have not come, in order. `received` is in order, without overlaps. */
export function missingRanges(received: readonly Range[], sizeBytes: number): Range[] {
  const missing: Range[] = [];
  let position = 0;
  for (const { start, end } of received) {
    if (start > position) missing.push({ start: position, end: start });
    position = Math.max(position, end);
  }
  if (position < sizeBytes) missing.push({ start: position, end: sizeBytes });
  return missing;
}

export function totalBytes(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Hands out what is missing of a file, piece by piece. */
export class Pieces {
  #ranges: Range[];

  constructor(received: readonly Range[], sizeBytes: number) {
    this.#ranges = missingRanges(received, sizeBytes);
  }

  /** Returns the next piece, of at most so many bytes; null where nothing is left. */
  take(mostBytes: number): Range | null {
    const first = this.#ranges[0];
    if (first === undefined) return null;
    const end = Math.min(first.end, first.start + mostBytes);
    if (end === first.end) this.#ranges.shift();
    else this.#ranges[0] = { start: end, end: first.end };
    return { start: first.start, end };
  }

  /** Takes a piece back that was not sent: it is the next one. */
  giveBack(piece: Range): void {
    this.#ranges.unshift(piece);
  }
}

const SMALLEST_PIECE_BYTES = 64 * 1024;
const SLOW_MS = 8_000;
const QUICK_MS = 2_000;

/**
 * Returns how large the next pieces are. On a slow line small ones show progress more often, and less is sent again
 * after a cut; otherwise the size that the server likes best is the quickest.
 */
export function nextPieceBytes(current: number, tookMs: number, bestBytes: number): number {
  if (tookMs > SLOW_MS) return Math.max(SMALLEST_PIECE_BYTES, current / 2);
  if (tookMs < QUICK_MS) return Math.min(bestBytes, current * 2);
  return Math.min(bestBytes, current);
}
