import type { AskResponse } from "@/gen/recordroute/gateway/v1/search_pb";
import { secondsOf } from "@/lib/time";
import type { CodePointRange } from "./codePoints";
import { type Place, placeOf } from "./place";

export type Citation = {
  /** Position of the source in `sources`. */
  source: number;
  /** The part of the source's text. */
  range: CodePointRange;
  /** When it is said, in seconds from the start of the recording. */
  start: number;
};

export type Sentence = { text: string; citations: Citation[] };

/** A question with its answer, as plain data: it is kept over reloads. */
export type Exchange = {
  id: string;
  question: string;
  /** The question as it was understood; empty until that is known. */
  standalone: string;
  state: "asking" | "done" | "stopped" | "failed";
  sources: Place[];
  /** What the model has written and nobody has checked yet. */
  unchecked: string;
  /** What was checked. */
  sentences: Sentence[];
  /** Whether the recordings hold the answer; null until that is known. */
  isFound: boolean | null;
  model: string;
  /** Why it failed. */
  error: string;
};

export function newExchange(id: string, question: string): Exchange {
  return {
    id,
    question,
    standalone: "",
    state: "asking",
    sources: [],
    unchecked: "",
    sentences: [],
    isFound: null,
    model: "",
    error: "",
  };
}

/** Takes in the next message of the answer. */
export function withMessage(exchange: Exchange, { payload }: AskResponse): Exchange {
  switch (payload.case) {
    case "sources":
      return {
        ...exchange,
        standalone: payload.value.standaloneQuestion,
        sources: payload.value.sources.map(placeOf),
      };
    case "delta":
      return { ...exchange, unchecked: exchange.unchecked + payload.value };
    case "sentence": {
      const citations = payload.value.citations.map(({ sourceIndex, range, start }) => ({
        source: sourceIndex,
        range: { start: range?.start ?? 0, end: range?.end ?? 0 },
        start: secondsOf(start),
      }));
      // What the model wrote gives way to what holds.
      const sentences = [...exchange.sentences, { text: payload.value.text, citations }];
      return { ...exchange, unchecked: "", sentences };
    }
    case "result":
      return {
        ...exchange,
        state: "done",
        unchecked: "",
        isFound: payload.value.found,
        model: payload.value.model,
      };
    default:
      return exchange;
  }
}

/** What was not checked must not stay. */
export function ended(exchange: Exchange, state: "stopped" | "failed", error = ""): Exchange {
  return exchange.state === "asking" ? { ...exchange, state, unchecked: "", error } : exchange;
}

const HISTORY = 10;

/** Returns what a further question may lean on, oldest first. */
export function historyOf(exchanges: readonly Exchange[]): { question: string; answer: string }[] {
  return exchanges
    .filter(({ state }) => state === "done")
    .slice(-HISTORY)
    .map(({ question, sentences }) => ({ question, answer: sentences.map(({ text }) => text).join(" ") }));
}
