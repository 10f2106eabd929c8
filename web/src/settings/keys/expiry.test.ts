import { expect, test } from "vitest";
import { endOf, stateOf } from "./expiry";

const now = new Date("2026-03-01T12:00:00Z");
const before = new Date("2026-02-28T12:00:00Z");
const after = new Date("2026-03-31T12:00:00Z");

test("a key ends after so many days, or never", () => {
  expect(endOf(30, now)).toEqual(after);
  expect(endOf(0, now)).toBeNull();
});

test("a key that was revoked is told so, whenever it would have ended", () => {
  expect(stateOf({ expiresAt: null, revokedAt: null }, now)).toBe("active");
  expect(stateOf({ expiresAt: after, revokedAt: null }, now)).toBe("active");
  expect(stateOf({ expiresAt: before, revokedAt: null }, now)).toBe("expired");
  expect(stateOf({ expiresAt: before, revokedAt: before }, now)).toBe("revoked");
});
