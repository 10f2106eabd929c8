/** What the user wants to happen with the files that are added. */
export type UploadOptions = {
  /** Language of the speech, BCP 47 primary subtag; empty: detected. */
  language: string;
  /** Name of the template of the minutes; empty: the server's default. */
  template: string;
  /** Folder of the library; empty: none. */
  folder: string;
  tags: string[];
  /** Whether the names of added folders become folders of the library. */
  keepFolders: boolean;
};

/** A file that the user chose, dropped or pasted. */
export type PickedFile = {
  file: File;
  /** Path of the folder that it was found in, below the one that was added; empty: none. */
  folder: string;
  /** Lets the page read the file again after a reload, where the browser has that. */
  handle?: FileSystemFileHandle;
};

/** What is kept of an upload in the browser: enough to go on with it after a reload. */
export type UploadRecord = {
  id: string;
  /** Id of the user: another one who signs in here does not go on with it. */
  user: string;
  /** Idempotency key of CreateUpload. A file that has changed is another upload, with another key. */
  requestId: string;
  workflowRequestId: string;
  fileName: string;
  sizeBytes: number;
  lastModified: number;
  language: string;
  template: string;
  folder: string;
  tags: string[];
  allowDuplicate: boolean;
  /** Id on the server; empty before the upload was opened there. */
  uploadId: string;
  /** Of the whole file, lower-case hexadecimal; empty while it is not computed. */
  sha256: string;
  /** What it became; empty before. */
  recordingId: string;
  isPaused: boolean;
  addedAt: number;
  handle?: FileSystemFileHandle;
  /** The content itself, of a small file that the page could not read again otherwise. */
  content?: Blob;
};

export type UploadState =
  /** Waits for its turn. */
  | "queued"
  /** Its hash is computed: before anything is sent, or after everything was. */
  | "checking"
  | "sending"
  /** All bytes are there; the server looks at them. */
  | "finishing"
  /** Something went wrong that passes: it is tried again by itself. */
  | "waiting"
  | "paused"
  /** The page was loaded anew and can't read the file without its user. */
  | "needsFile"
  /** The library has the same bytes already. */
  | "duplicate"
  | "failed"
  | "done";

export type Duplicate = { recordingId: string; title: string };

/** An upload as it is shown. */
export type Upload = UploadRecord & {
  state: UploadState;
  sentBytes: number;
  /** How much of the file was hashed. */
  checkedBytes: number;
  bytesPerSecond: number;
  /** Seconds until everything is sent; null while that is not known. */
  remaining: number | null;
  /** Why it failed or waits; null otherwise. */
  error: unknown;
  /** When it is tried again, in milliseconds since 1970; null unless it waits. */
  retryAt: number | null;
  duplicate: Duplicate | null;
};

/** Why a file can't be read as it was. */
export type LocalFileReason = "fileChanged" | "fileEmpty" | "fileUnreadable" | "otherFile";

export class LocalFileError extends Error {
  constructor(readonly reason: LocalFileReason) {
    super(reason);
  }
}
