import { useState } from "react";

const STORED = "recordroute.transcript";

export type ViewPreferences = {
  /** Whether words are marked of which the recogniser was not sure. */
  marksUncertain: boolean;
  /** Words below this probability are marked, 0 to 1. */
  threshold: number;
};

const DEFAULTS: ViewPreferences = { marksUncertain: true, threshold: 0.5 };

function stored(): ViewPreferences {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    if (typeof found !== "object" || found === null) return DEFAULTS;
    return {
      marksUncertain: "marksUncertain" in found ? found.marksUncertain === true : DEFAULTS.marksUncertain,
      threshold:
        "threshold" in found && typeof found.threshold === "number"
          ? Math.min(0.95, Math.max(0.05, found.threshold))
          : DEFAULTS.threshold,
    };
  } catch {
    // Not written by this page: as if there were none.
    return DEFAULTS;
  }
}

export function useViewPreferences(): [ViewPreferences, (change: Partial<ViewPreferences>) => void] {
  const [preferences, setPreferences] = useState(stored);
  const change = (part: Partial<ViewPreferences>) => {
    const changed = { ...preferences, ...part };
    setPreferences(changed);
    localStorage.setItem(STORED, JSON.stringify(changed));
  };
  return [preferences, change];
}
