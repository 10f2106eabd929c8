import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Circle, CircleAlert, Minus, RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { workflows } from "@/api/clients";
import { reasonText } from "@/api/errors";
import { keys } from "@/api/queries";
import { Access, ArtifactKind, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import {
  type StageStatus,
  type Workflow,
  WorkflowStage,
  WorkflowState,
} from "@/gen/recordroute/gateway/v1/workflow_pb";
import { currentLanguage } from "@/i18n";
import { secondsOf, span } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { Spinner } from "@/ui/Spinner";
import { useToasts } from "@/ui/Toast";
import styles from "./WorkflowStatus.module.css";

const STAGES = {
  [WorkflowStage.UNSPECIFIED]: "stage_transcribe",
  [WorkflowStage.TRANSCRIBE]: "stage_transcribe",
  [WorkflowStage.SUMMARISE]: "stage_summarise",
  [WorkflowStage.EMBED]: "stage_embed",
  [WorkflowStage.INDEX]: "stage_index",
} as const;

const STATES = {
  [WorkflowState.UNSPECIFIED]: "state_queued",
  [WorkflowState.QUEUED]: "state_queued",
  [WorkflowState.RUNNING]: "state_running",
  [WorkflowState.SUCCEEDED]: "state_succeeded",
  [WorkflowState.FAILED]: "state_failed",
  [WorkflowState.CANCELLED]: "state_cancelled",
  [WorkflowState.SKIPPED]: "state_skipped",
} as const;

function isOpen(state: WorkflowState): boolean {
  return state === WorkflowState.QUEUED || state === WorkflowState.RUNNING;
}

/** What is being made of the recording, what went wrong, and the way on. Nothing where all is done. */
export function WorkflowStatus({ recording }: { recording: Recording }) {
  const { latestWorkflowId: id, latestWorkflowState: state } = recording;
  const workflow = useQuery({
    queryKey: keys.workflow(id),
    enabled: id !== "" && state !== WorkflowState.SUCCEEDED,
    queryFn: async ({ signal }) => {
      const answer = await workflows.getWorkflow({ workflowId: id }, { signal });
      if (answer.workflow === undefined) throw new Error("the server told no workflow");
      return answer.workflow;
    },
  });
  const canEdit = recording.access >= Access.WRITE && recording.deletedAt === undefined;
  if (id === "") {
    const hasText = recording.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT);
    return hasText || !canEdit ? null : <NotStarted recording={recording} />;
  }
  if (workflow.data === undefined) return null;
  if (isOpen(workflow.data.state)) return <Running workflow={workflow.data} canCancel={canEdit} />;
  if (workflow.data.state === WorkflowState.FAILED || workflow.data.state === WorkflowState.CANCELLED) {
    return <Stopped workflow={workflow.data} canRetry={canEdit} />;
  }
  return null;
}

function NotStarted({ recording }: { recording: Recording }) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const start = useMutation({
    mutationFn: (requestId: string) =>
      workflows.startWorkflow({ requestId, recordingId: recording.id, options: {} }),
    onError: toasts.showError,
  });
  return (
    <section className={styles.status} aria-label={t("work")}>
      <p className={styles.line}>
        <span className={styles.text}>{t("notStarted")}</span>
        <Button
          size="small"
          variant="primary"
          busy={start.isPending}
          onClick={() => start.mutate(crypto.randomUUID())}
        >
          {t("start")}
        </Button>
      </p>
    </section>
  );
}

