import { useState } from "react";

const STORED = "recordroute.ticked.";

function storedTicks(recordingId: string): ReadonlySet<string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED + recordingId) ?? "[]");
    return new Set(Array.isArray(stored) ? stored.filter((text) => typeof text === "string") : []);
  } catch {
    return new Set();
  }
}

/**
 * Which action items of a recording are done, by their texts: the contract has no place for it, so that each browser
 * knows its own.
 */
export function useTicks(recordingId: string): [ReadonlySet<string>, (text: string, done: boolean) => void] {
  const [ticks, setTicks] = useState(() => storedTicks(recordingId));
  const tick = (text: string, done: boolean) => {
    const next = new Set(ticks);
    if (done) next.add(text);
    else next.delete(text);
    if (next.size === 0) localStorage.removeItem(STORED + recordingId);
    else localStorage.setItem(STORED + recordingId, JSON.stringify([...next]));
    setTicks(next);
  };
  return [ticks, tick];
}
