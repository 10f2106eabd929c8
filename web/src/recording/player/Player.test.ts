import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Player } from "./Player";

let media: HTMLAudioElement;
let isPaused: boolean;

beforeEach(() => {
  localStorage.clear();
  media = document.createElement("audio");
  isPaused = true;
  let time = 0;
  Object.defineProperties(media, {
    paused: { get: () => isPaused },
    readyState: { value: HTMLMediaElement.HAVE_ENOUGH_DATA, writable: true },
    currentTime: {
      get: () => time,
      set: (seconds: number) => {
        time = seconds;
      },
    },
    seeking: { value: false },
  });
  media.play = vi.fn(async () => {
    isPaused = false;
    media.dispatchEvent(new Event("play"));
  });
  media.pause = vi.fn(() => {
    isPaused = true;
    media.dispatchEvent(new Event("pause"));
  });
});

afterEach(() => vi.restoreAllMocks());

test("jumps stay inside of the recording and are told", () => {
  const player = new Player(60);
  player.attach(media);
  const heard: number[] = [];
  player.onTime((seconds) => heard.push(seconds));
  player.seek(20);
  player.by(-30);
  player.by(500);
  expect(heard).toEqual([0, 20, 0, 60]);
});

test("a place that is asked for before the sound is there is not lost", () => {
  const player = new Player(60);
  player.seek(42);
  expect(player.time).toBe(42);
  player.attach(media);
  expect(media.currentTime).toBe(42);
  media.dispatchEvent(new Event("loadedmetadata"));
  media.currentTime = 43;
  expect(player.time).toBe(43);
});

test("speed, volume and skipping are remembered", () => {
  const player = new Player(60);
  player.attach(media);
  player.setRate(9);
  player.setVolume(0.5);
  player.toggleSkipsSilence();
  expect(media.playbackRate).toBe(3);
  expect(new Player(10).getState()).toMatchObject({ rate: 3, volume: 0.5, skipsSilence: true });
});

test("preferences that nobody can read are as if there were none", () => {
  localStorage.setItem("recordroute.player", "{nonsense");
  expect(new Player(10).getState().rate).toBe(1);
});

test("silence is jumped over while it plays, and only then", () => {
  const player = new Player(60);
  player.attach(media);
  player.setGaps([{ start: 10, end: 20 }]);
  player.toggleSkipsSilence();
  media.currentTime = 12;
  media.dispatchEvent(new Event("timeupdate"));
  expect(media.currentTime).toBe(12);
  player.play();
  media.dispatchEvent(new Event("timeupdate"));
  expect(media.currentTime).toBe(20);
});

test("what can't be played is told, and what did not come is asked for again", () => {
  media.canPlayType = (type) => (type === "audio/flac" ? "probably" : "");
  media.load = vi.fn();
  const odd = new Player(60, "audio/x-odd");
  odd.attach(media);
  media.dispatchEvent(new Event("error"));
  expect(odd.getState().failure).toBe("unplayable");
  const flac = new Player(60, "audio/flac");
  flac.attach(media);
  flac.seek(12);
  media.dispatchEvent(new Event("error"));
  expect(flac.getState().failure).toBe("away");
  flac.reload();
  expect(media.load).toHaveBeenCalledOnce();
  expect(flac.getState().failure).toBeNull();
  expect(flac.time).toBe(12);
});
