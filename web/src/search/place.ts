import { RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import type { SearchHit } from "@/gen/recordroute/gateway/v1/search_pb";
import { dateOf, secondsOf } from "@/lib/time";

/** A place in a recording, as plain data: it is kept over reloads. */
export type Place = {
  recordingId: string;
  title: string;
  /** When it was recorded, in milliseconds since 1970; null where that is not known. */
  recordedAt: number | null;
  /** A document has pages or lines, and nothing to be heard. */
  isDocument: boolean;
  /** Seconds from the start of the recording. */
  start: number;
  /** The whole passage. */
  text: string;
  speakers: string[];
  /** Page of a document, from 1. */
  page: number | null;
  /** Line of a document, from 1. */
  line: number | null;
  /** First and last segment of the passage. */
  segmentIndex: number;
  lastSegmentIndex: number;
};

export function placeOf(hit: SearchHit): Place {
  return {
    recordingId: hit.recordingId,
    title: hit.recordingTitle,
    recordedAt: dateOf(hit.recordedAt)?.getTime() ?? null,
    isDocument: hit.recordingKind === RecordingKind.DOCUMENT,
    start: secondsOf(hit.start),
    text: hit.text,
    speakers: hit.speakers,
    page: hit.page ?? null,
    line: hit.line ?? null,
    segmentIndex: hit.segmentIndex,
    lastSegmentIndex: hit.lastSegmentIndex,
  };
}

/** Returns the address of the recording's page at the place. */
export function addressOf(place: Place, seconds: number): string {
  const { isDocument, segmentIndex: first, lastSegmentIndex: last } = place;
  const passage = last > first ? `segment=${first}-${last}` : `segment=${first}`;
  const at = isDocument ? passage : `t=${Math.max(0, Math.round(seconds * 10) / 10)}`;
  return `/recordings/${place.recordingId}?${at}`;
}
