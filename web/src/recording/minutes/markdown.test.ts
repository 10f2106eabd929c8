import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MinutesSchema, MinutesSectionKind } from "@/gen/recordroute/common/v1/minutes_pb";
import { minutesMarkdown, minutesPlainText } from "./markdown";

const minutes = create(MinutesSchema, {
  overview: "The *river* project\nbegins.",
  sections: [
    {
      kind: MinutesSectionKind.DECISIONS,
      title: "Decisions",
      items: [{ text: "We start on 3 March.", evidence: [{ segmentIndex: 3, start: { seconds: 65n } }] }],
    },
    {
      kind: MinutesSectionKind.ACTION_ITEMS,
      title: "Action items",
      items: [
        {
          text: "Order the sensors by Friday.",
          evidence: [{ segmentIndex: 1, speaker: "S1" }],
          fields: [
            { name: "owner", value: "Carla" },
            { name: "task", value: "Order the sensors" },
            { name: "due", value: "Friday" },
          ],
        },
        { text: "S1: Send the contract.", evidence: [{ segmentIndex: 2 }], done: true },
      ],
    },
  ],
  unsupported: ["The moon is made of cheese."],
});
const texts = {
  title: "Kick-off [1]",
  overview: "Overview",
  place: (evidence: { segmentIndex: number }) => `at ${evidence.segmentIndex}`,
  named: (text: string) => text.replace("S1", "Anna"),
};

test("minutes as Markdown: fields and places with each line, tasks with their state, nothing that is not supported", () => {
  expect(minutesMarkdown(minutes, texts)).toBe(`# Kick-off \\[1\\]

## Overview

The \\*river\\* project begins.

## Decisions

- We start on 3 March. (at 3)

## Action items

- [ ] Order the sensors by Friday. (owner: Carla; at 1)
- [x] Anna: Send the contract. (at 2)
`);
});

test("minutes as plain text", () => {
  const text = minutesPlainText(minutes, texts);
  expect(text).toContain("• We start on 3 March. (at 3)");
  expect(text).toContain(
    "☐ Order the sensors by Friday. (owner: Carla; at 1)\n☑ Anna: Send the contract. (at 2)",
  );
  expect(text).not.toContain("cheese");
});
