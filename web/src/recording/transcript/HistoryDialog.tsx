import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { useErrorText } from "@/api/errors";
import { keys } from "@/api/queries";
import type { GetCallerResponse } from "@/gen/recordroute/gateway/v1/identity_pb";
import { currentLocale } from "@/i18n";
import { dateAndTime, dateOf } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { ErrorState, LoadingState } from "@/ui/State";
import styles from "./HistoryDialog.module.css";
import { summaryKey } from "./summaries";

type HistoryDialogProps = {
  recordingId: string;
  canEdit: boolean;
  onRevert: (revision: number) => Promise<void>;
  onClose: () => void;
};

/** Who has changed the transcript, when and how, with the way back to each state of it. */
export function HistoryDialog({ recordingId, canEdit, onRevert, onClose }: HistoryDialogProps) {
  const { t } = useTranslation("recording");
  const caller = useQuery<GetCallerResponse | null>({ queryKey: keys.caller, enabled: false });
  const [busy, setBusy] = useState<number | null>(null);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText(error);
  const history = useInfiniteQuery({
    queryKey: keys.revisions(recordingId),
    staleTime: 0,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      library.listTranscriptRevisions({ recordingId, pageToken: pageParam }, { signal }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
  const revert = async (revision: number) => {
    setBusy(revision);
    setError(undefined);
    try {
      await onRevert(revision);
      await history.refetch();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(null);
    }
  };
  const revisions = history.data?.pages.flatMap((page) => page.revisions) ?? [];
  return (
    <Dialog title={t("history")} onClose={onClose} wide>
      {history.isPending && <LoadingState />}
      {history.isError && <ErrorState error={history.error} onRetry={() => void history.refetch()} />}
      {error !== undefined && (
        <p role="alert" className={styles.error}>
          {errorText}
        </p>
      )}
      <ol className={styles.list}>
        {revisions.map(({ revision, author, summary, createdAt, revertedTo }, position) => {
          const date = dateOf(createdAt);
          const by = author === "" ? t("byRecogniser") : author === caller.data?.user ? t("byYou") : author;
          return (
            <li key={revision} className={styles.revision}>
              <div className={styles.what}>
                <p>
                  {revertedTo !== undefined
                    ? t("revertedTo", { revision: revertedTo })
                    : summaryText(summary, t)}
                </p>
                <p className={styles.who}>
                  {t("revisionOf", { revision })} · {by}
                  {date !== null && (
                    <>
                      {" · "}
                      <time dateTime={date.toISOString()}>{dateAndTime(date, currentLocale())}</time>
                    </>
                  )}
                </p>
              </div>
              {position === 0 ? (
                <Badge tone="accent">{t("currentRevision")}</Badge>
              ) : (
                canEdit && (
                  <Button
                    size="small"
                    icon={<Undo2 />}
                    busy={busy === revision}
                    disabled={busy !== null}
                    aria-label={t("goBackTo", { revision })}
                    onClick={() => void revert(revision)}
                  >
                    {t("goBack")}
                  </Button>
                )
              )}
            </li>
          );
        })}
      </ol>
      {history.hasNextPage && (
        <Button busy={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
          {t("showMore")}
        </Button>
      )}
    </Dialog>
  );
}

type Translate = ReturnType<typeof useTranslation<"recording">>["t"];

function summaryText(summary: string, t: Translate): string {
  return summary
    .split(", ")
    .map((part) => {
      const known = summaryKey(part);
      return known === null ? part : t(known.key, known.values);
    })
    .join(", ");
}
