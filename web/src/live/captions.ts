import type { LiveEvent } from "@/gen/recordroute/gateway/v1/live_pb";
import { SpeechEvent_Kind } from "@/gen/recordroute/stt/v1/stt_pb";
import { secondsOf } from "@/lib/time";

export type CaptionLine = {
  id: string;
  /** Seconds from the start of the recording. */
  start: number;
  /** Null: captions were left out here. */
  text: string | null;
  language: string;
};

export type Interim = { start: number; stable: string; unstable: string };

export type Warning = { reason: string; message: string };

/** What was heard so far, and what the server has to say about it. */
export type Captions = {
  lines: readonly CaptionLine[];
  interim: Interim | null;
  /** Language that was told by the server; empty before. */
  language: string;
  /** What is not as it should be at the moment. */
  warnings: readonly Warning[];
  /** Somebody speaks now. */
  speaking: boolean;
};

export const NO_CAPTIONS: Captions = {
  lines: [],
  interim: null,
  language: "",
  warnings: [],
  speaking: false,
};

/** Warnings that stand until another one takes them back. */
const TAKEN_BACK_BY: Record<string, string> = { CAPTIONS_RESUMED: "CAPTIONS_INTERRUPTED" };

function warned(captions: Captions, warning: Warning): Captions {
  const { reason } = warning;
  if (reason === "CAPTIONS_SKIPPED") {
    const start = captions.interim?.start ?? captions.lines.at(-1)?.start ?? 0;
    const gap = { id: `gap-${captions.lines.length}`, start, text: null, language: "" };
    return { ...captions, lines: [...captions.lines, gap], interim: null };
  }
  const gone = TAKEN_BACK_BY[reason] ?? reason;
  const others = captions.warnings.filter((other) => other.reason !== gone);
  return { ...captions, warnings: reason in TAKEN_BACK_BY ? others : [...others, warning] };
}

/** Returns the captions after an event of a session that began `offset` seconds after the recording did. */
export function captionsAfter(captions: Captions, { event }: LiveEvent, offset: number): Captions {
  switch (event.case) {
    case "caption": {
      const result = event.value.result;
      if (result === undefined) return captions;
      const start = offset + secondsOf(result.start);
      if (!result.isFinal) {
        const interim = { start, stable: result.stableText, unstable: result.unstableText };
        return { ...captions, interim };
      }
      const id = `${offset}-${result.utterance}`;
      const text = result.stableText.trim();
      const isKnown = captions.lines.some((line) => line.id === id);
      if (text === "" || isKnown) return { ...captions, interim: null };
      const line = { id, start, text, language: result.language };
      return { ...captions, lines: [...captions.lines, line], interim: null };
    }
    case "language":
      return { ...captions, language: event.value.language };
    case "speech":
      return { ...captions, speaking: event.value.kind === SpeechEvent_Kind.SPEECH_STARTED };
    case "warning":
      return warned(captions, event.value);
    case "ended":
      return { ...captions, interim: null, speaking: false };
    default:
      return captions;
  }
}
