"""WebhookService on the wire."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import webhook_pb2, webhook_pb2_grpc
from recordroute_runtime.wire import enum_names, to_timestamp

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.webhooks.records import Webhook, WebhookEvent
from recordroute_gateway.webhooks.sender import check_url
from recordroute_gateway.webhooks.store import WebhookStore


class WebhookServicer(webhook_pb2_grpc.WebhookServiceServicer):
    def __init__(self, store: WebhookStore) -> None:
        self._store = store

    async def CreateWebhook(
        self, request: webhook_pb2.CreateWebhookRequest, context: Any
    ) -> webhook_pb2.CreateWebhookResponse:
        check_url(request.url)
        events = [WebhookEvent[name.upper()] for name in enum_names(request, "events")]
        webhook = await self._store.create(current_caller().user, request.request_id, request.url, events)
        return webhook_pb2.CreateWebhookResponse(webhook=_message(webhook), secret=webhook.secret)

    async def ListWebhooks(
        self, request: webhook_pb2.ListWebhooksRequest, context: Any
    ) -> webhook_pb2.ListWebhooksResponse:
        found = await self._store.all_of(current_caller().user)
        return webhook_pb2.ListWebhooksResponse(webhooks=[_message(webhook) for webhook in found])

    async def DeleteWebhook(
        self, request: webhook_pb2.DeleteWebhookRequest, context: Any
    ) -> webhook_pb2.DeleteWebhookResponse:
        await self._store.delete(current_caller().user, request.webhook_id)
        return webhook_pb2.DeleteWebhookResponse()


def _message(webhook: Webhook) -> webhook_pb2.Webhook:
    return webhook_pb2.Webhook(
        id=webhook.id,
        url=webhook.url,
        events=[f"WEBHOOK_EVENT_{event.name}" for event in webhook.events],
        created_at=to_timestamp(webhook.created_at),
        last_attempt_at=to_timestamp(webhook.last_attempt_at) if webhook.last_attempt_at else None,
        last_status=webhook.last_status,
        last_error=webhook.last_error,
        last_reason=webhook.last_reason,
        pending_count=webhook.pending_count,
    )
