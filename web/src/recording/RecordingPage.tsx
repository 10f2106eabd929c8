import { useQuery } from "@tanstack/react-query";
import { FileX2 } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { library } from "@/api/clients";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { RecordingView } from "./RecordingView";

/** One recording: what was said, what came of it, and what is known of it. */
export default function RecordingPage({ id }: { id: string }) {
  const { t } = useTranslation("recording");
  const recording = useQuery({
    queryKey: keys.recording(id),
    queryFn: async ({ signal }) => {
      const answer = await library.getRecording({ recordingId: id }, { signal });
      if (answer.recording === undefined) throw new Error("the server told no recording");
      return answer.recording;
    },
  });
  const title = recording.data?.title ?? t("recording");
  useEffect(() => {
    document.title = `${title} · RecordRoute`;
  }, [title]);
  if (recording.data !== undefined) return <RecordingView recording={recording.data} />;
  if (recording.isPending) return <LoadingState />;
  const { reason } = failureOf(recording.error);
  // An address with something that is no id at all is as unknown.
  if (reason === "RECORDING_NOT_FOUND" || reason === "INVALID_REQUEST") {
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
