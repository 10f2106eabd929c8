import { expect, test } from "vitest";
import { secondsOf } from "@/lib/time";
import { withBookmark } from "./useBookmarks";

test("bookmarks are kept in their order, and none twice", () => {
  let bookmarks = withBookmark([], 30.25);
  bookmarks = withBookmark(bookmarks, 12);
  bookmarks = withBookmark(bookmarks, 12.3);
  expect(bookmarks.map(({ position }) => secondsOf(position))).toEqual([12, 30.25]);
});
