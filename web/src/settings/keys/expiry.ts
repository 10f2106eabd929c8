const DAY_MS = 86_400_000;

/** After how many days a key ends; 0: never. */
export const EXPIRIES = [30, 90, 365, 0] as const;
export type Expiry = (typeof EXPIRIES)[number];

/** Returns when a key that is made now ends; null: never. */
export function endOf(expiry: Expiry, now: Date): Date | null {
  return expiry === 0 ? null : new Date(now.getTime() + expiry * DAY_MS);
}

export type KeyState = "active" | "expired" | "revoked";

export function stateOf(
  { expiresAt, revokedAt }: { expiresAt: Date | null; revokedAt: Date | null },
  now: Date,
): KeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
}
