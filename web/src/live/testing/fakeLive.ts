import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@/gen/google/rpc/error_details_pb";
import {
  type LiveAudio,
  type LiveConfig,
  type LiveEvent,
  LiveEventSchema,
  LiveService,
  type OpenLiveSessionRequest,
} from "@/gen/recordroute/gateway/v1/live_pb";

export function failure(code: Code, reason: string, metadata: Record<string, string> = {}): ConnectError {
  const detail = { desc: ErrorInfoSchema, value: { reason, domain: "recordroute", metadata } };
  return new ConnectError(reason.toLowerCase(), code, undefined, [detail]);
}

const away = () => failure(Code.Unavailable, "");

type Body = LiveEvent["event"];

/** A session as the gateway keeps it: chunks by number, those that came too early in a window. */
class FakeSession {
  readonly chunks: Uint8Array[] = [];
  readonly window = new Map<number, LiveAudio>();
  readonly bookmarks: { label: string; seconds: number }[] = [];
  readonly watchers = new Set<(event: LiveEvent | Error) => void>();
  readonly kept: LiveEvent[] = [];
  saved = 0;
  ended = false;
  isOver = false;

  constructor(
    readonly id: string,
    readonly config: LiveConfig,
  ) {}

  tell(event: Body, isKept = false): void {
    const sequence = BigInt(this.kept.length + (isKept ? 1 : 0));
    const message = create(LiveEventSchema, { sequence, event });
    if (isKept) this.kept.push(message);
    for (const watcher of this.watchers) watcher(message);
  }

  drop(): void {
    for (const watcher of [...this.watchers]) watcher(away());
  }

  end(reason: string, recordingId = `recording of ${this.id}`): void {
    this.isOver = true;
    const next = BigInt(this.chunks.length);
    const workflowId = `workflow of ${this.id}`;
    const value = { recordingId, workflowId, reason, nextAudioSequence: next };
    this.tell(create(LiveEventSchema, { event: { case: "ended", value } as Body }).event, true);
  }

  get audio(): number[] {
    return this.chunks.flatMap((chunk) => [...chunk]);
  }
}

/** The gateway's live sessions as docs/live.md describes them, with switches for everything that goes wrong. */
export class FakeLive {
  readonly sessions: FakeSession[] = [];
  isAway = false;
  /** What the next calls are answered with. */
  failPushes: ConnectError[] = [];
  refuseOpening: ConnectError | null = null;
  refuseBookmarks: ConnectError | null = null;
  /** Answers are lost after the work was done. */
  loseAnswers = 0;
  bufferedSeconds = 0;
  /** Pushes wait here for `letPushesGo`. */
  holdPushes = false;
  savesAtOnce = true;
  pushesUnderWay = 0;
  mostPushesUnderWay = 0;
  readonly pushed: { at: number; sequence: number }[] = [];
  readonly sessionHeaders: string[] = [];
  #waiting: (() => void)[] = [];

