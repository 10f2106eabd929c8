import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { useMemo } from "react";
import { type Bookmark, BookmarkSchema } from "@/gen/recordroute/gateway/v1/library_pb";
import { secondsOf } from "@/lib/time";
import { useToasts } from "@/ui/Toast";
import type { RecordingChange } from "../useUpdateRecording";

/** Two marks closer than this are one. */
const SAME_SECONDS = 0.5;

export function withBookmark(bookmarks: readonly Bookmark[], seconds: number): Bookmark[] {
  if (bookmarks.some(({ position }) => Math.abs(secondsOf(position) - seconds) < SAME_SECONDS)) {
    return [...bookmarks];
  }
  const added = create(BookmarkSchema, { position: durationFromMs(Math.round(seconds * 1000)) });
  return [...bookmarks, added].sort((one, other) => secondsOf(one.position) - secondsOf(other.position));
}

function isSame(one: Bookmark, other: Bookmark): boolean {
  return secondsOf(one.position) === secondsOf(other.position);
}

export type Bookmarks = {
  add: (seconds: number) => Promise<boolean>;
  rename: (bookmark: Bookmark, label: string) => Promise<boolean>;
  remove: (bookmark: Bookmark) => Promise<boolean>;
  restore: (bookmark: Bookmark) => Promise<boolean>;
};

/** The changes of a recording's bookmarks; false where one was refused, of which the user is told. */
export function useBookmarks(update: (change: RecordingChange) => Promise<void>): Bookmarks {
  const toasts = useToasts();
  return useMemo(() => {
    const run = async (change: (bookmarks: readonly Bookmark[]) => Bookmark[]) => {
      try {
        await update(({ bookmarks }) => ({ bookmarks: change(bookmarks) }));
        return true;
      } catch (error) {
        toasts.showError(error);
        return false;
      }
    };
    return {
      add: (seconds) => run((bookmarks) => withBookmark(bookmarks, seconds)),
      rename: (bookmark, label) =>
        run((bookmarks) => bookmarks.map((other) => (isSame(other, bookmark) ? { ...other, label } : other))),
      remove: (bookmark) => run((bookmarks) => bookmarks.filter((other) => !isSame(other, bookmark))),
      restore: (bookmark) =>
        run((bookmarks) =>
          withBookmark(bookmarks, secondsOf(bookmark.position)).map((other) =>
            isSame(other, bookmark) ? bookmark : other,
          ),
        ),
    };
  }, [update, toasts]);
}
