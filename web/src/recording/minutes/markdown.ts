import {
  type Evidence,
  type Minutes,
  type MinutesItem,
  MinutesSectionKind,
} from "@/gen/recordroute/common/v1/minutes_pb";

/** What the texts need beside the minutes. */
export type MinutesTexts = {
  /** Title of the recording. */
  title: string;
  overview: string;
  /** Returns where evidence stands: "12:34, Anna", "page 3". */
  place: (evidence: Evidence) => string;
  /** Puts names in the place of the speakers' labels. */
  named: (text: string) => string;
};

/** Fields that the line itself does not say; the task of an action item mostly is the line. */
export function furtherFields(item: MinutesItem): MinutesItem["fields"] {
  return item.fields.filter((field) => field.value !== "" && !item.text.includes(field.value));
}

function lineOf(item: MinutesItem, texts: MinutesTexts): string {
  const fields = furtherFields(item).map((field) => `${field.name}: ${texts.named(field.value)}`);
  const notes = [...fields, ...item.evidence.map(texts.place)];
  const text = texts.named(item.text);
  return notes.length === 0 ? text : `${text} (${notes.join("; ")})`;
}

/** Characters that would be read as Markdown; at the start of a line also those of lists, headings and numbers. */
function escaped(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>|]/g, "\\$&")
    .replace(/^([#+-]|\d+[.)])(?=\s)/, "\\$1");
}

export function minutesMarkdown(minutes: Minutes, texts: MinutesTexts): string {
  const parts = [`# ${escaped(texts.title)}`];
  if (minutes.overview !== "")
    parts.push(`## ${texts.overview}\n\n${escaped(texts.named(minutes.overview))}`);
  for (const section of minutes.sections) {
    const isTask = section.kind === MinutesSectionKind.ACTION_ITEMS;
    const lines = section.items.map((item) => {
      const box = isTask ? (item.done ? "[x] " : "[ ] ") : "";
      return `- ${box}${escaped(lineOf(item, texts))}`;
    });
    parts.push(`## ${escaped(section.title)}\n\n${lines.join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}

export function minutesPlainText(minutes: Minutes, texts: MinutesTexts): string {
  const parts = [texts.title];
  if (minutes.overview !== "") parts.push(texts.named(minutes.overview));
  for (const section of minutes.sections) {
    const isTask = section.kind === MinutesSectionKind.ACTION_ITEMS;
    const lines = section.items.map((item) => {
      const mark = isTask ? (item.done ? "☑" : "☐") : "•";
      return `${mark} ${lineOf(item, texts)}`;
    });
    parts.push(`${section.title}\n${lines.join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}
