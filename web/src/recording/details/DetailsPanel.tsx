import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { reasonText } from "@/api/errors";
import {
  type Artifact,
  ArtifactKind,
  ArtifactState,
  type Recording,
  RecordingKind,
} from "@/gen/recordroute/gateway/v1/library_pb";
import { currentLocale } from "@/i18n";
import { size } from "@/lib/size";
import { clock, dateAndTime, dateOf, secondsOf } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import type { Transcript } from "../transcript/model";
import { AuditLog } from "./AuditLog";
import styles from "./DetailsPanel.module.css";
import { damageText } from "./damage";

const KINDS = {
  [ArtifactKind.UNSPECIFIED]: "artifact_media",
  [ArtifactKind.MEDIA]: "artifact_media",
  [ArtifactKind.TRANSCRIPT]: "artifact_transcript",
  [ArtifactKind.MINUTES]: "artifact_minutes",
  [ArtifactKind.EMBEDDINGS]: "artifact_embeddings",
  [ArtifactKind.INDEX]: "artifact_index",
} as const;

type DetailsPanelProps = {
  recording: Recording;
  transcript: Transcript | undefined;
  onHistory: () => void;
};

/** What is known of the recording: its file, what was made of it and by what, warnings, and who did what to it. */
export function DetailsPanel({ recording, transcript, onHistory }: DetailsPanelProps) {
  const { t } = useTranslation("recording");
  const language = currentLocale();
  const date = (wanted: Date | null) => (wanted === null ? undefined : dateAndTime(wanted, language));
  const duration = secondsOf(recording.duration);
  return (
    <div className={styles.panel}>
      {transcript !== undefined && transcript.damages.length > 0 && (
        <section className={styles.warnings} aria-label={t("warnings")}>
          <h3>
            <TriangleAlert aria-hidden />
            {t("warnings")}
          </h3>
          <ul>
            {transcript.damages.map((damage) => (
              <li key={damage.message}>{damageText(damage, t)}</li>
            ))}
          </ul>
        </section>
      )}
      <section className={styles.section} aria-label={t("file")}>
        <h3>{t("file")}</h3>
        <dl className={styles.facts}>
          <Fact name={t("fileName")}>{recording.fileName}</Fact>
          <Fact name={t("mediaType")}>{recording.mediaType}</Fact>
          <Fact name={t("fileSize")}>{size(recording.sizeBytes, language)}</Fact>
          {duration > 0 && <Fact name={t("duration")}>{clock(duration)}</Fact>}
          {recording.kind === RecordingKind.DOCUMENT && recording.pageCount > 0 && (
            <Fact name={t("pages")}>{recording.pageCount.toLocaleString(language)}</Fact>
          )}
          <Fact name={t("recordedAt")}>{date(dateOf(recording.recordedAt))}</Fact>
          <Fact name={t("addedAt")}>{date(dateOf(recording.createdAt))}</Fact>
          <Fact name={t("owner")}>{recording.owner}</Fact>
          <Fact name="SHA-256">
            <span className={styles.hash}>
              <code>{recording.sha256}</code>
              <CopyButton text={recording.sha256} label={t("copyHash")} iconOnly />
            </span>
          </Fact>
        </dl>
      </section>
      <section className={styles.section} aria-label={t("made")}>
        <h3>{t("made")}</h3>
        <ul className={styles.artifacts}>
          {recording.artifacts
            .filter(({ kind }) => kind !== ArtifactKind.MEDIA)
            .map((artifact) => (
              <ArtifactEntry key={artifact.kind} artifact={artifact} />
            ))}
        </ul>
      </section>
      {transcript !== undefined && recording.kind === RecordingKind.MEDIA && (
        <section className={styles.section} aria-label={t("history")}>
          <h3>{t("history")}</h3>
          <p className={styles.muted}>{t("revisionNow", { revision: transcript.revision })}</p>
          <Button size="small" onClick={onHistory}>
            {t("showHistory")}
          </Button>
        </section>
      )}
      <AuditLog recordingId={recording.id} />
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === undefined || children === "") return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function ArtifactEntry({ artifact }: { artifact: Artifact }) {
  const { t } = useTranslation("recording");
  const { t: apiText } = useTranslation("api");
  const language = currentLocale();
  const made = dateOf(artifact.createdAt);
  const notes = [
    artifact.model,
    made !== null && dateAndTime(made, language),
    artifact.sizeBytes > 0n ? size(artifact.sizeBytes, language) : "",
  ].filter(Boolean);
  return (
    <li>
      <p className={styles.artifact}>
        {t(KINDS[artifact.kind])}
        {artifact.state === ArtifactState.STALE && <Badge tone="warning">{t("stale")}</Badge>}
        {artifact.state === ArtifactState.FAILED && <Badge tone="danger">{t("state_failed")}</Badge>}
      </p>
      <p className={styles.muted}>{notes.join(" · ")}</p>
      {artifact.error !== undefined && <p className={styles.muted}>{reasonText(artifact.error, apiText)}</p>}
    </li>
  );
}
