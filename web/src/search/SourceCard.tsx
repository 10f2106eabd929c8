import { languageOf } from "@/lib/script";
import { type CodePointRange, codePoints } from "./codePoints";
import { Marked } from "./Marked";
import { PlaceLine } from "./PlaceLine";
import { PlaceLink } from "./PlaceLink";
import type { Place } from "./place";
import styles from "./SourceCard.module.css";

type SourceCardProps = {
  place: Place;
  /** What is cited of its text. */
  ranges: readonly CodePointRange[];
  /** Where it plays from. */
  seconds: number;
  /** Its number in the answer. */
  number?: number;
};

/** A source of an answer, with what it says. */
export function SourceCard({ place, ranges, seconds, number }: SourceCardProps) {
  const [cited] = ranges;
  const quote = cited === undefined ? "" : codePoints(place.text, cited);
  return (
    <div className={styles.card}>
      <p className={styles.title}>
        {number !== undefined && <span className={styles.number}>{number}</span>}
        <PlaceLink place={place} seconds={seconds} quote={quote}>
          {place.title}
        </PlaceLink>
      </p>
      <blockquote className={styles.text} lang={languageOf(place.text)}>
        <Marked text={place.text} ranges={ranges} />
      </blockquote>
      <PlaceLine place={place} seconds={seconds} quote={quote} />
    </div>
  );
}
