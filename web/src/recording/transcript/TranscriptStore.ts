import type { QueryClient } from "@tanstack/react-query";
import { library } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import type { EditTranscriptResponse } from "@/gen/recordroute/gateway/v1/library_pb";
import { type Edit, editMessage, withEdit } from "./edits";
import { type Segment, segmentOf, type Transcript, withPage } from "./model";
import { changedTo, moved, redoTarget, startUndo, type UndoStack, undoTarget } from "./undoStack";

/** Enough for several screens: they are there at once. */
const FIRST_PAGE_SIZE = 100;
/** As much of the rest at a time as is taken in without holding up who reads the first lines meanwhile. */
const PAGE_SIZE = 1000;

export type EditState = {
  canUndo: boolean;
  canRedo: boolean;
  /** A change is on its way to the server. */
  isSaving: boolean;
};

export type EditResult = {
  /** Places that find and replace has changed. */
  replacedCount: number;
};

/** The calls that a transcript is read and changed by. */
export type TranscriptService = Pick<typeof library, "getTranscript" | "editTranscript" | "revertTranscript">;

/** Somebody else was faster. The transcript has been read anew since. */
export class TranscriptChanged extends Error {
  constructor(override readonly cause: unknown) {
    super("the transcript was changed meanwhile");
  }
}

/**
 * A recording's transcript in the cache, and its changes: each is seen at once, sent one after the other, and based on
 * the etag of the answer before it. Where one is refused, those that wait behind it are refused as well, because their
 * indices were told on top of it, and the transcript is read anew.
 */
export class TranscriptStore {
  readonly #id: string;
  readonly #cache: QueryClient;
  readonly #service: TranscriptService;
  readonly #listeners = new Set<() => void>();
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Counts what has changed the transcript here: what was being read meanwhile is out of date. */
  #changes = 0;
  /** The change that was refused last, and how many were. */
  #refusal: unknown;
  #refusals = 0;
  /** The transcript as it was before the changes that are on their way. */
  #confirmed: Transcript | undefined;
  /** An answer could not be put into the transcript, because more had been changed here by then. */
  #isGuess = false;
  #undo: UndoStack | null = null;
  /** The server's newest revision, as far as it is known here. */
  #newest = 0;
  #state: EditState = { canUndo: false, canRedo: false, isSaving: false };

  constructor(id: string, cache: QueryClient, service: TranscriptService = library) {
    this.#id = id;
    this.#cache = cache;
    this.#service = service;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): EditState => this.#state;

  get transcript(): Transcript | undefined {
    return this.#cache.getQueryData<Transcript>(keys.transcript(this.#id));
  }

  /** Reads the transcript; what is there already is kept where the server has nothing newer. */
  readonly load = async ({ signal }: { signal: AbortSignal }): Promise<Transcript> => {
    for (;;) {
      await this.#settled();
      const changes = this.#changes;
      const known = this.transcript;
      const read = known?.complete ? await this.#readIfNewer(known, signal) : await this.#read(signal);
      if (changes !== this.#changes || read === null) continue;
      this.#noteRevision(read.revision);
      return read;
    }
  };

  /**
   * Changes the transcript. Throws TranscriptChanged where somebody else was faster, ConnectError otherwise; either way
   * the transcript in the cache is that of the server again.
   */
  edit(edits: readonly Edit[]): Promise<EditResult> {
    const requestId = crypto.randomUUID();
    if (this.#waiting === 0) this.#confirmed = this.transcript;
    this.#show((transcript) => edits.reduce(withEdit, transcript));
    return this.#inTurn(async (etag) => {
      const answer = await this.#service.editTranscript({
        requestId,
        recordingId: this.#id,
        etag,
        edits: edits.map(editMessage),
        // Parts of words are nothing to listen for in the next recording.
        skipVocabulary: edits.some((edit) => edit.kind === "replaceAll" && !edit.wholeWords),
      });
      const { revision } = answer;
      if (revision === undefined) throw new Error("the server told no revision");
      if (this.#undo !== null) this.#undo = changedTo(this.#undo, revision.revision);
      this.#isGuess ||= this.#waiting > 1 || !this.#overlay(answer);
      this.#put(revision.etag, revision.revision);
      if (this.#isGuess && this.#waiting === 1) await this.#readAnew();
      return { replacedCount: answer.replacedCounts.reduce((sum, count) => sum + count, 0) };
    });
  }

  /** Makes the transcript like an earlier revision. Throws as `edit`. */
  revert(revision: number): Promise<void> {
    return this.#revert(
      () => revision,
      (stack, made) => changedTo(stack, made),
    );
  }

