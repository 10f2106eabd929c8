import { clientOf } from "@/api/transport";
import { WebhookService } from "@/gen/recordroute/gateway/v1/webhook_pb";

export const webhooks = clientOf(WebhookService);
