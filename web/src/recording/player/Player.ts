import { type Gap, skipTo } from "../transcript/times";

export const SLOWEST = 0.5;
export const FASTEST = 3;
export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;

/** `MediaError.MEDIA_ERR_DECODE`. */
const DECODE_ERROR = 3;

const PREFERENCES = "recordroute.player";

export type PlayerState = {
  isPlaying: boolean;
  /** It would play, but the sound is still on its way. */
  isWaiting: boolean;
  rate: number;
  /** 0 to 1. */
  volume: number;
  isMuted: boolean;
  skipsSilence: boolean;
  /** In seconds; 0 while it is not known. */
  duration: number;
  /** Why there is nothing to hear: the browser can't play such files, or the server did not send it. */
  failure: "unplayable" | "away" | null;
};

type Preferences = Pick<PlayerState, "rate" | "volume" | "skipsSilence">;

function storedPreferences(): Preferences {
  const found: Preferences = { rate: 1, volume: 1, skipsSilence: false };
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(PREFERENCES) ?? "{}");
    if (typeof stored !== "object" || stored === null) return found;
    if ("rate" in stored && typeof stored.rate === "number") found.rate = clampRate(stored.rate);
    if ("volume" in stored && typeof stored.volume === "number") found.volume = clamp(stored.volume, 0, 1);
    if ("skipsSilence" in stored) found.skipsSilence = stored.skipsSilence === true;
  } catch {
    // Not written by this page: as if there were none.
  }
  return found;
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(highest, Math.max(lowest, value));
}

function clampRate(rate: number): number {
  return clamp(Math.round(rate * 100) / 100, SLOWEST, FASTEST);
}

/**
 * Plays a recording. What changes now and then is a state to subscribe to; the position, which changes with every frame,
 * is told to `onTime` listeners, who write it into the page by themselves.
 */
export class Player {
  #media: HTMLMediaElement | null = null;
  #state: PlayerState;
  /** Where to begin, as long as there is nothing to play yet. */
  #startAt: number | null = null;
  #gaps: readonly Gap[] = [];
  #frame = 0;
  readonly #stateListeners = new Set<() => void>();
  readonly #timeListeners = new Set<(seconds: number) => void>();

  readonly #mediaType: string;

