"""Turns exceptions into a status with google.rpc details."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from recordroute_runtime.errors import DOMAIN, DomainError, FieldViolations, InvalidInput
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.telemetry import current_trace_id

log = structlog.get_logger(__name__)

READ_OUT_SECONDS = 5.0
IDLE_SECONDS = 0.2


def error_status(error: DomainError) -> status_pb2.Status:
    """Returns the google.rpc.Status of a domain error: ErrorInfo always, RetryInfo and BadRequest where they apply."""
    info = error_details_pb2.ErrorInfo(domain=DOMAIN, reason=error.reason, metadata=error.metadata)
    trace_id = current_trace_id()
    if trace_id:
        info.metadata["trace_id"] = trace_id
    details: list[Message] = [info]
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromTimedelta(error.retry_after)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if isinstance(error, FieldViolations):
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.field,
                        description=violation.description,
                        # The form that the type's comment asks for.
                        reason=violation.rule.upper().replace(".", "_"),
                    )
                    for violation in error.violations
                ]
            )
        )
    status = status_pb2.Status(code=code_pb2.Code.Value(error.status.name), message=error.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


async def _read_out(requests: AsyncIterator[Any]) -> None:
    """Reads on while the client is sending, for a while.

    A grpc.aio client whose call ends in the middle of a write reports INTERNAL in place of the status that it was
    sent.
    """
    deadline = time.monotonic() + READ_OUT_SECONDS
    with suppress(StopAsyncIteration, TimeoutError):
        while time.monotonic() < deadline:
            await asyncio.wait_for(anext(requests), IDLE_SECONDS)


@dataclass(frozen=True)
class _Unreadable:
    """Stands for bytes that are no message of the method."""


def _tolerant(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """gRPC answers UNKNOWN, with the name of a class, where a deserializer raises."""

    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return _Unreadable()

    return read


class ErrorInterceptor(CallInterceptor):
    """Outermost of the interceptors that raise: nothing but a status leaves the process."""

    def wrap(self, method: str, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        wrapped: Any = super().wrap(method, handler)
        deserialize = wrapped.request_deserializer
        tolerant = _tolerant(deserialize) if deserialize is not None else None
        return wrapped._replace(request_deserializer=tolerant)  # type: ignore[no-any-return]

    def map_request(self, message: Any) -> Any:
        if isinstance(message, _Unreadable):
            raise InvalidInput("BAD_MESSAGE", "the bytes are not a message of this method")
        return message

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        try:
            yield
        except grpc.aio.AbortError:
            # abort() raises it to leave the handler: it is an Exception, and not ours to answer again.
            raise
        except DomainError as error:
            if call.requests is not None:
                await _read_out(call.requests)
            await call.context.abort_with_status(rpc_status.to_status(error_status(error)))
        except grpc.aio.AioRpcError as error:
            # A service behind this one refused: its details say why, and are safe to pass on.
            trailing = error.trailing_metadata() or ()
            await call.context.abort(error.code(), error.details() or "", tuple(trailing))
        except asyncio.CancelledError:
            if call.context.cancelled():
                raise
            # A handler that is cancelled from inside would leave a client without a deadline hanging.
            await call.context.abort(grpc.StatusCode.CANCELLED, "the call was cancelled by the server")
        except Exception:
            log.exception("call failed", method=call.method)
            info = error_details_pb2.ErrorInfo(
                domain=DOMAIN, reason="INTERNAL", metadata={"trace_id": current_trace_id()}
            )
            packed = any_pb2.Any()
            packed.Pack(info)
            status = status_pb2.Status(
                code=code_pb2.INTERNAL,
                message=f"internal error; look for trace {current_trace_id()} in the service's log",
                details=[packed],
            )
            await call.context.abort_with_status(rpc_status.to_status(status))
