import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, RefreshCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { system } from "@/api/clients";
import { keys } from "@/api/queries";
import { currentLocale } from "@/i18n";
import { size } from "@/lib/size";
import { dateAndTime, dateOf } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { IconButton } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { ErrorState, LoadingState } from "@/ui/State";
import { Card, Row, Rows } from "../Card";
import { useCaller } from "../caller";
import { Facts } from "../Facts";
import { useServiceName } from "../services";
import { troubleText } from "../troubles";
import { AuditLog } from "./AuditLog";
import { BackupCard } from "./BackupCard";

/** How the whole system is. */
export default function System() {
  const { t } = useTranslation("settings");
  const { caller, isAdmin } = useCaller();
  const serviceName = useServiceName();
  const language = currentLocale();
  const status = useQuery({
    queryKey: keys.system,
    queryFn: () => system.getSystemStatus({}),
    staleTime: 5_000,
  });
  const renderStatus = () => {
    if (status.isPending) return <LoadingState />;
    if (status.isError) return <ErrorState error={status.error} onRetry={() => void status.refetch()} />;
    const { services, version, startedAt, storageBytes, freeBytes, queuedWorkflows, runningWorkflows } =
      status.data;
    const limit = caller?.storageLimitBytes ?? 0n;
    const started = dateOf(startedAt);
    return (
      <>
        <Card
          title={t("health")}
          actions={
            <IconButton
              label={t("refresh")}
              icon={<RefreshCw />}
              busy={status.isFetching}
              onClick={() => void status.refetch()}
            />
          }
        >
          <Rows label={t("services")}>
            {services.map((service) => (
              <Row
                key={service.name}
                title={serviceName(service.name)}
                badges={
                  service.ready ? (
                    <Badge tone="accent" icon={<CircleCheck aria-hidden />}>
                      {t("ready")}
                    </Badge>
                  ) : (
                    <Badge tone="danger" icon={<CircleX aria-hidden />}>
                      {t("notReady")}
                    </Badge>
                  )
                }
                details={troubleText(service.reason, service.message, t) || undefined}
              />
            ))}
          </Rows>
        </Card>
        <Card title={t("storage")}>
          {limit > 0n && (
            <Progress label={t("storageUsed")} percent={(100 * Number(storageBytes)) / Number(limit)} />
          )}
          <Facts
            facts={[
              [
                t("storageUsed"),
                limit > 0n
                  ? t("bytesOf", { done: size(storageBytes, language), total: size(limit, language) })
                  : size(storageBytes, language),
              ],
              [t("freeDisk"), freeBytes > 0n ? size(freeBytes, language) : t("unknown")],
              [t("work"), t("workText", { running: runningWorkflows, queued: queuedWorkflows })],
              [t("version"), version],
              [t("startedAt"), started === null ? t("unknown") : dateAndTime(started, language)],
            ]}
          />
        </Card>
      </>
    );
  };
  return (
    <>
      {renderStatus()}
      <BackupCard isAdmin={isAdmin} />
      <AuditLog isAdmin={isAdmin} />
    </>
  );
}
