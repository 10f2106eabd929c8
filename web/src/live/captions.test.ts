import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { LiveEventSchema } from "@/gen/recordroute/gateway/v1/live_pb";
import { type Captions, captionsAfter, NO_CAPTIONS } from "./captions";

type Event = NonNullable<MessageInitShape<typeof LiveEventSchema>["event"]>;

function after(captions: Captions, event: Event, offset = 0): Captions {
  return captionsAfter(captions, create(LiveEventSchema, { event }), offset);
}

function caption(
  utterance: number,
  stableText: string,
  options: { isFinal?: boolean; unstableText?: string },
): Event {
  const result = {
    utterance,
    stableText,
    start: durationFromMs(1000 * utterance),
    language: "en",
    ...options,
  };
  return { case: "caption", value: { result } };
}

test("interim words are replaced by newer ones, and settle", () => {
  let captions = after(NO_CAPTIONS, caption(0, "Good", { unstableText: "morning" }));
  expect(captions.interim).toEqual({ start: 0, stable: "Good", unstable: "morning" });
  captions = after(captions, caption(0, "Good morning.", { isFinal: true }));
  expect(captions.interim).toBeNull();
  expect(captions.lines.map((line) => line.text)).toEqual(["Good morning."]);
});

test("a caption that comes again, and one without words, adds nothing", () => {
  const one = after(NO_CAPTIONS, caption(0, "One.", { isFinal: true }));
  expect(after(one, caption(0, "One.", { isFinal: true })).lines).toHaveLength(1);
  expect(after(one, caption(1, "", { isFinal: true })).lines).toHaveLength(1);
});

test("times count from the start of the recording, over all of its sessions", () => {
  const one = after(NO_CAPTIONS, caption(3, "One.", { isFinal: true }));
  const two = after(one, caption(3, "Two.", { isFinal: true }), 60);
  expect(two.lines.map((line) => line.start)).toEqual([3, 63]);
});

test("an interruption is told until it is over, and a gap stays in its place", () => {
  const warning = (reason: string): Event => ({ case: "warning", value: { reason, message: "" } });
  const interrupted = after(NO_CAPTIONS, warning("CAPTIONS_INTERRUPTED"));
  expect(interrupted.warnings.map(({ reason }) => reason)).toEqual(["CAPTIONS_INTERRUPTED"]);
  expect(after(interrupted, warning("CAPTIONS_INTERRUPTED")).warnings).toHaveLength(1);
  expect(after(interrupted, warning("CAPTIONS_RESUMED")).warnings).toEqual([]);
  const skipped = after(
    after(interrupted, caption(1, "One.", { isFinal: true })),
    warning("CAPTIONS_SKIPPED"),
  );
  expect(skipped.lines.map((line) => line.text)).toEqual(["One.", null]);
});

test("the language and the end are noted", () => {
  const told = after(NO_CAPTIONS, { case: "language", value: { language: "ko", probability: 0.9 } });
  expect(told.language).toBe("ko");
  const interim = after(told, caption(0, "안녕", {}));
  expect(after(interim, { case: "ended", value: {} }).interim).toBeNull();
});
