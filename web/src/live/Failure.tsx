import { useTranslation } from "react-i18next";
import { failureOf, useErrorText } from "@/api/errors";
import { Notice } from "@/ui/Notice";
import { CaptureError } from "./audio/capture";
import { OtherTabError } from "./recorder";

/** Why something did not work, and what to do about it. */
export function useFailureText(failure: unknown): string {
  const { t } = useTranslation("live");
  const other = useErrorText(failure);
  if (failure instanceof CaptureError) return t(`problem_${failure.problem}`);
  if (failure instanceof OtherTabError) return t("otherTab");
  const { reason } = failureOf(failure);
  return reason === "TOO_MANY_SESSIONS" || reason === "TOO_MANY_BOOKMARKS" ? t(reason) : other;
}

export function Failure({ failure }: { failure: unknown }) {
  return <Notice tone="danger">{useFailureText(failure)}</Notice>;
}
