import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { keys } from "@/api/queries";
import { changeListedRecordings, type RecordingPages } from "@/api/recordingLists";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";

/** What the lists were before a change. */
export type Before = { lists: [QueryKey, RecordingPages | undefined][]; recordings: Recording[] };

/** Changes recordings in the lists at once; null takes one off. Returns what they were, for `takeBack`. */
export async function changeListed(
  cache: QueryClient,
  ids: readonly string[],
  change: (recording: Recording) => Recording | null,
): Promise<Before> {
  // An answer that is on its way would put the old ones back.
  await cache.cancelQueries({ queryKey: keys.recordingLists });
  const wanted = new Set(ids);
  const lists = cache.getQueriesData<RecordingPages>({ queryKey: keys.recordingLists });
  const recordings: Recording[] = [];
  for (const id of ids) {
    const one = cache.getQueryData<Recording>(keys.recording(id));
    if (one === undefined) continue;
    recordings.push(one);
    const changed = change(one);
    if (changed !== null) cache.setQueryData(keys.recording(id), changed);
  }
  changeListedRecordings(cache, (recording) => (wanted.has(recording.id) ? change(recording) : recording));
  return { lists, recordings };
}

export function takeBack(cache: QueryClient, before: Before): void {
  for (const [key, pages] of before.lists) cache.setQueryData(key, pages);
  for (const recording of before.recordings) cache.setQueryData(keys.recording(recording.id), recording);
}

/** Reads lists and facets anew: the server knows the order, and what else has changed. */
export function readAnew(cache: QueryClient): void {
  void cache.invalidateQueries({ queryKey: keys.recordingLists });
  void cache.invalidateQueries({ queryKey: keys.facets });
}
