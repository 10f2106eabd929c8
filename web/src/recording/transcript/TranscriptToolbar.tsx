import { Copy, FileClock, Redo2, Search, Undo2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useAskBeforeLeaving } from "@/lib/useAskBeforeLeaving";
import { IconButton } from "@/ui/Button";
import { Spinner } from "@/ui/Spinner";
import styles from "./TranscriptPanel.module.css";
import type { EditState } from "./TranscriptStore";
import { ViewOptions } from "./ViewOptions";
import type { ViewPreferences } from "./viewPreferences";

type TranscriptToolbarProps = {
  state: EditState;
  /** What the text is called. */
  title: string;
  canEdit: boolean;
  isFinding: boolean;
  preferences: ViewPreferences;
  onPreferences: (change: Partial<ViewPreferences>) => void;
  showsRemoved: boolean;
  onShowRemoved: (shows: boolean) => void;
  onFind: () => void;
  onUndo: () => void;
  onRedo: () => void;
  /** Null for documents: they are what their files are, without revisions and without guesses. */
  onHistory: (() => void) | null;
  onCopyAll: () => void;
};

export function TranscriptToolbar({ title, state, canEdit, isFinding, ...more }: TranscriptToolbarProps) {
  const { t } = useTranslation("recording");
  useAskBeforeLeaving(state.isSaving);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of buttons, none of which is a field
    <div className={styles.toolbar} role="group" aria-label={t("transcriptTools")}>
      <h2 className={styles.heading}>{title}</h2>
      <span className={styles.saving} role="status">
        {state.isSaving && <Spinner label={t("saving")} />}
      </span>
      {canEdit && (
        <>
          <IconButton
            size="small"
            label={t("undo")}
            icon={<Undo2 />}
            disabled={!state.canUndo}
            onClick={more.onUndo}
          />
          <IconButton
            size="small"
            label={t("redo")}
            icon={<Redo2 />}
            disabled={!state.canRedo}
            onClick={more.onRedo}
          />
        </>
      )}
      {more.onHistory !== null && (
        <IconButton size="small" label={t("history")} icon={<FileClock />} onClick={more.onHistory} />
      )}
      <IconButton
        size="small"
        label={t(more.onHistory === null ? "copyText" : "copyTranscript")}
        icon={<Copy />}
        onClick={more.onCopyAll}
      />
      {more.onHistory !== null && (
        <ViewOptions
          preferences={more.preferences}
          onPreferences={more.onPreferences}
          showsRemoved={more.showsRemoved}
          onShowRemoved={more.onShowRemoved}
        />
      )}
      <IconButton
        size="small"
        label={t("find")}
        aria-pressed={isFinding}
        icon={<Search />}
        onClick={more.onFind}
      />
    </div>
  );
}
