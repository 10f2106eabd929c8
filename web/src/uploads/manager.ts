import { failureOf } from "@/api/errors";
import type { Observable } from "@/lib/observable";
import { waitOnline } from "@/lib/wait";
import type { LiveActivity } from "@/live/activity";
import type { Hasher } from "./hasher";
import { nextPieceBytes, Pieces, type Range, totalBytes } from "./ranges";
import { Rate, secondsLeft } from "./rate";
import { MOST_OUT_OF_STEP, pauseMs, verdictOn } from "./retry";
import type { RemoteUpload, UploadServer } from "./server";
import { Slots } from "./slots";
import type { UploadStore } from "./store";
import { LocalFileError, type PickedFile, type Upload, type UploadOptions, type UploadRecord } from "./types";

/** Several small files at a time hide the waits of each; a large one fills the line by its pieces alone. */
export const MOST_FILES = 3;
/** Over all uploads. A browser has six connections to a server of HTTP/1.1, and the page needs some itself. */
export const MOST_REQUESTS = 4;
/** A live session takes one for its events and two for its audio, and the page's watch one: one is left for the page. */
export const MOST_BESIDE_LIVE = 1;
/** With the hash the server tells at once that it has the file, but a large one is not worth the wait. */
const HEAD_START_MS = 1_000;
/** What the page can't read again by itself is kept up to this size. */
const MOST_KEPT_BYTES = 32 << 20;
const TELL_MS = 200;

const ACTIVE: ReadonlySet<Upload["state"]> = new Set(["checking", "sending", "finishing", "waiting"]);

/** Whether it goes on by itself, now or when its turn comes: leaving the page would interrupt it. */
export function isUnderWay(upload: Upload): boolean {
  return upload.state === "queued" || ACTIVE.has(upload.state);
}

export type UploadSummary = {
  /** What is under way. */
  count: number;
  sentBytes: number;
  totalBytes: number;
  bytesPerSecond: number;
  remaining: number | null;
};

export type UploadsSnapshot = { uploads: readonly Upload[]; summary: UploadSummary };

