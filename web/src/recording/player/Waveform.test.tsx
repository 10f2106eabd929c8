import { Code, ConnectError } from "@connectrpc/connect";
import { act, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { ErrorInfoSchema } from "@/gen/google/rpc/error_details_pb";
import { renderInPage } from "@/testing";
import { Player } from "./Player";
import { Waveform } from "./Waveform";

const server = vi.hoisted(() => ({ getWaveform: vi.fn() }));
vi.mock("@/api/clients", () => ({ library: server }));

const WIDTH = 300;
let player: Player;

beforeEach(() => {
  server.getWaveform.mockReset();
  player = new Player(60);
  vi.stubGlobal(
    "ResizeObserver",
    class {
      readonly #listener: ResizeObserverCallback;
      constructor(listener: ResizeObserverCallback) {
        this.#listener = listener;
      }
      observe() {
        const entry = { contentRect: { width: WIDTH } } as ResizeObserverEntry;
        this.#listener([entry], this as unknown as ResizeObserver);
      }
      disconnect() {}
    },
  );
});

async function show(): Promise<HTMLElement> {
  await renderInPage(<Waveform recordingId="r" player={player} segments={[]} speakers={[]} bookmarks={[]} />);
  return screen.findByRole("slider", { name: "Position" });
}

function look(slider: HTMLElement): string | null | undefined {
  return slider.querySelector("[data-look]")?.getAttribute("data-look");
}

/** How much of the picture is drawn as played, in per cent. */
function playedOf(slider: HTMLElement): number | undefined {
  const drawn = [...slider.querySelectorAll<HTMLElement>("[style]")].find((one) => one.style.clipPath);
  const left = drawn?.style.clipPath.match(/inset\(0(?:px)? ([\d.]+)%/)?.[1];
  return left === undefined ? undefined : 100 - Number(left);
}

test("while it is not known how loud it is nothing looks like silence; then there are bars", async () => {
  let answer = (_: { peaks: Uint8Array }) => {};
  server.getWaveform.mockReturnValue(
    new Promise((resolve) => {
      answer = resolve;
    }),
  );
  const slider = await show();
  expect(look(slider)).toBe("loading");
  expect(slider.querySelector("path")).toBeNull();
  act(() => player.seek(15));
  expect(slider.getAttribute("aria-valuetext")).toBe("0:15");
  answer({ peaks: Uint8Array.of(10, 200) });
  await waitFor(() => expect(look(slider)).toBe("bars"));
  expect(slider.querySelector("path")?.getAttribute("d")).toMatch(/^M0 /);
  // What was played before the picture came is drawn as played.
  expect(playedOf(slider)).toBe(25);
});

test.each([
  ["has no sound", "NO_AUDIO"],
  ["can't be drawn", "MEDIA_UNREADABLE"],
])("a recording that %s has a plain line, which moves all the same", async (_, reason) => {
  server.getWaveform.mockRejectedValue(
    new ConnectError("no", Code.FailedPrecondition, undefined, [
      { desc: ErrorInfoSchema, value: { reason } },
    ]),
  );
  const slider = await show();
  await waitFor(() => expect(look(slider)).toBe("line"));
  expect(slider.querySelector("path")).toBeNull();
  act(() => player.seek(30));
  expect(playedOf(slider)).toBe(50);
});
