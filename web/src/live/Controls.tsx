import { Pause, Play, Square } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useObservable } from "@/lib/observable";
import { clock, isoDuration } from "@/lib/time";
import { Button } from "@/ui/Button";
import { BookmarkButton } from "./BookmarkButton";
import styles from "./Controls.module.css";
import { recorder } from "./live";
import { Meter } from "./Meter";

function Elapsed() {
  const { t } = useTranslation("live");
  const seconds = useObservable(recorder.seconds);
  return (
    <time className={styles.elapsed} dateTime={isoDuration(seconds)} role="timer" aria-label={t("elapsed")}>
      {clock(seconds)}
    </time>
  );
}

/** How long it has gone on, how loud it is, and what can be done. */
export function Controls() {
  const { t } = useTranslation("live");
  const { phase } = useObservable(recorder.state);
  const isPaused = phase === "paused";
  return (
    <div className={styles.bar}>
      <div className={styles.now}>
        <span className={isPaused ? `${styles.state} ${styles.still}` : styles.state} role="status">
          <span className={styles.dot} aria-hidden />
          <span className={styles.word}>{isPaused ? t("paused") : t("recording")}</span>
        </span>
        <Elapsed />
        <Meter level={recorder.level} />
      </div>
      <div className={styles.buttons}>
        <BookmarkButton />
        {isPaused ? (
          <Button icon={<Play aria-hidden />} onClick={() => void recorder.resume()}>
            {t("resume")}
          </Button>
        ) : (
          <Button icon={<Pause aria-hidden />} onClick={() => recorder.pause()}>
            {t("pause")}
          </Button>
        )}
        <Button variant="primary" icon={<Square aria-hidden />} onClick={() => void recorder.stop()}>
          {t("stop")}
        </Button>
      </div>
    </div>
  );
}
