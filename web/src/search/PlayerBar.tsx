import { Pause, Play, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { clock } from "@/lib/time";
import { IconButton } from "@/ui/Button";
import styles from "./PlayerBar.module.css";
import { usePlayer } from "./player";

/** What is being heard: it stays in view while one reads on. */
export function PlayerBar() {
  const { t } = useTranslation("search");
  const { heard, isPlaying, position, duration, isBroken, toggle, seek, close } = usePlayer();
  if (heard === null) return null;
  return (
    <section className={styles.bar} aria-label={t("player")}>
      <IconButton
        variant="primary"
        label={isPlaying ? t("pause") : t("play")}
        icon={isPlaying ? <Pause /> : <Play />}
        disabled={isBroken}
        onClick={toggle}
      />
      <div className={styles.middle}>
        <Link href={`/recordings/${heard.recordingId}?t=${Math.floor(position)}`} className={styles.title}>
          {heard.title}
        </Link>
        {isBroken ? (
          <p role="alert" className={styles.broken}>
            {t("cantPlay")}
          </p>
        ) : (
          <input
            type="range"
            className={styles.range}
            aria-label={t("position")}
            aria-valuetext={clock(position)}
            min={0}
            max={Math.max(1, duration)}
            step={1}
            value={Math.min(position, Math.max(1, duration))}
            onChange={(event) => seek(Number(event.target.value))}
          />
        )}
      </div>
      <span className={styles.time}>
        {clock(position)}
        {duration > 0 && <span className={styles.length}> / {clock(duration)}</span>}
      </span>
      <IconButton label={t("closePlayer")} icon={<X />} onClick={close} />
    </section>
  );
}
