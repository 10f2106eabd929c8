import { type Recorded, readDay, recordedBetween } from "@/lib/days";

export const MODES = ["search", "ask"] as const;
export type Mode = (typeof MODES)[number];

/** What a search or a question is narrowed to. */
export type Filters = {
  /** First day, "2026-03-01"; empty: no bound. */
  from: string;
  /** Last day; empty: no bound. */
  to: string;
  /** Recordings have all of these. */
  tags: string[];
  folder: string;
  speakers: string[];
  languages: string[];
  recordingIds: string[];
};

/** What the address of the page says. */
export type FindState = { query: string; mode: Mode; filters: Filters };

export const NO_FILTERS: Filters = {
  from: "",
  to: "",
  tags: [],
  folder: "",
  speakers: [],
  languages: [],
  recordingIds: [],
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LANGUAGE = /^[a-z]{2,3}$/;

function unique(values: string[]): string[] {
  return [...new Set(values.filter((value) => value !== ""))];
}

/** Reads the address; what the server would refuse is left out. */
export function parseFind(search: string): FindState {
  const found = new URLSearchParams(search);
  return {
    query: found.get("q") ?? "",
    mode: found.get("mode") === "ask" ? "ask" : "search",
    filters: {
      from: readDay(found.get("from")),
      to: readDay(found.get("to")),
      tags: unique(found.getAll("tag")),
      folder: found.get("folder") ?? "",
      speakers: unique(found.getAll("speaker")),
      languages: unique(found.getAll("lang")).filter((value) => LANGUAGE.test(value)),
      recordingIds: unique(found.getAll("in")).filter((value) => UUID.test(value)),
    },
  };
}

export function findAddress({ query, mode, filters }: FindState): string {
  const search = new URLSearchParams();
  if (query !== "") search.set("q", query);
  if (mode === "ask") search.set("mode", mode);
  if (filters.from !== "") search.set("from", filters.from);
  if (filters.to !== "") search.set("to", filters.to);
  for (const tag of filters.tags) search.append("tag", tag);
  if (filters.folder !== "") search.set("folder", filters.folder);
  for (const speaker of filters.speakers) search.append("speaker", speaker);
  for (const language of filters.languages) search.append("lang", language);
  for (const id of filters.recordingIds) search.append("in", id);
  const text = search.toString();
  return text === "" ? "/find" : `/find?${text}`;
}

export function hasFilters(filters: Filters): boolean {
  return findAddress({ query: "", mode: "search", filters }) !== "/find";
}

export type FilterFields = Recorded & {
  tags: string[];
  folder: string;
  speakers: string[];
  languages: string[];
  recordingIds: string[];
};

/** Returns the fields of a request: days are those where the user is, the last one included. */
export function filterFields(filters: Filters): FilterFields {
  return {
    ...recordedBetween(filters.from, filters.to),
    tags: filters.tags,
    folder: filters.folder,
    speakers: filters.speakers,
    languages: filters.languages,
    recordingIds: filters.recordingIds,
  };
}
