"""The health of the services that the gateway works with, by the standard gRPC health protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

log = structlog.get_logger(__name__)

ASK_SECONDS = 2.0
SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True)
class Trouble:
    """Why a service is not ready: the stable reason, and a sentence for people."""

    reason: str
    message: str


UNREACHABLE = Trouble("SERVICE_UNREACHABLE", "does not answer")
TIMED_OUT = Trouble("SERVICE_TIMED_OUT", f"did not answer within {ASK_SECONDS:.0f} seconds")
NOT_READY = Trouble("SERVICE_NOT_READY", "is starting, or lacks something: see its log")
FOREIGN = Trouble("SERVICE_FOREIGN", "answers, but not as a service of RecordRoute: is the address right?")
HELD_BACK = Trouble("SERVICE_HELD_BACK", "broke off its work several times; it gets more in a few seconds")

_TROUBLES = {grpc.StatusCode.UNAVAILABLE: UNREACHABLE, grpc.StatusCode.DEADLINE_EXCEEDED: TIMED_OUT}


class HealthClient:
    """Asks services how they are. `channels` are theirs by name; `is_held_back` says of one whether the gateway gives
    it no work for a while because its calls broke off."""

    def __init__(
        self, channels: Mapping[str, grpc.aio.Channel], is_held_back: Callable[[str], Awaitable[bool]]
    ) -> None:
        self._stubs: dict[str, Any] = {
            name: health_pb2_grpc.HealthStub(channel) for name, channel in channels.items()
        }
        self._is_held_back = is_held_back

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._stubs)

    async def trouble(self, name: str) -> Trouble | None:
        """Returns why a service is not ready; None where it is."""
        try:
            answer = await self._stubs[name].Check(health_pb2.HealthCheckRequest(), timeout=ASK_SECONDS)
        except grpc.aio.AioRpcError as error:
            log.info("service is not ready", service=name, status=error.code().name, message=error.details())
            return _TROUBLES.get(error.code(), FOREIGN)
        if answer.status != SERVING:
            return NOT_READY
        return HELD_BACK if await self._is_held_back(name) else None
