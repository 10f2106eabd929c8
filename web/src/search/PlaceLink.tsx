import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Quoting } from "@/lib/quote";
import { addressOf, type Place } from "./place";

export type Shown = {
  place: Place;
  /** Where it plays from. */
  seconds: number;
  /** What of its text is meant: a document shows it. */
  quote: string;
};

/** Leads to a place: a recording to its second, a document to its passage. */
export function PlaceLink({
  place,
  seconds,
  quote,
  className,
  children,
}: Shown & { className?: string | undefined; children: ReactNode }) {
  const entry: Quoting = { quote };
  return (
    <Link href={addressOf(place, seconds)} state={entry} className={className}>
      {children}
    </Link>
  );
}