function Running({ workflow, canCancel }: { workflow: Workflow; canCancel: boolean }) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const cache = useQueryClient();
  const cancel = useMutation({
    mutationFn: (requestId: string) => workflows.cancelWorkflow({ requestId, workflowId: workflow.id }),
    onSuccess: ({ workflow: ended }) => ended && cache.setQueryData(keys.workflow(ended.id), ended),
    onError: toasts.showError,
  });
  const current = workflow.stages.find((stage) => stage.state === WorkflowState.RUNNING);
  const remaining = secondsOf(workflow.remaining);
  const title =
    current !== undefined
      ? t(STAGES[current.stage])
      : workflow.queuePosition > 0
        ? t("queuedBehind", { count: workflow.queuePosition })
        : t("state_queued");
  return (
    <section className={styles.status} aria-label={t("work")}>
      <div className={styles.line}>
        <p className={styles.text} role="status">
          {title}
        </p>
        {remaining > 0 && (
          <span className={styles.muted}>{t("remaining", { time: span(remaining, currentLanguage()) })}</span>
        )}
        {canCancel && (
          <Button
            size="small"
            variant="ghost"
            busy={cancel.isPending}
            onClick={() => cancel.mutate(crypto.randomUUID())}
          >
            {t("cancelWork")}
          </Button>
        )}
      </div>
      <Progress label={title} percent={current === undefined ? null : current.percent} />
      <Stages stages={workflow.stages} />
      <Waiting stage={current} />
    </section>
  );
}

function Waiting({ stage }: { stage: StageStatus | undefined }) {
  const { t } = useTranslation("recording");
  const { t: apiText } = useTranslation("api");
  if (stage?.waitingFor === undefined) return null;
  return <p className={styles.muted}>{t("waitingFor", { reason: reasonText(stage.waitingFor, apiText) })}</p>;
}

function Stopped({ workflow, canRetry }: { workflow: Workflow; canRetry: boolean }) {
  const { t } = useTranslation("recording");
  const { t: apiText } = useTranslation("api");
  const toasts = useToasts();
  const cache = useQueryClient();
  const retry = useMutation({
    mutationFn: (requestId: string) => workflows.retryWorkflow({ requestId, workflowId: workflow.id }),
    onSuccess: ({ workflow: going }) => going && cache.setQueryData(keys.workflow(going.id), going),
    onError: toasts.showError,
  });
  const isFailed = workflow.state === WorkflowState.FAILED;
  const stage = workflow.stages.find(({ state }) => state === workflow.state);
  return (
    <section
      className={isFailed ? `${styles.status} ${styles.failed}` : styles.status}
      aria-label={t("work")}
    >
      <div className={styles.line}>
        <p className={styles.text} role="status">
          {isFailed ? <CircleAlert aria-hidden /> : null}
          <strong>
            {isFailed && stage !== undefined
              ? t("stageFailed", { stage: t(STAGES[stage.stage]) })
              : isFailed
                ? t("state_failed")
                : t("workCancelled")}
          </strong>{" "}
          {workflow.error !== undefined && isFailed ? reasonText(workflow.error, apiText) : null}
        </p>
        {canRetry && (
          <Button
            size="small"
            icon={<RotateCcw />}
            busy={retry.isPending}
            onClick={() => retry.mutate(crypto.randomUUID())}
          >
            {t("retryWork")}
          </Button>
        )}
      </div>
      <Stages stages={workflow.stages} />
    </section>
  );
}

function Stages({ stages }: { stages: readonly StageStatus[] }) {
  const { t } = useTranslation("recording");
  return (
    <ol className={styles.stages}>
      {stages.map((stage) => (
        <li key={stage.stage} data-state={WorkflowState[stage.state]?.toLowerCase()}>
          <StageIcon state={stage.state} />
          {t(STAGES[stage.stage])}
          <span className="visually-hidden">: {t(STATES[stage.state])}</span>
        </li>
      ))}
    </ol>
  );
}

function StageIcon({ state }: { state: WorkflowState }) {
  switch (state) {
    case WorkflowState.RUNNING:
      return <Spinner />;
    case WorkflowState.SUCCEEDED:
      return <Check aria-hidden />;
    case WorkflowState.FAILED:
    case WorkflowState.CANCELLED:
      return <CircleAlert aria-hidden />;
    case WorkflowState.SKIPPED:
      return <Minus aria-hidden />;
    default:
      return <Circle aria-hidden />;
  }
}
