import { library } from "@/api/clients";
import { inGroups } from "./groups";

/** Recordings that one archive holds. */
const MOST = 1000;

/** Takes the bytes of a file one after the other. */
type Sink = {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
};

/** Keeps what comes; the browser moves large blobs to its disk by itself. */
function blobSink(name: string): Sink {
  let blob = new Blob([], { type: "application/zip" });
  let parts: Uint8Array<ArrayBuffer>[] = [];
  let waiting = 0;
  const merge = () => {
    blob = new Blob([blob, ...parts], { type: blob.type });
    parts = [];
    waiting = 0;
  };
  return {
    async write(bytes) {
      parts.push(bytes);
      waiting += bytes.length;
      if (waiting > 8 << 20) merge();
    },
    async close() {
      merge();
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      // The download has to have begun.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
    async abort() {
      parts = [];
    },
  };
}

/** Opens a file to write to, where the browser has that, or collects; null where the user did not want one. */
async function openSink(name: string): Promise<Sink | null> {
  if (window.showSaveFilePicker === undefined) return blobSink(name);
  try {
    const handle = await window.showSaveFilePicker({ suggestedName: name });
    return await handle.createWritable();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    // Frames and some settings have the dialogue, but do not allow it.
    if (error instanceof DOMException && error.name === "SecurityError") return blobSink(name);
    throw error;
  }
}

/** Writes recordings with all that belongs to them into archives, as they come. Returns whether it did. */
export async function exportLibrary(ids: readonly string[], onBegin: () => void): Promise<boolean> {
  const groups = inGroups(ids, MOST);
  for (const [index, recordingIds] of groups.entries()) {
    const day = new Date().toISOString().slice(0, 10);
    const sink = await openSink(`recordroute-${day}${groups.length > 1 ? `-${index + 1}` : ""}.zip`);
    if (sink === null) return false;
    onBegin();
    try {
      for await (const { chunk } of library.exportLibrary({ recordingIds })) {
        await sink.write(new Uint8Array(chunk));
      }
      await sink.close();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }
  return true;
}
