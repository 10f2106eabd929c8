import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RecordingSpeakerSchema } from "@/gen/recordroute/gateway/v1/library_pb";
import { type Edit, newSpeakerLabel, withEdit } from "@/recording/transcript/edits";
import type { Transcript } from "@/recording/transcript/model";
import { speakerColour, speakerName } from "./speakers";

const SEGMENT = { start: 0, end: 1, text: "One two.", words: [], page: 0, line: 0 };
const TRANSCRIPT: Transcript = {
  segments: ["S1", "S2", "S1", "S3"].map((speaker) => ({ ...SEGMENT, speaker })),
  speakers: ["S1", "S2", "S3"].map((label) => create(RecordingSpeakerSchema, { label })),
  language: "en",
  damages: [],
  etag: "e",
  revision: 1,
  complete: true,
};

/** The server lists who speaks in the order in which they first do, and nobody who says nothing any more. */
function asListed({ segments, speakers }: Transcript): string[] {
  const labels = new Set(segments.map(({ speaker }) => speaker));
  return [...labels].filter((label) => speakers.some((speaker) => speaker.label === label));
}

function coloursOf(labels: readonly string[]): Map<string, string> {
  return new Map(labels.map((label) => [label, speakerColour(label)]));
}

const NEW = newSpeakerLabel(TRANSCRIPT.speakers);

test.each<[string, Edit[]]>([
  ["renamed", [{ kind: "rename", label: "S2", name: "Anna" }]],
  ["reassigned, so that another one speaks first", [{ kind: "assign", segments: [0], label: "S3" }]],
  [
    "split off as somebody new",
    [
      { kind: "split", segment: 0, position: 3 },
      { kind: "assign", segments: [0], label: NEW },
    ],
  ],
  ["merged away", [{ kind: "merge", first: 0, last: 1 }]],
])("speakers keep their colours when one is %s", (_, edits) => {
  const before = coloursOf(asListed(TRANSCRIPT));
  const after = coloursOf(asListed(edits.reduce(withEdit, TRANSCRIPT)));
  for (const [label, colour] of after) if (before.has(label)) expect(colour, label).toBe(before.get(label));
  expect(new Set(after.values()).size).toBe(after.size);
});

test("the first eight speakers have eight colours, in the order of the labels", () => {
  const colours = Array.from({ length: 8 }, (_, index) => speakerColour(`S${index + 1}`));
  expect(colours).toEqual(Array.from({ length: 8 }, (_, index) => `var(--speaker-${index + 1})`));
  expect(speakerColour("S9")).toBe("var(--speaker-1)");
});

test("labels of others have a colour of the eight, always the same one", () => {
  for (const label of ["Anna", "화자", "S0", "S", "", "speaker_17"]) {
    expect(speakerColour(label)).toMatch(/^var\(--speaker-[1-8]\)$/);
    expect(speakerColour(label)).toBe(speakerColour(label));
  }
  expect(speakerColour("Anna")).not.toBe(speakerColour("Boris"));
});

test("a speaker is called by name, by number, or by what the label says", () => {
  const speakers = [
    { label: "S1", name: "Anna" },
    { label: "S2", name: "" },
  ];
  const fallback = (number: string) => `Speaker ${number}`;
  expect(["S1", "S2", "guest"].map((label) => speakerName(label, speakers, fallback))).toEqual([
    "Anna",
    "Speaker 2",
    "guest",
  ]);
});
