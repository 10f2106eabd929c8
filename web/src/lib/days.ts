import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { dateOnly } from "./time";

/** Returns the midnight where the reader is that a day ("2026-01-31") begins with; null for what is no day. */
function midnight(day: string): Date | null {
  const [, year = "", month = "", date = ""] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day) ?? [];
  const found = new Date(Number(year), Number(month) - 1, Number(date));
  const said = [found.getFullYear(), found.getMonth() + 1, found.getDate()];
  return year !== "" && said.join() === [year, month, date].map(Number).join() ? found : null;
}

/** Returns a day of an address as it is; empty for what is no day. */
export function readDay(text: string | null): string {
  return text !== null && midnight(text) !== null ? text : "";
}

/** Returns a day in the page's language: "31 Jan 2026". */
export function dayText(day: string, language: string): string {
  const found = midnight(day);
  return found === null ? day : dateOnly(found, language);
}

/** When recordings were made. */
export type Recorded = { recordedFrom?: Timestamp; recordedBefore?: Timestamp };

/** Returns the fields of a request for the days from one to another, both included; empty: no bound. */
export function recordedBetween(from: string, to: string): Recorded {
  const first = midnight(from);
  const last = midnight(to);
  last?.setDate(last.getDate() + 1);
  return {
    ...(first !== null && { recordedFrom: timestampFromDate(first) }),
    ...(last !== null && { recordedBefore: timestampFromDate(last) }),
  };
}
