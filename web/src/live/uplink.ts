import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { failureOf } from "@/api/errors";
import {
  type LiveConfig,
  LiveConfigSchema,
  type LiveEnded,
  type LiveEvent,
  type LiveService,
} from "@/gen/recordroute/gateway/v1/live_pb";
import { AudioEncoding } from "@/gen/recordroute/stt/v1/stt_pb";
import { secondsOf } from "@/lib/time";
import { waitOnline } from "@/lib/wait";
import { RATE, SAMPLE_BYTES } from "./audio/pcm";
import type { Outbox, StoredBookmark, StoredPart, StoredRecording } from "./outbox";

/** HTTP/1.1 gives a page six connections to one server: the streams of events and of changes have one each. */
const PUSHES_AT_ONCE = 2;
const PUSH_DEADLINE_MS = 10_000;
/** The speech service is so far behind that more audio at once would only wait there. */
const FAR_BEHIND_SECONDS = 20;
/** What waits then goes on at this multiple of the pace of speech. */
const CATCH_UP_PACE = 8;
/** Chunks that stay in memory besides the disk, so that a running session does not read what it has just written. */
const CHUNKS_IN_MEMORY = 64;
const NOTHING = new Uint8Array(0);

export type Pauses = { firstMs: number; longestMs: number };
const PAUSES: Pauses = { firstMs: 250, longestMs: 10_000 };

/** Reasons for which a session is not there any more. */
const OVER = new Set(["SESSION_ENDED", "SESSION_NOT_FOUND"]);
/** The server was not reached, or is busy: it is asked again without a word. */
const NETWORK = new Set([Code.Unknown, Code.Unavailable, Code.DeadlineExceeded]);
/** A session that is refused when less than this was recorded is over; more than this is worth keeping. */
const WORTH_KEEPING_SECONDS = 10;

/** A session that has ended. */
export type Part = {
  sessionId: string;
  /** Empty where no audio came, or nobody knows any more. */
  recordingId: string;
  workflowId: string;
  /** Why it ended, if not by its client: "IDLE", "TOO_LONG", "SESSION_NOT_FOUND". */
  reason: string;
  /** Those that came too late for the session, in seconds from its start. */
  bookmarks: StoredBookmark[];
};

export type UplinkState = {
  connection: "connecting" | "online" | "away";
  /** Audio that the server does not have. */
  unsentSeconds: number;
  /** The server has all of it, and knows that it is all: it goes on by itself. */
  isDelivered: boolean;
  /** Why the last call failed, if not for the network; undefined while all goes well. */
  problem: unknown;
  /** This device takes no more: what is not sent is lost with the tab. */
  notKept: boolean;
};

export const NOT_CONNECTED: UplinkState = {
  connection: "connecting",
  unsentSeconds: 0,
  isDelivered: false,
  problem: undefined,
  notKept: false,
};

export type UplinkListener = {
  onState: (state: UplinkState) => void;
  /** Something happened in a session that began `startSeconds` after the recording did. */
  onEvent: (event: LiveEvent, startSeconds: number) => void;
  onPart: (part: Part) => void;
};

/** How it ended: `rest` is the number of the first chunk that no session took. */
export type Outcome = { parts: Part[]; rest: number | null };

type LiveClient = Client<typeof LiveService>;

/**
 * Brings one recording to the server, over as many connections and, in bad times, sessions as it takes. Chunks go from
 * this device's disk in their order and stay there until they are safe on the server's.
 */
