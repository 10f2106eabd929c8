"""Wraps the four kinds of RPC handlers alike, so that an interceptor is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

# Health and reflection are not ours: they neither know our errors nor carry deadlines.
FOREIGN_PREFIX = "/grpc."


@dataclass(frozen=True)
class Call:
    """A call as interceptors see it; `requests` is set where the client streams."""

    method: str
    context: grpc.aio.ServicerContext[Any, Any]
    unary: bool
    requests: AsyncIterator[Any] | None


Around = Callable[[Call], AbstractAsyncContextManager[None]]
MapMessage = Callable[[Any], Any]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]]


async def _mapped(requests: AsyncIterator[Any], map_request: MapMessage) -> AsyncIterator[Any]:
    async for request in requests:
        yield map_request(request)


def wrap_handler(
    method: str,
    handler: grpc.RpcMethodHandler[Any, Any],
    around: Around | None = None,
    map_request: MapMessage | None = None,
    map_response: MapMessage | None = None,
) -> grpc.RpcMethodHandler[Any, Any]:
    """Returns a handler that runs inside `around(call)` and whose messages go through the two functions.

    Streaming methods must be async generators, as all of ours are.
    """

    def prepare(request: Any) -> Any:
        if map_request is None:
            return request
        return _mapped(request, map_request) if handler.request_streaming else map_request(request)

    def described(request: Any, context: Any) -> Call:
        unary = not handler.request_streaming and not handler.response_streaming
        return Call(method, context, unary, request if handler.request_streaming else None)

    def finish(response: Any) -> Any:
        return response if map_response is None else map_response(response)

    async def unary_response(request: Any, context: Any) -> Any:
        call: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary
        if around is None:
            return finish(await call(prepare(request), context))
        async with around(described(request, context)):
            return finish(await call(prepare(request), context))

    async def stream_response(request: Any, context: Any) -> AsyncIterator[Any]:
        call: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream
        async with AsyncExitStack() as stack:
            if around is not None:
                await stack.enter_async_context(around(described(request, context)))
            # Closed here and now: a generator that is left to the garbage collector keeps its slot.
            responses = await stack.enter_async_context(aclosing(call(prepare(request), context)))
            async for response in responses:
                yield finish(response)

    make: Any
    behaviour: Any
    if handler.request_streaming and handler.response_streaming:
        make, behaviour = grpc.stream_stream_rpc_method_handler, stream_response
    elif handler.response_streaming:
        make, behaviour = grpc.unary_stream_rpc_method_handler, stream_response
    elif handler.request_streaming:
        make, behaviour = grpc.stream_unary_rpc_method_handler, unary_response
    else:
        make, behaviour = grpc.unary_unary_rpc_method_handler, unary_response
    wrapped: grpc.RpcMethodHandler[Any, Any] = make(
        behaviour, handler.request_deserializer, handler.response_serializer
    )
    return wrapped


def writing_handler(handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
    """Returns a handler that writes the messages of a stream itself; one with a single response as it is.

    gRPC writes what a generator yields, too. But where it learns by a failed write that the client has left, it logs
    that as an error of the servicer, with a traceback, and leaves the generator to the garbage collector.
    """
    if not handler.response_streaming:
        return handler
    streams = handler.request_streaming
    generate: Any = handler.stream_stream if streams else handler.unary_stream

    async def write(request: Any, context: Any) -> None:
        async with aclosing(generate(request, context)) as responses:
            async for response in responses:
                try:
                    await context.write(response)
                except grpc.aio.InternalError as error:
                    # As the notice of it, which is on its way, would end this.
                    raise asyncio.CancelledError("the client has left") from error

    make: Any = grpc.stream_stream_rpc_method_handler if streams else grpc.unary_stream_rpc_method_handler
    written: grpc.RpcMethodHandler[Any, Any] = make(
        write, handler.request_deserializer, handler.response_serializer
    )
    return written


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Base: a subclass overrides what it needs of `around`, `map_request` and `map_response`."""

    around: Around | None = None
    map_request: MapMessage | None = None
    map_response: MapMessage | None = None

    def __init__(self) -> None:
        # gRPC asks at each call, and mostly for what it got the last time.
        self._wrapped: dict[str, tuple[Any, grpc.RpcMethodHandler[Any, Any]]] = {}

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(FOREIGN_PREFIX):
            return handler
        known = self._wrapped.get(method)
        if known is None or known[0] is not handler:
            known = self._wrapped[method] = (handler, self.wrap(method, handler))
        return known[1]

    def wrap(self, method: str, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        """Returns the handler that is called in place of `handler`."""
        return wrap_handler(method, handler, self.around, self.map_request, self.map_response)
