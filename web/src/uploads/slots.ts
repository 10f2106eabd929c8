type Waiting = { enter: () => void };

/** A number of places, taken in the order of asking: what runs at the same time is bounded by it. */
export class Slots {
  #count: number;
  #taken = 0;
  #waiting: Waiting[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  /** There are so many places from now on. Whoever has one keeps it to the end. */
  resize(count: number): void {
    this.#count = count;
    this.#admit();
  }

  /** Runs `work` as soon as there is a place. Throws the signal's reason where it is aborted before. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#taken -= 1;
      this.#admit();
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#waiting.push(waiting);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#taken < this.#count) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#taken += 1;
      next.enter();
    }
  }
}
