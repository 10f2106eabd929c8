import { act, renderHook, screen } from "@testing-library/react";
import i18next from "i18next";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startI18n } from "@/i18n";
import { ToastProvider } from "@/ui/Toast";
import { TooltipProvider } from "@/ui/Tooltip";
import type { Segment } from "./model";
import { TranscriptChanged } from "./TranscriptStore";
import { speech, transcriptOf } from "./testing";
import { useSegmentEditing } from "./useSegmentEditing";

let segments: Segment[];
const edit = vi.fn();
const store = {
  edit,
  undo: vi.fn(),
  get transcript() {
    return transcriptOf(segments);
  },
};

beforeAll(async () => {
  await startI18n();
  await i18next.loadNamespaces("recording");
});

beforeEach(() => {
  segments = [speech("S1", 0, "one two"), speech("S2", 5, "three")];
  edit.mockReset().mockResolvedValue({ replacedCount: 0 });
});

function begin(index: number, draft?: string) {
  const hook = renderHook(({ known }) => useSegmentEditing(store, known), {
    initialProps: { known: segments },
    wrapper: ({ children }) => (
      <TooltipProvider>
        <ToastProvider>{children}</ToastProvider>
      </TooltipProvider>
    ),
  });
  act(() => hook.result.current.begin(index));
  if (draft !== undefined) act(() => hook.result.current.type(draft, draft.length));
  return hook;
}

test("what was typed is saved as the smallest change", async () => {
  const { result } = begin(0, "one too");
  await act(async () => result.current.save());
  expect(edit.mock.calls).toEqual([[[{ kind: "replaceText", segment: 0, start: 5, end: 6, text: "o" }]]]);
  expect(result.current.editing).toBeNull();
});

test("nothing is sent where nothing was changed", async () => {
  const { result } = begin(0);
  await act(async () => result.current.save());
  expect(edit).not.toHaveBeenCalled();
});

test("the text that another segment's editing was left with is saved", async () => {
  const { result } = begin(0, "one");
  await act(async () => result.current.begin(1));
  expect(edit).toHaveBeenCalledOnce();
  expect(result.current.editing?.index).toBe(1);
});

test("leaving the page saves", async () => {
  const { unmount } = begin(0, "one");
  await act(async () => unmount());
  expect(edit).toHaveBeenCalledOnce();
});

test("where the server refuses, what was typed is there again", async () => {
  edit.mockRejectedValue(new Error("away"));
  const { result } = begin(0, "one three");
  await act(async () => result.current.save());
  expect(result.current.editing).toMatchObject({ index: 0, draft: "one three" });
  expect(result.current.editing?.problem?.theirs).toBeNull();
});

test("somebody else has changed another place: it is saved on top of that without a question", async () => {
  edit.mockImplementationOnce(async () => {
    segments = [speech("S3", 0, "new"), ...segments];
    throw new TranscriptChanged(new Error("outdated"));
  });
  const { result } = begin(1, "tree");
  await act(async () => result.current.save());
  expect(edit.mock.calls.at(-1)).toEqual([[{ kind: "replaceText", segment: 2, start: 1, end: 2, text: "" }]]);
  expect(result.current.editing).toBeNull();
});

test("somebody else has changed the same place: both texts are shown, and the next save is based on theirs", async () => {
  const { result, rerender } = begin(1, "tree");
  segments = [speech("S1", 0, "one two"), speech("S2", 5, "four")];
  rerender({ known: segments });
  expect(result.current.editing).toMatchObject({ draft: "tree", problem: { theirs: "four" } });
  await act(async () => result.current.save());
  expect(edit.mock.calls).toEqual([[[{ kind: "replaceText", segment: 1, start: 0, end: 4, text: "tree" }]]]);
});

test("a change of the same place that has not been rendered yet is noticed by the save", async () => {
  const { result } = begin(1, "tree");
  segments = [speech("S1", 0, "one two"), speech("S2", 5, "four")];
  await act(async () => result.current.save());
  expect(edit).not.toHaveBeenCalled();
  expect(result.current.editing?.problem?.theirs).toBe("four");
});

test("split goes with what was typed; without a place to split it says so", async () => {
  const { result } = begin(0, "one 2 two");
  await act(async () => result.current.split(0));
  expect(edit).not.toHaveBeenCalled();
  expect(result.current.editing?.problem?.text).toMatch(/between two words/);
  await act(async () => result.current.split(5));
  expect(edit.mock.calls).toEqual([
    [
      [
        { kind: "replaceText", segment: 0, start: 4, end: 4, text: "2 " },
        { kind: "split", segment: 0, position: 5 },
      ],
    ],
  ]);
});

test("a segment without text is removed, which can be undone", async () => {
  const { result } = begin(0, " ");
  await act(async () => result.current.save());
  expect(edit.mock.calls).toEqual([[[{ kind: "replaceText", segment: 0, start: 0, end: 7, text: "" }]]]);
  expect(screen.getAllByText("The line was removed")).not.toHaveLength(0);
});
