import { useEffect, useRef } from "react";
import type { TranscriptStore } from "../transcript/TranscriptStore";
import { wordFrom } from "../transcript/times";
import type { Player } from "./Player";
import { isTaken, shortcutOf } from "./shortcuts";

const RATE_STEP = 0.25;

type PlayerShortcuts = {
  player: Player | null;
  store: TranscriptStore;
  onHelp: () => void;
  /** Null where the user may not set any. */
  onBookmark: ((seconds: number) => void) | null;
};

/** The keys that belong to the sound, wherever the focus is but in a field. */
export function usePlayerShortcuts(shortcuts: PlayerShortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      const shortcut = shortcutOf(event);
      if (shortcut === null || isTaken(event, shortcut)) return;
      const { player, store, onHelp, onBookmark } = latest.current;
      if (shortcut.do === "help") {
        onHelp();
        event.preventDefault();
        return;
      }
      if (player === null) return;
      const { rate, duration } = player.getState();
      switch (shortcut.do) {
        case "toggle":
          player.toggle();
          break;
        case "by":
          player.by(shortcut.seconds);
          break;
        case "part":
          player.seek((duration * shortcut.tenth) / 10);
          break;
        case "slower":
          player.setRate(rate - RATE_STEP);
          break;
        case "faster":
          player.setRate(rate + RATE_STEP);
          break;
        case "mute":
          player.toggleMuted();
          break;
        case "word": {
          const start = wordFrom(store.transcript?.segments ?? [], player.time, shortcut.step);
          if (start !== null) player.seek(start);
          break;
        }
        case "bookmark":
          if (onBookmark === null) return;
          onBookmark(player.time);
          break;
        default:
          return;
      }
      event.preventDefault();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}
