import { Observable } from "@/lib/observable";
import type { UploadManager } from "./manager";
import type { PickedFile, UploadOptions } from "./types";

/** Whether an earlier page may have left uploads: their code is loaded only then, or when files are added. */
const PENDING = "recordroute.uploads.pending";

let opened: Promise<UploadManager> | undefined;
/** Whether there may be uploads in this page. */
export const uploadsWanted = new Observable(localStorage.getItem(PENDING) !== null);

/** Remembers whether the next page has to look for uploads that this one leaves. */
export function rememberPending(isPending: boolean): void {
  if (isPending) localStorage.setItem(PENDING, "1");
  else localStorage.removeItem(PENDING);
}

/** Returns the uploads of this page, and goes on with those that earlier ones left. */
export function openUploads(user: string): Promise<UploadManager> {
  opened ??= import("./start").then(({ startUploads }) => startUploads(user));
  return opened;
}

/** Adds files to the library; how far they are is shown by `UploadsDock`. */
export async function addUploads(
  files: readonly PickedFile[],
  options: UploadOptions,
  user: string,
): Promise<void> {
  rememberPending(true);
  const uploads = await openUploads(user);
  uploads.add(files, options, user);
  uploadsWanted.set(true);
}
