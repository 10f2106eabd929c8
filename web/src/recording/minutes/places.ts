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

export type Place = { position: string; speaker: string };

/** Returns a function that tells where evidence stands and who speaks there. */
export function usePlaceOf(recording: Recording): (evidence: Evidence) => Place {
  const { t } = useTranslation("recording/minutes");
  return (evidence) => ({
    position: positionOf(evidence, t),
    speaker: speakerName(evidence.speaker, recording.speakers, (number) => t("speaker", { number })),
  });
}
