import { readFileSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../src");

export type Language = "en" | "ko";

/** Returns what the page calls something, from its own dictionaries: `t("library", "add")`. */
export function texts(language: Language) {
  const dictionaries = new Map<string, Record<string, string>>();
  return (folder: string, key: string, values: Record<string, string | number> = {}): string => {
    let dictionary = dictionaries.get(folder);
    if (dictionary === undefined) {
      dictionary = JSON.parse(readFileSync(join(SOURCES, folder, "locales", `${language}.json`), "utf8"));
      dictionaries.set(folder, dictionary ?? {});
    }
    const text = dictionary?.[key];
    if (text === undefined) throw new Error(`${folder} has no text ${key}`);
    return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => String(values[name] ?? ""));
  };
}