type Parts = {
  server: UploadServer;
  hasher: Hasher;
  store: UploadStore;
  /** Whether something is recorded meanwhile: its audio goes first. */
  live?: Observable<LiveActivity>;
  now?: () => number;
  /** Resolves after a time, and at once where the network comes back or the signal is aborted. */
  pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

/** What runs for an upload in this page. */
type Run = {
  stop: AbortController;
  file: File | null;
  rate: Rate;
  /** Being computed, or computed: it goes on while tries to send fail. */
  hash: Promise<string> | null;
  checked: boolean;
};

/** Takes files to the server, whatever the network, the server and the page's reader do meanwhile. */
export class UploadManager {
  #server: UploadServer;
  #hasher: Hasher;
  #store: UploadStore;
  #now: () => number;
  #pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  #uploads = new Map<string, Upload>();
  #runs = new Map<string, Run>();
  #requests = new Slots(MOST_REQUESTS);
  /** Pieces on their way, the oldest first. */
  #onTheirWay = new Set<AbortController>();
  #pieceBytes = Number.POSITIVE_INFINITY;
  #rate: Rate;
  #listeners = new Set<() => void>();
  #snapshot: UploadsSnapshot;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor({ server, hasher, store, live, now = Date.now, pause = waitOnline }: Parts) {
    this.#server = server;
    this.#hasher = hasher;
    this.#store = store;
    this.#now = now;
    this.#pause = pause;
    this.#rate = new Rate(now());
    this.#snapshot = this.#look();
    if (live === undefined) return;
    live.subscribe(() => this.#makeRoom(live.get()));
    this.#makeRoom(live.get());
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): UploadsSnapshot => this.#snapshot;

  /** Goes on with what an earlier page of this user left. */
  async restore(user: string): Promise<void> {
    for (const record of await this.#store.all(user)) {
      if (this.#uploads.has(record.id) || !(await holdsAlone(record.id))) continue;
      this.#show(record, record.isPaused ? "paused" : "queued");
    }
    this.#changed();
    this.#startNext();
  }

  add(files: readonly PickedFile[], options: UploadOptions, user: string): void {
    for (const { file, folder, handle } of files) {
      const record: UploadRecord = {
        id: crypto.randomUUID(),
        user,
        requestId: crypto.randomUUID(),
        workflowRequestId: crypto.randomUUID(),
        fileName: file.name,
        sizeBytes: file.size,
        lastModified: file.lastModified,
        language: options.language,
        template: options.template,
        folder: [options.folder, options.keepFolders ? folder : ""].filter(Boolean).join("/"),
        tags: options.tags,
        allowDuplicate: false,
        uploadId: "",
        sha256: "",
        recordingId: "",
        isPaused: false,
        addedAt: this.#now(),
        ...(handle === undefined ? {} : { handle }),
        ...(handle === undefined && file.size <= MOST_KEPT_BYTES ? { content: file } : {}),
      };
      void holdsAlone(record.id);
      this.#show(record, "queued");
      this.#runs.set(record.id, this.#run(file));
      this.#keep(record.id);
    }
    this.#changed();
    this.#startNext();
  }

  pause(id: string): void {
    this.#halt(id);
    this.#change(id, { state: "paused", isPaused: true, retryAt: null, bytesPerSecond: 0, remaining: null });
    this.#keep(id);
    this.#startNext();
  }

  /** Goes on at once with what was paused, waits or failed. */
  resume(id: string): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.state === "done") return;
    this.#halt(id);
    this.#change(id, { state: "queued", isPaused: false, error: null, retryAt: null });
    this.#keep(id);
    this.#startNext();
  }

  /** Ends it, and throws away what has come of it. */
  cancel(id: string): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return;
    this.dismiss(id);
    if (upload.uploadId === "" || upload.recordingId !== "") return;
    // What stays there expires by itself.
    this.#server.abort(upload.uploadId).catch(() => undefined);
  }

  /** Takes it off the list. */
  dismiss(id: string): void {
    this.#halt(id);
    this.#runs.delete(id);
    this.#uploads.delete(id);
    release(id);
    void this.#store.delete(id).catch(() => undefined);
    this.#changed();
    this.#startNext();
  }

  /** Takes off the list what nothing more will become of by itself. */
  clear(): void {
    for (const { id, state } of [...this.#uploads.values()]) {
      if (state === "done") this.dismiss(id);
      else if (state === "duplicate" || state === "failed") this.cancel(id);
    }
  }

  /** Takes in a file although the library has it. */
  addAnyway(id: string): void {
    this.#change(id, { allowDuplicate: true, duplicate: null });
    this.resume(id);
  }

  /** Returns whether this is the file of the upload: what the page could not read again by itself. */
  provide(id: string, { file, handle }: PickedFile): boolean {
    const upload = this.#uploads.get(id);
    if (upload === undefined || !isSameFile(upload, file)) return false;
    this.#runs.set(id, this.#run(file));
    if (handle !== undefined) this.#change(id, { handle });
    this.resume(id);
    return true;
  }

  /** Asks the user for the files that need it. To be called for a click; true where all may be read now. */
  async allowReading(ids: readonly string[]): Promise<boolean> {
    let all = true;
    for (const id of ids) {
      const handle = this.#uploads.get(id)?.handle;
      if (handle !== undefined && (await handle.requestPermission({ mode: "read" })) === "granted")
        this.resume(id);
      else all = false;
    }
    return all;
  }

  /** Pieces that a live session has no room for are sent once more when it is their turn again. */
  #makeRoom(live: LiveActivity): void {
    const most = live === "none" ? MOST_REQUESTS : MOST_BESIDE_LIVE;
    this.#requests.resize(most);
    for (const piece of [...this.#onTheirWay].slice(most)) piece.abort();
  }

  #run(file: File | null): Run {
    return { stop: new AbortController(), file, rate: new Rate(this.#now()), hash: null, checked: false };
  }

  #startNext(): void {
    let running = [...this.#uploads.values()].filter(({ state }) => ACTIVE.has(state)).length;
    for (const upload of this.#uploads.values()) {
      if (running >= MOST_FILES) break;
      if (upload.state !== "queued") continue;
      running += 1;
      const earlier = this.#runs.get(upload.id);
      const run = { ...this.#run(earlier?.file ?? null), checked: earlier?.checked ?? false };
      this.#runs.set(upload.id, run);
      this.#change(upload.id, { state: "checking", checkedBytes: 0, error: null });
      void this.#goOn(upload.id, run);
    }
  }

  /** Works on one upload until it is done, stopped, or fails for good. */
  async #goOn(id: string, run: Run): Promise<void> {
    const { signal } = run.stop;
    let failures = 0;
    let outOfStep = 0;
    while (!signal.aborted) {
      const before = this.#get(id).sentBytes;
      try {
        await this.#work(id, run);
        break;
      } catch (error) {
        if (signal.aborted) return;
        if (this.#end(id, error)) break;
        const came = this.#get(id).sentBytes > before;
        failures = came ? 1 : failures + 1;
        const verdict = verdictOn(error);
        outOfStep = verdict === "outOfStep" ? (came ? 1 : outOfStep + 1) : outOfStep;
        if (verdict === "final" || outOfStep > MOST_OUT_OF_STEP) {
          this.#change(id, { state: "failed", error, bytesPerSecond: 0, remaining: null });
          break;
        }
        await this.#waitAfter(id, run, error, failures);
      }
    }
    this.#startNext();
  }

  /** Ends where the error says something else than that it did not work; returns whether it did. */
  #end(id: string, error: unknown): boolean {
    const { reason, metadata } = failureOf(error);
    if (reason === "DUPLICATE_RECORDING") {
      const duplicate = { recordingId: metadata.recording_id ?? "", title: metadata.title ?? "" };
      this.#change(id, { state: "duplicate", duplicate, bytesPerSecond: 0, remaining: null });
      return true;
    }
    if (
      error instanceof LocalFileError &&
      error.reason === "fileUnreadable" &&
      this.#runs.get(id)?.file === null
    ) {
      this.#change(id, { state: "needsFile", error: null });
      return true;
    }
    return false;
  }

  async #waitAfter(id: string, run: Run, error: unknown, failures: number): Promise<void> {
    const milliseconds = pauseMs(failures, error);
    const retryAt = this.#now() + milliseconds;
    this.#change(id, { state: "waiting", error, retryAt, bytesPerSecond: 0, remaining: null });
    run.rate.reset(this.#now());
    await this.#pause(milliseconds, run.stop.signal);
    // Whoever stopped it has set the state.
    if (!run.stop.signal.aborted) this.#change(id, { state: "sending", error: null, retryAt: null });
  }

  async #work(id: string, run: Run): Promise<void> {
    const { signal } = run.stop;
    if (this.#get(id).recordingId === "") await this.#upload(id, run);
    signal.throwIfAborted();
    await this.#requests.run(signal, () => this.#server.start(this.#get(id), signal));
    signal.throwIfAborted();
    this.#change(id, { state: "done", bytesPerSecond: 0, remaining: null, error: null });
    release(id);
    void this.#store.delete(id).catch(() => undefined);
  }

  /** Sends what is missing, and makes the recording of it. */
  async #upload(id: string, run: Run): Promise<void> {
    const { signal } = run.stop;
    let remote = this.#get(id).uploadId === "" ? null : await this.#open(id, signal);
    let recordingId = remote?.recordingId ?? "";
    if (recordingId === "") {
      const file = await this.#file(id, run);
      const hash = this.#hash(id, run, file);
      if (remote === null) {
        await headStart(hash, signal);
        remote = await this.#open(id, signal);
      }
      this.#change(id, { state: "sending" });
      run.rate.reset(this.#now());
      await this.#sendAll(id, run, file, remote, hash);
      if (!run.checked) this.#change(id, { state: "checking", bytesPerSecond: 0, remaining: null });
      const sha256 = await hash;
      this.#change(id, { state: "finishing", sentBytes: file.size, bytesPerSecond: 0, remaining: null });
      recordingId = await this.#complete(id, run, remote.id, sha256);
    }
    signal.throwIfAborted();
    this.#change(id, { recordingId, sentBytes: this.#get(id).sizeBytes });
    this.#keep(id);
  }

  async #open(id: string, signal: AbortSignal): Promise<RemoteUpload> {
    const remote = await this.#requests.run(signal, () => this.#server.open(this.#get(id), signal));
    this.#change(id, { uploadId: remote.id, sentBytes: totalBytes(remote.received) });
    this.#keep(id);
    return remote;
  }

  async #complete(id: string, run: Run, uploadId: string, sha256: string): Promise<string> {
    const { signal } = run.stop;
    try {
      return await this.#requests.run(signal, () => this.#server.complete(uploadId, sha256, signal));
    } catch (error) {
      if (failureOf(error).reason === "CHECKSUM_MISMATCH") this.#beginAnew(id, run);
      throw error;
    }
  }

  /** The file or what has come of it is another one now: the next try is an upload of its own. */
  #beginAnew(id: string, run: Run): void {
    const { uploadId } = this.#get(id);
    if (uploadId !== "") this.#server.abort(uploadId).catch(() => undefined);
    run.checked = false;
    run.hash = null;
    this.#change(id, {
      uploadId: "",
      sha256: "",
      requestId: crypto.randomUUID(),
      sentBytes: 0,
      checkedBytes: 0,
    });
    this.#keep(id);
  }

  /** Returns the hash of the file as it is in this page: a file that was begun with has to be the same. */
  #hash(id: string, run: Run, file: File): Promise<string> {
    run.hash ??= this.#computeHash(id, run, file);
    // Nobody may be waiting for it when it fails.
    run.hash.catch(() => {
      run.hash = null;
    });
    return run.hash;
  }

  async #computeHash(id: string, run: Run, file: File): Promise<string> {
    const known = this.#get(id).sha256;
    if (run.checked) return known;
    const onProgress = (checkedBytes: number) => this.#progress(id, { checkedBytes });
    const sha256 = await this.#hasher.sha256(file, onProgress, run.stop.signal);
    if (known !== "" && known !== sha256) throw new LocalFileError("otherFile");
    run.checked = true;
    this.#change(id, { sha256 });
    this.#keep(id);
    return sha256;
  }

  /** Sends all that is missing; what is on its way is awaited where one piece fails. */
  async #sendAll(
    id: string,
    run: Run,
    file: File,
    remote: RemoteUpload,
    hash: Promise<string>,
  ): Promise<void> {
    const pieces = new Pieces(remote.received, file.size);
    let failed = false;
    hash.catch(() => {
      failed = true;
    });
    const sender = async () => {
      while (!failed) {
        const more = await this.#requests.run(run.stop.signal, async () => {
          const range = failed ? null : pieces.take(Math.min(this.#pieceBytes, remote.pieceBytes));
          if (range === null) return false;
          if (!(await this.#send(id, run, file, remote, range))) pieces.giveBack(range);
          return true;
        });
        if (!more) return;
      }
    };
    const senders = Array.from({ length: MOST_REQUESTS }, () =>
      sender().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
    const broken = (await Promise.allSettled(senders)).find((result) => result.status === "rejected");
    if (broken !== undefined) throw broken.reason;
  }

  /** Returns whether the piece was sent: not where it had to make room. */
  async #send(
    id: string,
    run: Run,
    file: File,
    remote: RemoteUpload,
    { start, end }: Range,
  ): Promise<boolean> {
    const room = new AbortController();
    const signal = AbortSignal.any([run.stop.signal, room.signal]);
    let before: number;
    this.#onTheirWay.add(room);
    try {
      const piece = await this.#hasher.piece(file, start, end);
      if (piece.data.length !== end - start) throw new LocalFileError("fileChanged");
      signal.throwIfAborted();
      before = this.#now();
      await this.#server.send(remote.id, start, piece.data, piece.crc32c, signal);
    } catch (error) {
      if (room.signal.aborted && !run.stop.signal.aborted && !(error instanceof LocalFileError)) return false;
      throw error;
    } finally {
      this.#onTheirWay.delete(room);
    }
    const now = this.#now();
    this.#pieceBytes = nextPieceBytes(
      Math.min(this.#pieceBytes, remote.pieceBytes),
      now - before,
      remote.pieceBytes,
    );
    run.rate.add(end - start, now);
    this.#rate.add(end - start, now);
    const upload = this.#uploads.get(id);
    if (upload === undefined) return true;
    const sentBytes = Math.min(file.size, upload.sentBytes + end - start);
    const bytesPerSecond = run.rate.bytesPerSecond(now);
    this.#progress(id, {
      sentBytes,
      bytesPerSecond,
      remaining: secondsLeft(file.size - sentBytes, bytesPerSecond),
    });
    return true;
  }

  async #file(id: string, run: Run): Promise<File> {
    const upload = this.#get(id);
    const file = run.file ?? (await readAgain(upload));
    if (file === null) throw new LocalFileError("fileUnreadable");
    if (!isSameFile(upload, file)) throw new LocalFileError("fileChanged");
    if (file.size === 0) throw new LocalFileError("fileEmpty");
    run.file = file;
    return file;
  }

  #halt(id: string): void {
    this.#runs.get(id)?.stop.abort();
  }

  #get(id: string): Upload {
    const upload = this.#uploads.get(id);
    // Whoever took it off the list has stopped its run as well.
    if (upload === undefined) throw new DOMException("the upload is gone", "AbortError");
    return upload;
  }

  #show(record: UploadRecord, state: Upload["state"]): void {
    const progress = { sentBytes: 0, checkedBytes: 0, bytesPerSecond: 0, remaining: null };
    this.#uploads.set(record.id, {
      ...record,
      ...progress,
      state,
      error: null,
      retryAt: null,
      duplicate: null,
    });
  }

  #change(id: string, change: Partial<Upload>): void {
    this.#progress(id, change);
    this.#changed();
  }

  /** Is told a moment later: pieces come often. */
  #progress(id: string, change: Partial<Upload>): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return;
    this.#uploads.set(id, { ...upload, ...change });
    this.#telling ??= setTimeout(() => this.#changed(), TELL_MS);
  }

  #changed(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#snapshot = this.#look();
    for (const listener of this.#listeners) listener();
  }

  #look(): UploadsSnapshot {
    const uploads = [...this.#uploads.values()];
    const underWay = uploads.filter(isUnderWay);
    const sum = (of: (upload: Upload) => number) => underWay.reduce((total, upload) => total + of(upload), 0);
    const sentBytes = sum((upload) => upload.sentBytes);
    const total = sum((upload) => upload.sizeBytes);
    const sending = underWay.some(({ state }) => state === "sending");
    const bytesPerSecond = sending ? this.#rate.bytesPerSecond(this.#now()) : 0;
    const remaining = secondsLeft(total - sentBytes, bytesPerSecond);
    return {
      uploads,
      summary: { count: underWay.length, sentBytes, totalBytes: total, bytesPerSecond, remaining },
    };
  }

  #keep(id: string): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.state === "done") return;
    // Without a database of the browser it goes on all the same, as long as the page is there.
    void this.#store.put(recordOf(upload)).catch(() => undefined);
  }
}

