/** A place that another part of the page, or a link, wants to be shown; a new object each time. */
export type Target = {
  /** First segment. */
  readonly segment: number;
  /** Last segment. */
  readonly last: number;
};

/** Reads what an address names: "12", or "12-14"; null for what is no place. */
export function targetOf(text: string): Target | null {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
  if (match === null) return null;
  const segment = Number(match[1]);
  const last = match[2] === undefined ? segment : Number(match[2]);
  return last < segment ? null : { segment, last };
}

export function isInside(target: Target | null, segment: number): boolean {
  return target !== null && segment >= target.segment && segment <= target.last;
}
