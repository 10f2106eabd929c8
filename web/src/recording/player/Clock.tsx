import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { clock, isoDuration } from "@/lib/time";
import type { Player } from "./Player";
import styles from "./PlayerBar.module.css";
import { usePlayerState } from "./usePlayer";

/** The position and the length. It writes into the page by itself, at most once a second. */
export function Clock({ player }: { player: Player }) {
  const { t } = useTranslation("recording");
  const { duration } = usePlayerState(player);
  const shown = useRef<HTMLTimeElement>(null);
  useEffect(
    () =>
      player.onTime((seconds) => {
        const text = clock(seconds);
        if (shown.current === null || shown.current.textContent === text) return;
        shown.current.textContent = text;
        shown.current.dateTime = isoDuration(seconds);
      }),
    [player],
  );
  return (
    <span className={styles.clock} role="timer" aria-label={t("playedTime")}>
      <time ref={shown}>0:00</time>
      <span aria-hidden> / </span>
      <time dateTime={isoDuration(duration)}>{clock(duration)}</time>
    </span>
  );
}
