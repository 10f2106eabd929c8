import type { UploadOptions } from "./types";

const STORED = "recordroute.uploadOptions";

export const DEFAULT_OPTIONS: UploadOptions = {
  language: "",
  template: "",
  folder: "",
  tags: [],
  keepFolders: true,
};

/** Returns the options of a text that may be of another version, or not ours at all. */
export function readOptions(stored: string | null): UploadOptions {
  let value: unknown;
  try {
    value = JSON.parse(stored ?? "{}");
  } catch {
    return DEFAULT_OPTIONS;
  }
  if (typeof value !== "object" || value === null) return DEFAULT_OPTIONS;
  const { language, template, folder, tags, keepFolders } = value as Record<string, unknown>;
  return {
    language: typeof language === "string" ? language : "",
    template: typeof template === "string" ? template : "",
    folder: typeof folder === "string" ? folder : "",
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
    keepFolders: keepFolders !== false,
  };
}

/** The options that were used last. */
export function rememberedOptions(): UploadOptions {
  return readOptions(localStorage.getItem(STORED));
}

export function rememberOptions(options: UploadOptions): void {
  localStorage.setItem(STORED, JSON.stringify(options));
}

/** Whether files are added as they would be without any choice. */
export function isDefault({ language, template, folder, tags }: UploadOptions): boolean {
  return language === "" && template === "" && folder === "" && tags.length === 0;
}
