import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { identity } from "@/api/clients";
import { keys } from "@/api/queries";
import type { AuditEvent } from "@/gen/recordroute/gateway/v1/identity_pb";
import { currentLocale } from "@/i18n";
import { dateOf } from "@/lib/time";
import { Button } from "@/ui/Button";
import { ErrorState, LoadingState } from "@/ui/State";
import { Switch } from "@/ui/Switch";
import { Card } from "../Card";
import styles from "./AuditLog.module.css";

const PAGE = 25;

function EventRow({ event, showUser }: { event: AuditEvent; showUser: boolean }) {
  const { t } = useTranslation("settings");
  const time = dateOf(event.time);
  const [service = "", method = ""] = event.action.split("/");
  const isOk = event.outcome === "OK";
  return (
    <tr>
      <td className={styles.time}>
        {time?.toLocaleString(currentLocale(), { dateStyle: "short", timeStyle: "medium" })}
      </td>
      {showUser && <td>{event.user}</td>}
      <td>
        <span title={service}>{method}</span>
        {event.recordingId !== "" && (
          <>
            {" "}
            <Link href={`/recordings/${event.recordingId}`}>{t("auditRecording")}</Link>
          </>
        )}
      </td>
      <td>{event.apiKeyId === "" ? event.peer : `${event.apiKeyId} ${event.peer}`}</td>
      <td className={isOk ? undefined : styles.failed}>{event.outcome}</td>
    </tr>
  );
}

/** Who did what, newest first. */
export function AuditLog({ isAdmin }: { isAdmin: boolean }) {
  const { t } = useTranslation("settings");
  const [allUsers, setAllUsers] = useState(false);
  const log = useInfiniteQuery({
    queryKey: keys.auditEvents({ allUsers }),
    queryFn: ({ pageParam }) => identity.listAuditEvents({ pageSize: PAGE, pageToken: pageParam, allUsers }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    staleTime: 0,
  });
  const events = log.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Card title={t("audit")} text={t("auditText")}>
      {isAdmin && <Switch label={t("auditOfAll")} checked={allUsers} onChange={setAllUsers} />}
      {log.isPending && <LoadingState />}
      {log.isError && <ErrorState error={log.error} onRetry={() => void log.refetch()} />}
      {log.isSuccess && events.length === 0 && <p className={styles.muted}>{t("auditEmpty")}</p>}
      {events.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
        <section className={styles.scroll} tabIndex={0} aria-label={t("auditEvents")}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t("auditTime")}</th>
                {allUsers && <th scope="col">{t("user")}</th>}
                <th scope="col">{t("auditAction")}</th>
                <th scope="col">{t("auditFrom")}</th>
                <th scope="col">{t("auditOutcome")}</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event, position) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: events have no id and are only added at the end
                <EventRow key={position} event={event} showUser={allUsers} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {log.hasNextPage && (
        <div>
          <Button size="small" busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            {t("showMore")}
          </Button>
        </div>
      )}
    </Card>
  );
}
