import { create } from "@bufbuild/protobuf";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useMemo, useState } from "react";
import { expect, test, vi } from "vitest";
import { Access, type Recording, RecordingSchema } from "@/gen/recordroute/gateway/v1/library_pb";
import { renderInPage } from "@/testing";
import { NO_FILTER } from "./filter";
import { RecordingList } from "./RecordingList";
import { NOTHING, toggle } from "./selection";
import type { Actions } from "./useActions";

const COUNT = 40;

/** Recordings that count how often their rows are drawn. */
function counted(): { recordings: Recording[]; drawn: number[] } {
  const drawn = Array<number>(COUNT).fill(0);
  const recordings = drawn.map((_, index) => {
    const recording = create(RecordingSchema, { id: `id${index}`, access: Access.OWNER });
    return Object.defineProperty(recording, "title", {
      get: () => {
        drawn[index] = (drawn[index] ?? 0) + 1;
        return `Recording ${index}`;
      },
    });
  });
  return { recordings, drawn };
}

function fakeActions() {
  const rename = vi.fn(async () => undefined);
  return { rename, actions: { rename } as unknown as Actions };
}

type ListProps = { recordings: Recording[]; isNew: boolean; actions?: Actions };

function List({ recordings, isNew, actions = fakeActions().actions }: ListProps) {
  const [selection, setSelection] = useState(NOTHING);
  const ids = useMemo(() => recordings.map(({ id }) => id), [recordings]);
  return (
    <RecordingList
      recordings={recordings}
      filter={NO_FILTER}
      selection={selection.ids}
      actions={actions}
      isNew={isNew}
      isStale={false}
      isLong={false}
      hasMore={false}
      isLoadingMore={false}
      error={null}
      onMore={() => undefined}
      onToggle={(id, isRange) => setSelection(toggle(selection, id, isRange, ids))}
      onAsk={() => undefined}
      onTag={() => undefined}
      onFolder={() => undefined}
    />
  );
}

test.each([true, false])("every recording gets its row; the list is new: %s", async (isNew) => {
  const { recordings } = counted();
  await renderInPage(<List recordings={recordings} isNew={isNew} />);
  await waitFor(() => expect(screen.getAllByRole("checkbox")).toHaveLength(COUNT));
  const rows = screen.getAllByRole("listitem").filter((item) => item.dataset.id !== undefined);
  expect(rows.map((row) => row.dataset.id)).toEqual(recordings.map(({ id }) => id));
  expect(rows.every((row) => row.getAttribute("aria-setsize") === `${COUNT}`)).toBe(true);
});

test("a row that is chosen is drawn again, and no other; a range begins at the last one", async () => {
  const { recordings, drawn } = counted();
  const actions = fakeActions().actions;
  const user = userEvent.setup();
  await renderInPage(<List recordings={recordings} isNew={false} actions={actions} />);
  await user.click(await screen.findByRole("checkbox", { name: "Select Recording 3" }));
  drawn.fill(0);
  await user.click(screen.getByRole("checkbox", { name: "Select Recording 5" }));
  expect(drawn.flatMap((count, index) => (count > 0 ? [index] : []))).toEqual([5]);

  await user.keyboard("{Shift>}");
  await user.click(screen.getByRole("checkbox", { name: "Select Recording 8" }));
  await user.keyboard("{/Shift}");
  const chosen = screen.getAllByRole<HTMLInputElement>("checkbox").map(({ checked }) => checked);
  expect(chosen.flatMap((checked, index) => (checked ? [index] : []))).toEqual([3, 5, 6, 7, 8]);
});

test("the field of a title keeps the focus that its menu had", async () => {
  const { recordings } = counted();
  const { rename, actions } = fakeActions();
  await renderInPage(<List recordings={recordings.slice(0, 2)} isNew={false} actions={actions} />);
  await userEvent.click(await screen.findByRole("button", { name: "Actions for Recording 1" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Rename" }));
  const field = await screen.findByRole("textbox", { name: "Title" });
  // The menu gives the focus back a moment after it is gone.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  expect(document.activeElement).toBe(field);
  await userEvent.keyboard("A new name{Enter}");
  expect(rename).toHaveBeenCalledWith(recordings[1], "A new name");
});
