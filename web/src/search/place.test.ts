import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { SearchHitSchema } from "@/gen/recordroute/gateway/v1/search_pb";
import { addressOf, placeOf } from "./place";

function found(hit: MessageInitShape<typeof SearchHitSchema>) {
  return placeOf(create(SearchHitSchema, { recordingId: "a", recordingTitle: "Kick-off", ...hit }));
}

test("a place tells when it was recorded", () => {
  const at = Date.UTC(2026, 2, 1, 9);
  expect(found({ recordedAt: { seconds: BigInt(at / 1000) } }).recordedAt).toBe(at);
  expect(found({}).recordedAt).toBeNull();
});

test("a recording opens at its second", () => {
  const spoken = found({ recordingKind: RecordingKind.MEDIA, segmentIndex: 3, lastSegmentIndex: 5 });
  expect(addressOf(spoken, 62.54)).toBe("/recordings/a?t=62.5");
  expect(addressOf(spoken, -1)).toBe("/recordings/a?t=0");
});

test("a document opens at its passage, also where it has neither pages nor lines", () => {
  const text = { recordingKind: RecordingKind.DOCUMENT, segmentIndex: 3 };
  expect(addressOf(found({ ...text, page: 2, lastSegmentIndex: 5 }), 0)).toBe("/recordings/a?segment=3-5");
  expect(addressOf(found({ ...text, lastSegmentIndex: 3 }), 0)).toBe("/recordings/a?segment=3");
});
