import { useTranslation } from "react-i18next";
import { reasonText } from "@/api/errors";
import { type StageStatus, type Workflow, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { currentLanguage } from "@/i18n";
import { secondsOf, span } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { useToasts } from "@/ui/Toast";
import styles from "./Minutes.module.css";
import { useCancelWork } from "./useMinutesWork";

type MinutesProgressProps = { workflow: Workflow; stage: StageStatus; canCancel: boolean };

/** New minutes are on their way: how far, and how long yet. */
export function MinutesProgress({ workflow, stage, canCancel }: MinutesProgressProps) {
  const { t } = useTranslation("recording/minutes");
  const { t: apiText } = useTranslation("api");
  const toasts = useToasts();
  const cancel = useCancelWork();
  const isWorking = stage.state === WorkflowState.RUNNING;
  const remaining = stage.remaining ?? (isWorking ? undefined : workflow.remaining);
  const waiting = stage.waitingFor;
  return (
    <div className={styles.progress}>
      <div className={styles.progressRow}>
        <p role="status">{isWorking ? t("making") : t("waiting")}</p>
        <span className={styles.muted}>
          {isWorking && `${Math.round(stage.percent)} %`}
          {isWorking && remaining !== undefined && " · "}
          {remaining !== undefined && t("remaining", { time: span(secondsOf(remaining), currentLanguage()) })}
        </span>
        {canCancel && (
          <Button
            size="small"
            variant="ghost"
            busy={cancel.isPending}
            onClick={() => cancel.mutate(workflow.id, { onError: toasts.showError })}
          >
            {t("cancel")}
          </Button>
        )}
      </div>
      <Progress label={t("making")} percent={isWorking ? stage.percent : null} />
      {waiting !== undefined && <p className={styles.muted}>{reasonText(waiting, apiText)}</p>}
    </div>
  );
}
