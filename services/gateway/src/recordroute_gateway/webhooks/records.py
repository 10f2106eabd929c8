"""Webhooks, as the gateway's own code sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WebhookEvent(StrEnum):
    """What a webhook tells; the values are the `type` of its requests."""

    WORKFLOW_SUCCEEDED = "workflow.succeeded"
    WORKFLOW_FAILED = "workflow.failed"


@dataclass(frozen=True)
class Webhook:
    """A webhook with how its last request went; `last_status` is 0 where no answer came."""

    id: str
    owner: str
    url: str
    events: tuple[WebhookEvent, ...]
    secret: str
    created_at: datetime
    last_attempt_at: datetime | None = None
    last_status: int = 0
    last_error: str = ""
    last_reason: str = ""
    pending_count: int = 0


@dataclass(frozen=True)
class Delivery:
    """A request that has not been taken yet; `attempts` counts the tries before this one."""

    id: str
    webhook: Webhook
    body: str
    attempts: int
