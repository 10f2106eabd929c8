"""Makes deadlines mandatory for unary calls, and known to the calls that are made on their behalf."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor

_deadline: ContextVar[float | None] = ContextVar("recordroute_deadline", default=None)


def time_remaining() -> float | None:
    """Returns the seconds that the running call has left, or None outside of a call with a deadline."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class DeadlineInterceptor(CallInterceptor):
    """Refuses unary calls without a deadline: such a call can wait for ever."""

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        remaining = call.context.time_remaining()
        if remaining is None and call.unary:
            raise InvalidInput("DEADLINE_REQUIRED", f"{call.method} needs a deadline (gRPC timeout)")
        token = _deadline.set(None if remaining is None else time.monotonic() + remaining)
        try:
            yield
        finally:
            _reset(token)


def _reset(token: Any) -> None:
    try:
        _deadline.reset(token)
    except ValueError:
        # A generator that is closed from another task ends in another context, where nothing was set.
        return
