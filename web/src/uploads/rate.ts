const WINDOW_MS = 12_000;
/** Below this the figure would say more on chance than on the line. */
const SHORTEST_MS = 1_500;

/** How fast something goes, over the last seconds. Times are in milliseconds. */
export class Rate {
  #samples: { at: number; bytes: number }[] = [];
  #begin: number;

  constructor(now: number) {
    this.#begin = now;
  }

  add(bytes: number, now: number): void {
    this.#samples.push({ at: now, bytes });
    this.#forget(now);
  }

  /** Begins anew: after a pause the line may be another one. */
  reset(now: number): void {
    this.#samples = [];
    this.#begin = now;
  }

  /** Returns 0 while it is not known. */
  bytesPerSecond(now: number): number {
    this.#forget(now);
    const since = Math.max(this.#begin, now - WINDOW_MS);
    const elapsed = now - since;
    if (elapsed < SHORTEST_MS) return 0;
    return (this.#samples.reduce((sum, { bytes }) => sum + bytes, 0) / elapsed) * 1000;
  }

  #forget(now: number): void {
    while (this.#samples[0] !== undefined && this.#samples[0].at < now - WINDOW_MS) this.#samples.shift();
  }
}

/** Returns how many seconds the rest takes; null where the speed is not known. */
export function secondsLeft(bytesLeft: number, bytesPerSecond: number): number | null {
  return bytesPerSecond > 0 ? bytesLeft / bytesPerSecond : null;
}
