"""gRPC-Web for browsers, without a proxy.

The bridge knows nothing of messages: it takes the bytes out of a gRPC-Web frame, calls the gateway's own gRPC server
with them, and puts the bytes that come back into frames. So the same servicers and interceptors run as behind Envoy.
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import struct
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from recordroute_runtime.errors import DomainError, InvalidInput
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from recordroute_gateway.http.metadata import (
    encode_message,
    parse_timeout,
    request_metadata,
    response_pairs,
)

# Content types, and whether the body is base64.
CONTENT_TYPES = {
    "application/grpc-web": False,
    "application/grpc-web+proto": False,
    "application/grpc-web-text": True,
    "application/grpc-web-text+proto": True,
}
BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text+proto"
MAX_MESSAGE_BYTES = 4 << 20
FRAME_HEAD = struct.Struct(">BI")
COMPRESSED_FLAG, TRAILERS_FLAG = 0x01, 0x80
# An answer without messages is over at once: its status then comes as headers. A stream that is silent for longer
# than this is opened before its first message.
HEAD_SECONDS = 0.05


class MessageTooLarge(DomainError):
    """The request's message is beyond the limit of every gRPC server."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self) -> None:
        super().__init__("MESSAGE_TOO_LARGE", f"the message is larger than {MAX_MESSAGE_BYTES} bytes")


def is_grpc_web(scope: Scope) -> bool:
    """Whether a request is a gRPC-Web call, by its content type."""
    return scope["type"] == "http" and _media_type(Headers(scope=scope)) in CONTENT_TYPES


def web_methods(services: Sequence[str]) -> frozenset[str]:
    """Returns the paths of the methods that a browser can call: those whose requests are not streams."""
    pool = descriptor_pool.Default()
    return frozenset(
        f"/{name}/{method.name}"
        for name in services
        for method in pool.FindServiceByName(name).methods
        if not method.client_streaming
    )


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def frame(flag: int, payload: bytes) -> bytes:
    """Returns a frame: flag, length, payload."""
    return FRAME_HEAD.pack(flag, len(payload)) + payload


async def _body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the browser went away")
        body += message.get("body", b"")
        if len(body) > limit:
            raise MessageTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _decode_text(body: bytes) -> bytes:
    """Decodes base64 that was written, and padded, in pieces."""
    decoded, start = bytearray(), 0
    try:
        while start < len(body):
            padding = body.find(b"=", start)
            end = len(body) if padding < 0 else padding + (-(padding - start) % 4)
            decoded += base64.b64decode(body[start:end], validate=True)
            start = end
    except binascii.Error as error:
        raise InvalidInput("FRAME", "the body is not base64") from error
    return bytes(decoded)


async def _request_message(receive: Receive, *, text: bool) -> bytes:
    limit = FRAME_HEAD.size + MAX_MESSAGE_BYTES
    body = await _body(receive, limit * 4 // 3 + 4 if text else limit)
    if text:
        body = _decode_text(body)
    if len(body) < FRAME_HEAD.size:
        raise InvalidInput("FRAME", "the request has no message")
    flag, size = FRAME_HEAD.unpack_from(body)
    if size > MAX_MESSAGE_BYTES:
        raise MessageTooLarge
    if flag & COMPRESSED_FLAG:
        raise InvalidInput("FRAME", "compressed messages are not supported")
    if flag or len(body) != FRAME_HEAD.size + size:
        raise InvalidInput("FRAME", "the request must be exactly one message")
    return body[FRAME_HEAD.size :]


class _Response:
    """The response in the browser's mode; its status is sent as headers or as the last frame."""

    def __init__(self, send: Send, *, text: bool) -> None:
        self._send = send
        self._text = text
        self.started = False

    async def start(self, pairs: Sequence[tuple[str, str]]) -> None:
        await self._head(pairs, [])

    async def message(self, payload: bytes) -> None:
        await self._frame(frame(0, payload), more=True)

    async def end(self, code: grpc.StatusCode, details: str, pairs: Sequence[tuple[str, str]]) -> None:
        status = [("grpc-status", str(code.value[0])), ("grpc-message", encode_message(details)), *pairs]
        if self.started:
            lines = "".join(f"{name}:{value}\r\n" for name, value in status)
            await self._frame(frame(TRAILERS_FLAG, lines.encode("latin-1")), more=False)
        else:
            await self._head(status, [("content-length", "0")])
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _head(self, pairs: Sequence[tuple[str, str]], extra: Sequence[tuple[str, str]]) -> None:
        self.started = True
        headers = [("content-type", TEXT if self._text else BINARY), *pairs, *extra]
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            }
        )

    async def _frame(self, data: bytes, *, more: bool) -> None:
        body = base64.b64encode(data) if self._text else data
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


class GrpcWebBridge:
    """ASGI application that answers gRPC-Web calls of `methods` through `channel`."""

    def __init__(self, channel: grpc.aio.Channel, methods: Collection[str]) -> None:
        # Without serializers a call takes and gives bytes; a unary method is a stream of one message.
        self._calls: dict[str, Any] = {path: channel.unary_stream(path) for path in methods}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        asked = headers.get("accept", "").partition(";")[0].strip().lower()
        response = _Response(send, text=CONTENT_TYPES.get(asked, False))
        request_type = _media_type(headers)
        if request_type not in CONTENT_TYPES:
            await PlainTextResponse("the content type is not one of gRPC-Web", 415)(scope, receive, send)
            return
        make = self._calls.get(scope["path"])
        if make is None or scope["method"] != "POST":
            await response.end(grpc.StatusCode.UNIMPLEMENTED, "Method not found!", [])
            return
        try:
            message = await _request_message(receive, text=CONTENT_TYPES[request_type])
            call = make(
                message,
                metadata=request_metadata(scope["headers"]),
                timeout=parse_timeout(headers.get("grpc-timeout")),
            )
        except ConnectionResetError:
            return
        except DomainError as error:
            await response.end(error.status, error.message, [])
            return
        gone = asyncio.create_task(_disconnected(receive))
        gone.add_done_callback(lambda _: call.cancel())
        try:
            await _relay(call, response)
        finally:
            gone.cancel()
            call.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _relay(call: Any, response: _Response) -> None:
    messages: AsyncIterator[bytes] = aiter(call)
    first: asyncio.Future[bytes | None] = asyncio.ensure_future(anext(messages, None))
    try:
        initial = response_pairs(await call.initial_metadata())
        if not initial:
            await asyncio.wait([first], timeout=HEAD_SECONDS)
        if initial or not first.done():
            await response.start(initial)
        message = await first
        while message is not None:
            if not response.started:
                await response.start(initial)
            await response.message(message)
            message = await anext(messages, None)
    except grpc.aio.AioRpcError:
        # Told below, as every status is.
        pass
    except asyncio.CancelledError:
        # A call that ends as CANCELLED raises this, too.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
    finally:
        first.cancel()
    await response.end(
        await call.code(), await call.details() or "", response_pairs(await call.trailing_metadata())
    )
