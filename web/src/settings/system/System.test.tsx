import { create } from "@bufbuild/protobuf";
import { screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import {
  GetCallerResponseSchema,
  ListAuditEventsResponseSchema,
  Scope,
} from "@/gen/recordroute/gateway/v1/identity_pb";
import { GetSystemStatusResponseSchema } from "@/gen/recordroute/gateway/v1/system_pb";
import { renderInPage, textsOf } from "@/testing";
import { troubleText } from "../troubles";
import System from "./System";

const server = vi.hoisted(() => ({ getSystemStatus: vi.fn(), listAuditEvents: vi.fn() }));
const session = vi.hoisted(() => ({ getCaller: vi.fn() }));
vi.mock("@/api/clients", () => ({ system: server, identity: server }));
vi.mock("@/app/session", () => session);

beforeEach(() => {
  session.getCaller.mockResolvedValue(create(GetCallerResponseSchema, { user: "u", scopes: [Scope.READ] }));
  server.listAuditEvents.mockResolvedValue(create(ListAuditEventsResponseSchema, {}));
});

test("each service tells how it is, in the page's own words where it has some", async () => {
  server.getSystemStatus.mockResolvedValue(
    create(GetSystemStatusResponseSchema, {
      services: [
        { name: "stt", ready: true },
        { name: "llm", reason: "SERVICE_UNREACHABLE", message: "says the server" },
        { name: "vector", reason: "SERVICE_OF_A_NEWER_SERVER", message: "says a newer server" },
      ],
    }),
  );
  await renderInPage(<System />);
  expect(await screen.findByText("Ready")).not.toBeNull();
  expect(screen.getAllByText("Not ready")).toHaveLength(2);
  expect(screen.getByText("Language model")).not.toBeNull();
  expect(screen.getByText(/^It does not answer\./)).not.toBeNull();
  expect(screen.queryByText("says the server")).toBeNull();
  expect(screen.getByText("says a newer server")).not.toBeNull();
});

test("troubles of webhooks are told in both languages", async () => {
  const { english, korean } = await textsOf("settings");
  expect(troubleText("WEBHOOK_REFUSED", "the receiver answered with HTTP status 500", english)).toBe(
    "The receiver did not take the request.",
  );
  expect(troubleText("WEBHOOK_HOST_UNKNOWN", "", korean)).toMatch(/호스트/);
  expect(troubleText("", "from before there were reasons", korean)).toBe("from before there were reasons");
});
