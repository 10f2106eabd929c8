import { useQuery } from "@tanstack/react-query";
import { CircleAlert, Clock, History, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { workflows } from "@/api/clients";
import { reasonText } from "@/api/errors";
import { keys } from "@/api/queries";
import {
  type Artifact,
  ArtifactKind,
  ArtifactState,
  type Recording,
} from "@/gen/recordroute/gateway/v1/library_pb";
import { WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { currentLanguage } from "@/i18n";
import { dateOf } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Progress } from "@/ui/Progress";
import styles from "./RowState.module.css";
import type { WithTexts } from "./row";
import { stageOf } from "./stage";

/** How the work on a recording is; nothing where all is done. */
export function RowState({ recording, t }: WithTexts & { recording: Recording }) {
  const { latestWorkflowState: state, artifacts } = recording;
  if (recording.deletedAt !== undefined) return <GoneIn date={dateOf(recording.purgeAt)} t={t} />;
  if (state === WorkflowState.QUEUED || state === WorkflowState.RUNNING || state === WorkflowState.FAILED) {
    return <Work recording={recording} t={t} />;
  }
  const failed = artifacts.find((artifact) => artifact.state === ArtifactState.FAILED);
  if (failed !== undefined) return <Failed artifact={failed} t={t} />;
  const minutes = artifacts.find(({ kind }) => kind === ArtifactKind.MINUTES);
  if (minutes?.state === ArtifactState.STALE) {
    return (
      <Badge tone="warning" icon={<History aria-hidden />}>
        {t("stale")}
      </Badge>
    );
  }
  if (state === WorkflowState.CANCELLED) return <Badge>{t("state_cancelled")}</Badge>;
  const hasText = artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT);
  return hasText ? null : <Badge>{t("stateNone")}</Badge>;
}

/** The newest workflow, kept fresh by the watch. */
function Work({ recording, t }: WithTexts & { recording: Recording }) {
  const { t: apiText } = useTranslation("api");
  const id = recording.latestWorkflowId;
  const { data: workflow } = useQuery({
    queryKey: keys.workflow(id),
    queryFn: async ({ signal }) => {
      const answer = await workflows.getWorkflow({ workflowId: id }, { signal });
      if (answer.workflow === undefined) throw new Error("the server told no workflow");
      return answer.workflow;
    },
  });
  const state = workflow?.state ?? recording.latestWorkflowState;
  if (state === WorkflowState.FAILED) {
    const reason = workflow?.error === undefined ? "" : reasonText(workflow.error, apiText);
    return (
      <div className={styles.failed}>
        <Badge tone="danger" icon={<CircleAlert aria-hidden />}>
          {t("state_failed")}
        </Badge>
        {reason !== "" && (
          <p className={styles.reason} title={reason}>
            {reason}
          </p>
        )}
      </div>
    );
  }
  const stage = workflow && stageOf(workflow);
  if (state === WorkflowState.RUNNING && stage) {
    const text = t(`stage_${stage.stage}`);
    const waiting = stage.waitingFor && reasonText(stage.waitingFor, apiText);
    return (
      <div className={styles.running} title={waiting}>
        <p className={styles.stage}>
          <span>{text}</span>
          <span className={styles.percent}>{Math.floor(stage.percent)} %</span>
        </p>
        <Progress label={`${recording.title}: ${text}`} percent={stage.percent} />
      </div>
    );
  }
  if (state !== WorkflowState.QUEUED && state !== WorkflowState.RUNNING) return null;
  const behind = workflow?.queuePosition ?? 0;
  return (
    <Badge icon={<Clock aria-hidden />}>
      {behind > 0 ? t("stateQueuedBehind", { count: behind }) : t("stateQueued")}
    </Badge>
  );
}

function Failed({ artifact, t }: WithTexts & { artifact: Artifact }) {
  const { t: apiText } = useTranslation("api");
  const reason = artifact.error === undefined ? "" : reasonText(artifact.error, apiText);
  return (
    <div className={styles.failed}>
      <Badge tone="danger" icon={<CircleAlert aria-hidden />}>
        {t("state_failed")}
      </Badge>
      <p className={styles.reason} title={reason}>
        {reason}
      </p>
    </div>
  );
}

const DAY_MS = 86_400_000;

function GoneIn({ date, t }: WithTexts & { date: Date | null }) {
  if (date === null) return null;
  const days = Math.floor((date.getTime() - Date.now()) / DAY_MS);
  const format = new Intl.NumberFormat(currentLanguage(), {
    style: "unit",
    unit: "day",
    unitDisplay: "long",
  });
  return (
    <Badge icon={<Trash2 aria-hidden />}>
      {days < 1 ? t("goneSoon") : t("goneIn", { time: format.format(days) })}
    </Badge>
  );
}
