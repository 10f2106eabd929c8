import { Code } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { Observable } from "@/lib/observable";
import type { LiveActivity } from "@/live/activity";
import { soon } from "@/soon";
import { FakeHasher, FakeServer, PIECE_BYTES, refusal, sha256 } from "./fakes";
import { MOST_BESIDE_LIVE, MOST_FILES, MOST_REQUESTS, UploadManager } from "./manager";
import { DEFAULT_OPTIONS } from "./options";
import { MOST_OUT_OF_STEP } from "./retry";
import { IndexedUploads } from "./store";
import type { PickedFile, Upload, UploadRecord } from "./types";

const USER = "ann";
const SIZE = 95;

let server: FakeServer;
let hasher: FakeHasher;
let store: IndexedUploads;
let pauses: number[];
let live: Observable<LiveActivity>;

function bytes(seed: number, size = SIZE): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index * 7 + seed) % 251);
}

function file(name = "talk.wav", seed = 1, size = SIZE): File {
  return new File([bytes(seed, size)], name, { lastModified: 1_000, type: "audio/wav" });
}

function picked(...files: File[]): PickedFile[] {
  return files.map((one) => ({ file: one, folder: "" }));
}

function open(): UploadManager {
  const pause = async (milliseconds: number) => {
    pauses.push(milliseconds);
  };
  return new UploadManager({ server, hasher, store, live, pause });
}

function only(manager: UploadManager): Upload {
  const [upload] = manager.getSnapshot().uploads;
  if (upload === undefined) throw new Error("there is no upload");
  return upload;
}

/** Resolves as soon as the upload is in one of these states. */
async function until(manager: UploadManager, ...states: Upload["state"][]): Promise<Upload> {
  await soon(() => expect(states).toContain(only(manager).state));
  return only(manager);
}

/** What the store has no more of is done in the background. */
async function storeIs(count: number): Promise<UploadRecord[]> {
  await soon(async () => expect(await store.all(USER)).toHaveLength(count));
  return store.all(USER);
}

/** Holds the server's answers back until the returned function is called. */
function holdServer(): () => void {
  let release = () => {};
  server.gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}

beforeEach(async () => {
  server = new FakeServer();
  hasher = new FakeHasher();
  store = new IndexedUploads();
  pauses = [];
  live = new Observable<LiveActivity>("none");
  for (const { id } of [...(await store.all(USER)), ...(await store.all("bob"))]) await store.delete(id);
});

/** As of a file that is too large to be kept: the page can't read it again by itself. */
async function forgetContent(): Promise<void> {
  for (const { content: _, ...record } of await store.all(USER)) await store.put(record);
}

async function expectArrived(): Promise<void> {
  expect([...server.recordings.values()].map(({ data }) => data)).toEqual([bytes(1)]);
  expect([...server.workflows.values()]).toEqual(["recording-1"]);
  await storeIs(0);
}

test("a file gets there with its options, and the work on it begins", async () => {
  const manager = open();
  const options = { ...DEFAULT_OPTIONS, language: "ko", folder: "work", tags: ["a"], template: "talk" };
  manager.add([{ file: file(), folder: "May/Talks" }], options, USER);
  const upload = await until(manager, "done");
  expect(upload).toMatchObject({ recordingId: "recording-1", sentBytes: SIZE, error: null });
  expect(server.opened[0]).toMatchObject({
    folder: "work/May/Talks",
    tags: ["a"],
    language: "ko",
    sha256: await sha256(bytes(1)),
  });
  await expectArrived();
});

test("names of folders are left aside where that is not wanted", async () => {
  const manager = open();
  manager.add([{ file: file(), folder: "May" }], { ...DEFAULT_OPTIONS, keepFolders: false }, USER);
  await until(manager, "done");
  expect(server.opened[0]?.folder).toBe("");
});

const POINTS = (["open", "send", "complete", "start"] as const).flatMap((method) =>
  (["before", "after"] as const).map((when) => [method, when] as const),
);

test.each(POINTS)("it goes on after a cut at %s, %s the server did it", async (method, when) => {
  server.fail(method, when);
  const manager = open();
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(manager, "done");
  expect(pauses).toHaveLength(1);
  await expectArrived();
});

test("while the network is away it tries at longer and longer intervals", async () => {
  server.fail("send", "before", undefined, 12);
  const manager = open();
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(manager, "done");
  expect(pauses.length).toBeGreaterThan(2);
  expect(pauses[2]).toBeGreaterThan(pauses[0] ?? 0);
  await expectArrived();
});

test.each(POINTS)(
  "it goes on in the next page after one that ended at %s, %s the server did it",
  async (method, when) => {
    const first = open();
    server.fail(method, when, refusal(Code.Internal, "CRASH"));
    first.add(picked(file()), DEFAULT_OPTIONS, USER);
    const upload = await until(first, "failed");
    await soon(async () => expect((await store.all(USER))[0]?.uploadId).toBe(upload.uploadId));
    await forgetContent();
    const before = server.sent.length;
    const next = open();
    await next.restore(USER);
    const restored = await until(next, "done", "needsFile");
    if (restored.state === "needsFile") {
      expect(next.provide(restored.id, { file: file(), folder: "" })).toBe(true);
      await until(next, "done");
    }
    await expectArrived();
    // What had come was not sent again.
    expect(new Set(server.sent).size).toBe(server.sent.length);
    if (method === "start") expect(server.sent).toHaveLength(before);
  },
);

