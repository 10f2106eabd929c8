import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { textsOf } from "@/testing";
import { DESCRIBED, descriptionOf } from "./description";

const { english, korean } = await textsOf("settings");

/** The models of the system's own catalogue, as the server tells them. */
function catalogue(): { id: string; description: string }[] {
  const text = readFileSync("../models/src/recordroute_models/catalogue.toml", "utf8");
  return text
    .split("[[models]]")
    .slice(1)
    .map((model) => ({
      id: /^id = "(.*)"$/m.exec(model)?.[1] ?? "",
      description: /^description = "(.*)"$/m.exec(model)?.[1] ?? "",
    }));
}

test("every model of the catalogue is described in both languages, in English as the server does", () => {
  expect(catalogue().map(({ id }) => id)).toEqual([...DESCRIBED]);
  for (const model of catalogue()) {
    expect(descriptionOf(model, english)).toEqual({ text: model.description });
    expect(descriptionOf(model, korean).text, model.id).toMatch(/[가-힣]/);
  }
});

test("what somebody else has written is shown as it is", () => {
  const own = { id: "faster-whisper-base", description: "Ours, trained on our own meetings." };
  expect(descriptionOf(own, korean)).toEqual({ text: own.description, lang: "en" });
  expect(descriptionOf({ id: "our-model", description: "" }, korean).text).toBe("");
});
