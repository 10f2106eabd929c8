import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { keys } from "@/api/queries";
import { getCaller } from "@/app/session";
import { useObservable } from "@/lib/observable";
import { uploadsWanted } from "./uploads";

const UploadsPanel = lazy(() => import("./UploadsPanel"));

/** The uploads of this page, on every page. Its code is loaded when there are some. */
export function UploadsDock() {
  const wanted = useObservable(uploadsWanted);
  const { data: caller } = useQuery({ queryKey: keys.caller, queryFn: getCaller });
  if (!wanted || !caller) return null;
  return (
    <Suspense fallback={null}>
      <UploadsPanel user={caller.user} />
    </Suspense>
  );
}
