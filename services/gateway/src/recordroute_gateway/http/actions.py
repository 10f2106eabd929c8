"""Counts and notes what routes do that no RPC of the gateway does: inference for other programs.

An RPC is bounded and noted by the gateway's interceptor. These routes ask it only who calls, and then call the services
behind the gateway themselves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi.exceptions import RequestValidationError
from recordroute_runtime.errors import RateLimited
from starlette.exceptions import HTTPException

from recordroute_gateway.http.backend import ClientGone
from recordroute_gateway.http.problems import Refusal, problem_of
from recordroute_gateway.identity.audit import AuditEvent, AuditLog
from recordroute_gateway.identity.limits import CallLimits

MAX_OUTCOME = 64


class Actions:
    """The caller's limits and the audit log, as the gateway's interceptor has them."""

    def __init__(self, limits: CallLimits, audit: AuditLog) -> None:
        self._limits = limits
        self._audit = audit

    @asynccontextmanager
    async def running(self, user: str, api_key_id: str, name: str, peer: str) -> AsyncIterator[None]:
        """Runs an action of a user. Raises RateLimited (TOO_MANY_CALLS)."""
        outcome = "OK"
        try:
            with self._limits.running(user, stream=False):
                yield
        except BaseException as error:
            outcome = _outcome(error)
            raise
        finally:
            if outcome:
                event = AuditEvent(datetime.now(UTC), user, api_key_id, f"http/{name}", "", outcome, peer)
                written = await self._audit.add([event])
        if outcome:
            await written


def _outcome(error: BaseException) -> str:
    """Returns the reason of a failure; empty for what is no action at all: malformed, or one of too many."""
    if isinstance(error, Refusal | RequestValidationError | HTTPException | RateLimited):
        return ""
    if isinstance(error, ClientGone) or not isinstance(error, Exception):
        return "CANCELLED"
    return problem_of(error).reason[:MAX_OUTCOME]
