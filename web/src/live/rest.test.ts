import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UploadService } from "@/gen/recordroute/gateway/v1/upload_pb";
import { WorkflowService } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { Outbox, type StoredRecording } from "./outbox";
import { restAsWav, uploadRest } from "./rest";
import { failure } from "./testing/fakeLive";

const recording: StoredRecording = {
  id: "rec",
  user: "me",
  startedAt: Date.UTC(2026, 0, 2, 9, 30),
  wishes: { title: "Weekly", folder: "work", tags: ["a"], language: "en", template: "standup" },
  part: { requestId: "", sessionId: "", first: 0, start: 0 },
  bookmarks: [],
};

async function outboxWith(name: string, chunks: number, samples: number): Promise<Outbox> {
  const outbox = await Outbox.open(name);
  await outbox.put(recording);
  for (let sequence = 0; sequence < chunks; sequence += 1) {
    const audio = new Uint8Array(2 * samples).fill(sequence + 1);
    await outbox.add({ recording: "rec", sequence, start: sequence * samples, audio });
  }
  return outbox;
}

/** A server that keeps what comes, and fails first. */
function fakeServer(failures: Error[]) {
  const calls: { config?: unknown; workflow?: unknown } = {};
  let file = new Uint8Array(0);
  const fail = () => {
    const next = failures.shift();
    if (next !== undefined) throw next;
  };
  const transport = createRouterTransport(({ service }) => {
    service(UploadService, {
      createUpload: ({ config }) => {
        fail();
        calls.config = config;
        file = new Uint8Array(Number(config?.sizeBytes));
        return { upload: { id: "upload", recordingId: "" } };
      },
      uploadChunk: ({ offset, data }) => {
        fail();
        file.set(data, Number(offset));
        return {};
      },
      completeUpload: ({ sha256 }) => {
        fail();
        return { recording: { id: `recording ${sha256}` } };
      },
    });
    service(WorkflowService, {
      startWorkflow: (request) => {
        calls.workflow = request;
        return {};
      },
    });
  });
  const server = {
    uploads: createClient(UploadService, transport),
    workflows: createClient(WorkflowService, transport),
    hasher: {
      sha256: async (blob: Blob) => String(blob.size),
      piece: async (blob: Blob, start: number, end: number) => ({
        data: new Uint8Array(await blob.slice(start, end).arrayBuffer()),
        crc32c: 0,
      }),
    },
  };
  return { server, calls, received: () => file };
}

test("the rest is a WAV file of the chunks from a number on", async () => {
  const outbox = await outboxWith("rest-wav", 5, 1600);
  const { file, start } = await restAsWav(outbox, "rec", 2);
  const bytes = new Uint8Array(await file.arrayBuffer());
  expect(start).toBeCloseTo(0.2);
  expect(bytes.length).toBe(44 + 3 * 3200);
  expect([bytes[44], bytes[44 + 3200], bytes[44 + 6400]]).toEqual([3, 4, 5]);
});

test("it becomes a recording of its own, with what was wished for, whatever the network does", async () => {
  const outbox = await outboxWith("rest-upload", 30, 32_000);
  const unavailable = () => failure(Code.Unavailable, "");
  const { server, calls, received } = fakeServer([unavailable(), unavailable()]);
  const percents: number[] = [];
  const id = await uploadRest(
    server,
    outbox,
    recording,
    { requestId: "22222222-2222-4222-8222-222222222222", from: 10 },
    (percent) => percents.push(percent),
    new AbortController().signal,
  );
  const size = 44 + 20 * 64_000;
  expect(id).toBe(`recording ${size}`);
  expect(received()).toHaveLength(size);
  expect([received()[44], received()[size - 1]]).toEqual([11, 30]);
  expect(calls.config).toMatchObject({
    requestId: "22222222-2222-4222-8222-222222222222",
    fileName: "live-2026-01-02T093020.wav",
    title: "Weekly",
    folder: "work",
    tags: ["a"],
  });
  expect(calls.workflow).toMatchObject({ recordingId: id, options: { language: "en", template: "standup" } });
  expect(percents.at(-1)).toBe(100);
});

test("what the server will never take is told", async () => {
  const outbox = await outboxWith("rest-refused", 2, 1600);
  const { server } = fakeServer([failure(Code.ResourceExhausted, "QUOTA_EXCEEDED")]);
  const rest = { requestId: "22222222-2222-4222-8222-222222222222", from: 0 };
  const signal = new AbortController().signal;
  await expect(uploadRest(server, outbox, recording, rest, () => undefined, signal)).rejects.toThrow(
    "quota_exceeded",
  );
});
