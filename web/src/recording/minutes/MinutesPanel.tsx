import { useQuery } from "@tanstack/react-query";
import { NotebookPen, PenLine, RefreshCw, Sparkles, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { reasonText } from "@/api/errors";
import { keys } from "@/api/queries";
import type { Minutes } from "@/gen/recordroute/common/v1/minutes_pb";
import { Access, ArtifactKind, ArtifactState, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { languageOf } from "@/lib/script";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { CopyMenu } from "./CopyMenu";
import { EditableText } from "./EditableText";
import type { SeekTo } from "./EvidenceChips";
import { MakeMinutesDialog } from "./MakeMinutesDialog";
import styles from "./Minutes.module.css";
import { MinutesProgress } from "./MinutesProgress";
import { Section } from "./MinutesSections";
import { useNamed } from "./places";
import { type EditMinutes, useMinutesEdits } from "./useMinutesEdits";
import { useMinutesWork } from "./useMinutesWork";

function Unsupported({ lines }: { lines: readonly string[] }) {
  const { t } = useTranslation("recording/minutes");
  if (lines.length === 0) return null;
  return (
    <details className={styles.unsupported}>
      <summary>
        <TriangleAlert aria-hidden />
        {t("unsupported", { count: lines.length })}
      </summary>
      <p>{t("unsupportedText")}</p>
      <ul>
        {lines.map((line) => (
          <li key={line}>
            <s>{line}</s>
          </li>
        ))}
      </ul>
    </details>
  );
}

type MinutesPanelProps = { recording: Recording; onSeek: SeekTo };

type MinutesTextProps = MinutesPanelProps & {
  minutes: Minutes;
  /** Undefined for those who may only read. */
  onEdit: EditMinutes | undefined;
  /** Makes the minutes anew; undefined where that can't be done now. */
  onMake: (() => void) | undefined;
};

function MinutesText({ minutes, recording, onSeek, onEdit, onMake }: MinutesTextProps) {
  const { t } = useTranslation("recording/minutes");
  const named = useNamed(recording);
  return (
    <>
      <div className={styles.tools}>
        <CopyMenu minutes={minutes} recording={recording} />
        {onMake !== undefined && (
          <Button size="small" icon={<RefreshCw />} onClick={onMake}>
            {t("makeAgain")}
          </Button>
        )}
      </div>
      {minutes.overview !== "" && (
        <section aria-label={t("overview")}>
          <EditableText
            label={t("overview")}
            text={minutes.overview}
            onSave={onEdit && ((text) => onEdit({ edit: { case: "overview", value: text } }))}
            onRemove={async () => onEdit?.({ edit: { case: "overview", value: "" } }) ?? false}
          >
            <p className={styles.overview} lang={languageOf(minutes.overview)}>
              {named(minutes.overview)}
            </p>
          </EditableText>
          {minutes.overviewEdited && <Badge icon={<PenLine aria-hidden />}>{t("edited")}</Badge>}
        </section>
      )}
      {minutes.sections.map((section, index) => (
        <Section
          key={`${section.kind}-${section.title}`}
          section={section}
          recording={recording}
          onSeek={onSeek}
          index={index}
          onEdit={onEdit}
        />
      ))}
      {minutes.sections.length === 0 && <p className={styles.muted}>{t("noLines")}</p>}
      <Unsupported lines={minutes.unsupported} />
      <p className={styles.muted}>
        {minutes.model === ""
          ? t("origin", { template: minutes.template })
          : t("originModel", { template: minutes.template, model: minutes.model })}
      </p>
    </>
  );
}

/** The minutes of a recording: every line leads to the seconds that it rests on. */
export function MinutesPanel({ recording, onSeek }: MinutesPanelProps) {
  const { t } = useTranslation("recording/minutes");
  const { t: apiText } = useTranslation("api");
  const [isAsking, setAsking] = useState(false);
  const { running, failed } = useMinutesWork(recording);
  const artifact = recording.artifacts.find(({ kind }) => kind === ArtifactKind.MINUTES);
  const isThere = artifact !== undefined && artifact.state !== ArtifactState.FAILED;
  const hasTranscript = recording.artifacts.some(
    ({ kind, state }) => kind === ArtifactKind.TRANSCRIPT && state !== ArtifactState.FAILED,
  );
  const canChange = recording.access !== Access.READ && recording.deletedAt === undefined;
  const canMake = canChange && hasTranscript && running === null;
  const minutes = useQuery({
    queryKey: keys.minutes(recording.id),
    queryFn: () => library.getMinutes({ recordingId: recording.id }),
    enabled: isThere,
  });
  const edit = useMinutesEdits(recording.id);
  const text = minutes.data?.minutes;
  const problem = artifact?.error ?? failed?.error;
  const ask = () => setAsking(true);

  const renderText = () => {
    if (minutes.isError) return <ErrorState error={minutes.error} onRetry={() => void minutes.refetch()} />;
    if (text === undefined) return <LoadingState />;
    return (
      <MinutesText
        minutes={text}
        recording={recording}
        onSeek={onSeek}
        onEdit={canChange ? edit : undefined}
        onMake={canMake ? ask : undefined}
      />
    );
  };
  const renderAbsent = () => (
    <EmptyState
      icon={<NotebookPen />}
      title={problem === undefined ? t("absent") : t("failed")}
      text={
        problem !== undefined
          ? reasonText(problem, apiText)
          : hasTranscript
            ? t(canChange ? "absentText" : "absentReader")
            : t("noTranscript")
      }
      action={
        canMake && (
          <Button variant="primary" icon={<Sparkles />} onClick={ask}>
            {problem === undefined ? t("makeMinutes") : t("makeAgain")}
          </Button>
        )
      }
    />
  );
  return (
    <div className={styles.panel}>
      {running !== null && <MinutesProgress workflow={running.workflow} stage={running.stage} />}
      {running === null && isThere && minutes.data?.stale && <Notice tone="warning">{t("stale")}</Notice>}
      {running === null && isThere && failed?.error !== undefined && (
        <Notice tone="danger">
          {t("failedOld")} {reasonText(failed.error, apiText)}
        </Notice>
      )}
      {isThere ? renderText() : running === null && renderAbsent()}
      {isAsking && (
        <MakeMinutesDialog
          recording={recording}
          template={text?.template ?? ""}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
