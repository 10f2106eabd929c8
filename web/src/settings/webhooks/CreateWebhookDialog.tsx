import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import type { WebhookEvent } from "@/gen/recordroute/gateway/v1/webhook_pb";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Checkbox, TextField } from "@/ui/Field";
import { ErrorNotice } from "@/ui/Notice";
import styles from "../keys/ApiKeys.module.css";
import { webhooks } from "./client";
import { EVENTS, useEventName } from "./events";

type CreateWebhookDialogProps = { onCreated: (secret: string) => void; onClose: () => void };

/** Adds a webhook. */
export function CreateWebhookDialog({ onCreated, onClose }: CreateWebhookDialogProps) {
  const { t } = useTranslation("settings");
  const formId = useId();
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (events.length > 0) create.mutate();
  };
  return (
    <Dialog
      title={t("newWebhook")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button
            type="submit"
            form={formId}
            variant="primary"
            busy={create.isPending}
            disabled={events.length === 0}
          >
            {t("add")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={submit}>
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
        <fieldset className={styles.scopes}>
          <legend>{t("events")}</legend>
          {EVENTS.map((event) => (
            <Checkbox
              key={event}
              label={eventName(event)}
              checked={events.includes(event)}
              onChange={({ target }) =>
                setEvents(target.checked ? [...events, event] : events.filter((other) => other !== event))
              }
            />
          ))}
          {events.length === 0 && <p className={styles.error}>{t("noEvent")}</p>}
        </fieldset>
        {create.isError && <ErrorNotice error={create.error} />}
      </form>
    </Dialog>
  );
}
