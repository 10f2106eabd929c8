import { Pencil, Trash2 } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { TextArea } from "@/ui/Field";
import styles from "./Minutes.module.css";

type EditableTextProps = {
  /** What the text is, for screen readers. */
  label: string;
  text: string;
  /** Writes the text anew; resolves to whether that worked. Undefined for those who may only read. */
  onSave: ((text: string) => Promise<boolean>) | undefined;
  onRemove?: () => Promise<boolean>;
  children: ReactNode;
};

/** A text that can be written anew in its place: Enter keeps the new one, Escape the old one. */
export function EditableText({ label, text, onSave, onRemove, children }: EditableTextProps) {
  const { t } = useTranslation("recording/minutes");
  const [draft, setDraft] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [asksRemoval, setAsksRemoval] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  if (onSave === undefined) return children;

  const close = () => {
    setDraft(null);
    // The pencil is there again after the next rendering.
    requestAnimationFrame(() => pencil.current?.focus());
  };
  const save = async () => {
    if (draft === null || draft.trim() === text) return close();
    setBusy(true);
    const worked = await onSave(draft);
    setBusy(false);
    if (worked) close();
  };
  const remove = async () => {
    setBusy(true);
    await onRemove?.();
    setBusy(false);
    setAsksRemoval(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
    // Enter also ends the composition of a Korean syllable.
    else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void save();
    }
  };

  if (draft === null) {
    return (
      <div className={styles.editable}>
        <div className={styles.editableText}>{children}</div>
        <IconButton
          ref={pencil}
          className={styles.pencil}
          size="small"
          label={t("edit", { what: label })}
          icon={<Pencil />}
          onClick={() => setDraft(text)}
        />
      </div>
    );
  }
  return (
    <div className={styles.form}>
      <TextArea
        label={label}
        hideLabel
        autoFocus
        rows={3}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className={styles.tools}>
        <Button size="small" variant="primary" busy={busy} disabled={draft.trim() === ""} onClick={save}>
          {t("save")}
        </Button>
        <Button size="small" onClick={close}>
          {t("cancel")}
        </Button>
        {onRemove !== undefined && (
          <Button size="small" variant="danger" icon={<Trash2 />} onClick={() => setAsksRemoval(true)}>
            {t("remove")}
          </Button>
        )}
      </div>
      {asksRemoval && (
        <ConfirmDialog
          title={t("removeTitle")}
          text={t("removeText")}
          action={t("remove")}
          danger
          busy={busy}
          onConfirm={() => void remove()}
          onClose={() => setAsksRemoval(false)}
        />
      )}
    </div>
  );
}
