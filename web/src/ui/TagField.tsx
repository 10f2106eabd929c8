import { X } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { TextField } from "./Field";
import styles from "./TagField.module.css";

type TagFieldProps = {
  label: string;
  hint?: string;
  tags: readonly string[];
  /** Tags that are in use already, to choose from. */
  known: readonly string[];
  onChange: (tags: string[]) => void;
};

/** Some words, each its own: Enter or a comma ends one, Backspace takes the last away. */
export function TagField({ label, hint, tags, known, onChange }: TagFieldProps) {
  const { t } = useTranslation("ui");
  const listId = useId();
  const [draft, setDraft] = useState("");
  const add = (text: string) => {
    const added = text
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean);
    if (added.length > 0) onChange([...new Set([...tags, ...added])]);
    setDraft("");
  };
  return (
    <div className={styles.field}>
      <TextField
        label={label}
        hint={hint ?? t("tagHint")}
        value={draft}
        maxLength={80}
        list={listId}
        autoComplete="off"
        enterKeyHint="done"
        onChange={(event) => {
          const text = event.currentTarget.value;
          // One that is chosen from the list comes whole, without a key.
          const isChosen = !("data" in event.nativeEvent) && known.includes(text);
          if (text.includes(",") || isChosen) add(text);
          else setDraft(text);
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter" && draft.trim() !== "") {
            event.preventDefault();
            add(draft);
          }
          if (event.key === "Backspace" && draft === "" && tags.length > 0) onChange(tags.slice(0, -1));
        }}
        onBlur={() => add(draft)}
      />
      <datalist id={listId}>
        {known
          .filter((tag) => !tags.includes(tag))
          .map((tag) => (
            <option key={tag} value={tag} />
          ))}
      </datalist>
      {tags.length > 0 && (
        <ul className={styles.tags} aria-label={label}>
          {tags.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                className={styles.tag}
                aria-label={t("removeTag", { tag })}
                onClick={() => onChange(tags.filter((other) => other !== tag))}
              >
                {tag}
                <X aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
