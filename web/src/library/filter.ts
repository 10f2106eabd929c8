import { RecordingKind, RecordingOrder } from "@/gen/recordroute/gateway/v1/library_pb";
import { WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { readDay, recordedBetween } from "@/lib/days";

export const STATES = ["running", "failed", "done", "cancelled"] as const;
export const KINDS = ["media", "document"] as const;
export const SORTS = ["added", "recorded", "title", "duration", "size"] as const;

export type StateFilter = (typeof STATES)[number];
export type KindFilter = (typeof KINDS)[number];
export type Sort = (typeof SORTS)[number];

/** What of the library is shown, and in which order: the query of the page's address. Days are "2026-01-31". */
export type Filter = {
  text: string;
  tags: string[];
  folder: string;
  from: string;
  to: string;
  languages: string[];
  /** Names: one of them speaks. */
  speakers: string[];
  states: StateFilter[];
  kinds: KindFilter[];
  sort: Sort;
  isAscending: boolean;
  inBin: boolean;
};

export const NO_FILTER: Filter = {
  text: "",
  tags: [],
  folder: "",
  from: "",
  to: "",
  languages: [],
  speakers: [],
  states: [],
  kinds: [],
  sort: "added",
  isAscending: false,
  inBin: false,
};

function known<T extends string>(values: readonly T[], wanted: readonly string[]): T[] {
  return values.filter((value) => wanted.includes(value));
}

/** Returns the filter of an address; what it does not know there is left out. */
export function readFilter(params: URLSearchParams): Filter {
  return {
    text: params.get("q") ?? "",
    tags: params.getAll("tag").filter(Boolean),
    folder: params.get("folder") ?? "",
    from: readDay(params.get("from")),
    to: readDay(params.get("to")),
    languages: params.getAll("language").filter((code) => /^[a-z]{2,3}$/.test(code)),
    speakers: params.getAll("speaker").filter(Boolean),
    states: known(STATES, params.getAll("state")),
    kinds: known(KINDS, params.getAll("kind")),
    sort: known(SORTS, [params.get("sort") ?? ""])[0] ?? "added",
    isAscending: params.get("order") === "asc",
    inBin: params.get("bin") === "1",
  };
}

/** Returns the query of the page's address; what is as usual is not in it. */
export function writeFilter(filter: Filter): URLSearchParams {
  const params = new URLSearchParams();
  const set = (name: string, value: string) => value !== "" && params.set(name, value);
  if (filter.inBin) params.set("bin", "1");
  set("q", filter.text);
  for (const tag of filter.tags) params.append("tag", tag);
  set("folder", filter.folder);
  set("from", filter.from);
  set("to", filter.to);
  for (const code of filter.languages) params.append("language", code);
  for (const name of filter.speakers) params.append("speaker", name);
  for (const state of filter.states) params.append("state", state);
  for (const kind of filter.kinds) params.append("kind", kind);
  if (filter.sort !== "added") params.set("sort", filter.sort);
  if (filter.isAscending) params.set("order", "asc");
  return params;
}

/** Returns how many conditions are set beside the words that are searched for. */
export function countConditions(filter: Filter): number {
  const { folder, from, to, ...lists } = filter;
  const chosen = [lists.tags, lists.languages, lists.speakers, lists.states, lists.kinds].flat();
  return chosen.length + [folder, from, to].filter(Boolean).length;
}

export function isFiltered(filter: Filter): boolean {
  return filter.text !== "" || countConditions(filter) > 0;
}

/** Returns the same view without conditions. */
export function withoutConditions({ sort, isAscending, inBin }: Filter): Filter {
  return { ...NO_FILTER, sort, isAscending, inBin };
}

const WORKFLOW_STATES: Record<StateFilter, WorkflowState[]> = {
  running: [WorkflowState.QUEUED, WorkflowState.RUNNING],
  failed: [WorkflowState.FAILED],
  done: [WorkflowState.SUCCEEDED],
  cancelled: [WorkflowState.CANCELLED],
};

const RECORDING_KINDS: Record<KindFilter, RecordingKind> = {
  media: RecordingKind.MEDIA,
  document: RecordingKind.DOCUMENT,
};

const ORDERS: Record<Sort, RecordingOrder> = {
  added: RecordingOrder.CREATED_AT,
  recorded: RecordingOrder.RECORDED_AT,
  title: RecordingOrder.TITLE,
  duration: RecordingOrder.DURATION,
  size: RecordingOrder.SIZE,
};

/** Returns the conditions as ListRecordings takes them. */
export function toRequest(filter: Filter) {
  return {
    text: filter.text.trim(),
    tags: filter.tags,
    folder: filter.folder,
    languages: filter.languages,
    speakers: filter.speakers,
    workflowStates: filter.states.flatMap((state) => WORKFLOW_STATES[state]),
    kinds: filter.kinds.map((kind) => RECORDING_KINDS[kind]),
    inBin: filter.inBin,
    orderBy: ORDERS[filter.sort],
    ascending: filter.isAscending,
    ...recordedBetween(filter.from, filter.to),
  };
}