  constructor(duration: number, mediaType = "") {
    this.#mediaType = mediaType;
    this.#state = {
      isPlaying: false,
      isWaiting: false,
      isMuted: false,
      duration,
      failure: null,
      ...storedPreferences(),
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  readonly getState = (): PlayerState => this.#state;

  /** Tells the position now, with every frame while it plays, and after every jump. */
  onTime(listener: (seconds: number) => void): () => void {
    this.#timeListeners.add(listener);
    listener(this.time);
    return () => this.#timeListeners.delete(listener);
  }

  /** To be given to the media element as its ref. */
  readonly attach = (media: HTMLMediaElement | null): (() => void) => {
    if (media === null) return () => undefined;
    this.#media = media;
    media.preservesPitch = true;
    media.defaultPlaybackRate = this.#state.rate;
    media.playbackRate = this.#state.rate;
    media.volume = this.#state.volume;
    media.muted = this.#state.isMuted;
    if (this.#startAt !== null) media.currentTime = this.#startAt;
    const off = new AbortController();
    const on = (event: string, listener: () => void) =>
      media.addEventListener(event, listener, { signal: off.signal });
    on("play", () => {
      this.#set({ isPlaying: true });
      this.#run();
    });
    on("pause", () => this.#set({ isPlaying: false, isWaiting: false }));
    on("ended", () => this.#set({ isPlaying: false, isWaiting: false }));
    on("waiting", () => this.#set({ isWaiting: !media.paused }));
    on("playing", () => this.#set({ isWaiting: false }));
    on("canplay", () => this.#set({ isWaiting: false }));
    on("seeked", () => this.#tell());
    // A page in the background gets no frames, and the silence is to be skipped there, too.
    on("timeupdate", () => {
      this.#skip();
      this.#tell();
    });
    on("durationchange", () => {
      if (Number.isFinite(media.duration) && media.duration > 0) this.#set({ duration: media.duration });
    });
    on("loadedmetadata", () => {
      this.#startAt = null;
    });
    on("error", () => {
      // Where nothing came the browser tells the same as where it did not understand what came.
      const isKnown = this.#mediaType === "" || media.canPlayType(this.#mediaType) !== "";
      const isBroken = media.error?.code === DECODE_ERROR;
      const failure = isKnown && !isBroken ? "away" : "unplayable";
      this.#startAt = this.time;
      this.#set({ failure, isPlaying: false, isWaiting: false });
    });
    return () => {
      off.abort();
      media.pause();
      cancelAnimationFrame(this.#frame);
      this.#media = null;
      this.#set({ isPlaying: false, isWaiting: false });
    };
  };

  get time(): number {
    return this.#startAt ?? this.#media?.currentTime ?? 0;
  }

  seek(seconds: number): void {
    const { duration } = this.#state;
    const time = clamp(seconds, 0, duration > 0 ? duration : Number.MAX_SAFE_INTEGER);
    if (this.#media === null || this.#media.readyState === HTMLMediaElement.HAVE_NOTHING)
      this.#startAt = time;
    if (this.#media !== null) this.#media.currentTime = time;
    this.#tell();
  }

  by(seconds: number): void {
    this.seek(this.time + seconds);
  }

  play(): void {
    // Browsers refuse to play before the user has touched the page, and a pause right after refuses, too.
    this.#media?.play().catch(() => this.#set({ isPlaying: !(this.#media?.paused ?? true) }));
  }

  playFrom(seconds: number): void {
    this.seek(seconds);
    this.play();
  }

  /** Asks for the sound again. */
  reload(): void {
    const media = this.#media;
    if (media === null) return;
    const place = this.time;
    this.#set({ failure: null });
    media.load();
    this.seek(place);
  }

  pause(): void {
    this.#media?.pause();
  }

  toggle(): void {
    if (this.#state.isPlaying) this.pause();
    else this.play();
  }

  setRate(rate: number): void {
    this.#set({ rate: clampRate(rate) });
    if (this.#media !== null) {
      this.#media.defaultPlaybackRate = this.#state.rate;
      this.#media.playbackRate = this.#state.rate;
    }
    this.#store();
  }

  setVolume(volume: number): void {
    this.#set({ volume: clamp(volume, 0, 1), isMuted: false });
    this.#applyVolume();
    this.#store();
  }

  toggleMuted(): void {
    this.#set({ isMuted: !this.#state.isMuted });
    this.#applyVolume();
  }

  toggleSkipsSilence(): void {
    this.#set({ skipsSilence: !this.#state.skipsSilence });
    this.#store();
  }

  /** The stretches that are jumped over where silence is skipped. */
  setGaps(gaps: readonly Gap[]): void {
    this.#gaps = gaps;
  }

  #applyVolume(): void {
    if (this.#media === null) return;
    this.#media.volume = this.#state.volume;
    this.#media.muted = this.#state.isMuted;
  }

  #run(): void {
    cancelAnimationFrame(this.#frame);
    const step = () => {
      if (this.#media === null || this.#media.paused) return;
      this.#skip();
      this.#tell();
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #skip(): void {
    const media = this.#media;
    if (media === null || media.paused || media.seeking || !this.#state.skipsSilence) return;
    const target = skipTo(this.#gaps, media.currentTime);
    if (target !== null) media.currentTime = target;
  }

  #tell(): void {
    const { time } = this;
    for (const listener of this.#timeListeners) listener(time);
  }

  #set(change: Partial<PlayerState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#stateListeners) listener();
  }

  #store(): void {
    const { rate, volume, skipsSilence } = this.#state;
    localStorage.setItem(PREFERENCES, JSON.stringify({ rate, volume, skipsSilence }));
  }
}
