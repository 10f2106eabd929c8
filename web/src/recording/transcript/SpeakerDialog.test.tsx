import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { ListVoicesResponseSchema } from "@/gen/recordroute/gateway/v1/voice_pb";
import { renderInPage } from "@/testing";
import { SpeakerDialog } from "./SpeakerDialog";

const server = vi.hoisted(() => ({ listVoices: vi.fn(), rememberVoice: vi.fn() }));
vi.mock("@/api/voices", () => ({ voices: server }));

const onRename = vi.fn();
const onClose = vi.fn();

function open() {
  return renderInPage(
    <SpeakerDialog
      recordingId="r"
      label="S1"
      shown="Speaker 1"
      name=""
      onRename={onRename}
      onClose={onClose}
    />,
  );
}

const field = () => screen.findByRole("textbox", { name: "Name" });
const box = () => screen.queryByRole("checkbox", { name: /^Recognise this voice/ });
const save = () => userEvent.click(screen.getByRole("button", { name: "Rename everywhere" }));

beforeEach(() => {
  for (const call of [...Object.values(server), onRename, onClose]) call.mockReset();
  onRename.mockResolvedValue(undefined);
  server.listVoices.mockResolvedValue(create(ListVoicesResponseSchema, { voices: [{ name: "Mina" }] }));
});

test("a name alone remembers no voice", async () => {
  await open();
  await userEvent.type(await field(), " Anna ");
  await waitFor(() => expect(box()).not.toBeNull());
  await save();
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  expect(onRename).toHaveBeenCalledExactlyOnceWith("Anna");
  expect(server.rememberVoice).not.toHaveBeenCalled();
});

test("a voice is remembered where the box is ticked", async () => {
  await open();
  await userEvent.type(await field(), "Anna");
  await waitFor(() => expect(box()).not.toBeNull());
  await userEvent.click(box() as HTMLElement);
  await save();
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  const [request] = server.rememberVoice.mock.calls[0] ?? [];
  expect(request).toMatchObject({ recordingId: "r", speaker: "S1", name: "Anna", consent: true });
});

test("why a voice can't be remembered stands at the name, and the dialog stays", async () => {
  server.rememberVoice.mockRejectedValue(new ConnectError("not kept", Code.FailedPrecondition));
  await open();
  await userEvent.type(await field(), "Anna");
  await waitFor(() => expect(box()).not.toBeNull());
  await userEvent.click(box() as HTMLElement);
  await save();
  expect((await screen.findByRole("alert")).textContent).toBe("not kept");
  expect(onClose).not.toHaveBeenCalled();
});

test.each([
  ["a name that is remembered already", "Mina", undefined],
  ["a server that does not allow it", "Anna", new ConnectError("off", Code.FailedPrecondition)],
])("it is not offered for %s", async (_, name, refusal) => {
  if (refusal !== undefined) server.listVoices.mockRejectedValue(refusal);
  await open();
  await userEvent.type(await field(), name);
  await waitFor(() => expect(server.listVoices).toHaveBeenCalled());
  expect(box()).toBeNull();
});
