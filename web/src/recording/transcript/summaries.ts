import type english from "../locales/en.json";

type Known = {
  key: Extract<keyof typeof english, `summary_${string}`> | PluralKey;
  values: Record<string, string | number>;
};
/** i18next chooses the plural by `count`. */
type PluralKey = "summary_words" | "summary_split" | "summary_merged" | "summary_assigned" | "summary_more";

const PATTERNS: [RegExp, (found: string[]) => Known][] = [
  [/^transcribed$/, () => ({ key: "summary_transcribed", values: {} })],
  [/^transcribed again$/, () => ({ key: "summary_transcribedAgain", values: {} })],
  [/^nothing$/, () => ({ key: "summary_nothing", values: {} })],
  [/^(\d+) words?$/, ([count]) => ({ key: "summary_words", values: { count: Number(count) } })],
  [/^(\d+) segments? split$/, ([count]) => ({ key: "summary_split", values: { count: Number(count) } })],
  [/^(\d+) segments? merged$/, ([count]) => ({ key: "summary_merged", values: { count: Number(count) } })],
  [
    /^(\d+) segments? by (.+)$/,
    ([count, name = ""]) => ({ key: "summary_assigned", values: { count: Number(count), name } }),
  ],
  [
    /^speaker (\S+) is (.+)$/,
    ([label = "", name = ""]) => ({ key: "summary_renamed", values: { label, name } }),
  ],
  [/^(\d+) more$/, ([count]) => ({ key: "summary_more", values: { count: Number(count) } })],
];

/** Finds the translation for a part of what the server says on a revision; null where it says something else. */
export function summaryKey(part: string): Known | null {
  for (const [pattern, known] of PATTERNS) {
    const found = pattern.exec(part);
    if (found !== null) return known(found.slice(1));
  }
  return null;
}
