"""What stands before every route: whose requests are answered, how large their heads are, how slow their bodies.

A page of another site can make a browser send requests here, and can make its own name resolve to this machine (DNS
rebinding). So only known names in `Host` and known pages in `Origin` are answered, and a cookie counts only for pages
that were served from here.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recordroute_gateway.http.server import MAX_HEAD_BYTES

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
# As deploy/envoy.yaml has it: pages of this machine.
LOOPBACK_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
# Probes of Compose and Kubernetes come under the container's address.
ANY_HOST_PATHS = ("/healthz", "/readyz")
COOKIE = "recordroute_token"
EXPOSED_HEADERS = ("grpc-status", "grpc-message", "grpc-status-details-bin")
ALLOWED_HEADERS = (
    "authorization", "content-type", "grpc-timeout", "range", "traceparent", "tracestate",
    "x-grpc-web", "x-session-id", "x-user-agent",
)  # fmt: skip
ALLOWED_METHODS = ("GET", "POST", "DELETE", "OPTIONS")
# A body that stands still for this long, or comes more slowly than this after a start, is given up.
BODY_IDLE_SECONDS = 30.0
BODY_START_SECONDS = 30.0
BODY_MIN_BYTES_PER_SECOND = 512
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
WEBSOCKET_POLICY_VIOLATION = 1008


class BodyTooSlow(HTTPException):
    def __init__(self) -> None:
        super().__init__(408, "the request's body did not come in time")


def _host_name(authority: str) -> str:
    """Returns the name in `name`, `name:port`, `[address]:port`, in lower case."""
    return re.sub(r":[0-9]*$", "", authority.strip().lower()).rstrip(".")


class OriginRules:
    """Which hosts and origins are known."""

    def __init__(self, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._hosts = frozenset((*LOOPBACK_HOSTS, *(host.lower() for host in hosts)))
        self.origin_pattern = "|".join((LOOPBACK_ORIGINS, *(re.escape(origin) for origin in origins)))

    def knows_host(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        return len(hosts) == 1 and _host_name(hosts[0]) in self._hosts

    def knows_origin(self, headers: Headers) -> bool:
        """Whether the page that sent the request may; programs, which name no page, always may."""
        origin = headers.get("origin")
        if origin is not None:
            return self.is_same_origin(headers) or re.fullmatch(self.origin_pattern, origin) is not None
        # Old links to a page of ours lead here from anywhere, and change nothing.
        cross = headers.get("sec-fetch-site") == "cross-site"
        return not cross or headers.get("sec-fetch-mode") == "navigate"

    def is_same_origin(self, headers: Headers) -> bool:
        """Whether the request comes from a page that this server served, or from no page."""
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").strip().lower()


class Guard:
    """ASGI middleware: the outermost."""

    def __init__(self, app: ASGIApp, rules: OriginRules) -> None:
        self._app = CORSMiddleware(
            app,
            allow_origin_regex=rules.origin_pattern,
            allow_methods=ALLOWED_METHODS,
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=86400,
        )
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        scope = {
            **scope,
            "headers": [*_with_token(scope, headers, self._rules), _forwarded_for(scope, headers)],
        }
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                response = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    response.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, _timed(receive), send_secured)
        except BodyTooSlow as error:
            if started:
                raise
            await _refuse(scope, receive, send, error.status_code, error.detail)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        size = sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + len(scope["raw_path"])
        if size + len(scope["query_string"]) > MAX_HEAD_BYTES:
            return 431, "the request's head is too large"
        if any(b"_" in name for name, _ in scope["headers"]):
            # Servers behind proxies read x_name as x-name: a way around what a proxy checks.
            return 400, "header names can't have underscores"
        if "content-length" in headers and "transfer-encoding" in headers:
            # A proxy before this server may have believed the other of both: where the next request begins is unclear.
            return 400, "a body has one length"
        if scope["path"] not in ANY_HOST_PATHS and not self._rules.knows_host(headers):
            return 421, "this server does not answer under that name"
        if not self._rules.knows_origin(headers):
            return 403, "pages of other sites can't call this server"
        return None


def _with_token(scope: Scope, headers: Headers, rules: OriginRules) -> list[tuple[bytes, bytes]]:
    """Returns the headers with the cookie's token as `authorization`, where the request has none of its own."""
    dropped = (b"cookie", b"x-forwarded-for")
    kept: list[tuple[bytes, bytes]] = [pair for pair in scope["headers"] if pair[0] not in dropped]
    if "cookie" in headers and "authorization" not in headers and rules.is_same_origin(headers):
        try:
            cookie = SimpleCookie(headers["cookie"]).get(COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None and cookie.value.isascii() and cookie.value.isprintable():
            kept.append((b"authorization", f"Bearer {cookie.value}".encode()))
    return kept


def _forwarded_for(scope: Scope, headers: Headers) -> tuple[bytes, bytes]:
    """Returns whom the request passed through, the one who brought it here last: what the audit log goes by."""
    client = scope["client"][0] if scope.get("client") else "unknown"
    return b"x-forwarded-for", ", ".join((*headers.getlist("x-forwarded-for"), client)).encode("latin-1")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        # Before it was accepted: the handshake is answered with 403.
        await send({"type": "websocket.close", "code": WEBSOCKET_POLICY_VIOLATION, "reason": message})
        return
    await PlainTextResponse(message, status, {"connection": "close"})(scope, receive, send)


def _timed(receive: Receive) -> Receive:
    """Returns `receive` with time limits until the body has come. The time in which nobody asks does not count."""
    waited, size, complete = 0.0, 0, False

    async def timed() -> Message:
        nonlocal waited, size, complete
        if complete:
            return await receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(BODY_IDLE_SECONDS):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        waited += time.monotonic() - began
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if not complete and (waited - BODY_START_SECONDS) * BODY_MIN_BYTES_PER_SECOND > size:
            raise BodyTooSlow
        return message

    return timed
