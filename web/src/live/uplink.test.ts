import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LiveEvent } from "@/gen/recordroute/gateway/v1/live_pb";
import { soon } from "@/soon";
import { Outbox, type StoredRecording } from "./outbox";
import { FakeLive, failure } from "./testing/fakeLive";
import { type Outcome, type Part, Uplink, type UplinkState } from "./uplink";

const PAUSES = { firstMs: 5, longestMs: 20 };

let server: FakeLive;
let outbox: Outbox;
let uplink: Uplink;
let run: Promise<Outcome>;
let state: UplinkState;
let events: LiveEvent[];
let parts: Part[];
let databases = 0;

function recording(change: Partial<StoredRecording> = {}): StoredRecording {
  return {
    id: "rec",
    user: "me",
    startedAt: 0,
    wishes: { title: "Weekly", folder: "work", tags: ["a"], language: "en", template: "" },
    part: { requestId: "11111111-1111-4111-8111-111111111111", sessionId: "", first: 0, start: 0 },
    bookmarks: [],
    ...change,
  };
}

function makeUplink(stored = recording()): Uplink {
  events = [];
  parts = [];
  return new Uplink(
    server.client,
    outbox,
    stored,
    {
      onState: (now) => {
        state = now;
      },
      onEvent: (event) => events.push(event),
      onPart: (part) => parts.push(part),
    },
    PAUSES,
  );
}

/** A chunk that holds its own number. */
function chunk(number: number, seconds = 0.1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32_000 * seconds).fill(number);
}

/** The numbers of the chunks that a session has, in its order. */
function numbers(session = server.session): (number | undefined)[] {
  return session.chunks.filter((audio) => audio.length > 0).map((audio) => audio[0]);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function kept(): Promise<number[]> {
  return (await outbox.take("rec", 0, 1000)).map(({ sequence }) => sequence);
}

beforeEach(async () => {
  server = new FakeLive();
  databases += 1;
  outbox = await Outbox.open(`uplink-${databases}`);
  uplink = makeUplink();
});

afterEach(() => {
  uplink.close();
  outbox.close();
});

test("chunks arrive in order, end the session, and leave nothing on the device", async () => {
  run = uplink.run();
  for (const number of upTo(30)) uplink.add(chunk(number));
  await uplink.end();
  const outcome = await run;
  expect(numbers()).toEqual(upTo(30));
  expect(outcome.rest).toBeNull();
  expect(state.isDelivered).toBe(true);
  expect(outcome.parts).toMatchObject([{ recordingId: "recording of session 1", reason: "" }]);
  expect(await kept()).toEqual([]);
  expect(uplink.seconds).toBeCloseTo(3);
});

test("the session is what was wished for, and each push names it to the proxy", async () => {
  run = uplink.run();
  uplink.add(chunk(1));
  await uplink.end();
  await run;
  expect(server.session.config).toMatchObject({
    title: "Weekly",
    folder: "work",
    tags: ["a"],
    sampleRateHertz: 16000,
    channels: 1,
    interimResults: true,
    options: { language: "en" },
  });
  expect(new Set(server.sessionHeaders)).toEqual(new Set(["session 1"]));
});

test("at most two pushes are under way", async () => {
  server.holdPushes = true;
  run = uplink.run();
  for (const number of upTo(20)) uplink.add(chunk(number));
  await soon(() => expect(server.pushesUnderWay).toBe(2));
  server.letPushesGo();
  await uplink.end();
  await run;
  expect(server.mostPushesUnderWay).toBe(2);
  expect(numbers()).toEqual(upTo(20));
});

test("a chunk is on the device's disk before it is sent, and stays until it is safe on the server's", async () => {
  server.savesAtOnce = false;
  run = uplink.run();
  const add = vi.spyOn(outbox, "add");
  for (const number of upTo(5)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(5)));
  expect(add).toHaveBeenCalledTimes(5);
  expect(await kept()).toEqual(upTo(5));
  server.session.saved = 3;
  server.session.tell({ case: "savedAudioSequence", value: 3n });
  await soon(async () => expect(await kept()).toEqual([3, 4]));
});

test("a device that takes no more does not keep the audio from the server", async () => {
  vi.spyOn(outbox, "add").mockRejectedValue(new DOMException("full", "QuotaExceededError"));
  run = uplink.run();
  for (const number of upTo(100)) uplink.add(chunk(number));
  await uplink.end();
  await run;
  expect(numbers()).toEqual(upTo(100));
  expect(state.notKept).toBe(true);
});

test("pushes that fail, and those whose answer is lost, are made again", async () => {
  server.failPushes = [failure(Code.Unavailable, "NOT_READY"), failure(Code.ResourceExhausted, "DISK_FULL")];
  server.loseAnswers = 2;
  run = uplink.run();
  for (const number of upTo(10)) uplink.add(chunk(number));
  await uplink.end();
  await run;
  expect(numbers()).toEqual(upTo(10));
});

