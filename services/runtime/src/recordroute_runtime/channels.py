"""Client channels: load balancing, retries, keepalive, trace and deadline propagation."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from recordroute_runtime.bearer import bearer
from recordroute_runtime.interceptors.deadline import time_remaining
from recordroute_runtime.telemetry import trace_metadata
from recordroute_runtime.tls import ClientTls

# A cut link is noticed within seconds instead of minutes; the servers allow pings this often.
KEEPALIVE_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)


def service_config(idempotent: Sequence[str] = ()) -> str:
    """Returns a service config that spreads calls over all addresses and repeats the methods in `idempotent`
    ("package.Service/Method") where the server was not reached."""
    methods = [
        {"service": service, "method": method}
        for service, _, method in (name.partition("/") for name in idempotent)
    ]
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if methods:
        config["methodConfig"] = [
            {
                "name": methods,
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    return json.dumps(config)


def _details(
    details: grpc.aio.ClientCallDetails, own: Sequence[tuple[str, str]]
) -> grpc.aio.ClientCallDetails:
    metadata = grpc.aio.Metadata(*(details.metadata or ()), *own, *trace_metadata())
    limits = [limit for limit in (details.timeout, time_remaining()) if limit is not None]
    return grpc.aio.ClientCallDetails(
        method=details.method,
        timeout=min(limits, default=None),
        metadata=metadata,
        credentials=details.credentials,
        wait_for_ready=details.wait_for_ready,
    )


class _OwnMetadata:
    """What every call of the channel carries beside its own."""

    def __init__(self, own: Sequence[tuple[str, str]]) -> None:
        self.own = own


class _UnaryUnary(_OwnMetadata, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        return await continuation(_details(details, self.own), request)


class _UnaryStream(_OwnMetadata, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        return await continuation(_details(details, self.own), request)


class _StreamUnary(_OwnMetadata, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        return await continuation(_details(details, self.own), requests)


class _StreamStream(_OwnMetadata, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        return await continuation(_details(details, self.own), requests)


def open_channel(
    target: str, *, idempotent: Sequence[str] = (), tls: ClientTls | None = None, token: str = ""
) -> grpc.aio.Channel:
    """Opens a channel to `target` (`dns:///host:port`, `host:port` or `unix:/path`).

    Calls go on with the running trace and never outlive the running call's deadline. With `tls` they are encrypted,
    but for those over a unix socket; with `token` they are made in the name of its user. One channel belongs to one
    event loop.
    """
    options = [
        *KEEPALIVE_OPTIONS,
        ("grpc.service_config", service_config(idempotent)),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        # Not a pause, whatever its name says, but the time that making a connection may take.
        ("grpc.min_reconnect_backoff_ms", 5_000),
        # A proxy from the environment must never see what services say to one another.
        ("grpc.enable_http_proxy", 0),
    ]
    own = bearer(token)
    interceptors: list[grpc.aio.ClientInterceptor] = [
        _UnaryUnary(own),
        _UnaryStream(own),
        _StreamUnary(own),
        _StreamStream(own),
    ]
    if tls is None or target.startswith("unix:"):
        return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)
    return grpc.aio.secure_channel(target, tls.credentials(), options=options, interceptors=interceptors)
