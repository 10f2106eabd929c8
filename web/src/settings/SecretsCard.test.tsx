import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import {
  CreateApiKeyResponseSchema,
  GetCallerResponseSchema,
  ListApiKeysResponseSchema,
  Scope,
} from "@/gen/recordroute/gateway/v1/identity_pb";
import {
  CreateWebhookResponseSchema,
  ListWebhooksResponseSchema,
  WebhookEvent,
} from "@/gen/recordroute/gateway/v1/webhook_pb";
import { renderInPage } from "@/testing";
import ApiKeys from "./keys/ApiKeys";
import Webhooks from "./webhooks/Webhooks";

const identity = vi.hoisted(() => ({ listApiKeys: vi.fn(), createApiKey: vi.fn(), revokeApiKey: vi.fn() }));
const hooks = vi.hoisted(() => ({ listWebhooks: vi.fn(), createWebhook: vi.fn(), deleteWebhook: vi.fn() }));
const session = vi.hoisted(() => ({ getCaller: vi.fn() }));
vi.mock("@/api/clients", () => ({ identity }));
vi.mock("./webhooks/client", () => ({ webhooks: hooks }));
vi.mock("@/app/session", () => session);

const KEY = { id: "k1", name: "backup", scopes: [Scope.READ], user: "ann" };

function callAs(...scopes: Scope[]) {
  session.getCaller.mockResolvedValue(create(GetCallerResponseSchema, { user: "ann", scopes }));
}

beforeEach(() => {
  for (const call of [...Object.values(identity), ...Object.values(hooks)]) call.mockReset();
  callAs(Scope.READ, Scope.WRITE);
  identity.listApiKeys.mockResolvedValue(create(ListApiKeysResponseSchema, { apiKeys: [KEY] }));
  hooks.listWebhooks.mockResolvedValue(create(ListWebhooksResponseSchema, {}));
});

test("a key is made with the scopes that are ticked, and its secret is shown once", async () => {
  identity.createApiKey.mockResolvedValue(create(CreateApiKeyResponseSchema, { secret: "rr_secret" }));
  await renderInPage(<ApiKeys />);
  await userEvent.click(await screen.findByRole("button", { name: "New key" }));
  const dialog = await screen.findByRole("dialog", { name: "New key" });
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Name" }), " ci ");
  // What its maker may not do, the key may not either.
  expect(within(dialog).getByRole<HTMLInputElement>("checkbox", { name: /^Run the system/ }).disabled).toBe(
    true,
  );
  await userEvent.click(within(dialog).getByRole("checkbox", { name: "Read" }));
  expect(within(dialog).getByText("Choose at least one.")).toBeTruthy();
  const submit = within(dialog).getByRole<HTMLButtonElement>("button", { name: "Make the key" });
  expect(submit.disabled).toBe(true);
  await userEvent.click(within(dialog).getByRole("checkbox", { name: "Write" }));
  await userEvent.click(submit);
  expect(await screen.findByText("rr_secret")).toBeTruthy();
  expect(identity.createApiKey.mock.calls[0]?.[0]).toMatchObject({ name: "ci", scopes: [Scope.WRITE] });
});

test("why a key could not be made stands in the dialog, which stays", async () => {
  identity.createApiKey.mockRejectedValue(new ConnectError("no more", Code.ResourceExhausted));
  await renderInPage(<ApiKeys />);
  await userEvent.click(await screen.findByRole("button", { name: "New key" }));
  const dialog = await screen.findByRole("dialog", { name: "New key" });
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Name" }), "ci");
  await userEvent.click(within(dialog).getByRole("button", { name: "Make the key" }));
  expect((await within(dialog).findByRole("alert")).textContent).toBe("no more");
});

test("a key is revoked only after a question", async () => {
  identity.revokeApiKey.mockResolvedValue({});
  await renderInPage(<ApiKeys />);
  await userEvent.click(await screen.findByRole("button", { name: "Revoke “backup”" }));
  expect(identity.revokeApiKey).not.toHaveBeenCalled();
  const dialog = await screen.findByRole("dialog", { name: "Revoke “backup”" });
  await userEvent.click(within(dialog).getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(identity.revokeApiKey.mock.calls[0]?.[0]).toMatchObject({ apiKeyId: "k1" });
  expect(screen.getByText("“backup” is revoked.")).toBeTruthy();
});

test("whoever may only read sees the keys, and why nothing can be changed", async () => {
  callAs(Scope.READ);
  await renderInPage(<ApiKeys />);
  expect(await screen.findByText("backup")).toBeTruthy();
  expect(screen.getByText(/for reading only/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: /New key|Revoke/ })).toBeNull();
});

test("a webhook is added for the events that are ticked", async () => {
  hooks.createWebhook.mockResolvedValue(create(CreateWebhookResponseSchema, { secret: "whsec" }));
  await renderInPage(<Webhooks />);
  expect(await screen.findByText("There are no webhooks")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "New webhook" }));
  const dialog = await screen.findByRole("dialog", { name: "New webhook" });
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Address" }), "https://example.org/hook");
  await userEvent.click(within(dialog).getByRole("checkbox", { name: "work that is done" }));
  await userEvent.click(within(dialog).getByRole("button", { name: "Add" }));
  expect(await screen.findByText("whsec")).toBeTruthy();
  expect(hooks.createWebhook.mock.calls[0]?.[0]).toMatchObject({
    url: "https://example.org/hook",
    events: [WebhookEvent.WORKFLOW_FAILED],
  });
});
