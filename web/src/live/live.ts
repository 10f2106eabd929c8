import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { library, workflows } from "@/api/clients";
import { clientOf } from "@/api/transport";
import { LiveService } from "@/gen/recordroute/gateway/v1/live_pb";
import { UploadService } from "@/gen/recordroute/gateway/v1/upload_pb";
import { WorkerHasher } from "@/uploads/hasher";
import { Capture } from "./audio/capture";
import { Outbox, type StoredBookmark } from "./outbox";
import { Recorder } from "./recorder";
import { uploadRest } from "./rest";
import { isLockTaken, takeLock, untilLockIsFree } from "./tabLock";
import { WakeLock } from "./wakeLock";

async function addBookmarks(recordingId: string, late: StoredBookmark[]): Promise<void> {
  const bookmarks = late.map(({ position, label }) => ({
    position: durationFromMs(Math.round(1000 * position)),
    label,
  }));
  const { recording } = await library.getRecording({ recordingId });
  if (recording === undefined) return;
  await library.updateRecording({
    requestId: crypto.randomUUID(),
    recording: { id: recordingId, bookmarks: [...recording.bookmarks, ...bookmarks] },
    updateMask: { paths: ["bookmarks"] },
    etag: recording.etag,
  });
}

/** The recorder of this tab: it goes on while its reader looks at other pages. */
export const recorder = new Recorder({
  client: clientOf(LiveService),
  openOutbox: () => Outbox.open(),
  openCapture: (source, choice, listener) => Capture.open(source, choice, listener),
  takeLock,
  isLockTaken,
  untilLockIsFree,
  uploadRest: (...work) =>
    uploadRest({ uploads: clientOf(UploadService), workflows, hasher: new WorkerHasher() }, ...work),
  addBookmarks,
  screen: new WakeLock(),
});
