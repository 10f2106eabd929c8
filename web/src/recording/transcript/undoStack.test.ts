import { expect, test } from "vitest";
import { changedTo, moved, redoTarget, startUndo, undoTarget } from "./undoStack";

test("back and forth", () => {
  let stack = startUndo(4);
  expect(undoTarget(stack)).toBeNull();
  expect(redoTarget(stack)).toBeNull();
  stack = changedTo(changedTo(stack, 5), 6);
  expect(undoTarget(stack)).toBe(5);
  stack = moved(stack, -1);
  expect(undoTarget(stack)).toBe(4);
  expect(redoTarget(stack)).toBe(6);
  stack = moved(stack, 1);
  expect(redoTarget(stack)).toBeNull();
});

test("a change after undo ends what could be done again", () => {
  const stack = changedTo(moved(changedTo(changedTo(startUndo(1), 2), 3), -1), 5);
  expect(stack.revisions).toEqual([1, 2, 5]);
  expect(undoTarget(stack)).toBe(2);
  expect(redoTarget(stack)).toBeNull();
});
