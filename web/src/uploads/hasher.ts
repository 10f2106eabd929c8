import { LocalFileError } from "./types";

export type HashRequest =
  | { id: number; kind: "sha256"; file: Blob }
  | { id: number; kind: "piece"; file: Blob; start: number; end: number }
  | { id: number; kind: "stop" };

export type HashAnswer =
  | { id: number; kind: "progress"; bytes: number }
  | { id: number; kind: "sha256"; sha256: string }
  | { id: number; kind: "piece"; data: Uint8Array<ArrayBuffer>; crc32c: number }
  | { id: number; kind: "error"; isOfFile: boolean; message: string };

export type Piece = { data: Uint8Array<ArrayBuffer>; crc32c: number };

/** Reads files and computes their hashes. Each throws LocalFileError where the file can't be read any more. */
export type Hasher = {
  sha256(file: Blob, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<string>;
  piece(file: Blob, start: number, end: number): Promise<Piece>;
};

type Waiting = { take: (answer: HashAnswer) => void };

/** Computes hashes in a worker, so that the page stays smooth meanwhile. */
export class WorkerHasher implements Hasher {
  #worker: Worker | null = null;
  #waiting = new Map<number, Waiting>();
  #lastId = 0;

  sha256(file: Blob, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const id = this.#ask((answer) => {
        if (answer.kind === "progress") return onProgress(answer.bytes);
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        if (answer.kind === "sha256") resolve(answer.sha256);
        else reject(errorOf(answer));
      });
      const onAbort = () => {
        this.#waiting.delete(id);
        this.#send({ id, kind: "stop" });
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#send({ id, kind: "sha256", file });
    });
  }

  piece(file: Blob, start: number, end: number): Promise<Piece> {
    return new Promise((resolve, reject) => {
      const id = this.#ask((answer) => {
        this.#waiting.delete(id);
        if (answer.kind === "piece") resolve(answer);
        else reject(errorOf(answer));
      });
      this.#send({ id, kind: "piece", file, start, end });
    });
  }

  #ask(take: (answer: HashAnswer) => void): number {
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, { take });
    return this.#lastId;
  }

  #send(request: HashRequest): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", (event: MessageEvent<HashAnswer>) => {
      this.#waiting.get(event.data.id)?.take(event.data);
    });
    worker.addEventListener("error", (event) => {
      // It could not be loaded, or broke: the next question starts another one.
      this.#worker = null;
      worker.terminate();
      const message = event.message || "the worker that reads files could not be started";
      for (const [id, waiting] of this.#waiting)
        waiting.take({ id, kind: "error", isOfFile: false, message });
    });
    return worker;
  }
}

function errorOf(answer: HashAnswer): Error {
  if (answer.kind === "error" && answer.isOfFile) return new LocalFileError("fileUnreadable");
  return new Error(answer.kind === "error" ? answer.message : `unexpected answer ${answer.kind}`);
}
