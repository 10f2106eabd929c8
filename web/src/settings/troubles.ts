import type { TFunction } from "i18next";

/** Stable names that the server gives to what is wrong with its services, and with receivers of webhooks. */
const TROUBLES = [
  "SERVICE_FOREIGN",
  "SERVICE_HELD_BACK",
  "SERVICE_NOT_READY",
  "SERVICE_TIMED_OUT",
  "SERVICE_UNREACHABLE",
  "WEBHOOK_ADDRESS_PRIVATE",
  "WEBHOOK_BROKE_OFF",
  "WEBHOOK_HOST_UNKNOWN",
  "WEBHOOK_REDIRECTED",
  "WEBHOOK_REFUSED",
  "WEBHOOK_TIMED_OUT",
  "WEBHOOK_TLS_FAILED",
  "WEBHOOK_UNREACHABLE",
] as const;

/** Returns what is wrong in the page's language; what it has no words for comes as the server said it. */
export function troubleText(reason: string, message: string, t: TFunction<"settings">): string {
  const known = TROUBLES.find((one) => one === reason);
  return known === undefined ? message : t(`trouble_${known}`);
}
