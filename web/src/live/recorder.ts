import type { Client } from "@connectrpc/connect";
import type { LiveEvent, LiveService } from "@/gen/recordroute/gateway/v1/live_pb";
import { Observable } from "@/lib/observable";
import { liveActivity, noteUnsentAudio } from "./activity";
import type { Capture, CaptureListener, Source } from "./audio/capture";
import { RATE } from "./audio/pcm";
import { type Captions, captionsAfter, NO_CAPTIONS } from "./captions";
import { NO_LEVEL, SILENCE } from "./hearing";
import type { MicrophoneChoice } from "./microphone";
import type { Outbox, RecordingWishes, StoredBookmark, StoredRecording } from "./outbox";
import { NOT_CONNECTED, type Outcome, type Part, type Pauses, Uplink, type UplinkState } from "./uplink";

/** What the server proposes for captions that come soon, and what saves calls on a slow line, or without any. */
const CHUNK_SECONDS = 0.2;
const LONG_CHUNK_SECONDS = 1;
/** With so much unsent the line is slow, and with so little it is quick again. */
const SLOW_SECONDS = 2;
const QUICK_SECONDS = 1;
/** Until something was heard at all it is soon suspicious; later some microphones are just good at being still. */
const SILENT_AT_FIRST_MS = 6_000;
const SILENT_LATER_MS = 60_000;
const NO_AUDIO = new Uint8Array(0);

/** Another tab of this browser records, or sends what was recorded. */
export class OtherTabError extends Error {}

export type LivePhase = "idle" | "starting" | "recording" | "paused" | "finishing" | "done";

export type Mark = { id: string; position: number; label: string };

/** What no session took any more becomes a recording of its own. */
export type Rest = { percent: number; recordingId: string };

export type LiveState = {
  phase: LivePhase;
  startedAt: number;
  wishes: RecordingWishes;
  /** What is recorded, as the system names it. */
  deviceName: string;
  /** Why it did not start, or is not finished. */
  failure: unknown;
  /** The device has gone: it is paused until another one is there. */
  isDeviceLost: boolean;
  /** One of several devices has gone: it goes on with the others. */
  isPartLost: boolean;
  /** Nothing at all is heard: the microphone is muted, or it is the wrong one. */
  isSilent: boolean;
  uplink: UplinkState;
  captions: Captions;
  marks: readonly Mark[];
  parts: readonly Part[];
  rest: Rest | null;
};

/** A recording of an earlier visit that the server may not have all of. */
export type Leftover = { recording: StoredRecording; unsentSeconds: number };

export type StartOptions = {
  user: string;
  source: Source;
  microphone: MicrophoneChoice;
  wishes: RecordingWishes;
};

export type RecorderParts = {
  client: Client<typeof LiveService>;
  openOutbox: () => Promise<Outbox>;
  openCapture: (source: Source, choice: MicrophoneChoice, listener: CaptureListener) => Promise<Capture>;
  takeLock: () => Promise<(() => void) | null>;
  isLockTaken: () => Promise<boolean>;
  untilLockIsFree: () => Promise<void>;
  uploadRest: (
    outbox: Outbox,
    recording: StoredRecording,
    rest: NonNullable<StoredRecording["rest"]>,
    onProgress: (percent: number) => void,
    signal: AbortSignal,
  ) => Promise<string>;
  /** Gives a recording bookmarks that came too late for its session. */
  addBookmarks: (recordingId: string, bookmarks: StoredBookmark[]) => Promise<void>;
  screen: { hold: () => void; release: () => void };
  pauses?: Pauses;
};

const NO_WISHES: RecordingWishes = { title: "", folder: "", tags: [], language: "", template: "" };

const IDLE: LiveState = {
  phase: "idle",
  startedAt: 0,
  wishes: NO_WISHES,
  deviceName: "",
  failure: undefined,
  isDeviceLost: false,
  isPartLost: false,
  isSilent: false,
  uplink: NOT_CONNECTED,
  captions: NO_CAPTIONS,
  marks: [],
  parts: [],
  rest: null,
};

