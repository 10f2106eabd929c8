import { Pencil } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/ui/Button";
import { useToasts } from "@/ui/Toast";
import styles from "./RecordingHeader.module.css";

type TitleFieldProps = {
  title: string;
  canEdit: boolean;
  onRename: (title: string) => Promise<void>;
};

/** The page's heading, which becomes a field where it is. Enter saves, Escape leaves it as it was. */
export function TitleField({ title, canEdit, onRename }: TitleFieldProps) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const [draft, setDraft] = useState<string | null>(null);
  const pencil = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  const isOpen = draft !== null;
  useEffect(() => {
    if (wasOpen.current && !isOpen) pencil.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  const save = async () => {
    const wanted = draft?.trim() ?? "";
    setDraft(null);
    if (wanted === title) return;
    try {
      await onRename(wanted);
    } catch (error) {
      setDraft(wanted);
      toasts.showError(error);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key !== "Enter" && event.key !== "Escape") return;
    // The pencil gets the focus back, and must not take the key as a press.
    event.preventDefault();
    if (event.key === "Enter") void save();
    else setDraft(null);
  };
  return (
    <div className={styles.titleRow}>
      <h1 className={isOpen ? "visually-hidden" : styles.title}>{title}</h1>
      {isOpen && (
        <input
          className={styles.titleInput}
          aria-label={t("title")}
          value={draft}
          maxLength={300}
          placeholder={t("titlePlaceholder")}
          // biome-ignore lint/a11y/noAutofocus: the user has just asked for this field
          autoFocus
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={() => void save()}
        />
      )}
      {canEdit && !isOpen && (
        <IconButton
          ref={pencil}
          size="small"
          label={t("rename")}
          icon={<Pencil />}
          onClick={() => setDraft(title)}
        />
      )}
    </div>
  );
}
