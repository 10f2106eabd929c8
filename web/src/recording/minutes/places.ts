import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Evidence } from "@/gen/recordroute/common/v1/minutes_pb";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { speakerName } from "@/lib/speakers";
import { clock, secondsOf } from "@/lib/time";

/** Returns where evidence stands: "12:34" of a recording, a page or a line of a document. */
function positionOf(evidence: Evidence, t: TFunction<"recording/minutes">): string {
  if (evidence.page !== undefined) return t("page", { page: evidence.page });
  if (evidence.line !== undefined) return t("line", { line: evidence.line });
  return clock(secondsOf(evidence.start));
}

/**
 * Returns a text of the minutes with names in the place of labels: a line that says "I" begins with who speaks, by the
 * label that the speaker had when the minutes were made ("S1: I will ...").
 */
export function withNames(
  text: string,
  labels: readonly string[],
  nameOf: (label: string) => string,
): string {
  return text.replace(/(^|\s)([^\s:]{1,64})(?=:\s)/gu, (found, space: string, label: string) =>
    labels.includes(label) ? `${space}${nameOf(label)}` : found,
  );
}

/** Returns a function that puts names in the place of the speakers' labels. */
export function useNamed(recording: Recording): (text: string) => string {
  const { t } = useTranslation("recording/minutes");
  const labels = recording.speakers.map(({ label }) => label);
  const nameOf = (label: string) =>
    speakerName(label, recording.speakers, (number) => t("speaker", { number }));
  return (text) => (labels.includes(text) ? nameOf(text) : withNames(text, labels, nameOf));
}

export type Place = { position: string; speaker: string };

/** Returns a function that tells where evidence stands and who speaks there. */
export function usePlaceOf(recording: Recording): (evidence: Evidence) => Place {
  const { t } = useTranslation("recording/minutes");
  return (evidence) => ({
    position: positionOf(evidence, t),
    speaker: speakerName(evidence.speaker, recording.speakers, (number) => t("speaker", { number })),
  });
}
