import type { TFunction } from "i18next";
import type { Failure } from "@/api/errors";

/** Names of mistakes that the server tells beside its English sentence. */
const PROBLEMS = [
  "BAD_BEGINNING",
  "BAD_FIELD",
  "BAD_NAME",
  "BAD_SECTION",
  "INSTRUCTION_COMES_FIRST",
  "LINE_TOO_LONG",
  "NAME_COMES_FIRST",
  "NO_FIELDS_IN_KIND",
  "NO_INSTRUCTION",
  "NO_SECTION",
  "SECOND_FIELD",
  "SECOND_INSTRUCTION",
  "SECOND_KIND",
  "SECOND_NAME",
  "SECOND_TITLE",
  "TOO_MANY_FIELDS",
  "TOO_MANY_SECTIONS",
  "UNKNOWN_ACTION_FIELD",
  "UNKNOWN_KIND",
  "UNKNOWN_TYPE",
] as const;

/** What the server takes, in bytes of UTF-8. */
const MOST_BYTES = 16_384;

/** A mistake in a template. */
export type TemplateError = {
  /** From 1; null where it is in no line. */
  line: number | null;
  /** In the page's language where the server has named it. */
  message: string;
};

/** Reads why a template was refused; null for an error that is not about its text. */
export function templateErrorOf(
  { reason, message, metadata }: Failure,
  t: TFunction<"settings">,
): TemplateError | null {
  if (reason !== "BAD_TEMPLATE") return null;
  const told = /^line (\d+): /.exec(message);
  const line = Number(metadata.line ?? told?.[1]);
  const problem = PROBLEMS.find((one) => one === metadata.problem);
  const english = told === null ? message : message.slice(told[0].length);
  return {
    line: Number.isInteger(line) && line > 0 ? line : null,
    message: problem === undefined ? english : t(`mistake_${problem}`, { replace: metadata }),
  };
}

/** Returns what is wrong with a text that the server would not even read; null where nothing is. */
export function lengthErrorOf(text: string, t: TFunction<"settings">): TemplateError | null {
  if (new TextEncoder().encode(text).length <= MOST_BYTES) return null;
  return { line: null, message: t("mistake_TOO_LONG", { limit: MOST_BYTES }) };
}

/** Returns where a line stands in a text; the end for a line beyond it, where something is missing. */
export function lineRange(text: string, line: number): { start: number; end: number } {
  const lines = text.split("\n");
  if (line > lines.length) return { start: text.length, end: text.length };
  const start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  return { start, end: start + (lines[line - 1]?.length ?? 0) };
}
