import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { GetCallerResponseSchema, Scope } from "@/gen/recordroute/gateway/v1/identity_pb";
import {
  ListModelsResponseSchema,
  type ModelSchema,
  ModelState,
  ModelTask,
  PullModelResponseSchema,
  PullPhase,
} from "@/gen/recordroute/gateway/v1/model_pb";
import { renderInPage } from "@/testing";
import Models from "./Models";

const server = vi.hoisted(() => ({
  listModels: vi.fn(),
  pullModel: vi.fn(),
  cancelPull: vi.fn(),
  removeModel: vi.fn(),
  chooseModel: vi.fn(),
}));
const session = vi.hoisted(() => ({ getCaller: vi.fn() }));
vi.mock("./client", () => ({ models: server, chooseModel: server.chooseModel }));
vi.mock("@/app/session", () => session);

type ModelInit = MessageInitShape<typeof ModelSchema>;

const ABSENT: ModelInit = {
  id: "whisper-small",
  task: ModelTask.STT,
  state: ModelState.NOT_INSTALLED,
  downloadBytes: 100n,
};
const THERE: ModelInit = { ...ABSENT, state: ModelState.INSTALLED, sizeBytes: 100n };

function listed(...models: ModelInit[]) {
  return create(ListModelsResponseSchema, { models });
}

function progress(phase: PullPhase, doneBytes: bigint) {
  return create(PullModelResponseSchema, { pull: { phase, doneBytes, totalBytes: 100n } });
}

function callAs(...scopes: Scope[]) {
  session.getCaller.mockResolvedValue(create(GetCallerResponseSchema, { user: "u", scopes }));
}

beforeEach(() => {
  for (const call of Object.values(server)) call.mockReset();
  callAs(Scope.READ, Scope.WRITE, Scope.ADMIN);
});

test("a model is installed under one's eyes", async () => {
  server.listModels.mockResolvedValueOnce(listed(ABSENT)).mockResolvedValue(listed(THERE));
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  server.pullModel.mockImplementation(async function* () {
    yield progress(PullPhase.DOWNLOADING, 40n);
    await finished;
    yield progress(PullPhase.DONE, 100n);
  });
  await renderInPage(<Models />);
  await userEvent.click(await screen.findByRole("button", { name: "Install: whisper-small" }));
  const bar = await screen.findByRole("progressbar", { name: "Installing whisper-small" });
  await waitFor(() => expect(bar.getAttribute("aria-valuenow")).toBe("40"));
  finish();
  expect(await screen.findByRole("button", { name: "Use whisper-small" })).toBeTruthy();
  expect(screen.queryByRole("progressbar")).toBeNull();
});

test("a pull that runs already is joined, and can be cancelled", async () => {
  const pull = { phase: PullPhase.DOWNLOADING, doneBytes: 10n, totalBytes: 100n };
  server.listModels.mockResolvedValue(listed({ ...ABSENT, state: ModelState.PULLING, pull }));
  server.cancelPull.mockResolvedValue({ cancelled: true });
  server.pullModel.mockImplementation(async function* () {
    yield progress(PullPhase.DOWNLOADING, 60n);
    await new Promise(() => {});
  });
  await renderInPage(<Models />);
  const bar = await screen.findByRole("progressbar");
  await waitFor(() => expect(bar.getAttribute("aria-valuenow")).toBe("60"));
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(server.cancelPull.mock.calls[0]?.[0]).toMatchObject({ modelId: "whisper-small" });
});

test("why a pull has failed stands at its model", async () => {
  server.listModels.mockResolvedValue(listed(ABSENT));
  server.pullModel.mockImplementation(async function* () {
    yield progress(PullPhase.DOWNLOADING, 5n);
    throw new ConnectError("the disk is full", Code.ResourceExhausted);
  });
  await renderInPage(<Models />);
  await userEvent.click(await screen.findByRole("button", { name: "Install: whisper-small" }));
  expect((await screen.findByRole("alert")).textContent).toBe("the disk is full");
  expect(screen.getByRole("button", { name: "Install: whisper-small" })).toBeTruthy();
});

test("whoever may not run the system sees the models, and why nothing can be done", async () => {
  callAs(Scope.READ, Scope.WRITE);
  server.listModels.mockResolvedValue(listed({ ...THERE, isCurrent: true }, { ...ABSENT, id: "other" }));
  await renderInPage(<Models />);
  expect(await screen.findByText("In use")).toBeTruthy();
  expect(screen.getByText(/needs access for running the system/)).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});

test("where models are managed elsewhere nothing can be pulled, and it says so", async () => {
  const answer = listed({ ...ABSENT, pullRefusal: "MODELS_MANAGED_ELSEWHERE" });
  server.listModels.mockResolvedValue({ ...answer, manageRefusal: "MODELS_MANAGED_ELSEWHERE" });
  await renderInPage(<Models />);
  expect(await screen.findByText("Models are managed by whoever runs the services.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /Install/ })).toBeNull();
});
