import type { TFunction } from "i18next";
import type { MediaDamage } from "@/gen/recordroute/common/v1/transcript_pb";

const KNOWN = ["MEDIA_ENDS_EARLY", "MEDIA_PIECES_LEFT_OUT", "MEDIA_SILENT_GAPS", "MEDIA_CUT_OFF"] as const;

/** Returns what was wrong with a file in the page's language; what it has no words for comes as the server said it. */
export function damageText(
  { reason, message, metadata }: Pick<MediaDamage, "reason" | "message" | "metadata">,
  t: TFunction<"recording">,
): string {
  const known = KNOWN.find((one) => one === reason);
  return known === undefined ? message : t(`damage_${known}`, { replace: metadata });
}
