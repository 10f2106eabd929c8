import {
  Bookmark as BookmarkIcon,
  CircleHelp,
  Download,
  Ellipsis,
  FastForward,
  Pause,
  Play,
  RotateCcw,
  RotateCw,
  SkipForward,
  Volume2,
  VolumeX,
} from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Recording, RecordingSpeaker } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button, IconButton } from "@/ui/Button";
import { Menu, MenuChoice, MenuItem, MenuLabel } from "@/ui/Menu";
import { saveOriginal } from "../header/download";
import type { Segment } from "../transcript/model";
import { useIsNarrow } from "../useIsNarrow";
import { BookmarkList } from "./BookmarkList";
import { Clock } from "./Clock";
import { type Player, RATES } from "./Player";
import styles from "./PlayerBar.module.css";
import type { Bookmarks } from "./useBookmarks";
import { usePlayerState } from "./usePlayer";
import { Waveform } from "./Waveform";

type PlayerBarProps = {
  recording: Recording;
  player: Player;
  segments: readonly Segment[];
  speakers: readonly RecordingSpeaker[];
  canEdit: boolean;
  bookmarks: Bookmarks;
  onHelp: () => void;
};

/** The sound: the picture of it, and everything to play it with. It stays in view. */
export function PlayerBar({ recording, player, segments, speakers, ...more }: PlayerBarProps) {
  const { canEdit, bookmarks, onHelp } = more;
  const { t } = useTranslation("recording");
  const state = usePlayerState(player);
  const isNarrow = useIsNarrow();
  const [isListOpen, setListOpen] = useState(false);
  const bar = useRef<HTMLElement>(null);
  useRoomBelowToasts(bar);
  if (state.failure !== null) {
    return <Silent recording={recording} isAway={state.failure === "away"} onRetry={() => player.reload()} />;
  }
  const jump = (seconds: number, icon: ReactNode) => (
    <button
      type="button"
      className={styles.jump}
      aria-label={t(seconds < 0 ? "back" : "forward", { count: Math.abs(seconds) })}
      title={t(seconds < 0 ? "back" : "forward", { count: Math.abs(seconds) })}
      onClick={() => player.by(seconds)}
    >
      {icon}
      <span aria-hidden>{Math.abs(seconds)}</span>
    </button>
  );
  const list = (
    <BookmarkList
      player={player}
      bookmarks={recording.bookmarks}
      canEdit={canEdit}
      actions={bookmarks}
      isOpen={isListOpen}
      onOpenChange={setListOpen}
    />
  );
  return (
    <section ref={bar} className={styles.bar} aria-label={t("player")}>
      <Waveform
        recordingId={recording.id}
        player={player}
        segments={segments}
        speakers={speakers}
        bookmarks={recording.bookmarks}
      />
      <div className={styles.controls}>
        <Clock player={player} />
        <div className={styles.middle}>
          {jump(-15, <RotateCcw aria-hidden />)}
          {jump(-5, <RotateCcw aria-hidden />)}
          <IconButton
            variant="primary"
            className={styles.play}
            label={t(state.isPlaying ? "pause" : "play")}
            icon={state.isPlaying ? <Pause /> : <Play />}
            onClick={() => player.toggle()}
            data-waiting={state.isWaiting || undefined}
          />
          {jump(5, <RotateCw aria-hidden />)}
          {jump(15, <RotateCw aria-hidden />)}
        </div>
        <div className={styles.end}>
          <RateMenu player={player} rate={state.rate} />
          {isNarrow ? (
            <>
              {list}
              <Menu trigger={<IconButton label={t("playerMore")} icon={<Ellipsis />} />}>
                <MenuChoice checked={state.skipsSilence} onSelect={() => player.toggleSkipsSilence()}>
                  {t("skipSilence")}
                </MenuChoice>
                <MenuChoice checked={state.isMuted} onSelect={() => player.toggleMuted()}>
                  {t("mute")}
                </MenuChoice>
                {canEdit && (
                  <MenuItem icon={<BookmarkIcon />} onSelect={() => void bookmarks.add(player.time)}>
                    {t("addBookmark")}
                  </MenuItem>
                )}
                <MenuItem icon={<CircleHelp />} onSelect={onHelp}>
                  {t("keyboard")}
                </MenuItem>
              </Menu>
            </>
          ) : (
            <>
              <IconButton
                label={t("skipSilence")}
                aria-pressed={state.skipsSilence}
                icon={<SkipForward />}
                onClick={() => player.toggleSkipsSilence()}
              />
              {list}
              <Volume player={player} />
              <IconButton label={t("keyboard")} icon={<CircleHelp />} onClick={onHelp} />
            </>
          )}
        </div>
      </div>
    </section>
  );
}

/** Toasts stand above the player, as they do above other things at the bottom of the window. */
function useRoomBelowToasts(bar: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    if (bar.current === null) return;
    const root = document.documentElement.style;
    const observer = new ResizeObserver(() =>
      root.setProperty("--player", `${bar.current?.offsetHeight ?? 0}px`),
    );
    observer.observe(bar.current);
    return () => {
      observer.disconnect();
      root.removeProperty("--player");
    };
  }, [bar]);
}

function RateMenu({ player, rate }: { player: Player; rate: number }) {
  const { t } = useTranslation("recording");
  return (
    <Menu
      trigger={
        <Button
          variant="ghost"
          className={styles.rate}
          icon={<FastForward />}
          aria-label={t("speedIs", { rate })}
        >
          {rate}×
        </Button>
      }
    >
      <MenuLabel>{t("speed")}</MenuLabel>
      {RATES.map((choice) => (
        <MenuChoice key={choice} checked={choice === rate} onSelect={() => player.setRate(choice)}>
          {choice}×
        </MenuChoice>
      ))}
    </Menu>
  );
}

function Volume({ player }: { player: Player }) {
  const { t } = useTranslation("recording");
  const { volume, isMuted } = usePlayerState(player);
  const isSilent = isMuted || volume === 0;
  return (
    <span className={styles.volume}>
      <IconButton
        label={t("mute")}
        aria-pressed={isMuted}
        icon={isSilent ? <VolumeX /> : <Volume2 />}
        onClick={() => player.toggleMuted()}
      />
      <input
        type="range"
        min={0}
        max={1}
        step={0.05}
        aria-label={t("volume")}
        value={isMuted ? 0 : volume}
        onChange={(event) => player.setVolume(event.currentTarget.valueAsNumber)}
      />
    </span>
  );
}

type SilentProps = { recording: Recording; isAway: boolean; onRetry: () => void };

/** Stands in the place of the player where there is nothing to hear: why, and the way out. */
function Silent({ recording, isAway, onRetry }: SilentProps) {
  const { t } = useTranslation("recording");
  const { t: common } = useTranslation("ui");
  return (
    <section className={styles.bar} aria-label={t("player")}>
      <div className={styles.unplayable} role="alert">
        <p>{isAway ? t("soundAway") : t("unplayable", { type: recording.mediaType })}</p>
        {isAway ? (
          <Button size="small" icon={<RotateCw />} onClick={onRetry}>
            {common("retry")}
          </Button>
        ) : (
          <Button size="small" icon={<Download />} onClick={() => saveOriginal(recording)}>
            {t("exportOriginal")}
          </Button>
        )}
      </div>
    </section>
  );
}
