"""The gateway's own interceptor: who calls, whether it may, how often, and the line in the audit log."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import grpc.aio
import structlog
from recordroute_runtime.errors import (
    DomainError,
    FieldViolations,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    UpstreamUnavailable,
)
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.remote import read_error
from sqlalchemy.exc import SQLAlchemyError

from recordroute_gateway.identity.audit import AuditEvent, AuditLog
from recordroute_gateway.identity.authenticator import Authenticator
from recordroute_gateway.identity.caller import Caller, calling
from recordroute_gateway.identity.limits import CallLimits
from recordroute_gateway.identity.rules import RULES, Rule, action_of
from recordroute_gateway.servicers.mentions import mentioned_recordings

log = structlog.get_logger(__name__)

# A stream outlives the revocation of the key that it was begun with by no more than this.
RECHECK_SECONDS = 3.0
MAX_RECORDINGS = 1000
MAX_OUTCOME = 64
STARTING_RETRY = timedelta(seconds=1)


@dataclass
class _Noted:
    """What the audit log will have of a call, beside what is known from its beginning."""

    # In their order, each once.
    recordings: dict[str, None] = field(default_factory=dict)

    def note(self, ids: Iterable[str]) -> None:
        for recording_id in ids:
            if len(self.recordings) < MAX_RECORDINGS:
                self.recordings.setdefault(recording_id)


_noted: ContextVar[_Noted | None] = ContextVar("recordroute_audited", default=None)


class AccessInterceptor(CallInterceptor):
    """Lets nobody through to a servicer who may not call it; `is_ready` says whether the database can be asked.

    `trusted_proxies` is the number of proxies in front that add to `x-forwarded-for`; what comes over a unix socket
    comes from one more, the gateway's own HTTP edge.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        limits: CallLimits,
        audit: AuditLog,
        *,
        is_ready: Callable[[], bool],
        trusted_proxies: int = 0,
    ) -> None:
        super().__init__()
        self._authenticator = authenticator
        self._limits = limits
        self._audit = audit
        self._is_ready = is_ready
        self._trusted_proxies = trusted_proxies

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        if not self._is_ready():
            raise UpstreamUnavailable("gateway", retry_after=STARTING_RETRY)
        metadata = call.context.invocation_metadata() or ()
        authorization = _authorization(metadata)
        caller = await self._authenticator.authenticate(authorization)
        action = action_of(call.method)
        rule = RULES.get(action)
        if rule is None:
            raise PermissionDenied("METHOD_UNKNOWN", f"nobody may call {call.method}")
        # Asked for now: a stream that its client has left ends after gRPC has freed the call, and then this is a crash.
        peer = self._peer(call, metadata) if rule.audited else ""
        noted, outcome, written = _Noted(), "OK", None
        _noted.set(noted if rule.audited else None)
        try:
            with calling(caller), self._limits.running(caller.user, stream=not call.unary):
                self._admit(caller, rule)
                if call.unary or not caller.api_key_id:
                    yield
                else:
                    async with self._while_valid(authorization):
                        yield
        except BaseException as error:
            outcome = _outcome(error)
            raise
        finally:
            if rule.audited and outcome:
                written = await self._audit.add(_events(caller, action, noted, outcome, peer))
        if written is not None:
            # Whoever is told that it is done can rely on it being in the log.
            await written

    def map_request(self, message: Any) -> Any:
        return _look(message)

    def map_response(self, message: Any) -> Any:
        return _look(message)

    def _admit(self, caller: Caller, rule: Rule) -> None:
        if not rule.is_piece:
            self._limits.take(caller.user)
        if rule.scope is not None and rule.scope not in caller.scopes:
            raise PermissionDenied(
                "SCOPE_MISSING",
                f"this needs the scope {rule.scope.value}, which {caller.name or caller.user} does not have",
                metadata={"scope": rule.scope.value},
            )

    @asynccontextmanager
    async def _while_valid(self, authorization: str | None) -> AsyncIterator[None]:
        """Ends what runs inside once the token has stopped to count. Raises Unauthenticated then."""
        task, refusal = asyncio.current_task(), None
        assert task is not None, "calls run in tasks"

        async def recheck() -> None:
            nonlocal refusal
            while refusal is None:
                await asyncio.sleep(RECHECK_SECONDS)
                try:
                    await self._authenticator.authenticate(authorization)
                except Unauthenticated as error:
                    refusal = error
                except (DomainError, SQLAlchemyError, OSError) as error:
                    # Nobody can say now: it goes on counting until somebody can.
                    log.warning("token can't be checked again", error=str(error))
            task.cancel()

        checking = asyncio.create_task(recheck())
        try:
            yield
        except asyncio.CancelledError:
            if refusal is None:
                raise
            task.uncancel()
            raise refusal from None
        finally:
            checking.cancel()
            with suppress(asyncio.CancelledError):
                await checking

    def _peer(self, call: Call, metadata: Iterable[tuple[str, str | bytes]]) -> str:
        forwarded = ",".join(str(value) for name, value in metadata if name == "x-forwarded-for")
        return client_address(call.context.peer(), forwarded, self._trusted_proxies)


def client_address(peer: str, forwarded: str, trusted_proxies: int) -> str:
    """Returns the IP address that a call came from, as far as that can be trusted; empty where it is not known.

    `peer` is gRPC's (`ipv4:1.2.3.4:5`, `ipv6:%5B::1%5D:5`, `unix:`), `forwarded` the values of `x-forwarded-for`: each
    proxy adds whom it was called by at the end, and what stands before that anybody can have written.
    """
    kind, _, rest = peer.partition(":")
    address = unquote(rest).rpartition(":")[0].strip("[]") if kind in ("ipv4", "ipv6") else ""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    trusted = trusted_proxies + (kind == "unix")
    if trusted and hops:
        address = hops[-min(trusted, len(hops))]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def _authorization(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    values = [value for name, value in metadata if name == "authorization"]
    if not values:
        return None
    if len(values) > 1 or not isinstance(values[0], str):
        raise Unauthenticated("TOKEN_INVALID", "there is more than one authorization")
    return values[0]


def _look(message: Any) -> Any:
    noted = _noted.get()
    if noted is not None:
        noted.note(mentioned_recordings(message))
    return message


def _outcome(error: BaseException) -> str:
    """Returns the reason of a failure; empty for what is no action at all: malformed, or one of too many."""
    if isinstance(error, FieldViolations | RateLimited):
        return ""
    if isinstance(error, DomainError):
        return error.reason[:MAX_OUTCOME]
    if isinstance(error, grpc.aio.AioRpcError):
        remote = read_error(error)
        return (remote.reason or remote.code.name)[:MAX_OUTCOME]
    return "INTERNAL" if isinstance(error, Exception) else "CANCELLED"


def _events(caller: Caller, action: str, noted: _Noted, outcome: str, peer: str) -> list[AuditEvent]:
    now = datetime.now(UTC)
    return [
        AuditEvent(now, caller.user, caller.api_key_id, action, recording_id, outcome, peer)
        for recording_id in (noted.recordings or ("",))
    ]
