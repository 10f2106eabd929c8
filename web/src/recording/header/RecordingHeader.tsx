import { useMutation } from "@tanstack/react-query";
import { Ellipsis, FileClock, Folder, Languages, Tags, Trash2, Undo2, Users } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { library } from "@/api/clients";
import {
  Access,
  ArtifactKind,
  ArtifactState,
  type Recording,
  RecordingKind,
} from "@/gen/recordroute/gateway/v1/library_pb";
import { currentLocale } from "@/i18n";
import { languageName } from "@/lib/languages";
import { shorten } from "@/lib/shorten";
import { clock, dateAndTime, dateOf, isoDuration, secondsOf } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Button, IconButton } from "@/ui/Button";
import { Menu, MenuItem, MenuSeparator } from "@/ui/Menu";
import { useToasts } from "@/ui/Toast";
import type { RecordingChange } from "../useUpdateRecording";
import { ExportMenu } from "./ExportMenu";
import { LabelsDialog } from "./LabelsDialog";
import styles from "./RecordingHeader.module.css";
import { TitleField } from "./TitleField";
import { WorkflowStatus } from "./WorkflowStatus";

type RecordingHeaderProps = {
  recording: Recording;
  onUpdate: (change: RecordingChange) => Promise<void>;
  onShowMinutes: () => void;
  onShowHistory: () => void;
};

/** What the recording is, and what can be done with it as a whole. */
export function RecordingHeader({ recording, onUpdate, onShowMinutes, onShowHistory }: RecordingHeaderProps) {
  const { t } = useTranslation("recording");
  const [isLabelling, setLabelling] = useState(false);
  const remove = useRemove(recording);
  const isOwner = recording.access === Access.OWNER;
  const canEdit = recording.access >= Access.WRITE && recording.deletedAt === undefined;
  const hasText = recording.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT);
  return (
    <header className={styles.header}>
      <div className={styles.top}>
        <TitleField
          title={recording.title}
          canEdit={canEdit}
          onRename={(title) => onUpdate(() => ({ title }))}
        />
        <div className={styles.actions}>
          <ExportMenu recording={recording} />
          <Menu trigger={<IconButton variant="secondary" label={t("more")} icon={<Ellipsis />} />}>
            {canEdit && (
              <MenuItem icon={<Tags />} onSelect={() => setLabelling(true)}>
                {t("labels")}
              </MenuItem>
            )}
            {recording.kind === RecordingKind.MEDIA && (
              <MenuItem icon={<FileClock />} disabled={!hasText} onSelect={onShowHistory}>
                {t("history")}
              </MenuItem>
            )}
            {isOwner && recording.deletedAt === undefined && (
              <>
                <MenuSeparator />
                <MenuItem icon={<Trash2 />} danger onSelect={remove.remove}>
                  {t("delete")}
                </MenuItem>
              </>
            )}
          </Menu>
        </div>
      </div>
      <Facts recording={recording} onShowMinutes={onShowMinutes} />
      {recording.deletedAt !== undefined && (
        <div className={styles.binned} role="status">
          <p>{t("inBin")}</p>
          {isOwner && (
            <Button size="small" icon={<Undo2 />} busy={remove.isRestoring} onClick={remove.restore}>
              {t("restore")}
            </Button>
          )}
        </div>
      )}
      <WorkflowStatus recording={recording} />
      {isLabelling && (
        <LabelsDialog recording={recording} onUpdate={onUpdate} onClose={() => setLabelling(false)} />
      )}
    </header>
  );
}

function Facts({ recording, onShowMinutes }: { recording: Recording; onShowMinutes: () => void }) {
  const { t } = useTranslation("recording");
  const language = currentLocale();
  const date = dateOf(recording.recordedAt) ?? dateOf(recording.createdAt);
  const duration = secondsOf(recording.duration);
  const minutes = recording.artifacts.find(({ kind }) => kind === ArtifactKind.MINUTES);
  return (
    <ul className={styles.facts} aria-label={t("facts")}>
      {date !== null && (
        <li>
          <time dateTime={date.toISOString()}>{dateAndTime(date, language)}</time>
        </li>
      )}
      {recording.kind === RecordingKind.DOCUMENT && recording.pageCount > 0 && (
        <li>{t("pageCount", { count: recording.pageCount })}</li>
      )}
      {duration > 0 && (
        <li>
          <span className="visually-hidden">{t("duration")}: </span>
          <time dateTime={isoDuration(duration)}>{clock(duration)}</time>
        </li>
      )}
      {recording.language !== "" && (
        <li>
          <Languages aria-hidden />
          {languageName(recording.language, language)}
        </li>
      )}
      {recording.folder !== "" && (
        <li>
          <Folder aria-hidden />
          <Link href={`/?folder=${encodeURIComponent(recording.folder)}`}>{recording.folder}</Link>
        </li>
      )}
      {recording.tags.map((tag) => (
        <li key={tag}>
          <Link href={`/?tag=${encodeURIComponent(tag)}`} className={styles.tagLink}>
            <Badge>{tag}</Badge>
          </Link>
        </li>
      ))}
      {recording.access !== Access.OWNER && (
        <li>
          <Badge tone="accent" icon={<Users aria-hidden />}>
            {recording.access === Access.READ
              ? t("sharedToRead", { user: recording.owner })
              : t("sharedBy", { user: recording.owner })}
          </Badge>
        </li>
      )}
      {minutes?.state === ArtifactState.STALE && (
        <li>
          <button type="button" className={styles.stale} onClick={onShowMinutes}>
            <Badge tone="warning">{t("minutesStale")}</Badge>
          </button>
        </li>
      )}
    </ul>
  );
}

/** Characters of a title in a sentence. */
const MOST_NAMED = 60;

/** Into the bin and back: nobody is asked, because it can be undone. */
function useRemove(recording: Recording) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const [, navigate] = useLocation();
  const restore = useMutation({
    mutationFn: (requestId: string) => library.restoreRecording({ requestId, recordingId: recording.id }),
    onError: toasts.showError,
  });
  const remove = useMutation({
    mutationFn: (requestId: string) => library.deleteRecording({ requestId, recordingId: recording.id }),
    onSuccess: () => {
      navigate("/");
      toasts.show(t("deleted", { title: shorten(recording.title, MOST_NAMED) }), {
        label: t("undo"),
        onAction: () => restore.mutate(crypto.randomUUID()),
      });
    },
    onError: toasts.showError,
  });
  return {
    remove: () => remove.mutate(crypto.randomUUID()),
    restore: () => restore.mutate(crypto.randomUUID()),
    isRestoring: restore.isPending,
  };
}
