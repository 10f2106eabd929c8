import { expect, test } from "vitest";
import lock from "../package-lock.json";

const packages: [string, { integrity?: string; resolved?: string }][] = Object.entries<object>(lock.packages);

test("what is installed is checked against the lock, whichever registry it comes from", () => {
  const installed = packages.filter(([place]) => place !== "");
  expect(installed.length).toBeGreaterThan(100);
  // npm leaves the hash out where its registry does not have a platform's package in that version.
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