test("after a reload another file is not taken for the one that was begun with", async () => {
  const first = open();
  server.fail("send", "before", refusal(Code.Internal, "CRASH"));
  first.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(first, "failed");
  await soon(async () => expect((await store.all(USER))[0]?.uploadId).not.toBe(""));
  await forgetContent();
  const next = open();
  await next.restore(USER);
  const { id } = await until(next, "needsFile");
  expect(next.provide(id, { file: file("other.wav"), folder: "" })).toBe(false);
  expect(next.provide(id, { file: file("talk.wav", 1, SIZE + 1), folder: "" })).toBe(false);
  expect(only(next).state).toBe("needsFile");
  // Name, size and date are the same: only the hash tells.
  expect(next.provide(id, { file: file("talk.wav", 2), folder: "" })).toBe(true);
  expect((await until(next, "failed")).error).toMatchObject({ reason: "otherFile" });
  expect(server.recordings.size).toBe(0);
});

test("an empty file is not sent", async () => {
  const manager = open();
  manager.add(picked(file("talk.wav", 1, 0)), DEFAULT_OPTIONS, USER);
  expect((await until(manager, "failed")).error).toMatchObject({ reason: "fileEmpty" });
  expect(server.opened).toEqual([]);
});

test("what was paused stays so after a reload, and goes on when asked", async () => {
  const release = holdServer();
  const first = open();
  first.add(picked(file()), DEFAULT_OPTIONS, USER);
  first.pause(only(first).id);
  release();
  await soon(async () => expect((await store.all(USER))[0]?.isPaused).toBe(true));
  expect(server.opened).toEqual([]);
  first.resume(only(first).id);
  await until(first, "done");
  await expectArrived();
});

test("another user does not go on with it", async () => {
  const release = holdServer();
  const first = open();
  first.add(picked(file()), DEFAULT_OPTIONS, USER);
  await storeIs(1);
  const next = open();
  await next.restore("bob");
  expect(next.getSnapshot().uploads).toEqual([]);
  first.cancel(only(first).id);
  release();
});

test("pieces that come twice do no harm", async () => {
  const manager = open();
  server.fail("complete", "before");
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  const stop = manager.subscribe(() => {
    if (only(manager).state === "waiting") server.forget();
  });
  await until(manager, "done");
  stop();
  expect(server.sent).toHaveLength(2 * Math.ceil(SIZE / PIECE_BYTES));
  await expectArrived();
});

test("a piece that was damaged on its way is sent again", async () => {
  server.fail("send", "before", refusal(Code.InvalidArgument, "CHUNK_CHECKSUM_MISMATCH"), 2);
  const manager = open();
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(manager, "done");
  await expectArrived();
});

test("pieces that are damaged again and again are no accident", async () => {
  server.fail(
    "send",
    "before",
    refusal(Code.InvalidArgument, "CHUNK_CHECKSUM_MISMATCH"),
    Number.POSITIVE_INFINITY,
  );
  const manager = open();
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(manager, "failed");
  expect(pauses).toHaveLength(MOST_OUT_OF_STEP);
});

test("an upload that has expired is opened anew", async () => {
  const manager = open();
  server.fail("complete", "before", refusal(Code.NotFound, "UPLOAD_NOT_FOUND"));
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(manager, "done");
  await expectArrived();
});

test("a file that came differently is told, and sent as another upload when tried again", async () => {
  const manager = open();
  server.fail("complete", "before", refusal(Code.InvalidArgument, "CHECKSUM_MISMATCH"));
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  const { id, requestId } = await until(manager, "failed");
  expect(server.opened[0]?.requestId).not.toBe(requestId);
  expect(server.aborted).toEqual(["upload-1"]);
  manager.resume(id);
  await until(manager, "done");
  expect(server.opened.at(-1)?.requestId).toBe(requestId);
  await expectArrived();
});

test("what the library has already is told before anything is sent, and can be added all the same", async () => {
  const manager = open();
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  await until(manager, "done");
  manager.clear();
  const before = server.sent.length;
  manager.add(picked(file("copy.wav")), DEFAULT_OPTIONS, USER);
  const upload = await until(manager, "duplicate");
  expect(upload.duplicate).toEqual({ recordingId: "recording-1", title: "The first" });
  expect(server.sent).toHaveLength(before);
  manager.addAnyway(upload.id);
  expect((await until(manager, "done")).recordingId).toBe("recording-2");
});

