import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { UploadService } from "@/gen/recordroute/gateway/v1/upload_pb";
import type { WorkflowService } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { waitOnline } from "@/lib/wait";
import type { Hasher } from "@/uploads/hasher";
import { verdictOn } from "@/uploads/retry";
import { RATE, wavHeader } from "./audio/pcm";
import type { Outbox, StoredRecording } from "./outbox";

const CHUNKS_AT_ONCE = 500;
const PIECE_BYTES = 1 << 20;
const PIECE_DEADLINE_MS = 120_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export type RestServer = {
  uploads: Pick<Client<typeof UploadService>, "createUpload" | "uploadChunk" | "completeUpload">;
  workflows: Pick<Client<typeof WorkflowService>, "startWorkflow">;
  hasher: Hasher;
};

/** Returns the chunks of a recording from a number on as a WAV file, and where they begin in seconds. */
export async function restAsWav(outbox: Outbox, recording: string, from: number) {
  const audio: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let start: number | undefined;
  let next = from;
  for (;;) {
    const chunks = await outbox.take(recording, next, CHUNKS_AT_ONCE);
    const last = chunks.at(-1);
    if (last === undefined) break;
    start ??= chunks[0]?.start;
    for (const chunk of chunks) {
      audio.push(chunk.audio);
      bytes += chunk.audio.length;
    }
    next = last.sequence + 1;
  }
  return { file: new Blob([wavHeader(bytes), ...audio], { type: "audio/wav" }), start: (start ?? 0) / RATE };
}

/** Does it again as long as the server can't be reached. */
async function persistently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || verdictOn(error) !== "passing") throw error;
      await waitOnline(pause, signal);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }
}

/**
 * Makes a recording of its own of what the live session did not take any more, and starts the work on it. Returns the
 * recording's id. It may be called again after any failure.
 */
export async function uploadRest(
  server: RestServer,
  outbox: Outbox,
  recording: StoredRecording,
  rest: NonNullable<StoredRecording["rest"]>,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const { file, start } = await restAsWav(outbox, recording.id, rest.from);
  const begun = new Date(recording.startedAt + 1000 * start);
  const { wishes } = recording;
  const sha256 = await server.hasher.sha256(file, () => undefined, signal);
  const { upload } = await persistently(
    () =>
      server.uploads.createUpload(
        {
          config: {
            requestId: rest.requestId,
            fileName: `live-${begun.toISOString().slice(0, 19).replaceAll(":", "")}.wav`,
            sizeBytes: BigInt(file.size),
            recordedAt: timestampFromMs(begun.getTime()),
            title: wishes.title,
            folder: wishes.folder,
            tags: wishes.tags,
            allowDuplicate: true,
          },
        },
        { signal },
      ),
    signal,
  );
  if (upload === undefined) throw new Error("the server opened no upload");
  let offset = Number(upload.received[0]?.start === 0n ? upload.received[0].end : 0n);
  while (offset < file.size && upload.recordingId === "") {
    const { data, crc32c } = await server.hasher.piece(
      file,
      offset,
      Math.min(file.size, offset + PIECE_BYTES),
    );
    const piece = { uploadId: upload.id, offset: BigInt(offset), data, crc32c };
    await persistently(
      () => server.uploads.uploadChunk(piece, { signal, timeoutMs: PIECE_DEADLINE_MS }),
      signal,
    );
    offset += data.length;
    onProgress((100 * offset) / file.size);
  }
  const complete = () =>
    server.uploads.completeUpload({ uploadId: upload.id, sha256 }, { signal, timeoutMs: PIECE_DEADLINE_MS });
  const recordingId = upload.recordingId || (await persistently(complete, signal)).recording?.id;
  if (recordingId === undefined) throw new Error("the server made no recording");
  const options = {
    template: wishes.template,
    ...(wishes.language === "" ? {} : { language: wishes.language }),
  };
  await persistently(
    () => server.workflows.startWorkflow({ requestId: rest.requestId, recordingId, options }, { signal }),
    signal,
  );
  return recordingId;
}
