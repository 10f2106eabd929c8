import { expect, test } from "vitest";
import { textsOf } from "@/testing";
import { damageText } from "./damage";

test("what was wrong with a file is told with its values", async () => {
  const { english, korean } = await textsOf("recording");
  const cutOff = { reason: "MEDIA_CUT_OFF", message: "", metadata: { stated: "20", held: "10" } };
  expect(damageText(cutOff, english)).toBe("The file is cut off: it states 20 seconds and holds 10.");
  expect(damageText(cutOff, korean)).toMatch(/20초.*10초/);
  expect(damageText({ reason: "MEDIA_ODD", message: "It is odd.", metadata: {} }, korean)).toBe("It is odd.");
});
