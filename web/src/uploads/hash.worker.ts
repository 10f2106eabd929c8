import { createCRC32, createSHA256 } from "hash-wasm";
import type { HashAnswer, HashRequest } from "./hasher";

/** CRC-32C (Castagnoli), its polynomial reversed. */
const CASTAGNOLI = 0x82f63b78;
const STEP_BYTES = 2 << 20;

const crc = createCRC32(CASTAGNOLI);
const stopped = new Set<number>();

async function bytesOf(file: Blob, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(start, end).arrayBuffer());
}

function answer(message: HashAnswer, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}

async function sha256(id: number, file: Blob): Promise<void> {
  const hash = await createSHA256();
  for (let start = 0; start < file.size; start += STEP_BYTES) {
    const bytes = await bytesOf(file, start, Math.min(file.size, start + STEP_BYTES));
    if (stopped.delete(id)) return;
    hash.update(bytes);
    answer({ id, kind: "progress", bytes: start + bytes.length });
  }
  answer({ id, kind: "sha256", sha256: hash.digest("hex") });
}

async function piece(id: number, file: Blob, start: number, end: number): Promise<void> {
  const bytes = await bytesOf(file, start, end);
  const hash = await crc;
  hash.init();
  hash.update(bytes);
  const digest = hash.digest("binary");
  const crc32c = new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  answer({ id, kind: "piece", data: bytes, crc32c }, [bytes.buffer]);
}

async function handle(request: HashRequest): Promise<void> {
  try {
    if (request.kind === "stop") stopped.add(request.id);
    else if (request.kind === "sha256") await sha256(request.id, request.file);
    else await piece(request.id, request.file, request.start, request.end);
  } catch (error) {
    // The browser refuses to read a file that was changed or moved since it was chosen.
    const isOfFile = error instanceof DOMException;
    answer({ id: request.id, kind: "error", isOfFile, message: String(error) });
  }
}

addEventListener("message", (event: MessageEvent<HashRequest>) => void handle(event.data));