  readonly client = createClient(
    LiveService,
    createRouterTransport(({ service }) => {
      service(LiveService, {
        openLiveSession: (request, { signal }) => this.#open(request, signal),
        pushLiveAudio: async ({ sessionId, audio }, { requestHeader }) => {
          this.sessionHeaders.push(requestHeader.get("x-session-id") ?? "");
          this.pushesUnderWay += 1;
          this.mostPushesUnderWay = Math.max(this.mostPushesUnderWay, this.pushesUnderWay);
          try {
            if (this.holdPushes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
            if (audio === undefined) throw new Error("a push without audio");
            return this.#push(sessionId, audio);
          } finally {
            this.pushesUnderWay -= 1;
          }
        },
        addLiveBookmark: ({ sessionId, label, position }) => {
          if (this.isAway) throw away();
          if (this.refuseBookmarks !== null) throw this.refuseBookmarks;
          const session = this.#find(sessionId);
          if (session.isOver) throw failure(Code.FailedPrecondition, "SESSION_ENDED");
          const seconds = Number(position?.seconds ?? 0n) + (position?.nanos ?? 0) / 1e9;
          session.bookmarks.push({ label, seconds });
          return {};
        },
      });
    }),
  );

  letPushesGo(): void {
    this.holdPushes = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** The network is gone: streams break, and calls fail. */
  goAway(): void {
    this.isAway = true;
    for (const session of this.sessions) session.drop();
  }

  comeBack(): void {
    this.isAway = false;
    window.dispatchEvent(new Event("online"));
  }

  get session(): FakeSession {
    const last = this.sessions.at(-1);
    if (last === undefined) throw new Error("no session was opened");
    return last;
  }

  #find(id: string): FakeSession {
    const found = this.sessions.find((session) => session.id === id);
    if (found === undefined) throw failure(Code.NotFound, "SESSION_NOT_FOUND");
    return found;
  }

  async *#open({ session: wanted }: OpenLiveSessionRequest, signal: AbortSignal) {
    if (this.isAway) throw away();
    if (this.refuseOpening !== null) throw this.refuseOpening;
    let session: FakeSession;
    let after = 0n;
    if (wanted.case === "resume") {
      session = this.#find(wanted.value.sessionId);
      session.window.clear();
      after = wanted.value.afterSequence;
    } else if (wanted.case === "config") {
      const config = wanted.value;
      const known = this.sessions.find((other) => other.config.requestId === config.requestId);
      session = known ?? new FakeSession(`session ${this.sessions.length + 1}`, config);
      if (known === undefined) this.sessions.push(session);
    } else {
      throw failure(Code.InvalidArgument, "STREAM_PROTOCOL");
    }
    const events: (LiveEvent | Error)[] = session.kept.filter((event) => event.sequence > after);
    let wake: () => void = () => undefined;
    const watcher = (event: LiveEvent | Error) => {
      events.push(event);
      wake();
    };
    session.watchers.add(watcher);
    signal.addEventListener("abort", () => wake());
    try {
      const opened = { id: session.id, nextAudioSequence: BigInt(session.chunks.length) };
      yield { event: { sequence: after, event: { case: "opened" as const, value: opened } } };
      while (!signal.aborted) {
        const event = events.shift();
        if (event instanceof Error) throw event;
        if (event !== undefined) {
          yield { event };
          if (event.event.case === "ended") return;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      session.watchers.delete(watcher);
    }
  }

  #push(sessionId: string, audio: LiveAudio) {
    const sequence = Number(audio.sequence);
    this.pushed.push({ at: performance.now(), sequence });
    if (this.isAway) throw away();
    const planned = this.failPushes.shift();
    if (planned !== undefined) throw planned;
    const session = this.#find(sessionId);
    if (sequence >= session.chunks.length) {
      if (session.isOver || session.ended) throw failure(Code.FailedPrecondition, "SESSION_ENDED");
      if (sequence - session.chunks.length > 64) {
        const metadata = { next_audio_sequence: String(session.chunks.length) };
        throw failure(Code.ResourceExhausted, "AUDIO_AHEAD", metadata);
      }
      session.window.set(sequence, audio);
      for (let next = session.window.get(session.chunks.length); next !== undefined; ) {
        session.window.delete(session.chunks.length);
        session.chunks.push(next.audio);
        session.ended = next.endOfAudio;
        next = session.window.get(session.chunks.length);
      }
    }
    if (this.savesAtOnce) session.saved = session.chunks.length;
    if (session.ended && !session.isOver) session.end("");
    if (this.loseAnswers > 0) {
      this.loseAnswers -= 1;
      throw away();
    }
    return {
      nextAudioSequence: BigInt(session.chunks.length),
      savedAudioSequence: BigInt(session.saved),
      buffered: durationFromMs(1000 * this.bufferedSeconds),
    };
  }
}
