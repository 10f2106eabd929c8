import { type Ref, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import styles from "./MarkdownEditor.module.css";
import type { TemplateError } from "./templateError";

type MarkdownEditorProps = {
  label: string;
  value: string;
  error: TemplateError | null;
  onChange: (value: string) => void;
  area: Ref<HTMLTextAreaElement>;
};

/** A text with numbered lines, of which one may be wrong. Lines are not wrapped, so that numbers stay beside them. */
export function MarkdownEditor({ label, value, error, onChange, area }: MarkdownEditorProps) {
  const { t } = useTranslation("settings");
  const id = useId();
  const gutter = useRef<HTMLDivElement>(null);
  const lines = value.split("\n").length;
  const shown = error?.line != null ? Math.max(lines, error.line) : lines;
  const message =
    error === null
      ? null
      : error.line === null
        ? error.message
        : t("atLine", { line: error.line, message: error.message });
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <div className={error === null ? styles.editor : `${styles.editor} ${styles.wrong}`}>
        <div ref={gutter} className={styles.gutter} aria-hidden>
          {Array.from({ length: shown }, (_, at) => at + 1).map((line) => (
            <span key={line} className={line === error?.line ? styles.bad : undefined}>
              {line}
            </span>
          ))}
        </div>
        <textarea
          ref={area}
          id={id}
          className={styles.area}
          wrap="off"
          spellCheck={false}
          rows={16}
          required
          aria-invalid={error !== null || undefined}
          aria-describedby={error === null ? undefined : `${id}-error`}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          onScroll={(event) => {
            if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
      {message !== null && (
        <p id={`${id}-error`} role="alert" className={styles.error}>
          {message}
        </p>
      )}
    </div>
  );
}
