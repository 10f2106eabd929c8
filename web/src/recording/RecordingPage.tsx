import { type QueryClient, useQuery } from "@tanstack/react-query";
import { FileX2 } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { failureOf } from "@/api/errors";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { recordingQuery } from "./queries";
import { RecordingView } from "./RecordingView";
import { preloadTranscript, useTranscript } from "./transcript/useTranscript";

/** Begins to read what the page of a recording shows, before the page is there. */
export function preload(cache: QueryClient, id: string): void {
  void cache.prefetchQuery(recordingQuery(id));
  preloadTranscript(cache, id);
}

/** One recording: what was said, what came of it, and what is known of it. */
export default function RecordingPage({ id }: { id: string }) {
  const { t } = useTranslation("recording");
  const recording = useQuery(recordingQuery(id));
  const transcript = useTranscript(id, recording.data);
  const title = recording.data?.title ?? t("recording");
  useEffect(() => {
    document.title = `${title} · RecordRoute`;
  }, [title]);
  if (recording.data !== undefined) {
    return <RecordingView recording={recording.data} transcript={transcript} />;
  }
  if (recording.isPending) return <LoadingState />;
  const { reason } = failureOf(recording.error);
  // An address with something that is no id at all is as unknown.
  if (reason === "RECORDING_NOT_FOUND" || reason === "INVALID_FIELDS") {
    return (
      <>
        <h1 className="visually-hidden">{t("recording")}</h1>
        <EmptyState
          icon={<FileX2 />}
          title={t("notFound")}
          text={t("notFoundText")}
          action={<Link href="/">{t("toLibrary")}</Link>}
        />
      </>
    );
  }
  return (
    <>
      <h1 className="visually-hidden">{t("recording")}</h1>
      <ErrorState error={recording.error} onRetry={() => void recording.refetch()} />
    </>
  );
}
