"""Runs every call in a trace, counts it and logs how it ended."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import structlog

from recordroute_runtime.interceptors.handlers import Call, CallInterceptor, writing_handler
from recordroute_runtime.telemetry import CALL_SECONDS, CALLS, CALLS_RUNNING, call_span

log = structlog.get_logger(__name__)


def _code(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code.name
    # grpc.aio keeps a bare number, and 0 both for OK and for "nothing set yet".
    return next((status.name for status in grpc.StatusCode if status.value[0] == code), "OK")


class ObserveInterceptor(CallInterceptor):
    """Outermost of all: it sees the status that the client gets.

    Of `quiet` methods, by their paths, only the calls that failed are in the log where debugging is not.
    """

    def __init__(self, quiet: Collection[str] = ()) -> None:
        super().__init__()
        self._quiet = quiet

    def wrap(self, method: str, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        return writing_handler(super().wrap(method, handler))

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        started = time.monotonic()
        with (
            call_span(call.method, call.context.invocation_metadata() or ()),
            CALLS_RUNNING.labels(call.method).track_inprogress(),
        ):
            code = ""
            try:
                yield
            except GeneratorExit:
                # Nobody is there any more who would read on.
                code = "CANCELLED"
                raise
            except BaseException:
                code = "CANCELLED" if call.context.cancelled() else ""
                raise
            finally:
                seconds = time.monotonic() - started
                code = code or _code(call.context)
                CALLS.labels(call.method, code).inc()
                CALL_SECONDS.labels(call.method).observe(seconds)
                write = log.debug if call.method in self._quiet and code == "OK" else log.info
                write("call", method=call.method, code=code, seconds=round(seconds, 4))
