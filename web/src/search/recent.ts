import { useState } from "react";

const STORED = "recordroute.recentQueries";
const KEPT = 8;

function storedQueries(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(stored) ? stored.filter((query) => typeof query === "string") : [];
  } catch {
    return [];
  }
}

export type Recent = { queries: string[]; add: (query: string) => void; clear: () => void };

/** What was looked for last, newest first. */
export function useRecentQueries(): Recent {
  const [queries, setQueries] = useState(storedQueries);
  return {
    queries,
    add: (query) => {
      const next = [query, ...queries.filter((other) => other !== query)].slice(0, KEPT);
      localStorage.setItem(STORED, JSON.stringify(next));
      setQueries(next);
    },
    clear: () => {
      localStorage.removeItem(STORED);
      setQueries([]);
    },
  };
}
