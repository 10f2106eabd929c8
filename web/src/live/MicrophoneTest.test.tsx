import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { renderInPage } from "@/testing";
import { type Capture, CaptureError, type CaptureListener } from "./audio/capture";
import { MicrophoneTest } from "./MicrophoneTest";
import { MicrophoneTester } from "./MicrophoneTester";
import type { MicrophoneChoice } from "./microphone";

const CHOICE: MicrophoneChoice = {
  deviceId: "",
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};

type Opened = { choice: MicrophoneChoice; listener: CaptureListener; close: ReturnType<typeof vi.fn> };

let opened: Opened[];
let tester: MicrophoneTester;
const onAllowed = vi.fn();

function fakeCapture(close: Opened["close"]): Capture {
  return { name: "Desk microphone", close } as unknown as Capture;
}

beforeEach(() => {
  opened = [];
  onAllowed.mockReset();
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  tester = new MicrophoneTester(async (choice, listener) => {
    const close = vi.fn(async () => undefined);
    opened.push({ choice, listener, close });
    return fakeCapture(close);
  });
});

function microphone(): Opened {
  const last = opened.at(-1);
  if (last === undefined) throw new Error("no microphone was opened");
  return last;
}

function hear(level: number, seconds: number): void {
  act(() => {
    for (let n = 0; n < 20 * seconds; n += 1) microphone().listener.onLevel(level);
  });
}

const show = (choice = CHOICE) => <MicrophoneTest tester={tester} choice={choice} onAllowed={onAllowed} />;

function PageWithChoice() {
  const [choice, setChoice] = useState(CHOICE);
  return (
    <>
      {show(choice)}
      <button type="button" onClick={() => setChoice({ ...CHOICE, deviceId: "other" })}>
        Other
      </button>
    </>
  );
}

async function begin() {
  const page = await renderInPage(show());
  await userEvent.click(await screen.findByRole("button", { name: "Test the microphone" }));
  await screen.findByText("Say a few words.");
  return page;
}

test("the microphone is asked for by the button only, and let go of by it", async () => {
  await renderInPage(show());
  const button = await screen.findByRole("button", { name: "Test the microphone" });
  expect(opened).toEqual([]);
  await userEvent.click(button);
  expect(await screen.findByText("It is heard by: Desk microphone")).toBeTruthy();
  expect(onAllowed).toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "End the test" }));
  expect(microphone().close).toHaveBeenCalledOnce();
  expect(screen.getByRole("status").textContent).toBe("");
  // The button that was pressed is still the one to press.
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Test the microphone" }));
});

test("who leaves the page is not listened to any more", async () => {
  const page = await begin();
  page.unmount();
  expect(microphone().close).toHaveBeenCalledOnce();
});

test("a microphone that is given only after one has left is let go of", async () => {
  let give = (_: Capture) => {};
  tester = new MicrophoneTester(
    () =>
      new Promise((resolve) => {
        give = resolve;
      }),
  );
  const page = await renderInPage(show());
  await userEvent.click(await screen.findByRole("button", { name: "Test the microphone" }));
  expect(await screen.findByText("Waiting for the microphone …")).toBeTruthy();
  page.unmount();
  const close = vi.fn(async () => undefined);
  give(fakeCapture(close));
  await waitFor(() => expect(close).toHaveBeenCalledOnce());
  expect(tester.state.get().phase).toBe("off");
});

test("it is said how well one is heard", async () => {
  await begin();
  hear(0.2, 1);
  expect(screen.getByRole("status").textContent).toBe("You are heard well.");
  hear(1, 1);
  expect(screen.getByRole("status").textContent).toMatch(/too loud/);
  hear(0, 4);
  expect(screen.getByRole("status").textContent).toMatch(/^Nothing is heard/);
});

test("a voice that is far too low is told", async () => {
  await begin();
  hear(0.01, 7);
  expect(screen.getByRole("status").textContent).toMatch(/^Hardly anything is heard/);
});

test("a system that gives no sound at all is told as silence is", async () => {
  vi.useFakeTimers();
  try {
    await tester.start(CHOICE);
    vi.advanceTimersByTime(4_000);
    expect(tester.state.get().hearing).toBe("nothing");
    microphone().listener.onLevel(0.2);
    expect(tester.state.get().hearing).toBe("good");
  } finally {
    tester.stop();
    vi.useRealTimers();
  }
});

test("another device that is chosen meanwhile is listened to at once", async () => {
  await renderInPage(<PageWithChoice />);
  const other = await screen.findByRole("button", { name: "Other" });
  await userEvent.click(other);
  expect(opened).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Test the microphone" }));
  await waitFor(() => expect(opened.map(({ choice }) => choice.deviceId)).toEqual(["other"]));
});

test("what an earlier device still tells is not heard", async () => {
  await tester.start(CHOICE);
  const before = microphone();
  await tester.start({ ...CHOICE, deviceId: "other" });
  expect(before.close).toHaveBeenCalledOnce();
  expect(microphone().choice.deviceId).toBe("other");
  before.listener.onLevel(0.9);
  before.listener.onLost(true);
  expect(tester.level.get().peak).toBe(0);
  expect(tester.state.get()).toMatchObject({ phase: "on", failure: undefined });
});

test("why there is no microphone is told, and it can be tried again", async () => {
  tester = new MicrophoneTester(async () => {
    throw new CaptureError("denied");
  });
  await renderInPage(show());
  await userEvent.click(await screen.findByRole("button", { name: "Test the microphone" }));
  expect((await screen.findByRole("alert")).textContent).toMatch(/blocked|allow/i);
  expect(screen.getByRole("button", { name: "Test the microphone" })).toBeTruthy();
});

test("a microphone that is unplugged ends the test", async () => {
  await begin();
  act(() => microphone().listener.onLost(true));
  expect(screen.getByRole("alert")).toBeTruthy();
  expect(microphone().close).toHaveBeenCalledOnce();
});

test("every moment is drawn, silence as well", async () => {
  await tester.start(CHOICE);
  let told = 0;
  tester.level.subscribe(() => {
    told += 1;
  });
  for (const peak of [0.1, 0, 0, 0]) microphone().listener.onLevel(peak);
  expect(told).toBe(4);
  tester.stop();
});
