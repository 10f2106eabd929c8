import { SOURCES, type Source } from "./audio/capture";
import type { RecordingWishes } from "./outbox";

/** What is asked for in the form: tags as they are written. */
export type Form = {
  source: Source;
  title: string;
  language: string;
  folder: string;
  tags: string;
  template: string;
};

const STORED = "recordroute.live";
const EMPTY: Form = { source: "microphone", title: "", language: "", folder: "", tags: "", template: "" };

/** The form as it was filled in last; the title is new each time. */
export function rememberedForm(): Form {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    if (typeof stored !== "object" || stored === null) return EMPTY;
    const text = (name: keyof Form) => {
      const value: unknown = Reflect.get(stored, name);
      return typeof value === "string" ? value : "";
    };
    return {
      source: SOURCES.find((source) => source === text("source")) ?? "microphone",
      title: "",
      language: text("language"),
      folder: text("folder"),
      tags: text("tags"),
      template: text("template"),
    };
  } catch {
    // Not what this page wrote.
    return EMPTY;
  }
}

export function rememberForm({ title: _, ...rest }: Form): void {
  localStorage.setItem(STORED, JSON.stringify(rest));
}

/** Returns what is written in the form as the server takes it. */
export function wishesOf(form: Form): RecordingWishes {
  const parts = (text: string, separator: string) =>
    text
      .split(separator)
      .map((part) => part.trim())
      .filter((part) => part !== "");
  return {
    title: form.title.trim(),
    folder: parts(form.folder, "/").join("/"),
    tags: [...new Set(parts(form.tags, ","))],
    language: form.language,
    template: form.template,
  };
}
