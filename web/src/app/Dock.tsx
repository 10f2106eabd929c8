import { lazy, Suspense } from "react";
import { useObservable } from "@/lib/observable";
import { liveActivity, mayHaveUnsentAudio } from "@/live/activity";
import { UploadsDock } from "@/uploads/UploadsDock";
import styles from "./Dock.module.css";

const LiveDock = lazy(() => import("@/live/LiveDock"));

/** What goes on whichever page is open, one below the other; it is loaded when there is something. */
export function Dock() {
  const live = useObservable(liveActivity);
  return (
    <div className={styles.dock}>
      <UploadsDock />
      <Suspense fallback={null}>{(live !== "none" || mayHaveUnsentAudio()) && <LiveDock />}</Suspense>
    </div>
  );
}
