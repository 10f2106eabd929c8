import type { Failure } from "@/api/errors";

/** A mistake in a template. */
export type TemplateError = {
  /** From 1; null where the server named none. */
  line: number | null;
  message: string;
};

/** Reads why a template was refused; null for an error that is not about its text. */
export function templateErrorOf({ reason, message, metadata }: Failure): TemplateError | null {
  if (reason !== "BAD_TEMPLATE") return null;
  const told = /^line (\d+): /.exec(message);
  const line = Number(metadata.line ?? told?.[1]);
  return {
    line: Number.isInteger(line) && line > 0 ? line : null,
    message: told === null ? message : message.slice(told[0].length),
  };
}

/** Returns where a line stands in a text; the end for a line beyond it, where something is missing. */
export function lineRange(text: string, line: number): { start: number; end: number } {
  const lines = text.split("\n");
  if (line > lines.length) return { start: text.length, end: text.length };
  const start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  return { start, end: start + (lines[line - 1]?.length ?? 0) };
}