/** Records, and brings what was recorded to the server: one at a time, and longer than the page that shows it. */
export class Recorder {
  readonly state = new Observable<LiveState>(IDLE);
  /** Seconds of sound that were recorded. */
  readonly seconds = new Observable(0);
  readonly level = new Observable(NO_LEVEL);
  readonly leftovers = new Observable<readonly Leftover[]>([]);
  readonly #parts: RecorderParts;
  #outbox: Outbox | null = null;
  #capture: Capture | null = null;
  #uplink: Uplink | null = null;
  #options: StartOptions | null = null;
  #release: () => void = () => undefined;
  #stop = new AbortController();
  #chunkSeconds = CHUNK_SECONDS;
  #heardAt = 0;
  #hasHeard = false;
  #isWaitingForLock = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Asks for the microphone and begins; what goes wrong is told by `failure`. */
  async start(options: StartOptions): Promise<void> {
    if (this.#isBusy) return;
    this.#options = options;
    const startedAt = Date.now();
    this.state.set({ ...IDLE, phase: "starting", wishes: options.wishes, startedAt });
    this.seconds.set(0);
    try {
      await this.#lock();
      // Chunks of before the outbox stands wait for it.
      const early: Uint8Array<ArrayBuffer>[] = [];
      let take = (audio: Uint8Array<ArrayBuffer>) => void early.push(audio);
      const capture = await this.#openCapture(options, (audio) => take(audio));
      this.#capture = capture;
      const outbox = await this.#open();
      const id = crypto.randomUUID();
      const recording: StoredRecording = {
        id,
        user: options.user,
        startedAt,
        wishes: options.wishes,
        part: { requestId: id, sessionId: "", first: 0, start: 0 },
        bookmarks: [],
      };
      await outbox.put(recording);
      noteUnsentAudio(true);
      const uplink = this.#begin(outbox, recording);
      take = (audio) => {
        uplink.add(audio);
        this.seconds.set(uplink.seconds);
      };
      early.forEach(take);
      this.#heardAt = Date.now();
      this.#hasHeard = false;
      this.#change({ phase: "recording", deviceName: capture.name });
      this.#parts.screen.hold();
      window.addEventListener("beforeunload", askBeforeLeaving);
      void this.#run(uplink, outbox, recording);
    } catch (failure) {
      await this.#letGo();
      this.state.set({ ...IDLE, failure, wishes: options.wishes });
    }
  }

  pause(): void {
    if (this.state.get().phase !== "recording") return;
    this.#capture?.pause();
    this.level.set(NO_LEVEL);
    this.#change({ phase: "paused", isSilent: false });
  }

  /** Goes on; where the device is gone, with what is there now. */
  async resume(): Promise<void> {
    const { phase, isDeviceLost } = this.state.get();
    const options = this.#options;
    if (phase !== "paused" || options === null) return;
    if (isDeviceLost) {
      try {
        const before = this.#capture;
        this.#capture = await this.#openCapture(options, (audio) => this.#add(audio));
        await before?.stop();
      } catch (failure) {
        this.#change({ failure });
        return;
      }
    } else {
      this.#capture?.resume();
    }
    this.#heardAt = Date.now();
    this.#hasHeard &&= !isDeviceLost;
    this.#change({
      phase: "recording",
      isDeviceLost: false,
      isPartLost: false,
      failure: undefined,
      deviceName: this.#capture?.name ?? "",
    });
  }

  /** Marks a moment, in seconds from the start of the recording. */
  mark(label: string, position: number): void {
    const { phase, marks } = this.state.get();
    if (phase !== "recording" && phase !== "paused") return;
    const mark = { id: crypto.randomUUID(), position, label };
    this.#change({ marks: [...marks, mark] });
    void this.#uplink?.mark({ requestId: mark.id, position: mark.position, label });
  }

  /** Ends the recording; it is `done` when the server has it all. */
  async stop(): Promise<void> {
    const { phase } = this.state.get();
    if (phase !== "recording" && phase !== "paused") return;
    this.#change({ phase: "finishing", isSilent: false, isDeviceLost: false, failure: undefined });
    liveActivity.set("finishing");
    this.level.set(NO_LEVEL);
    this.#parts.screen.release();
    await this.#capture?.stop();
    this.#capture = null;
    await this.#uplink?.end();
  }

  /** Tries at once what waits for the server. */
  retry(): void {
    this.#uplink?.retry();
  }

  /** Leaves what is not sent on this device for another time. */
  async postpone(): Promise<void> {
    if (this.state.get().phase !== "finishing") return;
    this.#stop.abort();
    this.#uplink?.close();
    await this.#letGo();
    this.state.set(IDLE);
    await this.findLeftovers(this.#options?.user ?? "");
  }

  /** Goes back to the beginning. */
  dismiss(): void {
    const { phase, failure } = this.state.get();
    if (phase === "done") this.state.set(IDLE);
    else if (failure !== undefined) this.#change({ failure: undefined });
  }

  /** Looks for what earlier visits left on this device; not while another tab may be at it. */
  async findLeftovers(user: string): Promise<void> {
    if (this.#isBusy) return;
    if (await this.#parts.isLockTaken()) {
      this.leftovers.set([]);
      if (this.#isWaitingForLock) return;
      // A tab that was just closed, or one that is finished soon.
      this.#isWaitingForLock = true;
      await this.#parts.untilLockIsFree();
      this.#isWaitingForLock = false;
      return this.findLeftovers(user);
    }
    const outbox = await this.#parts.openOutbox();
    try {
      const found: Leftover[] = [];
      for (const recording of await outbox.list(user)) {
        const { samples } = await outbox.unsent(recording.id);
        found.push({ recording, unsentSeconds: samples / RATE });
      }
      this.leftovers.set(found);
      noteUnsentAudio(!(await outbox.isEmpty()));
    } finally {
      outbox.close();
    }
  }

  /** Brings what an earlier visit left to the server, and ends its session. */
  async finish({ recording }: Leftover): Promise<void> {
    if (this.#isBusy) return;
    const { startedAt, wishes } = recording;
    this.state.set({ ...IDLE, phase: "finishing", startedAt, wishes });
    this.#options = null;
    try {
      await this.#lock();
      const outbox = await this.#open();
      const uplink = this.#begin(outbox, recording);
      liveActivity.set("finishing");
      await uplink.takeUp();
      this.seconds.set(uplink.seconds);
      this.leftovers.update((all) => all.filter((other) => other.recording.id !== recording.id));
      window.addEventListener("beforeunload", askBeforeLeaving);
      void this.#run(uplink, outbox, recording);
    } catch (failure) {
      await this.#letGo();
      this.state.set({ ...IDLE, failure });
    }
  }

  /** Throws away what an earlier visit left on this device. The server keeps what it has. */
  async discard({ recording }: Leftover): Promise<void> {
    const outbox = await this.#parts.openOutbox();
    await outbox.remove(recording.id);
    outbox.close();
    await this.findLeftovers(recording.user);
  }

  get #isBusy(): boolean {
    const { phase } = this.state.get();
    return phase !== "idle" && phase !== "done";
  }

  async #lock(): Promise<void> {
    const release = await this.#parts.takeLock();
    if (release === null) throw new OtherTabError();
    this.#release = release;
  }

  async #open(): Promise<Outbox> {
    this.#outbox = await this.#parts.openOutbox();
    return this.#outbox;
  }

  async #openCapture(options: StartOptions, onChunk: CaptureListener["onChunk"]): Promise<Capture> {
    const capture = await this.#parts.openCapture(options.source, options.microphone, {
      onChunk,
      onLevel: (peak) => this.#hear(peak),
      onIdle: () => this.#uplink?.add(NO_AUDIO),
      onLost: (isAll) => {
        if (this.#capture !== capture) return;
        if (isAll) this.pause();
        this.#change(isAll ? { isDeviceLost: true } : { isPartLost: true, deviceName: capture.name });
      },
    });
    this.#chunkSeconds = CHUNK_SECONDS;
    return capture;
  }

  #begin(outbox: Outbox, recording: StoredRecording): Uplink {
    this.#stop = new AbortController();
    liveActivity.set("recording");
    const listener = {
      onState: (uplink: UplinkState) => this.#follow(uplink),
      onEvent: (event: LiveEvent, start: number) => {
        const captions = captionsAfter(this.state.get().captions, event, start);
        if (captions !== this.state.get().captions) this.#change({ captions });
      },
      onPart: (part: Part) => this.#change({ parts: [...this.state.get().parts, part] }),
    };
    this.#uplink = new Uplink(this.#parts.client, outbox, recording, listener, this.#parts.pauses);
    return this.#uplink;
  }

  #add(audio: Uint8Array<ArrayBuffer>): void {
    this.#uplink?.add(audio);
    this.seconds.set(this.#uplink?.seconds ?? 0);
  }

  #hear(peak: number): void {
    this.level.set({ peak });
    if (peak > SILENCE) {
      this.#heardAt = Date.now();
      this.#hasHeard = true;
    }
    const patience = this.#hasHeard ? SILENT_LATER_MS : SILENT_AT_FIRST_MS;
    const isSilent = Date.now() - this.#heardAt > patience;
    if (isSilent !== this.state.get().isSilent) this.#change({ isSilent });
  }

  #follow(uplink: UplinkState): void {
    if (uplink.connection === "away" || uplink.unsentSeconds > SLOW_SECONDS) {
      this.#setChunkSeconds(LONG_CHUNK_SECONDS);
    } else if (uplink.unsentSeconds < QUICK_SECONDS) {
      this.#setChunkSeconds(CHUNK_SECONDS);
    }
    if (uplink.isDelivered) window.removeEventListener("beforeunload", askBeforeLeaving);
    this.#change({ uplink });
  }

  #setChunkSeconds(seconds: number): void {
    if (seconds === this.#chunkSeconds) return;
    this.#chunkSeconds = seconds;
    this.#capture?.setChunkSeconds(seconds);
  }

  async #run(uplink: Uplink, outbox: Outbox, recording: StoredRecording): Promise<void> {
    const { signal } = this.#stop;
    try {
      const outcome =
        recording.rest === undefined ? await uplink.run() : { parts: [], rest: recording.rest.from };
      if (signal.aborted) return;
      await this.#settle(outcome, outbox, recording);
      if (signal.aborted) return;
      await outbox.remove(recording.id);
      noteUnsentAudio(!(await outbox.isEmpty()));
      await this.#letGo();
      this.#change({ phase: "done" });
    } catch (failure) {
      if (signal.aborted) return;
      await this.#capture?.stop();
      const { phase, wishes } = this.state.get();
      // A session that was refused from the start has nothing that is worth keeping.
      if (phase !== "finishing") await outbox.remove(recording.id);
      await this.#letGo();
      this.state.set({ ...IDLE, failure, wishes });
      await this.findLeftovers(recording.user);
    }
  }

  /** Does what is left to do when the session is over. */
  async #settle({ parts, rest }: Outcome, outbox: Outbox, recording: StoredRecording): Promise<void> {
    for (const part of parts) {
      if (part.recordingId === "" || part.bookmarks.length === 0) continue;
      // The recording is safe, and can be marked at any time: a mark less is no reason to do all of it again.
      await this.#parts.addBookmarks(part.recordingId, part.bookmarks).catch((problem: unknown) => {
        this.#change({ uplink: { ...this.state.get().uplink, problem } });
      });
    }
    if (rest === null) return;
    const upload = recording.rest ?? { requestId: crypto.randomUUID(), from: rest };
    await outbox.put({ ...recording, rest: upload, bookmarks: [] });
    window.addEventListener("beforeunload", askBeforeLeaving);
    this.#change({ rest: { percent: 0, recordingId: "" } });
    const onProgress = (percent: number) => this.#change({ rest: { percent, recordingId: "" } });
    const { signal } = this.#stop;
    const recordingId = await this.#parts.uploadRest(outbox, recording, upload, onProgress, signal);
    this.#change({ rest: { percent: 100, recordingId } });
  }

  async #letGo(): Promise<void> {
    window.removeEventListener("beforeunload", askBeforeLeaving);
    this.#parts.screen.release();
    await this.#capture?.stop();
    this.#capture = null;
    this.#uplink?.close();
    this.#uplink = null;
    this.#outbox?.close();
    this.#outbox = null;
    this.level.set(NO_LEVEL);
    liveActivity.set("none");
    this.#release();
    this.#release = () => undefined;
  }

  #change(change: Partial<LiveState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }
}

function askBeforeLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
