import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Plus, Trash2, TriangleAlert, Webhook as WebhookIcon } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import type { Webhook } from "@/gen/recordroute/gateway/v1/webhook_pb";
import { currentLocale } from "@/i18n";
import { dateOf, dayAndTime } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Button, IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Notice } from "@/ui/Notice";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { useToasts } from "@/ui/Toast";
import { Card, Row, Rows } from "../Card";
import { useCaller } from "../caller";
import { NoAccess } from "../NoAccess";
import { SecretDialog } from "../SecretDialog";
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
      {webhook.lastError !== "" && <Notice tone="warning">{webhook.lastError}</Notice>}
    </Row>
  );
}

/** Other systems that are told when work ends. */
export default function Webhooks() {
  const { t } = useTranslation("settings");
  const { canWrite } = useCaller();
  const cache = useQueryClient();
  const toasts = useToasts();
  const [isCreating, setCreating] = useState(false);
  const [secret, setSecret] = useState("");
  const [removing, setRemoving] = useState<Webhook | null>(null);
  const list = useQuery({
    queryKey: keys.webhooks,
    queryFn: () => webhooks.listWebhooks({}),
    // How the last requests went is seen anew with each visit.
    staleTime: 0,
  });
  const remove = useMutation({
    mutationFn: (webhook: Webhook) =>
      webhooks.deleteWebhook({ requestId: crypto.randomUUID(), webhookId: webhook.id }),
    onError: toasts.showError,
    onSettled: () => {
      setRemoving(null);
      void cache.invalidateQueries({ queryKey: keys.webhooks });
    },
  });
  return (
    <>
      {!canWrite && <NoAccess scope="write" />}
      <Card
        title={t("webhooks")}
        text={t("webhooksText")}
        actions={
          canWrite && (
            <Button variant="primary" icon={<Plus />} onClick={() => setCreating(true)}>
              {t("newWebhook")}
            </Button>
          )
        }
      >
        {list.isPending && <LoadingState />}
        {list.isError && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
        {list.isSuccess && list.data.webhooks.length === 0 && (
          <EmptyState icon={<WebhookIcon />} title={t("noWebhooks")} text={t("noWebhooksText")} />
        )}
        {list.isSuccess && list.data.webhooks.length > 0 && (
          <Rows label={t("webhooks")}>
            {list.data.webhooks.map((webhook) => (
              <WebhookRow
                key={webhook.id}
                webhook={webhook}
                onRemove={canWrite ? () => setRemoving(webhook) : undefined}
              />
            ))}
          </Rows>
        )}
      </Card>
      {isCreating && (
        <CreateWebhookDialog
          onClose={() => setCreating(false)}
          onCreated={(made) => {
            setCreating(false);
            setSecret(made);
          }}
        />
      )}
      {secret !== "" && (
        <SecretDialog
          title={t("webhookAdded")}
          text={t("webhookAddedText")}
          secret={secret}
          onClose={() => setSecret("")}
        />
      )}
      {removing !== null && (
        <ConfirmDialog
          title={t("removeWebhookTitle")}
          text={t("removeWebhookText", { url: removing.url })}
          action={t("remove")}
          danger
          busy={remove.isPending}
          onConfirm={() => remove.mutate(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}
