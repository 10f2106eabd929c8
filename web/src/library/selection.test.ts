import { expect, test } from "vitest";
import { keepListed, NOTHING, toggle } from "./selection";

const LISTED = ["a", "b", "c", "d", "e"];

test("one after the other", () => {
  const both = toggle(toggle(NOTHING, "b", false, LISTED), "d", false, LISTED);
  expect([...both.ids]).toEqual(["b", "d"]);
  expect([...toggle(both, "b", false, LISTED).ids]).toEqual(["d"]);
});

test("a range goes from the last one that was chosen, in both directions", () => {
  const down = toggle(toggle(NOTHING, "b", false, LISTED), "d", true, LISTED);
  expect([...down.ids].sort()).toEqual(["b", "c", "d"]);
  const up = toggle(down, "a", true, LISTED);
  expect([...up.ids].sort()).toEqual(["a", "b", "c", "d"]);
});

test("a range takes away where its begin was taken away", () => {
  let selection = { ids: new Set(LISTED), anchor: null as string | null };
  selection = { ...toggle(selection, "b", false, LISTED), ids: new Set(["a", "c", "d", "e"]) };
  expect([...toggle(selection, "d", true, LISTED).ids].sort()).toEqual(["a", "e"]);
});

test("a range without a begin chooses one", () => {
  expect([...toggle(NOTHING, "c", true, LISTED).ids]).toEqual(["c"]);
  const gone = { ids: new Set(["x"]), anchor: "x" };
  expect(toggle(gone, "c", true, LISTED).ids.has("c")).toBe(true);
});

test("what is no longer listed is no longer chosen", () => {
  const selection = { ids: new Set(["a", "x"]), anchor: "a" };
  expect([...keepListed(selection, LISTED).ids]).toEqual(["a"]);
  const same = { ids: new Set(["a"]), anchor: "a" };
  expect(keepListed(same, LISTED)).toBe(same);
});
