import { createContext, useContext, useSyncExternalStore } from "react";
import type { Player, PlayerState } from "./Player";

export const PlayerContext = createContext<Player | null>(null);

/** The player of the page; null for documents, which have none. */
export function usePlayer(): Player | null {
  return useContext(PlayerContext);
}

export function usePlayerState(player: Player): PlayerState {
  return useSyncExternalStore(player.subscribe, player.getState);
}
