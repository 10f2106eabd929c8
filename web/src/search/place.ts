import type { SearchHit } from "@/gen/recordroute/gateway/v1/search_pb";
import { secondsOf } from "@/lib/time";

/** A place in a recording, as plain data: it is kept over reloads. */
export type Place = {
  recordingId: string;
  title: string;
  /** Seconds from the start of the recording. */
  start: number;
  /** The whole passage. */
  text: string;
  speakers: string[];
  /** Page of a document, from 1. */
  page: number | null;
  /** Line of a document, from 1. */
  line: number | null;
  segmentIndex: number;
};

export function placeOf(hit: SearchHit): Place {
  return {
    recordingId: hit.recordingId,
    title: hit.recordingTitle,
    start: secondsOf(hit.start),
    text: hit.text,
    speakers: hit.speakers,
    page: hit.page ?? null,
    line: hit.line ?? null,
    segmentIndex: hit.segmentIndex,
  };
}

/** Documents have pages or lines, and nothing to be heard. */
export function isDocument(place: Place): boolean {
  return place.page !== null || place.line !== null;
}

/** Returns the address of the recording's page at the place. */
export function addressOf(place: Place, seconds: number): string {
  const at = isDocument(place)
    ? `segment=${place.segmentIndex}`
    : `t=${Math.max(0, Math.round(seconds * 10) / 10)}`;
  return `/recordings/${place.recordingId}?${at}`;
}
