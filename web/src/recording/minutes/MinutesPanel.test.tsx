import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { MinutesSectionKind } from "@/gen/recordroute/common/v1/minutes_pb";
import {
  Access,
  ArtifactKind,
  ArtifactState,
  EditMinutesResponseSchema,
  GetMinutesResponseSchema,
  RecordingKind,
  RecordingSchema,
} from "@/gen/recordroute/gateway/v1/library_pb";
import {
  GetWorkflowResponseSchema,
  WorkflowStage,
  WorkflowState,
} from "@/gen/recordroute/gateway/v1/workflow_pb";
import { renderInPage } from "@/testing";
import { MinutesPanel } from "./MinutesPanel";

const server = vi.hoisted(() => ({ getMinutes: vi.fn(), getWorkflow: vi.fn(), editMinutes: vi.fn() }));
vi.mock("@/api/clients", () => ({
  library: { getMinutes: server.getMinutes, editMinutes: server.editMinutes },
  workflows: { getWorkflow: server.getWorkflow },
}));

const TRANSCRIPT = { kind: ArtifactKind.TRANSCRIPT, state: ArtifactState.READY };
const MINUTES = { kind: ArtifactKind.MINUTES, state: ArtifactState.READY };

function recording(fields: MessageInitShape<typeof RecordingSchema> = {}) {
  return create(RecordingSchema, {
    id: "r",
    title: "Kick-off",
    kind: RecordingKind.MEDIA,
    access: Access.OWNER,
    artifacts: [TRANSCRIPT, MINUTES],
    speakers: [{ label: "S1", name: "Anna" }],
    ...fields,
  });
}

const answer = create(GetMinutesResponseSchema, {
  stale: true,
  etag: "e1",
  minutes: {
    template: "meeting",
    sections: [
      {
        kind: MinutesSectionKind.ACTION_ITEMS,
        title: "Action items",
        items: [
          {
            text: "S1: I will order the sensors.",
            evidence: [
              { segmentIndex: 3, start: { seconds: 65n }, speaker: "S1", quote: "I'll order them." },
            ],
            fields: [{ name: "due", value: "Friday" }],
          },
        ],
      },
    ],
    unsupported: ["The moon is made of cheese."],
  },
});

beforeEach(() => {
  localStorage.clear();
  server.getMinutes.mockResolvedValue(answer);
});

test("a line leads to the second that it rests on", async () => {
  const onSeek = vi.fn();
  await renderInPage(<MinutesPanel recording={recording()} onSeek={onSeek} />);
  await userEvent.click(await screen.findByRole("button", { name: "Play from 1:05, Anna" }));
  expect(onSeek).toHaveBeenCalledWith(65, 3);
  expect(screen.getByText("Friday")).toBeTruthy();
});

test("what is ticked is told to the server, on the minutes that are shown", async () => {
  const ticked = structuredClone(answer.minutes);
  if (ticked?.sections[0]?.items[0]) ticked.sections[0].items[0].done = true;
  server.editMinutes.mockResolvedValue(
    create(EditMinutesResponseSchema, { minutes: ticked, etag: "e2" } as never),
  );
  await renderInPage(<MinutesPanel recording={recording()} onSeek={vi.fn()} />);
  await userEvent.click(await screen.findByRole("checkbox", { name: "Anna: I will order the sensors." }));
  expect(await screen.findByText("1 of 1 done")).toBeTruthy();
  expect(server.editMinutes.mock.calls[0]?.[0]).toMatchObject({
    recordingId: "r",
    etag: "e1",
    edits: [{ edit: { case: "tickLine", value: { line: { sectionIndex: 0, itemIndex: 0 }, done: true } } }],
  });
});

test("a line is written anew in its place; what could not be kept stays to be sent again", async () => {
  server.editMinutes.mockRejectedValueOnce(new ConnectError("no", Code.Unavailable));
  await renderInPage(<MinutesPanel recording={recording()} onSeek={vi.fn()} />);
  await userEvent.click(await screen.findByRole("button", { name: "Edit: Line of Action items" }));
  const field = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Line of Action items" });
  await userEvent.clear(field);
  await userEvent.type(field, "I order them.{Enter}");
  expect(await screen.findByText(/can't be reached/)).toBeTruthy();
  expect(field.value).toBe("I order them.");
  await userEvent.keyboard("{Escape}");
  expect(screen.getByText("Anna: I will order the sensors.")).toBeTruthy();
});

test("what nothing supports is no part of the minutes", async () => {
  await renderInPage(<MinutesPanel recording={recording()} onSeek={vi.fn()} />);
  const claim = await screen.findByText("The moon is made of cheese.");
  const closed = claim.closest("details");
  expect(closed?.open).toBe(false);
  expect(within(closed ?? document.body).getByText(/Do not take it for fact/)).toBeTruthy();
});

test("minutes that are older than the transcript say so", async () => {
  await renderInPage(<MinutesPanel recording={recording()} onSeek={vi.fn()} />);
  expect(await screen.findByText(/transcript was changed after/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "Make anew" })).toBeTruthy();
});

test("where there are none, they can be made; who may only read is told who can", async () => {
  const absent = recording({ artifacts: [TRANSCRIPT] });
  const shown = await renderInPage(<MinutesPanel recording={absent} onSeek={vi.fn()} />);
  expect(await screen.findByRole("button", { name: "Make minutes" })).toBeTruthy();
  shown.unmount();
  await renderInPage(<MinutesPanel recording={{ ...absent, access: Access.READ }} onSeek={vi.fn()} />);
  expect(await screen.findByText(/Whoever may change this recording/)).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});

test("why they could not be made", async () => {
  const error = { reason: "BUDGET_EXHAUSTED", message: "no more" };
  const failed = recording({
    artifacts: [TRANSCRIPT, { kind: ArtifactKind.MINUTES, state: ArtifactState.FAILED, error }],
  });
  await renderInPage(<MinutesPanel recording={failed} onSeek={vi.fn()} />);
  expect(await screen.findByText("The budget for the language model is used up.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Make anew" })).toBeTruthy();
});

test("new minutes on their way: the old ones stay, and can't be made twice", async () => {
  server.getWorkflow.mockResolvedValue(
    create(GetWorkflowResponseSchema, {
      workflow: {
        id: "w",
        state: WorkflowState.RUNNING,
        stages: [{ stage: WorkflowStage.SUMMARISE, state: WorkflowState.RUNNING, percent: 40 }],
      },
    }),
  );
  await renderInPage(<MinutesPanel recording={recording({ latestWorkflowId: "w" })} onSeek={vi.fn()} />);
  const bar = await screen.findByRole("progressbar", { name: "The minutes are being made" });
  expect(bar.getAttribute("aria-valuenow")).toBe("40");
  expect(await screen.findByText("Anna: I will order the sensors.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Make anew" })).toBeNull();
});
