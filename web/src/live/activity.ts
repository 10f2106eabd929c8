import { Observable } from "@/lib/observable";

/**
 * What the rest of the page has to know of live recording without loading it: whether it goes on in this tab, and
 * whether this device keeps audio that the server does not have.
 */
export type LiveActivity = "none" | "recording" | "finishing";

export const liveActivity = new Observable<LiveActivity>("none");

const UNSENT = "recordroute.live.unsent";

/** Whether audio of an earlier visit may wait on this device: the database is opened only where it does. */
export function mayHaveUnsentAudio(): boolean {
  return localStorage.getItem(UNSENT) !== null;
}

export function noteUnsentAudio(some: boolean): void {
  if (some) localStorage.setItem(UNSENT, "1");
  else localStorage.removeItem(UNSENT);
}
