import { Check, Circle, CircleAlert, CircleStop, Minus, RotateCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { reasonText } from "@/api/errors";
import { type StageStatus, type Workflow, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { currentLocale } from "@/i18n";
import { dateOf, dayAndTime, secondsOf, span } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { Spinner } from "@/ui/Spinner";
import { TitleLink } from "@/ui/TitleLink";
import { useRecording } from "./useRecording";
import { requestsFor, useChange } from "./useWorkflows";
import styles from "./WorkflowRow.module.css";

type StageNumber = 1 | 2 | 3 | 4;

function isStage(stage: number): stage is StageNumber {
  return stage >= 1 && stage <= 4;
}

/** One workflow: of which recording, how far it is, and what can be done with it. */
export function WorkflowRow({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const recording = useRecording(workflow.recordingId);
  const title = recording === null ? t("deleted") : recording?.title || recording?.fileName || "…";
  const { state } = workflow;
  return (
    <div className={styles.row}>
      <div className={styles.main}>
        {recording === null ? (
          <span className={styles.gone}>{title}</span>
        ) : (
          <TitleLink href={`/recordings/${workflow.recordingId}`}>{title}</TitleLink>
        )}
        <Details workflow={workflow} />
      </div>
      {(state === WorkflowState.RUNNING || state === WorkflowState.QUEUED) && (
        <ChangeButton workflow={workflow} change="cancel" title={title} />
      )}
      {(state === WorkflowState.FAILED || state === WorkflowState.CANCELLED) && recording !== null && (
        <ChangeButton workflow={workflow} change="retry" title={title} />
      )}
    </div>
  );
}

type ChangeButtonProps = { workflow: Workflow; change: "cancel" | "retry"; title: string };

function ChangeButton({ workflow, change, title }: ChangeButtonProps) {
  const { t } = useTranslation("workflows");
  const changing = useChange(change);
  return (
    <Button
      size="small"
      icon={change === "cancel" ? <CircleStop /> : <RotateCw />}
      busy={changing.isPending}
      aria-label={t(`${change}Name`, { title })}
      onClick={() => changing.mutate(requestsFor([workflow]))}
    >
      {t(change)}
    </Button>
  );
}

function Details({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const { t: apiText } = useTranslation("api");
  const { state, stages, error } = workflow;
  switch (state) {
    case WorkflowState.RUNNING:
      return <Running workflow={workflow} />;
    case WorkflowState.QUEUED:
      return <Queued workflow={workflow} />;
    case WorkflowState.FAILED: {
      const stage = stages.find((status) => status.state === WorkflowState.FAILED)?.stage ?? 0;
      return (
        <>
          <p className={styles.error}>
            <CircleAlert aria-hidden />
            <span>
              {isStage(stage) ? t("failedAt", { stage: t(`stage_${stage}`) }) : t("failed")}
              {error !== undefined && `: ${reasonText(error, apiText)}`}
            </span>
          </p>
          <Ended workflow={workflow} />
        </>
      );
    }
    default:
      return (
        <div className={styles.line}>
          <Badge tone={state === WorkflowState.SUCCEEDED ? "accent" : "neutral"}>
            {t(state === WorkflowState.SUCCEEDED ? "succeeded" : "stopped")}
          </Badge>
          <Ended workflow={workflow} />
        </div>
      );
  }
}

function Ended({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const [from, to] = [dateOf(workflow.createdAt), dateOf(workflow.endedAt)];
  if (from === null || to === null) return null;
  const language = currentLocale();
  const time = span((to.getTime() - from.getTime()) / 1000, language);
  return <p className={styles.note}>{t("ended", { date: dayAndTime(to, language), time })}</p>;
}

function Queued({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const remaining = secondsOf(workflow.remaining);
  const parts = [
    workflow.queuePosition > 0 ? t("behind", { count: workflow.queuePosition }) : t("next"),
    remaining > 0 ? t("remaining", { time: span(remaining, currentLocale()) }) : "",
  ];
  return <p className={styles.note}>{parts.filter(Boolean).join(" · ")}</p>;
}

function Running({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const { t: apiText } = useTranslation("api");
  const current = workflow.stages.find(({ state }) => state === WorkflowState.RUNNING);
  const name = current !== undefined && isStage(current.stage) ? t(`stage_${current.stage}`) : t("running");
  const remaining = secondsOf(workflow.remaining);
  return (
    <>
      <Progress label={name} percent={current?.percent ?? null} />
      <div className={styles.line}>
        <ol className={styles.stages} aria-label={t("stages")}>
          {workflow.stages.map((stage) => (
            <Stage key={stage.stage} status={stage} />
          ))}
        </ol>
        {remaining > 0 && (
          <p className={styles.note}>{t("remaining", { time: span(remaining, currentLocale()) })}</p>
        )}
      </div>
      {current?.waitingFor !== undefined && (
        <p className={styles.waiting}>
          {t("waitingFor", { reason: reasonText(current.waitingFor, apiText) })}
        </p>
      )}
    </>
  );
}

const STAGE_ICONS = {
  [WorkflowState.SUCCEEDED]: Check,
  [WorkflowState.FAILED]: CircleAlert,
  [WorkflowState.SKIPPED]: Minus,
} as const;

function Stage({ status }: { status: StageStatus }) {
  const { t } = useTranslation("workflows");
  const { stage, state, percent } = status;
  if (!isStage(stage) || state === WorkflowState.UNSPECIFIED) return null;
  const isRunning = state === WorkflowState.RUNNING;
  const Icon = state in STAGE_ICONS ? STAGE_ICONS[state as keyof typeof STAGE_ICONS] : Circle;
  return (
    <li className={isRunning ? `${styles.stage} ${styles.current}` : styles.stage} data-state={state}>
      {isRunning ? <Spinner /> : <Icon aria-hidden />}
      {t(`stage_${stage}`)}
      {isRunning && <span className={styles.percent}>{Math.floor(percent)} %</span>}
      {!isRunning && <span className="visually-hidden">{t(`state_${state}`)}</span>}
    </li>
  );
}
