"""What operators ask: /healthz, /readyz, /metrics."""

from __future__ import annotations

import time

import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from recordroute_runtime.errors import Cancelled
from recordroute_runtime.telemetry import call_span
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recordroute_gateway.http.backend import BackendOf, Reader, told_cancelled
from recordroute_gateway.http.problems import problem_of, problem_response

log = structlog.get_logger(__name__)
router = APIRouter(tags=["operations"])

REQUESTS = Counter("recordroute_http_total", "Answered HTTP requests.", ["method", "code"])
REQUEST_SECONDS = Histogram(
    "recordroute_http_seconds",
    "Time to the end of HTTP answers.",
    ["method"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
METHODS = frozenset(("GET", "HEAD", "POST", "DELETE", "OPTIONS"))
QUIET_PATHS = ("/healthz", "/readyz", "/metrics")


class Observed:
    """ASGI middleware: runs every request in a trace, counts it and logs how it ended. Queries are not logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        carrier = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        ]
        with call_span(f"{scope['method']} {scope['path']}", carrier):
            try:
                with told_cancelled():
                    await self._app(scope, receive, noted)
            except Cancelled as error:
                if status:
                    raise
                await problem_response(scope["path"], problem_of(error))(scope, receive, noted)
            finally:
                seconds = time.monotonic() - started
                method = scope["method"] if scope["method"] in METHODS else "other"
                REQUESTS.labels(method, status or "gone").inc()
                REQUEST_SECONDS.labels(method).observe(seconds)
                if scope["path"] not in QUIET_PATHS:
                    log.info(
                        "http", method=method, path=scope["path"], status=status, seconds=round(seconds, 4)
                    )


@router.get("/healthz", operation_id="healthz", response_class=PlainTextResponse)
async def healthz() -> Response:
    """Whether the process lives."""
    return PlainTextResponse("ok\n")


@router.get(
    "/readyz",
    operation_id="readyz",
    response_class=PlainTextResponse,
    responses={503: {"description": "Not now.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def readyz(backend: BackendOf) -> Response:
    """Whether the gateway takes calls: not while it starts, and not while it stops."""
    if await backend.ready():
        return PlainTextResponse("ready\n")
    return PlainTextResponse("not ready\n", 503)


@router.get("/metrics", operation_id="metrics", response_class=PlainTextResponse)
async def metrics(_: Reader) -> Response:
    """Figures of this process in the text format of Prometheus."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})
