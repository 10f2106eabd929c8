import { useTranslation } from "react-i18next";
import { WebhookEvent } from "@/gen/recordroute/gateway/v1/webhook_pb";

export const EVENTS = [WebhookEvent.WORKFLOW_SUCCEEDED, WebhookEvent.WORKFLOW_FAILED] as const;

/** Returns a function that names an event in the page's language. */
export function useEventName(): (event: WebhookEvent) => string {
  const { t } = useTranslation("settings");
  return (event) => {
    switch (event) {
      case WebhookEvent.WORKFLOW_SUCCEEDED:
        return t("eventSucceeded");
      case WebhookEvent.WORKFLOW_FAILED:
        return t("eventFailed");
      default:
        return String(event);
    }
  };
}
