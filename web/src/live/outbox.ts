import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { SAMPLE_BYTES } from "./audio/pcm";

/** What somebody wants a recording to be, and what is done with it. */
export type RecordingWishes = {
  title: string;
  folder: string;
  tags: string[];
  /** Language of the speech, BCP 47; empty: detected. */
  language: string;
  /** Name of the template of the minutes; empty: the server's default. */
  template: string;
};

/** A live session, of which a recording that went on for long, or lost its connection for long, has several. */
export type StoredPart = {
  /** The same id opens the same session, however often it is asked for. */
  requestId: string;
  /** Empty before the server has answered. */
  sessionId: string;
  /** Number of the chunk that is the session's number 0. */
  first: number;
  /** Samples of the recording before that chunk. */
  start: number;
};

/** `position` is in seconds from the start of the recording. */
export type StoredBookmark = { requestId: string; position: number; label: string };

/** A recording that the server may not have all of. Chunks are numbered from 0 over all of its sessions. */
export type StoredRecording = {
  id: string;
  /** Whose it is: several people may use one browser. */
  user: string;
  startedAt: number;
  wishes: RecordingWishes;
  part: StoredPart;
  /** Bookmarks that the server has not taken. */
  bookmarks: StoredBookmark[];
  /** The server's session is over: the chunks from this number on become a recording of their own. */
  rest?: { requestId: string; from: number };
};

export type StoredChunk = {
  recording: string;
  sequence: number;
  /** Samples of the recording before it. */
  start: number;
  /** 16 kHz mono PCM, 16 bits; nothing where the recording was paused. */
  audio: Uint8Array<ArrayBuffer>;
};

/** Audio that the server may not have: chunks from `first` up to `end` (exclusive), samples from `start` on. */
export type Unsent = { first: number; end: number; start: number; samples: number };

interface Schema extends DBSchema {
  recordings: { key: string; value: StoredRecording };
  chunks: { key: [string, number]; value: StoredChunk };
}

const NAME = "recordroute.live";

function chunksOf(recording: string, from = 0, before = Number.MAX_SAFE_INTEGER): IDBKeyRange {
  return IDBKeyRange.bound([recording, from], [recording, before], false, true);
}

/** Recordings and their audio on this device's disk, until the server has it on its own. */
export class Outbox {
  readonly #database: IDBPDatabase<Schema>;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  static async open(name = NAME): Promise<Outbox> {
    const database = await openDB<Schema>(name, 1, {
      upgrade(created) {
        created.createObjectStore("recordings", { keyPath: "id" });
        created.createObjectStore("chunks", { keyPath: ["recording", "sequence"] });
      },
    });
    return new Outbox(database);
  }

  close(): void {
    this.#database.close();
  }

  async put(recording: StoredRecording): Promise<void> {
    await this.#database.put("recordings", recording);
  }

  async list(user: string): Promise<StoredRecording[]> {
    const all = await this.#database.getAll("recordings");
    return all.filter((recording) => recording.user === user).sort((a, b) => a.startedAt - b.startedAt);
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#database.count("recordings")) === 0;
  }

  async add(chunk: StoredChunk): Promise<void> {
    await this.#database.add("chunks", chunk);
  }

  async get(recording: string, sequence: number): Promise<StoredChunk | undefined> {
    return await this.#database.get("chunks", [recording, sequence]);
  }

  /** Returns at most `count` chunks from a number on, in order. */
  async take(recording: string, from: number, count: number): Promise<StoredChunk[]> {
    return await this.#database.getAll("chunks", chunksOf(recording, from), count);
  }

  /** Forgets the chunks before a number: the server has them on its disk. */
  async drop(recording: string, before: number): Promise<void> {
    await this.#database.delete("chunks", chunksOf(recording, 0, before));
  }

  /** Forgets a recording with its audio. */
  async remove(recording: string): Promise<void> {
    const change = this.#database.transaction(["recordings", "chunks"], "readwrite");
    await Promise.all([
      change.objectStore("recordings").delete(recording),
      change.objectStore("chunks").delete(chunksOf(recording)),
      change.done,
    ]);
  }

  async unsent(recording: string): Promise<Unsent> {
    const chunks = this.#database.transaction("chunks").store;
    const first = (await chunks.openCursor(chunksOf(recording)))?.value;
    const last = (await chunks.openCursor(chunksOf(recording), "prev"))?.value;
    if (first === undefined || last === undefined) return { first: 0, end: 0, start: 0, samples: 0 };
    const end = last.start + last.audio.length / SAMPLE_BYTES;
    return { first: first.sequence, end: last.sequence + 1, start: first.start, samples: end - first.start };
  }
}
