/** Name that the processor of the worklet is registered by. */
export const PROCESSOR = "recordroute-capture";

/** What the page tells the processor. */
export type ToProcessor =
  /** Nothing is recorded until `resume`; what was heard before comes at once as a last, shorter chunk. */
  | { kind: "pause" }
  | { kind: "resume" }
  /** Chunks have this many samples from now on. */
  | { kind: "length"; samples: number };

/** What the processor tells the page. */
export type FromProcessor =
  | { kind: "chunk"; audio: Uint8Array<ArrayBuffer> }
  | { kind: "level"; peak: number }
  /** It has been paused for a while: timers of pages in the background come late, the audio thread does not. */
  | { kind: "idle" }
  /** All that was heard before the pause has come. */
  | { kind: "paused" };
