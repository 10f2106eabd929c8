import { useEffect, useRef, useState } from "react";

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

/** Keeps a query, newest first. Returns what is kept now. */
export function rememberQuery(query: string): string[] {
  const kept = [query, ...storedQueries().filter((other) => other !== query)].slice(0, KEPT);
  localStorage.setItem(STORED, JSON.stringify(kept));
  return kept;
}

export type Recent = { queries: string[]; add: (query: string) => void; clear: () => void };

/** What was looked for last, newest first. */
export function useRecentQueries(): Recent {
  const [queries, setQueries] = useState(storedQueries);
  return {
    queries,
    add: (query) => setQueries(rememberQuery(query)),
    clear: () => {
      localStorage.removeItem(STORED);
      setQueries([]);
    },
  };
}

/** Whoever goes on to a result has found with this query, also without having pressed Enter. */
export function useRememberOnLeaving(query: string): void {
  const latest = useRef(query);
  useEffect(() => {
    latest.current = query;
  }, [query]);
  useEffect(
    () => () => {
      if (latest.current !== "") rememberQuery(latest.current);
    },
    [],
  );
}
