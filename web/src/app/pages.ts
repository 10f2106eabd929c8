import type { QueryClient } from "@tanstack/react-query";
import { lazy } from "react";
import { keys } from "@/api/queries";
import { preloadTexts } from "@/i18n";
import { getCaller } from "./session";

const loadRecordingPage = () => import("@/recording/RecordingPage");
const loadFindPage = () => import("@/search/FindPage");
const loadLivePage = () => import("@/live/LivePage");
const loadActivityPage = () => import("@/workflows/ActivityPage");
const loadSettingsPage = () => import("@/settings/SettingsPage");
const loadLibraryPage = () => import("@/library/LibraryPage");

export const RecordingPage = lazy(loadRecordingPage);
export const FindPage = lazy(loadFindPage);
export const LivePage = lazy(loadLivePage);
export const ActivityPage = lazy(loadActivityPage);
export const SettingsPage = lazy(loadSettingsPage);
export const LibraryPage = lazy(loadLibraryPage);

/** The first parts of the pages' addresses, with their code and their dictionaries. */
const PAGES = new Map([
  ["", { load: loadLibraryPage, texts: "library" }],
  ["recordings", { load: loadRecordingPage, texts: "recording" }],
  ["find", { load: loadFindPage, texts: "search" }],
  ["live", { load: loadLivePage, texts: "live" }],
  ["activity", { load: loadActivityPage, texts: "workflows" }],
  ["settings", { load: loadSettingsPage, texts: "settings" }],
]);

/**
 * Begins to load at once what the page of this address would ask for one after the other: who calls, its code, its texts,
 * its data. What fails is asked for again, and told, when it is needed.
 */
export function preload(cache: QueryClient, { pathname, hash }: Location): void {
  void cache.prefetchQuery({ queryKey: keys.caller, queryFn: getCaller });
  const [, first = "", id = ""] = pathname.split("/");
  const page = PAGES.get(first);
  if (page === undefined) return;
  preloadTexts(page.texts);
  void page.load().catch(ignore);
  // With a token in the address there is no session yet.
  if (page.load === loadRecordingPage && id !== "" && hash === "") {
    void loadRecordingPage().then((page) => page.preload(cache, id), ignore);
  }
}

function ignore(): void {}
