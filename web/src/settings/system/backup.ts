import { system } from "@/api/clients";

/** Where the bytes go. */
export type BackupFile = {
  write: (chunk: Uint8Array) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
};

/**
 * Writes a backup into a file while it comes: it may be larger than the memory. What is not complete is thrown away.
 *
 * @param onBytes told how many bytes are written
 */
export async function writeBackup(
  file: BackupFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let bytes = 0;
  try {
    for await (const { chunk } of system.backup({}, { signal })) {
      await file.write(chunk);
      bytes += chunk.length;
      onBytes(bytes);
    }
    await file.close();
  } catch (error) {
    await file.abort();
    throw error;
  }
}
