/** A microphone that is on is never as still as this, not even in a silent room. Full scale is 1. */
export const SILENCE = 0.0005;
/** -34 decibels: somebody who speaks to a microphone at arm's length is louder, and noise of a room is not. */
const QUIET = 0.02;
/** What comes close to full scale was most likely beyond it. */
const CLIPPED = 0.985;
/** A knock on the table is no reason to turn it down. */
const CLIPPED_LEVELS = 3;

const LEVELS_PER_SECOND = 20;
const CLIPPED_WINDOW = 3 * LEVELS_PER_SECOND;
const SILENT_WINDOW = 3 * LEVELS_PER_SECOND;
/** So long somebody may look for words. */
const PATIENCE = 6 * LEVELS_PER_SECOND;

/**
 * The loudest of the last moment, 0 to 1. An object each time: followers are told of every moment of silence, too.
 */
export type Level = { readonly peak: number };

export const NO_LEVEL: Level = { peak: 0 };

/** How well a microphone hears. */
export type Hearing =
  /** Not known yet. */
  | "listening"
  /** Nothing at all comes from it. */
  | "nothing"
  | "quiet"
  /** So loud that it is distorted. */
  | "loud"
  | "good";

/** Judges a microphone by its levels: the largest absolute value of each 50 ms, full scale 1. */
export class HearingTest {
  #recent: number[] = [];
  #count = 0;
  #wasGood = false;

  add(level: number): Hearing {
    this.#count += 1;
    this.#recent = [...this.#recent, level].slice(-Math.max(CLIPPED_WINDOW, SILENT_WINDOW));
    this.#wasGood ||= level >= QUIET;
    if (this.#recent.slice(-CLIPPED_WINDOW).filter((one) => one >= CLIPPED).length >= CLIPPED_LEVELS)
      return "loud";
    const isSilent = this.#recent.slice(-SILENT_WINDOW).every((one) => one <= SILENCE);
    if (isSilent && this.#count >= SILENT_WINDOW) return "nothing";
    if (this.#wasGood) return "good";
    return this.#count < PATIENCE ? "listening" : "quiet";
  }
}
