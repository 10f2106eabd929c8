/** The contract counts Unicode code points; strings of the page are counted in UTF-16 units. */

/** Returns the number of code points before a place of a string. */
export function codePointsBefore(text: string, unit: number): number {
  let count = 0;
  for (let at = 0; at < unit && at < text.length; count += 1) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return count;
}

/** What has to be replaced, in code points. */
export type Change = { start: number; end: number; text: string };

/** Returns the shortest single replacement that makes `after` of `before`; null where they are the same. */
export function minimalChange(before: string, after: string): Change | null {
  if (before === after) return null;
  const old = [...before];
  const fresh = [...after];
  const shorter = Math.min(old.length, fresh.length);
  let start = 0;
  while (start < shorter && old[start] === fresh[start]) start += 1;
  let same = 0;
  while (same < shorter - start && old[old.length - 1 - same] === fresh[fresh.length - 1 - same]) same += 1;
  return { start, end: old.length - same, text: fresh.slice(start, fresh.length - same).join("") };
}

/** Returns what a person typed as the server keeps it: composed, on one line, without space around it. */
export function cleanText(typed: string): string {
  return typed
    .normalize("NFC")
    .replace(/\s*[\r\n]+\s*/g, " ")
    .trim();
}
