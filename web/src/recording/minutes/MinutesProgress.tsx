import { useTranslation } from "react-i18next";
import { reasonText } from "@/api/errors";
import { type StageStatus, type Workflow, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { currentLanguage } from "@/i18n";
import { secondsOf, span } from "@/lib/time";
import { Progress } from "@/ui/Progress";
import styles from "./Minutes.module.css";

type MinutesProgressProps = { workflow: Workflow; stage: StageStatus };

/** New minutes are on their way: how far, and how long yet. The recording's header can cancel the work. */
export function MinutesProgress({ workflow, stage }: MinutesProgressProps) {
  const { t } = useTranslation("recording/minutes");
  const { t: apiText } = useTranslation("api");
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
      </div>
      <Progress label={t("making")} percent={isWorking ? stage.percent : null} />
      {waiting !== undefined && <p className={styles.muted}>{reasonText(waiting, apiText)}</p>}
    </div>
  );
}
