import { expect, test } from "vitest";
import { type Hearing, HearingTest } from "./hearing";

/** What is judged after the last level of stretches of `[level, seconds]`. */
function heard(...stretches: [number, number][]): Hearing {
  const hearing = new HearingTest();
  let last: Hearing = "listening";
  for (const [level, seconds] of stretches) {
    for (let n = 0; n < 20 * seconds; n += 1) last = hearing.add(level);
  }
  return last;
}

const ROOM = 0.002;
const SPEECH = 0.2;

test.each<[Hearing, string, [number, number][]]>([
  ["listening", "somebody looks for words", [[ROOM, 4]]],
  [
    "good",
    "somebody speaks",
    [
      [ROOM, 1],
      [SPEECH, 0.1],
    ],
  ],
  [
    "good",
    "somebody has spoken",
    [
      [SPEECH, 1],
      [ROOM, 60],
    ],
  ],
  ["nothing", "it is muted", [[0, 3]]],
  [
    "nothing",
    "it is muted while somebody speaks",
    [
      [SPEECH, 2],
      [0, 3],
    ],
  ],
  ["listening", "it has only just begun", [[0, 2]]],
  ["quiet", "the room is all that is heard", [[ROOM, 6]]],
  ["quiet", "speech is hardly above the room", [[0.012, 10]]],
  [
    "good",
    "it was turned up",
    [
      [ROOM, 10],
      [SPEECH, 0.1],
    ],
  ],
  [
    "loud",
    "it is turned up too far",
    [
      [SPEECH, 1],
      [1, 0.5],
    ],
  ],
  [
    "good",
    "something was knocked over",
    [
      [SPEECH, 1],
      [1, 0.1],
      [SPEECH, 1],
    ],
  ],
  [
    "good",
    "it was turned down",
    [
      [1, 2],
      [SPEECH, 3],
    ],
  ],
])("%s where %s", (expected, _, stretches) => {
  expect(heard(...stretches)).toBe(expected);
});