function recordOf(upload: Upload): UploadRecord {
  const { state, sentBytes, checkedBytes, bytesPerSecond, remaining, error, retryAt, duplicate, ...record } =
    upload;
  return record;
}

function isSameFile(upload: UploadRecord, file: File): boolean {
  return (
    file.name === upload.fileName &&
    file.size === upload.sizeBytes &&
    file.lastModified === upload.lastModified
  );
}

async function readAgain(upload: UploadRecord): Promise<File | null> {
  const { content, handle, fileName, lastModified } = upload;
  if (content !== undefined) return new File([content], fileName, { lastModified, type: content.type });
  if (handle === undefined || (await handle.queryPermission({ mode: "read" })) !== "granted") return null;
  try {
    return await handle.getFile();
  } catch (error) {
    if (error instanceof DOMException) throw new LocalFileError("fileUnreadable");
    throw error;
  }
}

/** Waits for the hash, but not long. */
async function headStart(hash: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, HEAD_START_MS);
  });
  try {
    await Promise.race([hash, enough]);
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
}

const held = new Map<string, () => void>();

/** Returns whether no other tab works on this upload; as long as this one has it, none will. */
function holdsAlone(id: string): Promise<boolean> {
  // Only pages of HTTPS and of this machine have locks; chunks that come twice do no harm.
  if (navigator.locks === undefined) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const request = navigator.locks.request(`recordroute.upload.${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<void>((free) => held.set(id, free));
    });
    request.catch(reject);
  });
}

function release(id: string): void {
  held.get(id)?.();
  held.delete(id);
}