  undo(): Promise<void> {
    return this.#revert(
      (stack) => undoTarget(stack),
      (stack) => moved(stack, -1),
    );
  }

  redo(): Promise<void> {
    return this.#revert(
      (stack) => redoTarget(stack),
      (stack) => moved(stack, 1),
    );
  }

  #revert(
    targetOf: (stack: UndoStack) => number | null,
    after: (stack: UndoStack, made: number) => UndoStack,
  ): Promise<void> {
    const requestId = crypto.randomUUID();
    return this.#inTurn(async (etag) => {
      const stack = this.#undo;
      const target = stack === null ? null : targetOf(stack);
      if (stack === null || target === null) return;
      const { revision } = await this.#service.revertTranscript({
        requestId,
        recordingId: this.#id,
        etag,
        revision: target,
      });
      if (revision === undefined) throw new Error("the server told no revision");
      this.#undo = after(stack, revision.revision);
      this.#put(revision.etag, revision.revision);
      await this.#readAnew();
    });
  }

  async #inTurn<Result>(send: (etag: string) => Promise<Result>): Promise<Result> {
    const refusals = this.#refusals;
    const before = this.#queue;
    this.#waiting += 1;
    this.#publish();
    const result = (async () => {
      await before.catch(() => undefined);
      try {
        if (refusals !== this.#refusals) throw this.#refusal;
        const etag = this.transcript?.etag;
        if (etag === undefined) throw new Error("there is no transcript to change");
        return await send(etag);
      } catch (error) {
        if (refusals === this.#refusals) await this.#refused(error);
        throw this.#refusal;
      } finally {
        this.#waiting -= 1;
        this.#publish();
      }
    })();
    this.#queue = result;
    return result;
  }

  /** Takes back what was shown, as well as it goes without the server, and then with it. */
  async #refused(error: unknown): Promise<void> {
    const isOutdated = failureOf(error).reason === "ETAG_MISMATCH";
    this.#refusals += 1;
    this.#refusal = isOutdated ? new TranscriptChanged(error) : error;
    const confirmed = this.#confirmed;
    if (confirmed !== undefined) this.#show(() => confirmed);
    try {
      await this.#readAnew();
    } catch {
      // The refusal is what the user is told; the next load finds out what the server has.
      void this.#cache.invalidateQueries({ queryKey: keys.transcript(this.#id) });
    }
  }

  async #settled(): Promise<void> {
    while (this.#waiting > 0) await this.#queue.catch(() => undefined);
  }

  /** Reads all pages; the first one is shown at once where nothing is shown yet. */
  async #read(signal?: AbortSignal): Promise<Transcript | null> {
    let segments: readonly Segment[] = [];
    let etag: string | undefined;
    let pageToken = "";
    for (;;) {
      const page = await this.#service.getTranscript(
        { recordingId: this.#id, pageSize: pageToken === "" ? FIRST_PAGE_SIZE : PAGE_SIZE, pageToken },
        signal === undefined ? {} : { signal },
      );
      // Changed between two pages: from the beginning again.
      if (etag !== undefined && page.etag !== etag) return null;
      etag = page.etag;
      const transcript = withPage(segments, page);
      if (transcript.complete) return transcript;
      segments = transcript.segments;
      pageToken = page.nextPageToken;
      if (!this.transcript?.complete) this.#cache.setQueryData(keys.transcript(this.#id), transcript);
    }
  }

  async #readIfNewer(known: Transcript, signal: AbortSignal): Promise<Transcript | null> {
    const newest = await this.#service.getTranscript({ recordingId: this.#id, pageSize: 1 }, { signal });
    return newest.etag === known.etag ? known : this.#read(signal);
  }

  async #readAnew(): Promise<void> {
    this.#changes += 1;
    let read = await this.#read();
    while (read === null) read = await this.#read();
    this.#isGuess = false;
    this.#changes += 1;
    this.#cache.setQueryData(keys.transcript(this.#id), read);
    this.#noteRevision(read.revision);
  }

  /** Changes of others can't be undone here: what could be undone before is forgotten. */
  #noteRevision(revision: number): void {
    if (this.#undo === null || revision !== this.#newest) this.#undo = startUndo(revision);
    this.#newest = revision;
    this.#publish();
  }

  #show(change: (transcript: Transcript) => Transcript): void {
    this.#changes += 1;
    this.#cache.setQueryData<Transcript>(keys.transcript(this.#id), (known) => known && change(known));
  }

  #put(etag: string, revision: number): void {
    this.#newest = revision;
    this.#show((transcript) => ({ ...transcript, etag, revision }));
  }

  /** Puts the changed segments into their places; returns false where that is not all that has changed. */
  #overlay(answer: EditTranscriptResponse): boolean {
    const known = this.transcript;
    if (known === undefined || known.segments.length !== answer.segmentCount) return false;
    const segments = [...known.segments];
    for (const segment of answer.changedSegments) segments[segment.index] = segmentOf(segment);
    this.#show((transcript) => ({ ...transcript, segments, speakers: answer.speakers }));
    return answer.changedSegments.length === answer.changedCount;
  }

  #publish(): void {
    const canUndo = this.#undo !== null && undoTarget(this.#undo) !== null;
    const canRedo = this.#undo !== null && redoTarget(this.#undo) !== null;
    const isSaving = this.#waiting > 0;
    const { canUndo: undo, canRedo: redo, isSaving: saving } = this.#state;
    if (undo === canUndo && redo === canRedo && saving === isSaving) return;
    this.#state = { canUndo, canRedo, isSaving };
    for (const listener of this.#listeners) listener();
  }
}
