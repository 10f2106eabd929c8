"""Runs the ASGI application in the gateway's own event loop, and bounds what a connection may cost."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import h11
import structlog
import uvicorn
from recordroute_runtime.server import AddressInUse
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

log = structlog.get_logger(__name__)

# A whole request head: gRPC servers take no more metadata than about half of it.
MAX_HEAD_BYTES = 32 << 10
HEAD_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60
# What a reader that takes nothing may hold on to.
STALLED_SECONDS = 120.0
# A refused upload gets this long to notice.
LINGER_SECONDS = 5.0
MAX_CONNECTIONS = 4096
MAX_WEBSOCKET_MESSAGE_BYTES = 64 << 10
STOP_SECONDS = 3
# How soon a renewed certificate is shown.
RENEWAL_SECONDS = 10.0
# Kernel probes find peers that vanished, after 60 + 3 * 10 s: HTTP/1.1 has no pings.
TCP_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class _Transport:
    """A connection's transport whose closing is its protocol's business."""

    def __init__(self, connection: asyncio.Transport, protocol: EdgeProtocol) -> None:
        self._connection = connection
        self.close = protocol.close
        self.is_closing = protocol.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class EdgeProtocol(H11Protocol):
    """HTTP/1.1 with a time limit for request heads, for readers that stall and for refused bodies."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._connection: asyncio.Transport
        self._lingers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._connection = transport
        super().connection_made(cast("asyncio.Transport", _Transport(transport, self)))
        self._start("head", HEAD_SECONDS, transport.abort)

    def is_closing(self) -> bool:
        return self._lingers or self._connection.is_closing()

    def close(self) -> None:
        """Closes the connection. Where its client is still sending, its side is left open for a while: to close it over
        what has not been read resets it, and can take the answer away from its reader (RFC 9112, 9.6)."""
        if self.is_closing() or self.conn.their_state not in (h11.SEND_BODY, h11.ERROR):
            self._connection.close()
            return
        self._lingers = True
        self.flow.resume_reading()
        if self._connection.can_write_eof():
            # A client that has gone is not connected any more.
            with suppress(OSError):
                self._connection.write_eof()
        self._start("linger", LINGER_SECONDS, self._connection.close)

    def data_received(self, data: bytes) -> None:
        if self._lingers:
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop("head")
        elif not self.transport.is_closing():
            self._start("head", HEAD_SECONDS, self.transport.abort)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop(*self._timers)
        self.transport = self._connection
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._lingers:
            return
        if self.conn.their_state is h11.SEND_BODY:
            # The request was answered before its end.
            self._stop("linger")
            self._start("linger", LINGER_SECONDS, partial(self._give_up, self.cycle))
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            # The next head has begun to come while this answer was on its way.
            self._start("head", HEAD_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start("stall", STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop("stall")
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(*self._timers)
        super().connection_lost(exc)

    def _give_up(self, answered: RequestResponseCycle) -> None:
        if self.cycle is answered and self.conn.their_state is h11.SEND_BODY:
            self._connection.close()

    def _start(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        if name not in self._timers:
            self._timers[name] = self.loop.call_later(seconds, act)

    def _stop(self, *names: str) -> None:
        for name in tuple(names):
            if timer := self._timers.pop(name, None):
                timer.cancel()


class _Server(uvicorn.Server):
    """Leaves signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: what the server shows, and whose certificates clients must show (None: they need none)."""

    cert: Path
    key: Path
    ca: Path | None = None

    def version(self) -> tuple[int, int]:
        """Returns what changes when the certificate is renewed."""
        return self.cert.stat().st_mtime_ns, self.key.stat().st_mtime_ns


class HttpServer:
    """An ASGI application on `listen`, `host:port`; port 0 takes a free one. With `tls` it is HTTPS."""

    def __init__(self, app: ASGIApp, listen: str, tls: TlsFiles | None = None) -> None:
        self._listen = listen
        self._tls = tls
        self._renewing: asyncio.Task[None] | None = None
        self._server = _Server(
            uvicorn.Config(
                app,
                http=EdgeProtocol,
                ws="wsproto",
                ws_max_size=MAX_WEBSOCKET_MESSAGE_BYTES,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
                limit_concurrency=MAX_CONNECTIONS,
                ssl_certfile=tls.cert if tls else None,
                ssl_keyfile=tls.key if tls else None,
                ssl_ca_certs=str(tls.ca) if tls and tls.ca else None,
                ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.ca else ssl.CERT_NONE,
            )
        )
        self._running: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Listens. Raises AddressInUse."""
        listener = _bind(self._listen)
        self.port = listener.getsockname()[1]
        self._running = asyncio.create_task(self._server.serve([listener]))
        await self._server.listening.wait()
        if self._tls is not None:
            self._renewing = asyncio.create_task(self._renew(self._tls))

    async def stop(self) -> None:
        """Stops listening, gives running requests a moment, and cancels them then."""
        if self._renewing is not None:
            self._renewing.cancel()
        if self._running is not None:
            self._server.should_exit = True
            await self._running

    async def _renew(self, tls: TlsFiles) -> None:
        context, known = self._server.config.ssl, tls.version()
        assert context is not None, "the server has started with TLS"
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                now = tls.version()
                if now != known:
                    context.load_cert_chain(tls.cert, tls.key)
                    known = now
            except OSError as error:
                # In the middle of being replaced (ssl.SSLError is one, too): it is looked at again.
                log.warning("certificate", error=str(error))


def split_address(listen: str) -> tuple[str, int]:
    """Splits `host:port`; brackets around an IPv6 host are taken off. Raises ValueError."""
    host, separator, port = listen.rpartition(":")
    if not separator or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{listen!r} is not host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _bind(listen: str) -> socket.socket:
    host, port = split_address(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressInUse(f"can't listen on {listen}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in TCP_KEEPALIVE:
            # macOS has no TCP_KEEPIDLE.
            if hasattr(socket, name):
                listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise AddressInUse(f"can't listen on {listen}: is it in use?") from error
    listener.setblocking(False)
    return listener