export class Uplink {
  readonly #client: LiveClient;
  readonly #outbox: Outbox;
  readonly #listener: UplinkListener;
  readonly #pauses: Pauses;
  readonly #stop = new AbortController();
  readonly #parts: Part[] = [];
  #recording: StoredRecording;
  #stream = new AbortController();
  #state = NOT_CONNECTED;
  /** The server has answered once: from then on it is waited for. */
  #met = false;
  #streamStands = false;
  /** The server takes nothing more in this session; its stream tells what became of it. */
  #partOver = false;
  /** Number of the next chunk, and samples before it. */
  #count = 0;
  #samples = 0;
  /** Chunks before this number are on this device's disk, or can't be brought there. */
  #stored = 0;
  /** Where chunks begin, in samples; those that the server has are forgotten. */
  #starts = new Map<number, number>();
  #memory = new Map<number, Uint8Array<ArrayBuffer>>();
  #onlyInMemory = new Set<number>();
  /** No more audio comes. */
  #ended = false;
  #takenUp = false;
  /** The chunk that is sent next, and the one that the server wants next. */
  #cursor = 0;
  #wanted = 0;
  #dropped = 0;
  #inFlight = 0;
  #held: AbortController | null = null;
  #failures = 0;
  #bufferedSeconds = 0;
  #marking = false;
  /** The highest number of an event that was seen. */
  #seen = 0n;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    client: LiveClient,
    outbox: Outbox,
    recording: StoredRecording,
    listener: UplinkListener,
    pauses: Pauses = PAUSES,
  ) {
    this.#client = client;
    this.#outbox = outbox;
    this.#recording = recording;
    this.#listener = listener;
    this.#pauses = pauses;
    this.#wanted = recording.part.first;
  }

  /** Takes up what an earlier visit left: no more audio comes. */
  async takeUp(): Promise<void> {
    const unsent = await this.#outbox.unsent(this.#recording.id);
    this.#count = this.#stored = Math.max(unsent.end, this.#recording.part.first);
    this.#samples = unsent.start + unsent.samples;
    this.#starts.set(unsent.first, unsent.start);
    this.#wanted = Math.max(unsent.first, this.#recording.part.first);
    this.#ended = this.#takenUp = true;
  }

  /** Seconds of audio that have been added. */
  get seconds(): number {
    return this.#samples / RATE;
  }

  /** Adds the next audio; an empty chunk keeps the session open. */
  add(audio: Uint8Array<ArrayBuffer>): void {
    const chunk = { recording: this.#recording.id, sequence: this.#count, start: this.#samples, audio };
    this.#count += 1;
    this.#samples += audio.length / SAMPLE_BYTES;
    this.#starts.set(chunk.sequence, chunk.start);
    this.#memory.set(chunk.sequence, audio);
    this.#writing = this.#writing
      .then(() => this.#outbox.add(chunk))
      .catch(() => {
        this.#onlyInMemory.add(chunk.sequence);
        this.#tell({ notKept: true });
      })
      .then(() => {
        this.#stored = chunk.sequence + 1;
        this.#trimMemory();
        this.#tell({});
        this.#pump();
      });
  }

  /** Marks a moment; it is told to the server as soon as that can be reached. */
  async mark(bookmark: StoredBookmark): Promise<void> {
    await this.#change({ bookmarks: [...this.#recording.bookmarks, bookmark] });
    this.#pump();
  }

  /** No more audio comes: `run` returns when the server has made a recording of it all. */
  async end(): Promise<void> {
    await this.#writing;
    this.#ended = true;
    this.#pump();
  }

  /** Lets go of everything as it is. */
  close(): void {
    this.#stop.abort();
    this.#stream.abort();
    this.#held?.abort();
  }

  /** Tries again at once what waits for its time. */
  retry(): void {
    this.#held?.abort();
    this.#stream.abort();
  }

  /**
   * Opens the session and stays with it until it has ended. Throws what the server says where it refuses the session,
   * and nothing was recorded yet.
   */
  async run(): Promise<Outcome> {
    let pause = this.#pauses.firstMs;
    while (!this.#stop.signal.aborted) {
      const { requestId } = this.#recording.part;
      this.#stream = new AbortController();
      try {
        for await (const { event } of this.#open()) {
          if (event === undefined) continue;
          pause = this.#pauses.firstMs;
          this.#streamStands = true;
          if (event.sequence > this.#seen) this.#seen = event.sequence;
          this.#listener.onEvent(event, this.#recording.part.start / RATE);
          const outcome = await this.#take(event);
          if (outcome !== null) return outcome;
          if (this.#recording.part.requestId !== requestId) break;
        }
        this.#streamStands = false;
      } catch (error) {
        this.#streamStands = false;
        if (this.#stop.signal.aborted) break;
        const outcome = await this.#streamFailed(error);
        if (outcome !== null) return outcome;
      }
      // The next session is opened at once.
      if (this.#recording.part.requestId !== requestId) continue;
      this.#tell({ connection: "away" });
      await waitOnline(pause, this.#stop.signal);
      pause = Math.min(2 * pause, this.#pauses.longestMs);
    }
    return { parts: this.#parts, rest: null };
  }

  async #streamFailed(error: unknown): Promise<Outcome | null> {
    const { part } = this.#recording;
    const { code, reason } = failureOf(error);
    if (reason === "SESSION_NOT_FOUND" && part.sessionId !== "") {
      const lost = { recordingId: "", workflowId: "", reason };
      return await this.#over(lost, Math.max(this.#dropped, part.first));
    }
    const isRefused = !NETWORK.has(code) && reason !== "OVERLOADED" && !this.#stream.signal.aborted;
    if (isRefused && !this.#met && this.seconds < WORTH_KEEPING_SECONDS) throw error;
    if (!this.#stream.signal.aborted) this.#tell({ problem: problemOf(error) });
    return null;
  }

  #open() {
    const { part, wishes } = this.#recording;
    const session =
      part.sessionId === ""
        ? ({ case: "config", value: configOf(part, wishes, this.#parts.length) } as const)
        : ({ case: "resume", value: { sessionId: part.sessionId, afterSequence: this.#seen } } as const);
    return this.#client.openLiveSession(
      { session },
      { signal: AbortSignal.any([this.#stop.signal, this.#stream.signal]), headers: headersOf(part) },
    );
  }

  async #take({ event }: LiveEvent): Promise<Outcome | null> {
    switch (event.case) {
      case "opened":
        this.#met = true;
        if (this.#recording.part.sessionId !== event.value.id) {
          await this.#change({ part: { ...this.#recording.part, sessionId: event.value.id } });
        }
        await this.#goOnFrom(this.#local(event.value.nextAudioSequence));
        return null;
      case "savedAudioSequence":
        this.#saved(this.#local(event.value));
        return null;
      case "ended":
        return await this.#over(event.value, this.#local(event.value.nextAudioSequence));
      default:
        return null;
    }
  }

  /** The server wants this chunk next, whatever was sent before. */
  async #goOnFrom(wanted: number): Promise<void> {
    // Of what an earlier visit left nothing may be here: all that it sent is there.
    if (this.#takenUp) this.#count = this.#stored = Math.max(this.#count, wanted);
    if (wanted < this.#stored && !this.#starts.has(wanted)) await this.#load(wanted);
    this.#wanted = wanted;
    this.#cursor = wanted;
    this.#failures = 0;
    this.#tell({ connection: "online", problem: undefined });
    this.#held?.abort();
    this.#pump();
  }

  get #takesMore(): boolean {
    return this.#recording.part.sessionId !== "" && !this.#partOver;
  }

  #pump(): void {
    void this.#sendBookmarks();
    while (this.#mayPush()) {
      void this.#push(this.#cursor);
      this.#cursor += 1;
    }
  }

  #mayPush(): boolean {
    if (this.#stop.signal.aborted || this.#held !== null || !this.#takesMore) return false;
    if (this.#inFlight >= (this.#bufferedSeconds >= FAR_BEHIND_SECONDS ? 1 : PUSHES_AT_ONCE)) return false;
    if (this.#cursor < this.#stored) return true;
    // The end comes last: after it the session takes neither audio nor bookmarks.
    return this.#ended && this.#cursor === this.#count && this.#recording.bookmarks.length === 0;
  }

  async #push(sequence: number): Promise<void> {
    const part = this.#recording.part;
    const isEnd = sequence === this.#count && this.#ended;
    this.#inFlight += 1;
    try {
      const audio = isEnd ? NOTHING : await this.#load(sequence);
      const answer = await this.#client.pushLiveAudio(
        {
          sessionId: part.sessionId,
          audio: { sequence: BigInt(sequence - part.first), audio, endOfAudio: isEnd },
        },
        { signal: this.#stop.signal, timeoutMs: PUSH_DEADLINE_MS, headers: headersOf(part) },
      );
      if (part.requestId !== this.#recording.part.requestId) return;
      this.#failures = 0;
      this.#wanted = Math.max(this.#wanted, this.#local(answer.nextAudioSequence));
      this.#bufferedSeconds = secondsOf(answer.buffered);
      if (this.#streamStands) this.#tell({ connection: "online", problem: undefined });
      this.#saved(this.#local(answer.savedAudioSequence));
      if (this.#bufferedSeconds >= FAR_BEHIND_SECONDS) {
        this.#hold((1000 * audio.length) / SAMPLE_BYTES / RATE / CATCH_UP_PACE);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted && part.requestId === this.#recording.part.requestId) {
        this.#pushFailed(error);
      }
    } finally {
      this.#inFlight -= 1;
      this.#pump();
    }
  }

  #pushFailed(error: unknown): void {
    const { code, reason, metadata, retryAfterMs } = failureOf(error);
    // What was not answered is sent again; what has come is known by its number.
    this.#cursor = Math.min(this.#cursor, this.#wanted);
    if (reason === "AUDIO_AHEAD") {
      this.#cursor = this.#local(BigInt(metadata.next_audio_sequence ?? this.#wanted));
    } else if (OVER.has(reason)) {
      this.#partOver = true;
      this.#stream.abort();
      return;
    } else if (code === Code.DeadlineExceeded) {
      // Where no answer comes at all the stream is as dead as this call.
      this.#stream.abort();
    }
    this.#tell({ connection: "away", problem: problemOf(error) });
    if (this.#held !== null) return;
    const pause = Math.min(this.#pauses.firstMs * 2 ** this.#failures, this.#pauses.longestMs);
    this.#failures += 1;
    this.#hold(Math.max(pause, Math.min(retryAfterMs ?? 0, this.#pauses.longestMs)));
  }

  /** Nothing is pushed for a while. */
  #hold(milliseconds: number): void {
    if (this.#held !== null) return;
    const held = new AbortController();
    this.#held = held;
    const over = AbortSignal.any([held.signal, this.#stop.signal]);
    void waitOnline(milliseconds, over).then(() => {
      if (this.#held === held) this.#held = null;
      this.#pump();
    });
  }

  async #load(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const inMemory = this.#memory.get(sequence);
    if (inMemory !== undefined) return inMemory;
    const chunk = await this.#outbox.get(this.#recording.id, sequence);
    // A chunk that the disk did not take is lost with its tab: what came after it is not.
    if (chunk === undefined) return NOTHING;
    this.#starts.set(sequence, chunk.start);
    this.#starts.set(sequence + 1, chunk.start + chunk.audio.length / SAMPLE_BYTES);
    return chunk.audio;
  }

  #saved(before: number): void {
    if (before <= this.#dropped) return;
    this.#dropped = before;
    for (const sequence of this.#memory.keys()) {
      if (sequence < before) this.#memory.delete(sequence);
    }
    for (const sequence of this.#starts.keys()) {
      if (sequence < Math.min(before, this.#wanted)) this.#starts.delete(sequence);
    }
    this.#writing = this.#writing
      .then(() => this.#outbox.drop(this.#recording.id, before))
      // They are deleted with the recording, or with the next ones.
      .catch(() => undefined);
  }

  /** A session is over. Returns how the recording ended, or null where it goes on in another session. */
  async #over(ended: Pick<LiveEnded, "recordingId" | "workflowId" | "reason">, next: number) {
    await this.#writing;
    const from = Math.min(next, this.#count);
    const { part } = this.#recording;
    const start = this.#starts.get(from) ?? this.#samples;
    const isLate = (bookmark: StoredBookmark) => bookmark.position * RATE < start || this.#ended;
    const done: Part = {
      sessionId: part.sessionId,
      recordingId: ended.recordingId,
      workflowId: ended.workflowId,
      reason: ended.reason,
      bookmarks: this.#recording.bookmarks
        .filter(isLate)
        .map((bookmark) => ({ ...bookmark, position: inPart(bookmark, part) })),
    };
    this.#parts.push(done);
    this.#listener.onPart(done);
    this.#saved(from);
    await this.#writing;
    if (this.#ended) {
      const { samples } = await this.#outbox.unsent(this.#recording.id);
      return { parts: this.#parts, rest: samples > 0 ? from : null };
    }
    await this.#change({
      part: { requestId: crypto.randomUUID(), sessionId: "", first: from, start },
      bookmarks: this.#recording.bookmarks.filter((bookmark) => !isLate(bookmark)),
    });
    this.#seen = 0n;
    this.#bufferedSeconds = 0;
    this.#partOver = false;
    this.#wanted = this.#cursor = from;
    return null;
  }

  async #sendBookmarks(): Promise<void> {
    const [bookmark] = this.#recording.bookmarks;
    const { part } = this.#recording;
    if (this.#marking || bookmark === undefined || !this.#takesMore || this.#held !== null) return;
    this.#marking = true;
    try {
      await this.#client.addLiveBookmark(
        {
          requestId: bookmark.requestId,
          sessionId: part.sessionId,
          label: bookmark.label,
          position: durationFromMs(Math.round(1000 * inPart(bookmark, part))),
        },
        { signal: this.#stop.signal, timeoutMs: PUSH_DEADLINE_MS, headers: headersOf(part) },
      );
      await this.#forgetBookmark(bookmark);
    } catch (error) {
      if (OVER.has(failureOf(error).reason)) {
        this.#partOver = true;
        this.#stream.abort();
      } else if (problemOf(error) === undefined) {
        this.#hold(this.#pauses.firstMs * 4);
      } else {
        await this.#forgetBookmark(bookmark);
        this.#tell({ problem: error });
      }
    } finally {
      this.#marking = false;
      this.#pump();
    }
  }

  async #forgetBookmark(bookmark: StoredBookmark): Promise<void> {
    await this.#change({ bookmarks: this.#recording.bookmarks.filter((other) => other !== bookmark) });
  }

  async #change(change: Partial<StoredRecording>): Promise<void> {
    this.#recording = { ...this.#recording, ...change };
    try {
      await this.#outbox.put(this.#recording);
    } catch {
      this.#tell({ notKept: true });
    }
  }

  #trimMemory(): void {
    for (const sequence of this.#memory.keys()) {
      if (this.#memory.size <= CHUNKS_IN_MEMORY) return;
      if (sequence < this.#stored && !this.#onlyInMemory.has(sequence)) this.#memory.delete(sequence);
    }
  }

  /** Number of a chunk in the recording by that in the session. */
  #local(sequence: bigint): number {
    return this.#recording.part.first + Number(sequence);
  }

  #tell(change: Partial<UplinkState>): void {
    const sent = this.#starts.get(this.#wanted);
    const unsent = this.#wanted >= this.#count ? 0 : this.#samples - (sent ?? this.#samples);
    const isDelivered = this.#ended && this.#wanted > this.#count;
    this.#state = { ...this.#state, ...change, isDelivered, unsentSeconds: unsent / RATE };
    this.#listener.onState(this.#state);
  }
}

/** By it a proxy sends all calls of a session to one replica. A new session gets the id of the request that opens it. */
function headersOf(part: StoredPart): HeadersInit {
  return { "x-session-id": part.sessionId === "" ? part.requestId : part.sessionId };
}

/** Returns where a bookmark is in a session, in seconds. */
function inPart(bookmark: StoredBookmark, part: StoredPart): number {
  return Math.max(0, bookmark.position - part.start / RATE);
}

/** What is worth telling besides that the connection is lost. */
function problemOf(error: unknown): unknown {
  const { code, reason } = failureOf(error);
  return NETWORK.has(code) || reason === "AUDIO_AHEAD" ? undefined : error;
}

function configOf(part: StoredPart, wishes: StoredRecording["wishes"], before: number): LiveConfig {
  return create(LiveConfigSchema, {
    requestId: part.requestId,
    encoding: AudioEncoding.PCM_S16LE,
    sampleRateHertz: RATE,
    channels: 1,
    title: wishes.title === "" || before === 0 ? wishes.title : `${wishes.title} (${before + 1})`,
    folder: wishes.folder,
    tags: wishes.tags,
    interimResults: true,
    options: {
      template: wishes.template,
      ...(wishes.language === "" ? {} : { language: wishes.language }),
    },
  });
}
