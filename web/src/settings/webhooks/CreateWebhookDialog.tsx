import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import type { WebhookEvent } from "@/gen/recordroute/gateway/v1/webhook_pb";
import { CheckboxGroup } from "@/ui/CheckboxGroup";
import { TextField } from "@/ui/Field";
import { FormDialog } from "@/ui/FormDialog";
import { ErrorNotice } from "@/ui/Notice";
import { webhooks } from "./client";
import { EVENTS, useEventName } from "./events";

type CreateWebhookDialogProps = { onCreated: (secret: string) => void; onClose: () => void };

/** Adds a webhook. */
export function CreateWebhookDialog({ onCreated, onClose }: CreateWebhookDialogProps) {
  const { t } = useTranslation("settings");
  const cache = useQueryClient();
  const eventName = useEventName();
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<readonly WebhookEvent[]>(EVENTS);
  const create = useMutation({
    mutationFn: () =>
      webhooks.createWebhook({ requestId: crypto.randomUUID(), url: url.trim(), events: [...events] }),
    onSuccess: ({ secret }) => {
      void cache.invalidateQueries({ queryKey: keys.webhooks });
      onCreated(secret);
    },
  });
  const submit = () => {
    if (events.length > 0) create.mutate();
  };
  return (
    <FormDialog
      title={t("newWebhook")}
      submit={t("add")}
      busy={create.isPending}
      disabled={events.length === 0}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextField
        label={t("webhookUrl")}
        type="url"
        placeholder="https://"
        required
        pattern="https?://.+"
        maxLength={2048}
        value={url}
        onChange={(event) => setUrl(event.target.value)}
      />
      <CheckboxGroup
        label={t("events")}
        options={EVENTS.map((event) => ({ value: event, label: eventName(event) }))}
        chosen={events}
        error={events.length === 0 ? t("noEvent") : undefined}
        onChange={setEvents}
      />
      {create.isError && <ErrorNotice error={create.error} />}
    </FormDialog>
  );
}
