import { liveActivity } from "@/live/activity";
import { WorkerHasher } from "./hasher";
import { UploadManager } from "./manager";
import { gateway } from "./server";
import { IndexedUploads } from "./store";

export async function startUploads(user: string): Promise<UploadManager> {
  const uploads = new UploadManager({
    server: gateway,
    hasher: new WorkerHasher(),
    store: new IndexedUploads(),
    live: liveActivity,
  });
  // Without a database of the browser there is nothing to go on with.
  await uploads.restore(user).catch(() => undefined);
  return uploads;
}
