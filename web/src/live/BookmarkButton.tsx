import { Bookmark } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { clock } from "@/lib/time";
import { Button } from "@/ui/Button";
import { TextField } from "@/ui/Field";
import { Popover } from "@/ui/Popover";
import { useToasts } from "@/ui/Toast";
import styles from "./BookmarkButton.module.css";
import { recorder } from "./live";

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null
  );
}

/** Marks the moment in which it is pressed, by the key B as well; what for can be written in peace afterwards. */
export function BookmarkButton() {
  const { t } = useTranslation("live");
  const toasts = useToasts();
  const [hasKeys] = useState(() => window.matchMedia("(pointer: fine)").matches);
  const [position, setPosition] = useState<number | null>(null);
  const [label, setLabel] = useState("");
  const open = () => {
    setLabel("");
    setPosition(recorder.seconds.get());
  };
  const save = (event?: FormEvent) => {
    event?.preventDefault();
    if (position === null) return;
    recorder.mark(label.trim(), position);
    toasts.show(t("markAdded", { time: clock(position) }));
    setPosition(null);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
      if (!isPlain || event.code !== "KeyB" || isTyping(event.target)) return;
      event.preventDefault();
      setLabel("");
      setPosition(recorder.seconds.get());
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <Popover
      label={t("addBookmark")}
      open={position !== null}
      onOpenChange={(wanted) => (wanted ? open() : setPosition(null))}
      trigger={
        <Button icon={<Bookmark aria-hidden />} aria-keyshortcuts="B">
          {t("bookmark")}
        </Button>
      }
    >
      <form className={styles.form} onSubmit={save}>
        <TextField
          label={t("bookmarkAt", { time: clock(position ?? 0) })}
          placeholder={t("bookmarkLabel")}
          value={label}
          maxLength={250}
          autoComplete="off"
          hint={hasKeys ? t("bookmarkHint") : undefined}
          onChange={(event) => setLabel(event.target.value)}
        />
        <Button type="submit" variant="primary">
          {t("saveBookmark")}
        </Button>
      </form>
    </Popover>
  );
}
