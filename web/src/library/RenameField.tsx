import { useRef } from "react";
import { useTranslation } from "react-i18next";
import styles from "./RecordingRow.module.css";

type RenameFieldProps = {
  title: string;
  /** With the new title; null where it stays as it was. */
  onEnd: (title: string | null) => void;
};

/** The title as a field, in its place. Leaving it saves, too. */
export function RenameField({ title, onEnd }: RenameFieldProps) {
  const { t } = useTranslation("library");
  const isOver = useRef(false);
  const end = (wanted: string | null) => {
    if (isOver.current) return;
    isOver.current = true;
    onEnd(wanted === null || wanted.trim() === "" ? null : wanted.trim());
  };
  return (
    <input
      className={styles.rename}
      aria-label={t("titleField")}
      title={t("renameHint")}
      defaultValue={title}
      maxLength={300}
      // biome-ignore lint/a11y/noAutofocus: the user has just asked for this field
      autoFocus
      onFocus={(event) => event.currentTarget.select()}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === "Enter") end(event.currentTarget.value);
        if (event.key === "Escape") end(null);
      }}
      onBlur={(event) => end(event.currentTarget.value)}
    />
  );
}
