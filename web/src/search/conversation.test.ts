import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type AskRequest, AskResponseSchema } from "@/gen/recordroute/gateway/v1/search_pb";
import { startI18n } from "@/i18n";
import type { Exchange } from "./exchange";
import { NO_FILTERS } from "./filters";

type Payload = NonNullable<MessageInitShape<typeof AskResponseSchema>["payload"]>;
type Call = (request: AskRequest, options: { signal: AbortSignal }) => AsyncIterable<unknown>;

const server = vi.hoisted(() => ({ ask: vi.fn<Call>() }));
vi.mock("@/api/search", () => ({ search: server }));

function message(payload: Payload) {
  return create(AskResponseSchema, { payload });
}

const SENTENCE: Payload = {
  case: "sentence",
  value: { text: "It costs 5.", citations: [{ sourceIndex: 0, range: { start: 0, end: 2 } }] },
};
const FOUND: Payload = { case: "result", value: { found: true, model: "m" } };

async function* answered() {
  yield message({ case: "delta", value: "It" });
  yield message(SENTENCE);
  yield message(FOUND);
}

function kept(): Exchange[] {
  return JSON.parse(sessionStorage.getItem("recordroute.conversation.2") ?? "[]");
}

/** The module as a page that was just loaded has it. */
async function loaded() {
  vi.resetModules();
  return import("./conversation");
}

beforeAll(startI18n);
beforeEach(() => {
  sessionStorage.clear();
  server.ask.mockReset();
});

test("a further question brings the conversation along", async () => {
  server.ask.mockImplementation(answered);
  const { ask } = await loaded();
  await ask("What does it cost?", NO_FILTERS);
  await ask("And why?", { ...NO_FILTERS, folder: "work" });
  expect(server.ask.mock.calls[1]?.[0]).toMatchObject({
    question: "And why?",
    folder: "work",
    history: [{ question: "What does it cost?", answer: "It costs 5." }],
  });
  expect(kept().map(({ state }) => state)).toEqual(["done", "done"]);
});

test("a question that is stopped keeps what was checked, and is no part of the history", async () => {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  server.ask.mockImplementation(async function* (_, { signal }) {
    yield message(SENTENCE);
    yield message({ case: "delta", value: "And" });
    await new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new ConnectError("gone", Code.Canceled)));
      begin();
    });
  });
  const { ask, stop } = await loaded();
  const asking = ask("What does it cost?", NO_FILTERS);
  await begun;
  stop();
  await asking;
  expect(kept()).toMatchObject([{ state: "stopped", unchecked: "", sentences: [{ text: "It costs 5." }] }]);
  server.ask.mockImplementation(answered);
  await ask("Again?", NO_FILTERS);
  expect(server.ask.mock.calls[1]?.[0]).toMatchObject({ history: [] });
});

test("an answer that breaks off says why", async () => {
  server.ask.mockImplementation(async function* () {
    yield message(SENTENCE);
    throw new ConnectError("the language model is busy", Code.ResourceExhausted);
  });
  const { ask } = await loaded();
  await ask("What does it cost?", NO_FILTERS);
  expect(kept()).toMatchObject([{ state: "failed", error: "the language model is busy" }]);
});

test("a stream that ends without a result was cut off", async () => {
  server.ask.mockImplementation(async function* () {
    yield message(SENTENCE);
  });
  const { ask } = await loaded();
  await ask("What does it cost?", NO_FILTERS);
  expect(kept()[0]?.state).toBe("failed");
  expect(kept()[0]?.error).not.toBe("");
});

test("a new conversation begins with nothing", async () => {
  server.ask.mockImplementation(answered);
  const { ask, clearConversation } = await loaded();
  await ask("What does it cost?", NO_FILTERS);
  clearConversation();
  expect(kept()).toEqual([]);
  await ask("And now?", NO_FILTERS);
  expect(server.ask.mock.calls[1]?.[0]).toMatchObject({ history: [] });
});
