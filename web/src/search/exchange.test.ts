import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { AskResponseSchema } from "@/gen/recordroute/gateway/v1/search_pb";
import { ended, historyOf, newExchange, withMessage } from "./exchange";

type Payload = NonNullable<MessageInitShape<typeof AskResponseSchema>["payload"]>;

const sources: Payload = {
  case: "sources",
  value: {
    standaloneQuestion: "What does the river project cost?",
    sources: [{ recordingId: "a", recordingTitle: "Kick-off", text: "It costs 5.", start: { seconds: 12n } }],
  },
};
const sentence: Payload = {
  case: "sentence",
  value: {
    text: "It costs 5.",
    citations: [
      { sourceIndex: 0, range: { start: 0, end: 11 }, start: { seconds: 12n, nanos: 500_000_000 } },
    ],
  },
};

function told(...payloads: Payload[]) {
  return payloads.reduce(
    (exchange, payload) => withMessage(exchange, create(AskResponseSchema, { payload })),
    newExchange("1", "What does it cost?"),
  );
}

test("what the model writes is kept apart until it is checked", () => {
  const writing = told(sources, { case: "delta", value: "It costs" }, { case: "delta", value: " 7." });
  expect(writing).toMatchObject({ state: "asking", unchecked: "It costs 7.", sentences: [], isFound: null });
  expect(writing.sources).toMatchObject([{ title: "Kick-off", start: 12, page: null }]);
  expect(writing.standalone).toBe("What does the river project cost?");
});

test("checked sentences replace it", () => {
  const answered = told(sources, { case: "delta", value: "It costs 7." }, sentence, {
    case: "result",
    value: { found: true, model: "m" },
  });
  expect(answered).toMatchObject({ state: "done", unchecked: "", isFound: true, model: "m" });
  expect(answered.sentences).toEqual([
    { text: "It costs 5.", citations: [{ source: 0, range: { start: 0, end: 11 }, start: 12.5 }] },
  ]);
});

test("nothing unchecked stays where the recordings don't hold the answer", () => {
  const none = told(
    sources,
    { case: "delta", value: "Perhaps 7." },
    { case: "result", value: { found: false } },
  );
  expect(none).toMatchObject({ state: "done", unchecked: "", isFound: false, sentences: [] });
});

test("what was stopped keeps what was checked, and nothing else", () => {
  const stopped = ended(told(sources, sentence, { case: "delta", value: "And" }), "stopped");
  expect(stopped).toMatchObject({ state: "stopped", unchecked: "" });
  expect(stopped.sentences).toHaveLength(1);
  const done = told({ case: "result", value: { found: false } });
  expect(ended(done, "failed", "late")).toBe(done);
});

test("the history holds what was answered", () => {
  const answered = told(sources, sentence, sentence, { case: "result", value: { found: true } });
  const failed = ended(newExchange("2", "And?"), "failed", "UNAVAILABLE");
  expect(historyOf([answered, failed])).toEqual([
    { question: "What does it cost?", answer: "It costs 5. It costs 5." },
  ]);
  expect(historyOf(Array.from({ length: 30 }, () => answered))).toHaveLength(10);
});