test("a full disk is told until there is room", async () => {
  run = uplink.run();
  await soon(() => expect(server.sessions).toHaveLength(1));
  server.failPushes = Array.from({ length: 4 }, () => failure(Code.ResourceExhausted, "DISK_FULL"));
  uplink.add(chunk(0));
  await soon(() => expect(state.problem).toBeDefined());
  await soon(() => expect(numbers()).toEqual([0]));
  await soon(() => expect(state.problem).toBeUndefined());
});

test("a server that has lost a chunk gets it again before all others", async () => {
  run = uplink.run();
  for (const number of upTo(4)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(4)));
  server.failPushes = [failure(Code.ResourceExhausted, "AUDIO_AHEAD", { next_audio_sequence: "4" })];
  for (const number of [4, 5, 6]) uplink.add(chunk(number));
  await uplink.end();
  await run;
  expect(numbers()).toEqual(upTo(7));
});

test("a lost network costs nothing: the session goes on, and missed captions come again", async () => {
  run = uplink.run();
  for (const number of upTo(5)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(5)));
  server.session.tell({ case: "warning", value: warning("one") }, true);
  await soon(() => expect(events.filter((event) => event.event.case === "warning")).toHaveLength(1));
  server.goAway();
  await soon(() => expect(state.connection).toBe("away"));
  for (const number of [5, 6, 7]) uplink.add(chunk(number));
  await soon(() => expect(state.unsentSeconds).toBeCloseTo(0.3));
  await soon(async () => expect(await kept()).toEqual([5, 6, 7]));
  server.session.tell({ case: "warning", value: warning("two") }, true);
  server.comeBack();
  await soon(() => expect(numbers()).toEqual(upTo(8)));
  await soon(() => expect(state).toMatchObject({ connection: "online", unsentSeconds: 0 }));
  const warnings = events.flatMap(({ event }) => (event.case === "warning" ? [event.value.reason] : []));
  expect(warnings).toEqual(["one", "two"]);
  expect(server.sessions).toHaveLength(1);
  await uplink.end();
  expect((await run).parts).toHaveLength(1);
});

test("what was recorded while the server was away longer than it waits goes on in another session", async () => {
  run = uplink.run();
  for (const number of upTo(3)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(3)));
  server.goAway();
  for (const number of [3, 4, 5]) uplink.add(chunk(number));
  await soon(() => expect(state.connection).toBe("away"));
  server.session.end("IDLE");
  server.comeBack();
  await soon(() => expect(server.sessions).toHaveLength(2));
  await soon(() => expect(numbers()).toEqual([3, 4, 5]));
  expect(server.session.config).toMatchObject({ title: "Weekly (2)" });
  expect(parts).toMatchObject([{ reason: "IDLE", recordingId: "recording of session 1" }]);
  uplink.add(chunk(6));
  await uplink.mark({ requestId: "mark", position: 0.45, label: "later" });
  await uplink.end();
  const outcome = await run;
  expect(numbers()).toEqual([3, 4, 5, 6]);
  expect(outcome.parts).toHaveLength(2);
  expect(server.session.bookmarks).toEqual([{ label: "later", seconds: 0.15 }]);
});

test("a session that the server does not know any more is begun anew with all that this device has", async () => {
  server.savesAtOnce = false;
  run = uplink.run();
  for (const number of upTo(3)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(3)));
  const [lost] = server.sessions.splice(0);
  lost?.drop();
  await soon(() => expect(server.sessions).toHaveLength(1));
  await soon(() => expect(numbers()).toEqual(upTo(3)));
  expect(parts).toMatchObject([{ reason: "SESSION_NOT_FOUND", recordingId: "" }]);
});

test("after a crash the next visit sends what is left, and ends the session", async () => {
  server.savesAtOnce = false;
  run = uplink.run();
  for (const number of upTo(4)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(4)));
  server.isAway = true;
  for (const number of [4, 5]) uplink.add(chunk(number));
  await soon(async () => expect(await kept()).toEqual(upTo(6)));
  uplink.close();
  server.comeBack();

  const [stored] = await outbox.list("me");
  if (stored === undefined) throw new Error("nothing was stored");
  expect(stored.part.sessionId).toBe("session 1");
  uplink = makeUplink(stored);
  await uplink.takeUp();
  expect(uplink.seconds).toBeCloseTo(0.6);
  const outcome = await uplink.run();
  expect(numbers()).toEqual(upTo(6));
  expect(outcome).toMatchObject({ parts: [{ recordingId: "recording of session 1" }], rest: null });
});

test("after a crash with all audio at the server its session is ended", async () => {
  run = uplink.run();
  for (const number of upTo(4)) uplink.add(chunk(number));
  await soon(async () => expect(await kept()).toEqual([]));
  await soon(() => expect(numbers()).toEqual(upTo(4)));
  uplink.close();
  const [stored] = await outbox.list("me");
  uplink = makeUplink(stored);
  await uplink.takeUp();
  const outcome = await uplink.run();
  expect(server.session.ended).toBe(true);
  expect(numbers()).toEqual(upTo(4));
  expect(outcome.rest).toBeNull();
});

