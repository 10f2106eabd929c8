import { CornerDownLeft, Search, Sparkles, X } from "lucide-react";
import { type FormEvent, type RefObject, useId } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import styles from "./FindBox.module.css";
import { MODES, type Mode } from "./filters";

type FindBoxProps = {
  box: RefObject<HTMLInputElement | null>;
  mode: Mode;
  text: string;
  onText: (text: string) => void;
  onMode: (mode: Mode) => void;
  onSubmit: () => void;
};

const ICONS = { search: Search, ask: Sparkles } as const;

/** The one box: for words to look for, and for questions. */
export function FindBox({ box, mode, text, onText, onMode, onSubmit }: FindBoxProps) {
  const { t } = useTranslation("search");
  const id = useId();
  const Icon = ICONS[mode];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <search className={styles.find}>
      <fieldset className={styles.modes}>
        <legend className="visually-hidden">{t("mode")}</legend>
        {MODES.map((one) => (
          <label key={one} className={styles.mode}>
            <input
              type="radio"
              name={id}
              className="visually-hidden"
              checked={mode === one}
              onChange={() => onMode(one)}
            />
            <span>{t(one === "search" ? "modeSearch" : "modeAsk")}</span>
          </label>
        ))}
      </fieldset>
      <form className={styles.box} onSubmit={submit}>
        <Icon aria-hidden className={styles.icon} />
        <input
          ref={box}
          id="find-box"
          className={styles.input}
          type="text"
          inputMode="search"
          enterKeyHint={mode === "search" ? "search" : "send"}
          autoComplete="off"
          spellCheck={mode === "ask"}
          maxLength={2000}
          aria-label={t(mode === "search" ? "searchLabel" : "askLabel")}
          placeholder={t(mode === "search" ? "searchPlaceholder" : "askPlaceholder")}
          value={text}
          onChange={(event) => onText(event.target.value)}
        />
        {text !== "" && (
          <IconButton
            size="small"
            label={t("clearText")}
            icon={<X />}
            onClick={() => {
              onText("");
              box.current?.focus();
            }}
          />
        )}
        <Button type="submit" size="small" variant="primary" icon={<CornerDownLeft />} className={styles.go}>
          {t(mode === "search" ? "modeSearch" : "modeAsk")}
        </Button>
      </form>
    </search>
  );
}