test("what is found to be there already only at the end can be added without sending it again", async () => {
  const manager = open();
  const metadata = { recording_id: "recording-9", title: "Another" };
  server.fail("complete", "before", refusal(Code.AlreadyExists, "DUPLICATE_RECORDING", metadata));
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  const { id, duplicate } = await until(manager, "duplicate");
  expect(duplicate?.recordingId).toBe("recording-9");
  const before = server.sent.length;
  manager.addAnyway(id);
  await until(manager, "done");
  expect(server.sent).toHaveLength(before);
  expect(server.opened.at(-1)?.allowDuplicate).toBe(true);
});

test("a cancelled upload is thrown away, here and there", async () => {
  const manager = open();
  let release = () => {};
  const stop = manager.subscribe(() => {
    if (only(manager).state === "sending" && only(manager).uploadId !== "") {
      stop();
      release = holdServer();
    }
  });
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  const { id } = await until(manager, "sending");
  manager.cancel(id);
  release();
  expect(manager.getSnapshot().uploads).toEqual([]);
  await storeIs(0);
  expect(server.aborted).toEqual(["upload-1"]);
  expect(server.recordings.size).toBe(0);
  await soon(() => expect(server.inFlight).toBe(0));
  expect(server.sent).toEqual([]);
});

test("what the server refuses for good is not tried again by itself", async () => {
  const manager = open();
  server.fail("complete", "before", refusal(Code.InvalidArgument, "MEDIA_UNREADABLE"));
  manager.add(picked(file()), DEFAULT_OPTIONS, USER);
  const { error, id } = await until(manager, "failed");
  expect(error).toMatchObject({ code: Code.InvalidArgument });
  expect(pauses).toEqual([]);
  manager.resume(id);
  await until(manager, "done");
});

function manyFiles(count: number): PickedFile[] {
  return picked(...Array.from({ length: count }, (_, index) => file(`${index}.wav`, index)));
}

async function untilAllDone(manager: UploadManager): Promise<void> {
  const isAllDone = () => manager.getSnapshot().uploads.every(({ state }) => state === "done");
  await soon(() => expect(isAllDone()).toBe(true));
}

test("many files wait for their turn; requests in flight are bounded over all of them", async () => {
  const manager = open();
  let mostActive = 0;
  manager.subscribe(() => {
    const active = manager
      .getSnapshot()
      .uploads.filter(({ state }) => ["checking", "sending", "finishing", "waiting"].includes(state)).length;
    mostActive = Math.max(mostActive, active);
  });
  manager.add(manyFiles(12), DEFAULT_OPTIONS, USER);
  await untilAllDone(manager);
  expect(server.recordings.size).toBe(12);
  expect(mostActive).toBe(MOST_FILES);
  expect(server.mostSending).toBe(MOST_REQUESTS);
  expect(server.mostInFlight).toBe(MOST_REQUESTS);
  await storeIs(0);
});

test("beside a live session there is one request at a time, whatever it is for", async () => {
  live.set("recording");
  const manager = open();
  manager.add(manyFiles(4), DEFAULT_OPTIONS, USER);
  await untilAllDone(manager);
  expect(server.recordings.size).toBe(4);
  expect(server.mostInFlight).toBe(MOST_BESIDE_LIVE);
});

test("pieces that are on their way make room for a live session, and go on after it", async () => {
  const manager = open();
  manager.add(picked(file("talk.wav", 1, 10 * SIZE)), DEFAULT_OPTIONS, USER);
  let release = () => {};
  const stop = manager.subscribe(() => {
    if (only(manager).state !== "sending") return;
    stop();
    release = holdServer();
  });
  await soon(() => expect(server.inFlight).toBe(MOST_REQUESTS));
  live.set("recording");
  await soon(() => expect(server.inFlight).toBe(MOST_BESIDE_LIVE));
  live.set("finishing");
  server.mostInFlight = 0;
  let mostBeside = 0;
  const send = server.send.bind(server);
  vi.spyOn(server, "send").mockImplementation(async (...piece) => {
    await send(...piece);
    if (server.sent.length !== 20) return;
    mostBeside = server.mostInFlight;
    live.set("none");
  });
  release();
  await untilAllDone(manager);
  expect(mostBeside).toBe(MOST_BESIDE_LIVE);
  expect(server.mostInFlight).toBe(MOST_REQUESTS);
  expect([...server.recordings.values()].map(({ data }) => data)).toEqual([bytes(1, 10 * SIZE)]);
  // Nothing failed: what made room was no mistake, and nothing of it was sent twice.
  expect(pauses).toEqual([]);
  expect(new Set(server.sent).size).toBe(server.sent.length);
});

test("the summary tells how much is left of all", async () => {
  const release = holdServer();
  const manager = open();
  manager.add(picked(file("a.wav", 1), file("b.wav", 2)), DEFAULT_OPTIONS, USER);
  expect(manager.getSnapshot().summary).toMatchObject({
    count: 2,
    sentBytes: 0,
    totalBytes: 2 * SIZE,
    remaining: null,
  });
  release();
  await soon(() => expect(manager.getSnapshot().summary.count).toBe(0));
});