test("what a session took no more is told as the rest", async () => {
  server.savesAtOnce = false;
  run = uplink.run();
  for (const number of upTo(3)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(3)));
  server.isAway = true;
  for (const number of [3, 4]) uplink.add(chunk(number));
  await soon(async () => expect(await kept()).toEqual(upTo(5)));
  uplink.close();
  server.isAway = false;
  server.session.end("IDLE");
  const [stored] = await outbox.list("me");
  uplink = makeUplink(stored);
  await uplink.takeUp();
  const outcome = await uplink.run();
  expect(outcome).toMatchObject({ parts: [{ reason: "IDLE" }], rest: 3 });
  expect(await kept()).toEqual([3, 4]);
});

test("a session that was never answered is opened by the same request again", async () => {
  server.isAway = true;
  run = uplink.run();
  for (const number of upTo(3)) uplink.add(chunk(number));
  await soon(() => expect(state.connection).toBe("away"));
  server.comeBack();
  await uplink.end();
  await run;
  expect(numbers()).toEqual(upTo(3));
  expect(server.session.config.requestId).toBe(recording().part.requestId);
});

test("a refusal ends what has hardly begun", async () => {
  server.refuseOpening = failure(Code.ResourceExhausted, "TOO_MANY_SESSIONS");
  uplink.add(chunk(0));
  await expect(uplink.run()).rejects.toThrow("too_many_sessions");
});

test("a refusal after a long time without the server loses nothing", async () => {
  server.isAway = true;
  run = uplink.run();
  for (const number of upTo(110)) uplink.add(chunk(number));
  await soon(() => expect(state.connection).toBe("away"));
  server.refuseOpening = failure(Code.ResourceExhausted, "QUOTA_EXCEEDED");
  server.comeBack();
  await soon(() => expect(state.problem).toBeDefined());
  server.refuseOpening = null;
  await uplink.end();
  await run;
  expect(numbers()).toEqual(upTo(110));
});

test("a speech service that is far behind gets what waits one by one, faster than it was spoken", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  server.bufferedSeconds = 25;
  run = uplink.run();
  for (const number of upTo(11)) uplink.add(chunk(number, 0.4));
  await uplink.end();
  await run;
  expect(numbers()).toEqual(upTo(11));
  // Nine chunks at eight times the pace of speech: the first two were under way before the server said so.
  const pauses = timers.mock.calls.map(([, milliseconds]) => milliseconds).filter((one) => one === 400 / 8);
  expect(pauses.length).toBeGreaterThanOrEqual(9);
  expect(pauses.length).toBeLessThan(2 * 11);
});

test("bookmarks wait for the server, and the end waits for them", async () => {
  run = uplink.run();
  uplink.add(chunk(0));
  await soon(() => expect(numbers()).toEqual([0]));
  server.goAway();
  await uplink.mark({ requestId: "mark", position: 0.05, label: "here" });
  expect((await outbox.list("me"))[0]?.bookmarks).toHaveLength(1);
  await uplink.end();
  server.comeBack();
  await run;
  expect(server.session.bookmarks).toEqual([{ label: "here", seconds: 0.05 }]);
});

test("a bookmark too many is told, and does not keep the session from ending", async () => {
  server.refuseBookmarks = failure(Code.ResourceExhausted, "TOO_MANY_BOOKMARKS");
  run = uplink.run();
  uplink.add(chunk(0));
  await uplink.mark({ requestId: "mark", position: 0, label: "" });
  await soon(() => expect(state.problem).toBeDefined());
  await uplink.end();
  expect((await run).parts).toHaveLength(1);
});

test("bookmarks that came too late for their session come with it", async () => {
  run = uplink.run();
  for (const number of upTo(3)) uplink.add(chunk(number));
  await soon(() => expect(numbers()).toEqual(upTo(3)));
  server.goAway();
  await uplink.mark({ requestId: "mark", position: 0.2, label: "late" });
  await soon(() => expect(state.connection).toBe("away"));
  server.session.end("IDLE");
  server.comeBack();
  await soon(() => expect(parts).toHaveLength(1));
  expect(parts[0]?.bookmarks).toMatchObject([{ label: "late", position: 0.2 }]);
});

test("a pause keeps the session open without adding sound", async () => {
  run = uplink.run();
  uplink.add(chunk(0));
  uplink.add(new Uint8Array(0));
  uplink.add(chunk(1));
  await uplink.end();
  await run;
  expect(server.session.chunks.map((audio) => audio.length)).toEqual([3200, 0, 3200, 0]);
  expect(uplink.seconds).toBeCloseTo(0.2);
});

function warning(reason: string) {
  return { $typeName: "recordroute.gateway.v1.LiveWarning", reason, message: "" } as const;
}
