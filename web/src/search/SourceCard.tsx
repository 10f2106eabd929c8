import { Link } from "wouter";
import { languageOf } from "@/lib/script";
import type { CodePointRange } from "./codePoints";
import { Marked } from "./Marked";
import { PlaceLine } from "./PlaceLine";
import { addressOf, type Place } from "./place";
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
  return (
    <div className={styles.card}>
      <p className={styles.title}>
        {number !== undefined && <span className={styles.number}>{number}</span>}
        <Link href={addressOf(place, seconds)}>{place.title}</Link>
      </p>
      <blockquote className={styles.text} lang={languageOf(place.text)}>
        <Marked text={place.text} ranges={ranges} />
      </blockquote>
      <PlaceLine place={place} seconds={seconds} />
    </div>
  );
}
