import { expect, test } from "vitest";

const dictionaries = import.meta.glob<Record<string, string>>("../**/locales/*.json", {
  import: "default",
  eager: true,
});
const namespaces = [
  ...new Set(Object.keys(dictionaries).map((path) => path.split("/").slice(1, -2).join("/"))),
];

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\{(\w+)/g)].map((match) => match[1] ?? "").sort();
}

/** Korean has no plural: what has the keys `x_one` and `x_other` in English has `x_other` in Korean. */
function withoutSingular(keys: string[]): string[] {
  return keys.filter((key) => !key.endsWith("_one")).sort();
}

test.each(namespaces)("%s says the same in both languages", (namespace) => {
  const english = dictionaries[`../${namespace}/locales/en.json`] ?? {};
  const korean = dictionaries[`../${namespace}/locales/ko.json`] ?? {};
  expect(withoutSingular(Object.keys(korean))).toEqual(withoutSingular(Object.keys(english)));
  for (const key of Object.keys(korean)) {
    expect(korean[key], key).not.toBe("");
    expect(placeholders(korean[key] ?? ""), key).toEqual(placeholders(english[key] ?? ""));
  }
});
