import type { CallOptions } from "@connectrpc/connect";
import { workflows } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { clientOf } from "@/api/transport";
import { type ByteRange, UploadService } from "@/gen/recordroute/gateway/v1/upload_pb";
import type { Range } from "./ranges";
import type { UploadRecord } from "./types";

/** A slow line needs minutes for one piece, and a large file minutes to be looked at. */
const PIECE_TIMEOUT_MS = 180_000;
const COMPLETE_TIMEOUT_MS = 180_000;

/** An upload as the server has it. */
export type RemoteUpload = {
  id: string;
  received: Range[];
  pieceBytes: number;
  /** What it became; empty before. */
  recordingId: string;
};

/** What the uploads need of the server. Each throws ConnectError as UploadService and WorkflowService say. */
export type UploadServer = {
  /** Opens the upload, or tells what has come of it already. */
  open(record: UploadRecord, signal: AbortSignal): Promise<RemoteUpload>;
  send(
    uploadId: string,
    offset: number,
    data: Uint8Array<ArrayBuffer>,
    crc32c: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Makes the recording, and returns its id. */
  complete(uploadId: string, sha256: string, signal: AbortSignal): Promise<string>;
  abort(uploadId: string): Promise<void>;
  /** Starts the work on the recording. */
  start(record: UploadRecord, signal: AbortSignal): Promise<void>;
};

const client = clientOf(UploadService);

function toRange({ start, end }: ByteRange): Range {
  return { start: Number(start), end: Number(end) };
}

/** The gateway. */
export const gateway: UploadServer = {
  async open(record, signal) {
    const { upload } = await client.createUpload(
      {
        config: {
          requestId: record.requestId,
          fileName: record.fileName,
          sizeBytes: BigInt(record.sizeBytes),
          folder: record.folder,
          tags: record.tags,
          allowDuplicate: record.allowDuplicate,
          ...(record.sha256 === "" ? {} : { sha256: record.sha256 }),
        },
      },
      { signal },
    );
    if (upload === undefined) throw new Error("the server opened no upload");
    return {
      id: upload.id,
      received: upload.received.map(toRange),
      pieceBytes: upload.chunkSizeBytes || 1 << 20,
      recordingId: upload.recordingId,
    };
  },

  async send(uploadId, offset, data, crc32c, signal) {
    const options: CallOptions = { signal, timeoutMs: PIECE_TIMEOUT_MS };
    await client.uploadChunk({ uploadId, offset: BigInt(offset), data, crc32c }, options);
  },

  async complete(uploadId, sha256, signal) {
    const { recording } = await client.completeUpload(
      { uploadId, sha256 },
      { signal, timeoutMs: COMPLETE_TIMEOUT_MS },
    );
    if (recording === undefined) throw new Error("the server made no recording");
    return recording.id;
  },

  async abort(uploadId) {
    await client.abortUpload({ uploadId });
  },

  async start(record, signal) {
    const options = {
      template: record.template,
      ...(record.language === "" ? {} : { language: record.language }),
    };
    try {
      await workflows.startWorkflow(
        { requestId: record.workflowRequestId, recordingId: record.recordingId, options },
        { signal },
      );
    } catch (error) {
      // Somebody was quicker: the work that was wanted is done.
      if (failureOf(error).reason !== "WORKFLOW_RUNNING") throw error;
    }
  },
};
