import { vi } from "vitest";

/** Returns as soon as a check holds. Its deadline is for machines that are busy with other tests. */
export function soon<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 50_000, interval: 5 });
}
