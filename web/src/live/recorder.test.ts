import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { soon } from "@/soon";
import { liveActivity, mayHaveUnsentAudio } from "./activity";
import { type Capture, CaptureError, type CaptureListener } from "./audio/capture";
import { Outbox } from "./outbox";
import { OtherTabError, Recorder, type RecorderParts } from "./recorder";
import { FakeLive, failure } from "./testing/fakeLive";

const OPTIONS = {
  user: "me",
  source: "microphone",
  microphone: { deviceId: "", echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  wishes: { title: "", folder: "", tags: [], language: "", template: "" },
} as const;

let server: FakeLive;
let recorder: Recorder;
let parts: RecorderParts;
let microphone: CaptureListener;
let isLocked: boolean;
let databases = 0;
const capture = {
  name: "Microphone",
  pause: vi.fn(),
  resume: vi.fn(),
  setChunkSeconds: vi.fn(),
  stop: vi.fn(async () => undefined),
};

function speak(chunks: number): void {
  for (let n = 0; n < chunks; n += 1) microphone.onChunk(new Uint8Array(3200).fill(n));
}

async function start(): Promise<void> {
  await recorder.start({ ...OPTIONS, wishes: { ...OPTIONS.wishes, tags: [] } });
}

async function untilPhase(phase: string): Promise<void> {
  await soon(() => expect(recorder.state.get().phase).toBe(phase));
}

beforeEach(() => {
  localStorage.clear();
  server = new FakeLive();
  databases += 1;
  const name = `recorder-${databases}`;
  isLocked = false;
  parts = {
    client: server.client,
    openOutbox: () => Outbox.open(name),
    openCapture: vi.fn(async (_source, _choice, listener) => {
      microphone = listener;
      return capture as unknown as Capture;
    }),
    takeLock: async () => {
      if (isLocked) return null;
      isLocked = true;
      return () => {
        isLocked = false;
      };
    },
    isLockTaken: async () => isLocked,
    untilLockIsFree: () => soon(() => expect(isLocked).toBe(false)),
    uploadRest: vi.fn(async () => "rest"),
    addBookmarks: vi.fn(async () => undefined),
    screen: { hold: vi.fn(), release: vi.fn() },
    pauses: { firstMs: 5, longestMs: 20 },
  };
  recorder = new Recorder(parts);
});

afterEach(async () => {
  await recorder.stop();
  await recorder.postpone();
});

test("a recording from its start to its end", async () => {
  await start();
  expect(recorder.state.get()).toMatchObject({ phase: "recording", deviceName: "Microphone" });
  expect(liveActivity.get()).toBe("recording");
  expect(mayHaveUnsentAudio()).toBe(true);
  speak(5);
  expect(recorder.seconds.get()).toBeCloseTo(0.5);
  const stopped = recorder.stop();
  expect(recorder.state.get().phase).toBe("finishing");
  await stopped;
  await untilPhase("done");
  expect(recorder.state.get().parts).toMatchObject([{ recordingId: "recording of session 1" }]);
  expect(liveActivity.get()).toBe("none");
  expect(mayHaveUnsentAudio()).toBe(false);
  expect(isLocked).toBe(false);
});

test("only one tab records", async () => {
  isLocked = true;
  await start();
  expect(recorder.state.get().failure).toBeInstanceOf(OtherTabError);
  expect(recorder.state.get().phase).toBe("idle");
  expect(parts.openCapture).not.toHaveBeenCalled();
});

test("a microphone that is refused is told, and others may record", async () => {
  parts.openCapture = vi.fn(async () => {
    throw new CaptureError("denied");
  });
  recorder = new Recorder(parts);
  await start();
  expect(recorder.state.get()).toMatchObject({ phase: "idle", failure: { problem: "denied" } });
  expect(isLocked).toBe(false);
  expect(mayHaveUnsentAudio()).toBe(false);
});

test("a session that the server refuses is told, and nothing is left", async () => {
  server.refuseOpening = failure(Code.ResourceExhausted, "TOO_MANY_SESSIONS");
  await start();
  await untilPhase("idle");
  expect(recorder.state.get().failure).toBeDefined();
  expect(capture.stop).toHaveBeenCalled();
  expect(recorder.leftovers.get()).toEqual([]);
});

test("a pause stops the sound, and keeps the session open", async () => {
  await start();
  speak(1);
  recorder.pause();
  expect(capture.pause).toHaveBeenCalled();
  microphone.onIdle();
  await soon(() => expect(server.session.chunks.map((chunk) => chunk.length)).toEqual([3200, 0]));
  await recorder.resume();
  expect(capture.resume).toHaveBeenCalled();
  expect(recorder.state.get().phase).toBe("recording");
  expect(recorder.seconds.get()).toBeCloseTo(0.1);
});

test("a device that goes pauses the recording; with another one it goes on", async () => {
  await start();
  microphone.onLost(true);
  expect(recorder.state.get()).toMatchObject({ phase: "paused", isDeviceLost: true });
  await recorder.resume();
  expect(parts.openCapture).toHaveBeenCalledTimes(2);
  expect(recorder.state.get()).toMatchObject({ phase: "recording", isDeviceLost: false });
});

test("one of several sources that goes is told, and the others go on", async () => {
  await start();
  microphone.onLost(false);
  expect(recorder.state.get()).toMatchObject({ phase: "recording", isPartLost: true });
});

test("longer chunks are made while the server is away", async () => {
  await start();
  await soon(() => expect(server.sessions).toHaveLength(1));
  server.goAway();
  await soon(() => expect(capture.setChunkSeconds).toHaveBeenLastCalledWith(1));
  server.comeBack();
  await soon(() => expect(capture.setChunkSeconds).toHaveBeenLastCalledWith(0.2));
});

test("longer chunks are made on a line that is too slow for short ones", async () => {
  await start();
  await soon(() => expect(recorder.state.get().uplink.connection).toBe("online"));
  server.holdPushes = true;
  speak(25);
  await soon(() => expect(capture.setChunkSeconds).toHaveBeenLastCalledWith(1));
  server.letPushesGo();
  await soon(() => expect(capture.setChunkSeconds).toHaveBeenLastCalledWith(0.2));
});

test("silence is told, and speech takes it back", async () => {
  const now = vi.spyOn(Date, "now");
  await start();
  now.mockReturnValue(Date.now() + 7000);
  microphone.onLevel(0);
  expect(recorder.state.get().isSilent).toBe(true);
  microphone.onLevel(0.2);
  expect(recorder.state.get().isSilent).toBe(false);
  // A pause in the speech is no reason for a warning.
  now.mockReturnValue(Date.now() + 30_000);
  microphone.onLevel(0);
  expect(recorder.state.get().isSilent).toBe(false);
  now.mockReturnValue(Date.now() + 40_000);
  microphone.onLevel(0);
  expect(recorder.state.get().isSilent).toBe(true);
});

test("what can't be sent is left for another visit, which finishes it", async () => {
  await start();
  speak(3);
  await soon(() => expect(server.session.chunks).toHaveLength(3));
  server.goAway();
  speak(2);
  await recorder.stop();
  await soon(() => expect(recorder.state.get().uplink.connection).toBe("away"));
  await recorder.postpone();
  expect(recorder.state.get().phase).toBe("idle");
  const [leftover] = recorder.leftovers.get();
  expect(leftover?.unsentSeconds).toBeCloseTo(0.2);

  server.comeBack();
  recorder = new Recorder(parts);
  await recorder.findLeftovers("somebody else");
  expect(recorder.leftovers.get()).toEqual([]);
  await recorder.findLeftovers("me");
  const [found] = recorder.leftovers.get();
  if (found === undefined) throw new Error("nothing was left");
  await recorder.finish(found);
  await untilPhase("done");
  expect(server.session.chunks.filter((chunk) => chunk.length > 0)).toHaveLength(5);
  expect(recorder.leftovers.get()).toEqual([]);
});

test("what another tab is at is not offered before that has let go of it", async () => {
  const outbox = await parts.openOutbox();
  const part = { requestId: "", sessionId: "", first: 0, start: 0 };
  const wishes = { ...OPTIONS.wishes, tags: [] };
  await outbox.put({ id: "rec", user: "me", startedAt: 0, wishes, part, bookmarks: [] });
  outbox.close();
  isLocked = true;
  const looking = recorder.findLeftovers("me");
  await soon(() => expect(recorder.leftovers.get()).toEqual([]));
  isLocked = false;
  await looking;
  expect(recorder.leftovers.get()).toHaveLength(1);
});

test("what its session took no more is uploaded", async () => {
  await start();
  speak(3);
  await soon(() => expect(server.session.chunks).toHaveLength(3));
  server.goAway();
  speak(2);
  await recorder.stop();
  server.session.end("IDLE");
  server.comeBack();
  await untilPhase("done");
  expect(parts.uploadRest).toHaveBeenCalledWith(
    expect.anything(),
    expect.anything(),
    expect.objectContaining({ from: 3 }),
    expect.anything(),
    expect.anything(),
  );
  expect(recorder.state.get().rest).toEqual({ percent: 100, recordingId: "rest" });
});

test("an upload that fails leaves the rest for another time", async () => {
  parts.uploadRest = vi.fn(async () => {
    throw failure(Code.ResourceExhausted, "QUOTA_EXCEEDED");
  });
  recorder = new Recorder(parts);
  await start();
  speak(2);
  await soon(() => expect(server.session.chunks).toHaveLength(2));
  server.goAway();
  speak(1);
  await recorder.stop();
  server.session.end("IDLE");
  server.comeBack();
  await untilPhase("idle");
  expect(recorder.state.get().failure).toBeDefined();
  await soon(() => expect(recorder.leftovers.get()).toHaveLength(1));
  expect(recorder.leftovers.get()[0]?.recording.rest).toMatchObject({ from: 2 });
});

test("discarding deletes what is on this device", async () => {
  await start();
  speak(1);
  server.goAway();
  await recorder.stop();
  await recorder.postpone();
  const [leftover] = recorder.leftovers.get();
  if (leftover === undefined) throw new Error("nothing was left");
  await recorder.discard(leftover);
  expect(recorder.leftovers.get()).toEqual([]);
  expect(mayHaveUnsentAudio()).toBe(false);
});

test("bookmarks are shown at once, and given to the recording where they come too late", async () => {
  await start();
  speak(4);
  await soon(() => expect(server.session.chunks).toHaveLength(4));
  server.goAway();
  recorder.mark("here", 0.3);
  expect(recorder.state.get().marks).toMatchObject([{ position: 0.3, label: "here" }]);
  await recorder.stop();
  server.session.end("IDLE");
  server.comeBack();
  await untilPhase("done");
  expect(parts.addBookmarks).toHaveBeenCalledWith("recording of session 1", [
    expect.objectContaining({ position: 0.3, label: "here" }),
  ]);
});
