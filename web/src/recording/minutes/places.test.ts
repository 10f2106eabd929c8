import { expect, test } from "vitest";
import { withNames } from "./places";

const nameOf = (label: string) => ({ S1: "Anna", S2: "Speaker 2" })[label] ?? label;

test.each([
  ["S1: I will order them.", "Anna: I will order them."],
  ["S2: Yes. S1: No.", "Speaker 2: Yes. Anna: No."],
  ["At 10:30 S1 comes.", "At 10:30 S1 comes."],
  ["S3: Nobody knows.", "S3: Nobody knows."],
  ["S12: Nobody knows.", "S12: Nobody knows."],
])("%j", (text, expected) => {
  expect(withNames(text, ["S1", "S2"], nameOf)).toBe(expected);
});
