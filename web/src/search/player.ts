import { createContext, use, useCallback, useEffect, useMemo, useRef, useState } from "react";

/** A recording that is heard from a second on. */
export type Heard = { recordingId: string; title: string; start: number };

export type Player = {
  heard: Heard | null;
  isPlaying: boolean;
  /** Seconds from the start of the recording. */
  position: number;
  /** Length in seconds; 0 while that is not known. */
  duration: number;
  isBroken: boolean;
  /** Plays from a second on; where that is what is heard already, it pauses or goes on. */
  play: (heard: Heard) => void;
  toggle: () => void;
  seek: (seconds: number) => void;
  close: () => void;
};

const Context = createContext<Player | null>(null);
export const PlayerProvider = Context.Provider;

export function usePlayer(): Player {
  const player = use(Context);
  if (player === null) throw new Error("usePlayer stands outside of PlayerProvider");
  return player;
}

export function isSame(one: Heard | null, other: Heard): boolean {
  return one !== null && one.recordingId === other.recordingId && one.start === other.start;
}

/** One player for the page. The browser asks for the bytes around the second by range. */
export function useNewPlayer(): Player {
  const audio = useRef<HTMLAudioElement | null>(null);
  const [heard, setHeard] = useState<Heard | null>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [position, setPosition] = useState(0);
  const [duration, setDuration] = useState(0);
  const [isBroken, setBroken] = useState(false);
  const wanted = useRef(0);

  const element = useCallback((): HTMLAudioElement => {
    if (audio.current !== null) return audio.current;
    const made = new Audio();
    made.preload = "auto";
    made.addEventListener("loadedmetadata", () => {
      made.currentTime = wanted.current;
      setDuration(Number.isFinite(made.duration) ? made.duration : 0);
    });
    made.addEventListener("timeupdate", () => setPosition(made.currentTime));
    made.addEventListener("play", () => setPlaying(true));
    made.addEventListener("pause", () => setPlaying(false));
    made.addEventListener("error", () => {
      setPlaying(false);
      setBroken(true);
    });
    audio.current = made;
    return made;
  }, []);

  const start = useCallback((made: HTMLAudioElement) => {
    // Refused where the file can't be played, which the error event tells, or where another one was begun meanwhile.
    made.play().catch(() => setPlaying(false));
  }, []);

  const seek = useCallback((seconds: number) => {
    wanted.current = seconds;
    setPosition(seconds);
    const made = audio.current;
    if (made !== null && made.readyState >= HTMLMediaElement.HAVE_METADATA) made.currentTime = seconds;
  }, []);

  const toggle = useCallback(() => {
    const made = audio.current;
    if (made === null) return;
    if (made.paused) start(made);
    else made.pause();
  }, [start]);

  const play = useCallback(
    (next: Heard) => {
      if (isSame(heard, next) && !isBroken) {
        toggle();
        return;
      }
      const made = element();
      setHeard(next);
      setBroken(false);
      if (heard?.recordingId !== next.recordingId || isBroken) {
        setDuration(0);
        made.src = `/media/${next.recordingId}`;
      }
      seek(next.start);
      start(made);
    },
    [heard, isBroken, element, seek, start, toggle],
  );

  const close = useCallback(() => {
    const made = audio.current;
    made?.pause();
    made?.removeAttribute("src");
    audio.current = null;
    setHeard(null);
    setPlaying(false);
  }, []);

  useEffect(
    () => () => {
      audio.current?.pause();
      audio.current?.removeAttribute("src");
    },
    [],
  );

  return useMemo(
    () => ({ heard, isPlaying, position, duration, isBroken, play, toggle, seek, close }),
    [heard, isPlaying, position, duration, isBroken, play, toggle, seek, close],
  );
}
