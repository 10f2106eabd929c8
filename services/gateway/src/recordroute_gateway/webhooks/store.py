"""Keeps webhooks, and the requests that wait to be sent: they are written in the transaction of what they tell."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recordroute_runtime.errors import Conflict, QuotaExceeded
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.tables import webhook_deliveries, webhooks
from recordroute_gateway.webhooks.records import Delivery, Webhook, WebhookEvent
from recordroute_gateway.workflow.records import Failure

WEBHOOKS_AT_MOST = 20
SECRET_BYTES = 32
# A request that is being sent is left alone by other replicas for so long.
CLAIM = timedelta(minutes=2)


class WebhookStore:
    """The webhooks of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, owner: str, request_id: str, url: str, events: Sequence[WebhookEvent]) -> Webhook:
        """Adds a webhook with a new secret. Raises Conflict (WEBHOOK_EXISTS) where the request id was used, and
        QuotaExceeded (TOO_MANY_WEBHOOKS)."""
        webhook = Webhook(
            id=str(uuid.uuid4()),
            owner=owner,
            url=url,
            events=tuple(events),
            # As https://www.standardwebhooks.com has it.
            secret="whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
            created_at=datetime.now(UTC),
        )
        try:
            async with self._database.write() as connection:
                count = select(func.count()).select_from(webhooks).where(webhooks.c.owner == owner)
                if (await connection.execute(count)).scalar_one() >= WEBHOOKS_AT_MOST:
                    raise QuotaExceeded(
                        "TOO_MANY_WEBHOOKS",
                        f"there are {WEBHOOKS_AT_MOST} webhooks already; delete one first",
                    )
                await connection.execute(
                    insert(webhooks).values(
                        id=webhook.id,
                        owner=owner,
                        request_id=request_id,
                        url=url,
                        events=[event.value for event in events],
                        secret=webhook.secret,
                        created_at=webhook.created_at,
                        last_status=0,
                        last_error="",
                        last_reason="",
                    )
                )
        except IntegrityError:
            raise Conflict(
                "WEBHOOK_EXISTS", "this request has made a webhook already; its secret is not told twice"
            ) from None
        return webhook

    async def all_of(self, owner: str) -> list[Webhook]:
        """Returns a user's webhooks, oldest first."""
        pending = (
            select(func.count())
            .select_from(webhook_deliveries)
            .where(webhook_deliveries.c.webhook_id == webhooks.c.id)
            .scalar_subquery()
            .label("pending_count")
        )
        query = (
            select(webhooks, pending)
            .where(webhooks.c.owner == owner)
            .order_by(webhooks.c.created_at, webhooks.c.id)
        )
        async with self._database.read() as connection:
            return [_webhook(row) for row in (await connection.execute(query)).all()]

    async def delete(self, owner: str, webhook_id: str) -> None:
        """Removes a webhook with its waiting requests; it is no error if it is gone."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.owner == owner)
            )

    async def claim_due(self, limit: int) -> list[Delivery]:
        """Returns requests whose time has come; no other replica gets them for a time."""
        now = datetime.now(UTC)
        query = (
            select(webhook_deliveries.c.id.label("delivery_id"), webhook_deliveries, webhooks)
            .join(webhooks)
            .where(webhook_deliveries.c.not_before <= now)
            .order_by(webhook_deliveries.c.not_before)
            .limit(limit)
        )
        async with self._database.read() as connection:
            if not (await connection.execute(query)).first():
                return []
        async with self._database.write() as connection:
            rows = (
                await connection.execute(query.with_for_update(of=webhook_deliveries, skip_locked=True))
            ).all()
            await connection.execute(
                update(webhook_deliveries)
                .where(webhook_deliveries.c.id.in_([row.delivery_id for row in rows]))
                .values(not_before=now + CLAIM)
            )
        return [
            Delivery(row.delivery_id, _webhook(row, row.webhook_id), row.body, row.attempts) for row in rows
        ]

    async def settle(
        self, delivery: Delivery, *, status: int, failure: Failure | None, retry_after: timedelta | None
    ) -> None:
        """Records how a request went: taken (no failure), to be sent again after a time, or given up (no time)."""
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            await connection.execute(
                update(webhooks)
                .where(webhooks.c.id == delivery.webhook.id)
                .values(
                    last_attempt_at=now,
                    last_status=status,
                    last_error=failure.message if failure else "",
                    last_reason=failure.reason if failure else "",
                )
            )
            place = webhook_deliveries.c.id == delivery.id
            if failure is not None and retry_after is not None:
                await connection.execute(
                    update(webhook_deliveries)
                    .where(place)
                    .values(attempts=delivery.attempts + 1, not_before=now + retry_after)
                )
            else:
                await connection.execute(delete(webhook_deliveries).where(place))


async def queue_deliveries(
    connection: AsyncConnection, owner: str, event: WebhookEvent, data: dict[str, Any]
) -> None:
    """Queues an event for every webhook of the owner that tells it, in the caller's transaction."""
    query = select(webhooks.c.id, webhooks.c.events).where(webhooks.c.owner == owner)
    told = [row.id for row in await connection.execute(query) if event.value in row.events]
    if not told:
        return
    now = datetime.now(UTC)
    body = json.dumps({"type": event.value, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    await connection.execute(
        insert(webhook_deliveries),
        [
            {
                "id": str(uuid.uuid4()),
                "webhook_id": webhook_id,
                "body": body,
                "attempts": 0,
                "not_before": now,
                "created_at": now,
            }
            for webhook_id in told
        ],
    )


def _webhook(row: Any, webhook_id: str = "") -> Webhook:
    return Webhook(
        id=webhook_id or row.id,
        owner=row.owner,
        url=row.url,
        events=tuple(WebhookEvent(event) for event in row.events),
        secret=row.secret,
        created_at=row.created_at,
        last_attempt_at=row.last_attempt_at,
        last_status=row.last_status,
        last_error=row.last_error,
        last_reason=row.last_reason,
        pending_count=getattr(row, "pending_count", 0),
    )
