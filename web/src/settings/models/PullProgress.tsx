import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Model, type ModelPull, PullPhase } from "@/gen/recordroute/gateway/v1/model_pb";
import { currentLanguage } from "@/i18n";
import { size } from "@/lib/size";
import { Button } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { useToasts } from "@/ui/Toast";
import { models } from "./client";
import styles from "./Models.module.css";

function usePhase(phase: PullPhase): string {
  const { t } = useTranslation("settings");
  switch (phase) {
    case PullPhase.WAITING:
      return t("pullWaiting");
    case PullPhase.CONVERTING:
      return t("pullConverting");
    case PullPhase.VERIFYING:
      return t("pullVerifying");
    default:
      return t("pullDownloading");
  }
}

type PullProgressProps = { model: Model; pull: ModelPull; canManage: boolean };

/** How far a pull is. */
export function PullProgress({ model, pull, canManage }: PullProgressProps) {
  const { t } = useTranslation("settings");
  const { t: apiText } = useTranslation("api");
  const toasts = useToasts();
  const phase = usePhase(pull.phase);
  const language = currentLanguage();
  const cancel = useMutation({
    mutationFn: () => models.cancelPull({ requestId: crypto.randomUUID(), modelId: model.id }),
    onSuccess: ({ cancelled }) => {
      if (cancelled) toasts.show(apiText("PULL_CANCELLED"));
    },
    onError: toasts.showError,
  });
  const isKnown = pull.totalBytes > 0n;
  const percent = isKnown ? (100 * Number(pull.doneBytes)) / Number(pull.totalBytes) : null;
  return (
    <div className={styles.pull}>
      <div className={styles.pullRow}>
        <span role="status">{phase}</span>
        {isKnown && (
          <span className={styles.muted}>
            {t("bytesOf", { done: size(pull.doneBytes, language), total: size(pull.totalBytes, language) })}
          </span>
        )}
        {canManage && (
          <Button size="small" variant="ghost" busy={cancel.isPending} onClick={() => cancel.mutate()}>
            {t("cancel")}
          </Button>
        )}
      </div>
      <Progress label={t("pullOf", { model: model.id })} percent={percent} />
      {pull.notice !== "" && (
        <p className={styles.muted} lang="en">
          {pull.notice}
        </p>
      )}
    </div>
  );
}
