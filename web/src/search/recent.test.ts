import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { rememberQuery, useRecentQueries, useRememberOnLeaving } from "./recent";

beforeEach(() => localStorage.clear());

test("the newest comes first, each once, eight at most", () => {
  for (let number = 0; number < 10; number += 1) rememberQuery(`query ${number}`);
  expect(rememberQuery("query 5")).toEqual([5, 9, 8, 7, 6, 4, 3, 2].map((number) => `query ${number}`));
});

test("they can be cleared", () => {
  rememberQuery("budget");
  const { result } = renderHook(useRecentQueries);
  expect(result.current.queries).toEqual(["budget"]);
  act(() => result.current.clear());
  expect(result.current.queries).toEqual([]);
  expect(rememberQuery("new")).toEqual(["new"]);
});

test("what somebody else wrote is left aside", () => {
  localStorage.setItem("recordroute.recentQueries", "{");
  expect(renderHook(useRecentQueries).result.current.queries).toEqual([]);
});

test("the last query is kept when the page is left", () => {
  const { rerender, unmount } = renderHook(({ query }) => useRememberOnLeaving(query), {
    initialProps: { query: "b" },
  });
  rerender({ query: "budget" });
  unmount();
  expect(renderHook(useRecentQueries).result.current.queries).toEqual(["budget"]);
});
