import { useQuery } from "@tanstack/react-query";
import { Check, Trash2, TriangleAlert, Webhook as WebhookIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import type { Webhook } from "@/gen/recordroute/gateway/v1/webhook_pb";
import { currentLocale } from "@/i18n";
import { dateOf, dayAndTime } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { IconButton } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { Row } from "../Card";
import { SecretsCard } from "../SecretsCard";
import { troubleText } from "../troubles";
import { CreateWebhookDialog } from "./CreateWebhookDialog";
import { webhooks } from "./client";
import { useEventName } from "./events";

function WebhookRow({ webhook, onRemove }: { webhook: Webhook; onRemove: (() => void) | undefined }) {
  const { t } = useTranslation("settings");
  const eventName = useEventName();
  const last = dateOf(webhook.lastAttemptAt);
  const details = [
    webhook.events.map(eventName).join(", "),
    last === null ? t("neverSent") : t("lastSent", { date: dayAndTime(last, currentLocale()) }),
    webhook.pendingCount > 0 && t("waitingRequests", { count: webhook.pendingCount }),
  ].filter(Boolean);
  return (
    <Row
      title={webhook.url}
      badges={
        last !== null &&
        (webhook.lastError === "" ? (
          <Badge tone="accent" icon={<Check aria-hidden />}>
            {t("taken", { status: webhook.lastStatus })}
          </Badge>
        ) : (
          <Badge tone="danger" icon={<TriangleAlert aria-hidden />}>
            {webhook.lastStatus === 0 ? t("notTaken") : t("answered", { status: webhook.lastStatus })}
          </Badge>
        ))
      }
      details={details.join(" · ")}
      actions={
        onRemove !== undefined && (
          <IconButton
            size="small"
            label={t("removeWebhook", { url: webhook.url })}
            icon={<Trash2 />}
            onClick={onRemove}
          />
        )
      }
    >
      {webhook.lastError !== "" && (
        <Notice tone="warning">{troubleText(webhook.lastReason, webhook.lastError, t)}</Notice>
      )}
    </Row>
  );
}

/** Other systems that are told when work ends. */
export default function Webhooks() {
  const { t } = useTranslation("settings");
  const list = useQuery({
    queryKey: keys.webhooks,
    queryFn: () => webhooks.listWebhooks({}),
    // How the last requests went is seen anew with each visit.
    staleTime: 0,
  });
  return (
    <SecretsCard
      title={t("webhooks")}
      text={t("webhooksText")}
      queryKey={keys.webhooks}
      query={list}
      items={list.data?.webhooks ?? []}
      empty={{ icon: <WebhookIcon />, title: t("noWebhooks"), text: t("noWebhooksText") }}
      renderRow={(webhook, onRemove) => <WebhookRow key={webhook.id} webhook={webhook} onRemove={onRemove} />}
      newText={t("newWebhook")}
      renderNew={(dialog) => <CreateWebhookDialog {...dialog} />}
      made={{ title: t("webhookAdded"), text: t("webhookAddedText") }}
      question={({ url }) => ({
        title: t("removeWebhookTitle"),
        text: t("removeWebhookText", { url }),
        action: t("remove"),
      })}
      remove={({ id }) => webhooks.deleteWebhook({ requestId: crypto.randomUUID(), webhookId: id })}
    />
  );
}
