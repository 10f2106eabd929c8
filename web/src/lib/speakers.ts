const COLOURS = 8;

/** Returns the colour of a speaker by its place in the recording's list of speakers, from 0. */
export function speakerColour(position: number): string {
  return `var(--speaker-${(Math.max(0, position) % COLOURS) + 1})`;
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
  const number = /^S(\d+)$/.exec(label)?.[1];
  return number === undefined ? label : fallback(number);
}
