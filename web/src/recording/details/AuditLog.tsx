import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { identity } from "@/api/clients";
import { useErrorText } from "@/api/errors";
import { keys } from "@/api/queries";
import { currentLocale } from "@/i18n";
import { dateAndTime, dateOf } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Spinner } from "@/ui/Spinner";
import { actionKey } from "./actions";
import styles from "./DetailsPanel.module.css";

const PAGE_SIZE = 20;

/** Who did what to the recording. */
export function AuditLog({ recordingId }: { recordingId: string }) {
  const { t } = useTranslation("recording");
  const log = useInfiniteQuery({
    queryKey: keys.auditEvents({ recordingId }),
    staleTime: 0,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      identity.listAuditEvents({ recordingId, pageSize: PAGE_SIZE, pageToken: pageParam }, { signal }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
  const error = useErrorText(log.error);
  const events = log.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <section className={styles.section} aria-label={t("audit")}>
      <h3>{t("audit")}</h3>
      {log.isPending && <Spinner label={t("audit")} />}
      {log.isError && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
      {log.isSuccess && events.length === 0 && <p className={styles.muted}>{t("noAudit")}</p>}
      <ol className={styles.artifacts}>
        {events.map(({ time, user, action, outcome }, position) => {
          const date = dateOf(time);
          const known = actionKey(action);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no name, and only more come at the end
            <li key={position}>
              <p className={styles.artifact}>
                {known === null ? action : t(known)}
                {outcome !== "OK" && <span className={styles.error}>{outcome}</span>}
              </p>
              <p className={styles.muted}>
                {[user, date !== null && dateAndTime(date, currentLocale())].filter(Boolean).join(" · ")}
              </p>
            </li>
          );
        })}
      </ol>
      {log.hasNextPage && (
        <Button size="small" busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          {t("showMore")}
        </Button>
      )}
    </section>
  );
}
