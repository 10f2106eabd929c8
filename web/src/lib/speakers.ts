const COLOURS = 8;
const NUMBERED = /^S([1-9]\d*)$/;

/** FNV-1a (Fowler, Noll, Vo) over code points: the same number for the same label, on every device. */
function hashOf(label: string): number {
  let hash = 0x811c9dc5;
  for (const point of label) hash = Math.imul(hash ^ (point.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/**
 * Returns the colour of a speaker. The label alone decides: the list of speakers is in the order in which they first
 * speak, so that places in it change with every segment that is given to somebody else.
 */
export function speakerColour(label: string): string {
  const number = NUMBERED.exec(label)?.[1];
  const place = number === undefined ? hashOf(label) : Number(number) - 1;
  return `var(--speaker-${(place % COLOURS) + 1})`;
}

type Named = { label: string; name: string };

/** Returns the name to show: the person's, or "Speaker 1" in the page's language for the label "S1". */
export function speakerName(
  label: string,
  speakers: readonly Named[],
  fallback: (number: string) => string,
): string {
  const name = speakers.find((speaker) => speaker.label === label)?.name;
  if (name) return name;
  const number = NUMBERED.exec(label)?.[1];
  return number === undefined ? label : fallback(number);
}
