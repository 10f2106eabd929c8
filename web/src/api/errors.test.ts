import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "@/gen/google/rpc/error_details_pb";
import { textsOf } from "@/testing";
import { errorText, reasonText } from "./errors";

const { english, korean } = await textsOf("api");

function refusal(reason: string, metadata: Record<string, string> = {}, message = "as the server said it") {
  const info = create(ErrorInfoSchema, { domain: "recordroute", reason, metadata });
  return new ConnectError(message, Code.FailedPrecondition, undefined, [
    { desc: ErrorInfoSchema, value: info },
  ]);
}

test("values that the server tells stand in the sentence", () => {
  const error = refusal("MODEL_MISSING", { model: "whisper-small", trace_id: "1" });
  expect(errorText(error, english)).toBe(
    "The model whisper-small is not installed. It can be installed in the settings.",
  );
  expect(errorText(error, korean)).toContain("whisper-small");
});

test("where a value is not told, the sentence does without", () => {
  expect(errorText(refusal("MODEL_MISSING"), english)).toBe(
    "The model that is needed is not installed. It can be installed in the settings.",
  );
  const full = refusal("BAD_LABEL", { limit: "50" });
  expect(errorText(full, english)).toBe("A recording has at most 50 tags.");
  expect(errorText(refusal("BAD_LABEL"), english)).toBe("Tags and folders need a name.");
});

test("services have names", () => {
  const away = { reason: "UPSTREAM_UNAVAILABLE", message: "", metadata: { service: "llm" } };
  expect(reasonText(away, english)).toBe("Language model: does not answer. Try again in a moment.");
  expect(reasonText(away, korean)).toContain("언어 모델");
  expect(reasonText({ ...away, metadata: { service: "new" } }, english)).toMatch(/^new: /);
});

test("what the page has no words for comes as the server said it", () => {
  expect(errorText(refusal("NEVER_HEARD_OF"), korean)).toBe("as the server said it");
  expect(reasonText({ reason: "toString", message: "as it is" }, english)).toBe("as it is");
});

test.each([
  [
    "config.tags[2]",
    "string.max_bytes",
    "256",
    "Tags: this is longer than 256 bytes.",
    "태그: 256바이트보다 깁니다.",
  ],
  [
    "url",
    "string.uri",
    "",
    "Address: this is not of the form that is expected.",
    "주소: 형식이 올바르지 않습니다.",
  ],
  ["name", "string.min_len", "1", "Name: something has to stand here.", "이름: 비워 둘 수 없습니다."],
  ["texts", "repeated.max_items", "200", "Terms: there are more than 200.", "용어: 200개보다 많습니다."],
  [
    "options.speaker_count",
    "uint32.lte",
    "32",
    "Number of speakers: this value is not possible.",
    "화자 수: 사용할 수 없는 값입니다.",
  ],
  [
    "edits[0].odd",
    "odd",
    "",
    "edits[0].odd: the server does not accept this.",
    "edits[0].odd: 서버가 받아들일 수 없는 값입니다.",
  ],
])("a field that breaks a rule: %s", (field, rule, limit, inEnglish, inKorean) => {
  const error = refusal("INVALID_FIELDS", limit === "" ? { field, rule } : { field, rule, limit });
  expect(errorText(error, english)).toBe(inEnglish);
  expect(errorText(error, korean)).toBe(inKorean);
});

test("a field of a server that tells no values", () => {
  const bad = create(BadRequestSchema, { fieldViolations: [{ field: "url", description: "must be a URI" }] });
  const info = create(ErrorInfoSchema, { reason: "INVALID_FIELDS" });
  const error = new ConnectError("url: must be a URI", Code.InvalidArgument, undefined, [
    { desc: ErrorInfoSchema, value: info },
    { desc: BadRequestSchema, value: bad },
  ]);
  expect(errorText(error, english)).toBe("The server does not accept what was entered.");
});
