import { expect, test } from "vitest";
import { isInside, targetOf } from "./target";

test("an address names a segment, or several", () => {
  expect(targetOf("12")).toEqual({ segment: 12, last: 12 });
  expect(targetOf("12-14")).toEqual({ segment: 12, last: 14 });
  for (const wrong of ["", "-1", "1.5", "14-12", "12-", "a", "1e3", "9999999999"])
    expect(targetOf(wrong)).toBeNull();
});

test("a passage holds its first and its last segment", () => {
  const target = targetOf("12-14");
  expect([11, 12, 13, 14, 15].map((segment) => isInside(target, segment))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(isInside(null, 0)).toBe(false);
});
