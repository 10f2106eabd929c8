import { ChevronDown, ChevronUp, Replace, X } from "lucide-react";
import { type FormEvent, type Ref, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { Checkbox, TextField } from "@/ui/Field";
import styles from "./FindBar.module.css";
import type { Wanted } from "./find";

type FindBarProps = {
  ref: Ref<HTMLInputElement>;
  wanted: Wanted;
  onWanted: (wanted: Wanted) => void;
  /** Number of matches, and which of them is chosen, from 0; -1: none. */
  count: number;
  current: number;
  onStep: (step: 1 | -1) => void;
  canReplace: boolean;
  onReplace: (replacement: string) => void;
  onReplaceAll: (replacement: string) => void;
  onClose: () => void;
};

/** Finds in the transcript, and replaces. Enter goes to the next match, Shift+Enter to the one before, Escape closes. */
export function FindBar({ ref, wanted, onWanted, count, current, onStep, ...more }: FindBarProps) {
  const { t } = useTranslation("recording");
  const [isReplacing, setReplacing] = useState(false);
  const [replacement, setReplacement] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onStep(1);
  };
  return (
    <search className={styles.bar} data-find>
      <form className={styles.line} onSubmit={submit}>
        <div className={styles.field}>
          <TextField
            ref={ref}
            label={t("find")}
            hideLabel
            type="search"
            placeholder={t("find")}
            value={wanted.find}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => onWanted({ ...wanted, find: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return;
              if (event.key === "Escape") {
                event.preventDefault();
                more.onClose();
              } else if (event.key === "Enter" && event.shiftKey) {
                event.preventDefault();
                onStep(-1);
              }
            }}
          />
        </div>
        <span className={styles.count} role="status">
          {wanted.find === ""
            ? ""
            : count === 0
              ? t("noMatches")
              : t("matchOf", { current: current + 1, count })}
        </span>
        <IconButton
          size="small"
          label={t("previousMatch")}
          icon={<ChevronUp />}
          disabled={count === 0}
          onClick={() => onStep(-1)}
        />
        <IconButton
          size="small"
          label={t("nextMatch")}
          icon={<ChevronDown />}
          disabled={count === 0}
          onClick={() => onStep(1)}
        />
        {more.canReplace && (
          <IconButton
            size="small"
            label={t("replace")}
            aria-expanded={isReplacing}
            aria-pressed={isReplacing}
            icon={<Replace />}
            onClick={() => setReplacing(!isReplacing)}
          />
        )}
        <IconButton size="small" label={t("closeFind")} icon={<X />} onClick={more.onClose} />
      </form>
      <div className={styles.line}>
        <Checkbox
          label={t("matchCase")}
          checked={wanted.matchCase}
          onChange={(event) => onWanted({ ...wanted, matchCase: event.currentTarget.checked })}
        />
        <Checkbox
          label={t("wholeWords")}
          checked={wanted.wholeWords}
          onChange={(event) => onWanted({ ...wanted, wholeWords: event.currentTarget.checked })}
        />
      </div>
      {isReplacing && more.canReplace && (
        <form
          className={styles.line}
          onSubmit={(event) => {
            event.preventDefault();
            more.onReplace(replacement);
          }}
        >
          <div className={styles.field}>
            <TextField
              label={t("replaceWith")}
              hideLabel
              placeholder={t("replaceWith")}
              value={replacement}
              maxLength={200}
              autoComplete="off"
              onChange={(event) => setReplacement(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape" && !event.nativeEvent.isComposing) more.onClose();
              }}
            />
          </div>
          <Button size="small" type="submit" disabled={count === 0}>
            {t("replaceOne")}
          </Button>
          <Button size="small" disabled={count === 0} onClick={() => more.onReplaceAll(replacement)}>
            {t("replaceAll", { count })}
          </Button>
        </form>
      )}
    </search>
  );
}
