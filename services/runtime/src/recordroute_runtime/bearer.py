"""Callers' tokens on the client's side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc


def bearer(token: str) -> list[tuple[str, str]]:
    """Returns the metadata that carries a caller's token; none for an empty one."""
    return [("authorization", f"Bearer {token}")] if token else []


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: Any
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    def __init__(self, token: str) -> None:
        self._own = bearer(token)

    def _call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        own = _Details(
            details.method,
            details.timeout,
            [*(details.metadata or ()), *self._own],
            details.credentials,
            getattr(details, "wait_for_ready", None),
            getattr(details, "compression", None),
        )
        return continuation(own, request)

    intercept_unary_unary: Any = _call
    intercept_unary_stream: Any = _call
    intercept_stream_unary: Any = _call
    intercept_stream_stream: Any = _call


def with_token(channel: grpc.Channel, token: str) -> grpc.Channel:
    """Returns the blocking channel with every call made in the name of the token's user; as it is for no token."""
    return grpc.intercept_channel(channel, _Bearer(token)) if token else channel
