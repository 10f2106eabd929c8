import { useQuery } from "@tanstack/react-query";
import { Layers, SearchX } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import { search } from "@/api/search";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { currentLocale } from "@/i18n";
import { clock, dateOf, dayAndTime, secondsOf } from "@/lib/time";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import styles from "./SimilarPanel.module.css";

const LIMIT = 10;

/** The recordings that speak of the same, most alike first. */
export function SimilarPanel({ recording }: { recording: Recording }) {
  const { t } = useTranslation("recording/similar");
  const language = currentLocale();
  const similar = useQuery({
    queryKey: keys.similar(recording.id),
    queryFn: () => search.findSimilar({ recordingId: recording.id, limit: LIMIT }),
  });
  if (similar.isPending) return <LoadingState />;
  if (similar.isError) {
    if (failureOf(similar.error).reason === "ARTIFACT_NOT_READY") {
      return <EmptyState icon={<Layers />} title={t("notReadyTitle")} text={t("notReady")} />;
    }
    return <ErrorState error={similar.error} onRetry={() => void similar.refetch()} />;
  }
  const found = similar.data.recordings;
  if (found.length === 0) return <EmptyState icon={<SearchX />} title={t("noneTitle")} text={t("none")} />;
  const percent = new Intl.NumberFormat(language, { style: "percent" });
  return (
    <ul className={styles.list} aria-label={t("similar")}>
      {found.map(({ recording: other, similarity }) => {
        if (other === undefined) return null;
        const date = dateOf(other.recordedAt);
        const details = [
          date && dayAndTime(date, language),
          other.duration && clock(secondsOf(other.duration)),
          other.folder,
          ...other.tags,
        ].filter(Boolean);
        const likeness = t("similarity", { percent: percent.format(similarity) });
        return (
          <li key={other.id}>
            <Link href={`/recordings/${other.id}`} className={styles.entry}>
              <span className={styles.title}>{other.title}</span>
              <span className={styles.details}>{details.join(" · ")}</span>
              <span className={styles.likeness} title={likeness}>
                <span className={styles.bar} style={{ width: percent.format(similarity) }} />
                <span className="visually-hidden">{likeness}</span>
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
