import { useQuery } from "@tanstack/react-query";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import type { Bookmark, RecordingSpeaker } from "@/gen/recordroute/gateway/v1/library_pb";
import { speakerColour } from "@/lib/speakers";
import { clock, secondsOf } from "@/lib/time";
import { Tooltip } from "@/ui/Tooltip";
import type { Segment } from "../transcript/model";
import { turnsOf } from "../transcript/times";
import { BAR_STEP, barPath, barsOf } from "./bars";
import type { Player } from "./Player";
import { usePlayerState } from "./usePlayer";
import styles from "./Waveform.module.css";

const PEAKS = 4000;
const HEIGHT = 48;
const STEP_SECONDS = 5;
const PAGE_SECONDS = 60;

type WaveformProps = {
  recordingId: string;
  player: Player;
  segments: readonly Segment[];
  speakers: readonly RecordingSpeaker[];
  bookmarks: readonly Bookmark[];
};

/**
 * The recording over its length: how loud it is, who speaks, what is marked, and the position. It is a slider. The
 * picture is drawn once for each width; while it plays, only a clip and a line move.
 */
export function Waveform({ recordingId, player, segments, speakers, bookmarks }: WaveformProps) {
  const { t } = useTranslation("recording");
  const { duration } = usePlayerState(player);
  const peaks = usePeaks(recordingId);
  const look = peaks === undefined ? "loading" : peaks === null ? "line" : "bars";
  const slider = useRef<HTMLDivElement>(null);
  const played = useRef<HTMLDivElement>(null);
  const needle = useRef<HTMLDivElement>(null);
  const hint = useRef<HTMLSpanElement>(null);
  const width = useWidth(slider);

  useEffect(
    () =>
      player.onTime((seconds) => {
        const share = duration > 0 ? Math.min(1, seconds / duration) : 0;
        if (look !== "loading" && played.current)
          played.current.style.clipPath = `inset(0 ${(1 - share) * 100}% 0 0)`;
        if (needle.current) needle.current.style.transform = `translateX(${share * width}px)`;
        const text = clock(seconds);
        if (slider.current === null || slider.current.getAttribute("aria-valuetext") === text) return;
        slider.current.setAttribute("aria-valuenow", Math.floor(seconds).toFixed(0));
        slider.current.setAttribute("aria-valuetext", text);
      }),
    [player, duration, width, look],
  );

  const secondsAt = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration;
  };
  const showHint = (event: PointerEvent) => {
    const seconds = secondsAt(event);
    if (hint.current === null || duration === 0) return;
    const box = event.currentTarget.getBoundingClientRect();
    hint.current.textContent = clock(seconds);
    hint.current.style.left = `${Math.min(box.width - 24, Math.max(24, event.clientX - box.left))}px`;
  };

  const path = useMemo(() => {
    const count = Math.floor(width / BAR_STEP);
    return peaks ? barPath(barsOf(peaks, count), HEIGHT) : "";
  }, [peaks, width]);
  const turns = useMemo(
    () => (speakers.length > 1 && width > 0 ? turnsOf(segments, duration, Math.floor(width / 2)) : []),
    [segments, speakers.length, duration, width],
  );
  const bars = (
    <svg viewBox={`0 0 ${Math.max(1, width)} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      <path d={path} />
    </svg>
  );
  return (
    <div className={styles.waveform}>
      <div
        ref={slider}
        role="slider"
        tabIndex={0}
        aria-label={t("position")}
        aria-valuemin={0}
        aria-valuemax={Math.round(duration)}
        aria-valuenow={0}
        className={styles.slider}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          player.seek(secondsAt(event));
        }}
        onPointerMove={(event) => {
          showHint(event);
          if (event.currentTarget.hasPointerCapture(event.pointerId)) player.seek(secondsAt(event));
        }}
        onKeyDown={(event) => {
          const target = targetOf(event.key, player.time, duration);
          if (target === null) return;
          event.preventDefault();
          player.seek(target);
        }}
      >
        <div className={`${styles.picture} ${styles[look]}`} data-look={look}>
          {look === "bars" && bars}
        </div>
        {look !== "loading" && (
          <div ref={played} className={`${styles.picture} ${styles[look]} ${styles.played}`}>
            {look === "bars" && bars}
          </div>
        )}
        {turns.length > 0 && (
          <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden className={styles.turns}>
            {turns.map(({ start, end, speaker }) => (
              <rect
                key={start}
                x={start}
                width={end - start}
                height={1}
                style={{ fill: speakerColour(speaker) }}
              />
            ))}
          </svg>
        )}
        <div ref={needle} className={styles.needle} />
        <span ref={hint} className={styles.hint} aria-hidden />
      </div>
      {duration > 0 &&
        bookmarks.map((bookmark) => {
          const seconds = secondsOf(bookmark.position);
          const name = bookmark.label === "" ? t("bookmarkAt", { time: clock(seconds) }) : bookmark.label;
          return (
            <Tooltip key={seconds} text={name}>
              <button
                type="button"
                className={styles.marker}
                style={{ left: `${Math.min(1, seconds / duration) * 100}%` }}
                aria-label={t("goToBookmark", { label: name })}
                onClick={() => player.playFrom(seconds)}
              />
            </Tooltip>
          );
        })}
    </div>
  );
}

function targetOf(key: string, time: number, duration: number): number | null {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return time - STEP_SECONDS;
    case "ArrowRight":
    case "ArrowUp":
      return time + STEP_SECONDS;
    case "PageDown":
      return time - PAGE_SECONDS;
    case "PageUp":
      return time + PAGE_SECONDS;
    case "Home":
      return 0;
    case "End":
      return duration;
    default:
      return null;
  }
}

/** How loud the recording is; undefined while that is not known, null where there is nothing to draw. */
function usePeaks(recordingId: string): Uint8Array | null | undefined {
  const waveform = useQuery({
    queryKey: keys.waveform(recordingId),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      try {
        return (await library.getWaveform({ recordingId, peakCount: PEAKS }, { signal })).peaks;
      } catch (error) {
        if (failureOf(error).reason === "NO_AUDIO") return new Uint8Array();
        throw error;
      }
    },
  });
  if (waveform.isPending) return undefined;
  return waveform.data === undefined || waveform.data.length === 0 ? null : waveform.data;
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
