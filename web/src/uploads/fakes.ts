import { Code, ConnectError } from "@connectrpc/connect";
import { createCRC32, createSHA256 } from "hash-wasm";
import { ErrorInfoSchema } from "@/gen/google/rpc/error_details_pb";
import type { Hasher, Piece } from "./hasher";
import { type Range, totalBytes } from "./ranges";
import type { RemoteUpload, UploadServer } from "./server";
import type { UploadRecord } from "./types";

export async function sha256(data: Uint8Array): Promise<string> {
  const hash = await createSHA256();
  return hash.update(data).digest("hex");
}

async function crc32c(data: Uint8Array): Promise<number> {
  const hash = await createCRC32(0x82f63b78);
  return Number.parseInt(hash.update(data).digest("hex"), 16);
}

export function refusal(code: Code, reason: string, metadata: Record<string, string> = {}): ConnectError {
  return new ConnectError(reason, code, undefined, [{ desc: ErrorInfoSchema, value: { reason, metadata } }]);
}

export const AWAY = new ConnectError("Failed to fetch", Code.Unknown);

/** Reads and hashes as the worker does, in the test's own thread. */
export class FakeHasher implements Hasher {
  sha256Count = 0;

  async sha256(file: Blob, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<string> {
    this.sha256Count += 1;
    const data = new Uint8Array(await file.arrayBuffer());
    signal.throwIfAborted();
    onProgress(data.length);
    return sha256(data);
  }

  async piece(file: Blob, start: number, end: number): Promise<Piece> {
    const data = new Uint8Array(await file.slice(start, end).arrayBuffer());
    return { data, crc32c: await crc32c(data) };
  }
}

type Held = { id: string; record: UploadRecord; data: Uint8Array; received: Range[]; recordingId: string };
type Method = "open" | "send" | "complete" | "start";
/** Before: the request is lost. After: what it asked for was done, and the answer is lost. */
type Fault = { method: Method; when: "before" | "after"; error: ConnectError; times: number };

export const PIECE_BYTES = 10;

/** Behaves as the gateway does, and breaks where a test wants it to. */
export class FakeServer implements UploadServer {
  recordings = new Map<string, { data: Uint8Array; sha256: string }>();
  workflows = new Map<string, string>();
  aborted: string[] = [];
  opened: UploadRecord[] = [];
  sent: number[] = [];
  inFlight = 0;
  mostInFlight = 0;
  mostSending = 0;
  /** What a call waits for before it is answered. */
  gate: Promise<void> = Promise.resolve();
  #uploads = new Map<string, Held>();
  #faults: Fault[] = [];
  #count = 0;
  #sending = 0;

  fail(method: Method, when: Fault["when"], error = AWAY, times = 1): void {
    this.#faults.push({ method, when, error, times });
  }

  /** Loses what has come of all uploads, as a server does that has found it damaged. */
  forget(): void {
    for (const held of this.#uploads.values()) held.received = [];
  }

  async open(record: UploadRecord, signal: AbortSignal): Promise<RemoteUpload> {
    return this.#call("open", signal, async () => {
      this.opened.push(record);
      let held = this.#uploads.get(record.requestId);
      if (held === undefined) {
        this.#checkDuplicate(record, record.sha256);
        this.#count += 1;
        const data = new Uint8Array(record.sizeBytes);
        held = { id: `upload-${this.#count}`, record, data, received: [], recordingId: "" };
        this.#uploads.set(record.requestId, held);
      }
      if (record.allowDuplicate) held.record = record;
      const { id, received, recordingId } = held;
      return { id, received: [...received], pieceBytes: PIECE_BYTES, recordingId };
    });
  }

  async send(uploadId: string, offset: number, data: Uint8Array, crc: number, signal: AbortSignal) {
    return this.#call("send", signal, async () => {
      const held = this.#held(uploadId);
      if ((await crc32c(data)) !== crc) throw refusal(Code.InvalidArgument, "CHUNK_CHECKSUM_MISMATCH");
      held.data.set(data, offset);
      held.received = merged([...held.received, { start: offset, end: offset + data.length }]);
      this.sent.push(offset);
    });
  }

  async complete(uploadId: string, expected: string, signal: AbortSignal): Promise<string> {
    return this.#call("complete", signal, async () => {
      const held = this.#held(uploadId);
      if (held.recordingId !== "") return held.recordingId;
      if (totalBytes(held.received) < held.data.length)
        throw refusal(Code.FailedPrecondition, "UPLOAD_INCOMPLETE");
      const actual = await sha256(held.data);
      if (actual !== expected) {
        held.received = [];
        throw refusal(Code.InvalidArgument, "CHECKSUM_MISMATCH");
      }
      this.#checkDuplicate(held.record, actual);
      held.recordingId = `recording-${this.recordings.size + 1}`;
      this.recordings.set(held.recordingId, { data: held.data, sha256: actual });
      return held.recordingId;
    });
  }

  async abort(uploadId: string): Promise<void> {
    this.aborted.push(uploadId);
    for (const [key, held] of this.#uploads) if (held.id === uploadId) this.#uploads.delete(key);
  }

  async start(record: UploadRecord, signal: AbortSignal): Promise<void> {
    return this.#call("start", signal, async () => {
      this.workflows.set(record.workflowRequestId, record.recordingId);
    });
  }

  async #call<T>(method: Method, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.inFlight += 1;
    if (method === "send") this.#sending += 1;
    this.mostSending = Math.max(this.mostSending, this.#sending);
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await Promise.race([this.gate, untilAborted(signal)]);
      signal.throwIfAborted();
      const fault = this.#faults.find((other) => other.method === method && other.times > 0);
      if (fault !== undefined) fault.times -= 1;
      if (fault?.when === "before") throw fault.error;
      const answer = await work();
      if (fault?.when === "after") throw fault.error;
      return answer;
    } finally {
      this.inFlight -= 1;
      if (method === "send") this.#sending -= 1;
    }
  }

  #held(uploadId: string): Held {
    const held = [...this.#uploads.values()].find(({ id }) => id === uploadId);
    if (held === undefined) throw refusal(Code.NotFound, "UPLOAD_NOT_FOUND");
    return held;
  }

  #checkDuplicate({ allowDuplicate }: UploadRecord, wanted: string): void {
    if (allowDuplicate || wanted === "") return;
    const [found] = [...this.recordings].find(([, recording]) => recording.sha256 === wanted) ?? [];
    if (found === undefined) return;
    throw refusal(Code.AlreadyExists, "DUPLICATE_RECORDING", { recording_id: found, title: "The first" });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function merged(ranges: Range[]): Range[] {
  const all: Range[] = [];
  for (const range of ranges.sort((one, other) => one.start - other.start)) {
    const last = all.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else all.push({ ...range });
  }
  return all;
}
