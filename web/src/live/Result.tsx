import { useQuery } from "@tanstack/react-query";
import { CircleCheck, MicOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { workflows } from "@/api/clients";
import { keys } from "@/api/queries";
import { type Workflow, WorkflowStage, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { useObservable } from "@/lib/observable";
import { Notice } from "@/ui/Notice";
import { Progress } from "@/ui/Progress";
import { EmptyState } from "@/ui/State";
import { recorder } from "./live";
import styles from "./Result.module.css";

const ENDED = new Set([WorkflowState.FAILED, WorkflowState.CANCELLED]);

function percentOf({ stages }: Workflow): number {
  const counted = stages.filter((stage) => stage.state !== WorkflowState.SKIPPED);
  const done = counted.reduce(
    (sum, stage) => sum + (stage.state === WorkflowState.SUCCEEDED ? 100 : stage.percent),
    0,
  );
  return counted.length === 0 ? 0 : done / counted.length;
}

function useStageText(workflow: Workflow): string {
  const { t } = useTranslation("live");
  const running = workflow.stages.find((stage) => stage.state === WorkflowState.RUNNING);
  switch (running?.stage) {
    case WorkflowStage.TRANSCRIBE:
      return t("stage_TRANSCRIBE");
    case WorkflowStage.SUMMARISE:
      return t("stage_SUMMARISE");
    case WorkflowStage.EMBED:
      return t("stage_EMBED");
    case WorkflowStage.INDEX:
      return t("stage_INDEX");
    default:
      return t("waiting");
  }
}

function Running({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("live");
  const stage = useStageText(workflow);
  if (workflow.state === WorkflowState.SUCCEEDED) return <p role="status">{t("workDone")}</p>;
  if (ENDED.has(workflow.state)) return <Notice tone="warning">{t("workFailed")}</Notice>;
  return (
    <div className={styles.work}>
      <p role="status">{stage}</p>
      <Progress label={t("working")} percent={percentOf(workflow)} />
    </div>
  );
}

/** The work on a recording as it goes on. The library's stream keeps it fresh. */
function Work({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: keys.workflow(id),
    queryFn: async () => (await workflows.getWorkflow({ workflowId: id })).workflow ?? null,
  });
  return data ? <Running workflow={data} /> : null;
}

type SavedProps = { title: string; recordingId: string; workflowId: string; text?: string | undefined };

function Saved({ title, recordingId, workflowId, text }: SavedProps) {
  const { t } = useTranslation("live");
  return (
    <section className={styles.saved}>
      <span className={styles.icon}>
        <CircleCheck aria-hidden />
      </span>
      <div className={styles.body}>
        <h2>{title}</h2>
        {text !== undefined && <p className={styles.text}>{text}</p>}
        {workflowId !== "" && <Work id={workflowId} />}
      </div>
      <Link href={`/recordings/${recordingId}`} className={styles.open}>
        {t("openRecording")}
      </Link>
    </section>
  );
}

/** What became of it: one recording, or several where it was interrupted for long. */
export function Result() {
  const { t } = useTranslation("live");
  const { parts, rest } = useObservable(recorder.state);
  const made = parts.filter((part) => part.recordingId !== "");
  const restId = rest?.recordingId ?? "";
  const isOne = made.length + (restId === "" ? 0 : 1) === 1;
  if (made.length === 0 && restId === "") {
    return <EmptyState icon={<MicOff />} title={t("doneEmpty")} text={t("doneEmptyText")} />;
  }
  return (
    <div className={styles.results}>
      {made.map((part, index) => (
        <Saved
          key={part.sessionId}
          title={isOne ? t("doneTitle") : t("partDone", { number: index + 1 })}
          recordingId={part.recordingId}
          workflowId={part.workflowId}
        />
      ))}
      {restId !== "" && (
        <Saved
          title={isOne ? t("doneTitle") : t("partDone", { number: made.length + 1 })}
          recordingId={restId}
          workflowId=""
          text={t("restDone")}
        />
      )}
    </div>
  );
}
