import { useEffect } from "react";
import type { Player } from "./Player";

const BACK_SECONDS = 5;

/** Lock screens, headphones and keyboards control the player. */
export function useMediaSession(player: Player | null, title: string): void {
  useEffect(() => {
    if (player === null || !("mediaSession" in navigator)) return;
    const session = navigator.mediaSession;
    session.metadata = new MediaMetadata({ title, artist: "RecordRoute" });
    const actions: [MediaSessionAction, MediaSessionActionHandler][] = [
      ["play", () => player.play()],
      ["pause", () => player.pause()],
      ["seekbackward", ({ seekOffset }) => player.by(-(seekOffset ?? BACK_SECONDS))],
      ["seekforward", ({ seekOffset }) => player.by(seekOffset ?? BACK_SECONDS)],
      ["seekto", ({ seekTime }) => seekTime !== undefined && player.seek(seekTime)],
    ];
    for (const [action, handler] of actions) session.setActionHandler(action, handler);
    const tell = () => {
      const { isPlaying, duration, rate } = player.getState();
      session.playbackState = isPlaying ? "playing" : "paused";
      if (duration > 0) {
        session.setPositionState({ duration, playbackRate: rate, position: Math.min(player.time, duration) });
      }
    };
    const unsubscribe = player.subscribe(tell);
    return () => {
      unsubscribe();
      for (const [action] of actions) session.setActionHandler(action, null);
      session.metadata = null;
      session.playbackState = "none";
    };
  }, [player, title]);
}
