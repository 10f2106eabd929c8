import type { SearchHit } from "@/gen/recordroute/gateway/v1/search_pb";

/**
 * Whether none of the places has a word of the query, common words left out: a place that has one shows it. The nearest
 * in meaning are found for any query, and no score tells whether they are near (benchmarks/results/weak_hits.md).
 */
export function isByMeaningOnly(hits: readonly SearchHit[]): boolean {
  return hits.length > 0 && hits.every(({ highlights }) => highlights.length === 0);
}
