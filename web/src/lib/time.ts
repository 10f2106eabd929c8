import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

const formats = new Map<string, Intl.DateTimeFormat>();

/** One costs a millisecond to make, and a list needs the same one in every row. */
function dateFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(language, options);
  formats.set(key, format);
  return format;
}

/** Returns seconds; 0 where it is not set. */
export function secondsOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) + duration.nanos / 1e9;
}

/** Returns a position or a length as a clock shows it: "0:07", "12:34", "1:02:03". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}

/** Returns a position as the `datetime` of a <time> element. */
export function isoDuration(seconds: number): string {
  return `PT${Math.max(0, seconds).toFixed(1)}S`;
}

export function dateOf(timestamp: Timestamp | undefined): Date | null {
  return timestamp === undefined ? null : new Date(Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6);
}

/** Returns a moment in the page's language: "12 Mar 2025, 14:05". */
export function dateAndTime(date: Date, language: string): string {
  return dateFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/** Returns a day in the page's language, always with its year: "12 Mar 2025". */
export function dateOnly(date: Date, language: string): string {
  return dateFormat(language, { dateStyle: "medium" }).format(date);
}

/** Returns a moment in full, for a tooltip: "Wednesday, 12 March 2025 at 14:05". */
export function fullDateAndTime(date: Date, language: string): string {
  return dateFormat(language, { dateStyle: "full", timeStyle: "short" }).format(date);
}

/** Returns a day in the page's language: "today, 14:05", "12 March", "12 March 2025". */
export function dayAndTime(date: Date, language: string): string {
  const now = new Date();
  const today = date.toDateString() === now.toDateString();
  if (today) return dateFormat(language, { hour: "2-digit", minute: "2-digit" }).format(date);
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return dateFormat(language, { day: "numeric", month: "short", ...year }).format(date);
}

/** Returns a day in the page's language: "today", "12 March", "12 March 2025". */
export function day(date: Date, language: string): string {
  const now = new Date();
  if (date.toDateString() === now.toDateString()) {
    return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "day");
  }
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return dateFormat(language, { day: "numeric", month: "short", ...year }).format(date);
}

/** Returns how long something takes, for people: "5 sec", "3 min", "1 hr, 5 min". */
export function span(seconds: number, language: string): string {
  const whole = Math.max(1, Math.round(seconds));
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  if (whole < 60) return unit(whole, "second");
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return unit(minutes, "minute");
  const rest = minutes % 60;
  const hours = unit(Math.floor(minutes / 60), "hour");
  return rest === 0 ? hours : `${hours} ${unit(rest, "minute")}`;
}
