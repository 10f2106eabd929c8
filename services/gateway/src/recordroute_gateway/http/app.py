"""The ASGI application: the guard, then gRPC-Web calls to the bridge and everything else to the routes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from recordroute.common.v1 import model_pb2
from recordroute.gateway.v1 import library_pb2, search_pb2, workflow_pb2
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from recordroute_gateway.http import (
    docs_page,
    embeddings,
    media,
    openai_audio,
    openai_chat,
    openai_models,
    operations,
    progress,
    rerank,
    rest,
    session,
)
from recordroute_gateway.http.backend import Backend
from recordroute_gateway.http.documents import schemas
from recordroute_gateway.http.grpc_web import is_grpc_web
from recordroute_gateway.http.guard import Guard, OriginRules
from recordroute_gateway.http.problems import COHERE_PATHS, PROBLEM_TYPE, TEI_PATHS, add_handlers
from recordroute_gateway.http.web import STATIC_DIR, WebClient

DESCRIPTION = (
    "Recordings in, transcripts, minutes and search out. Where the server asks for a token, send it as "
    "`Authorization: Bearer <token>`. /ws is a WebSocket with the progress of tasks."
)
# Spans and figures are made by `Observed`, for gRPC-Web and refused requests too.
OWN_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
PROBLEM_SCHEMA = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail", "reason", "trace_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for people."},
        "reason": {"type": "string", "description": "Stable name of what is wrong."},
        "trace_id": {"type": "string", "description": "Names the request in the server's log."},
    },
}
MESSAGES: tuple[Any, ...] = (
    library_pb2.Recording.DESCRIPTOR,
    library_pb2.ListRecordingsResponse.DESCRIPTOR,
    search_pb2.SearchResponse.DESCRIPTOR,
    search_pb2.FindSimilarResponse.DESCRIPTOR,
    workflow_pb2.Workflow.DESCRIPTOR,
    workflow_pb2.ListWorkflowsResponse.DESCRIPTOR,
    model_pb2.ModelInfo.DESCRIPTOR,
)
EVENTS = (progress.WatchMessage, progress.ProgressEvent, progress.EndEvent, progress.ErrorEvent)


@dataclass(frozen=True)
class Limits:
    """What the routes need of the settings."""

    max_upload_bytes: int
    spool_dir: os.PathLike[str]


def build_routes(backend: Backend, limits: Limits, static_dir: Path = STATIC_DIR) -> FastAPI:
    """Returns the routes."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        separate_input_output_schemas=False,
        telemetry=OWN_TELEMETRY,
    )
    app.state.backend = backend
    app.state.max_upload_bytes = limits.max_upload_bytes
    app.state.spool_dir = limits.spool_dir
    add_handlers(app)
    for module in (
        rest,
        media,
        openai_models,
        openai_audio,
        openai_chat,
        embeddings,
        rerank,
        progress,
        session,
    ):
        app.include_router(module.router)
    app.include_router(rest.uploads)
    app.include_router(operations.router)

    @cache
    def spec() -> dict[str, Any]:
        return openapi(app)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi_json() -> Response:
        return JSONResponse(spec())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        headers = {"content-security-policy": docs_page.CONTENT_SECURITY_POLICY}
        return HTMLResponse(docs_page.page(spec()), headers=headers)

    @app.get("/docs.css", include_in_schema=False)
    async def style() -> Response:
        return Response(docs_page.STYLE, media_type="text/css")

    if (static_dir / "index.html").is_file():
        app.mount("/", GZipMiddleware(WebClient(static_dir)))
    else:

        @app.get("/", include_in_schema=False)
        async def without_client() -> Response:
            return RedirectResponse("/docs", 307)

    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """Returns the OpenAPI 3.1 document of the routes."""
    spec = get_openapi(
        title="RecordRoute",
        version=version("recordroute-gateway"),
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
    )
    found = spec.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        found.pop(name, None)
    found["Problem"] = PROBLEM_SCHEMA
    found.update(schemas(*MESSAGES))
    for event in EVENTS:
        found[event.__name__] = event.model_json_schema(ref_template="#/components/schemas/{model}")
    spec["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    spec["security"] = [{}, {"token": []}]
    error = {
        "description": "What went wrong.",
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path, operations_ in spec["paths"].items():
        for operation in operations_.values():
            operation["responses"].pop("422", None)
            foreign = {
                "description": "What went wrong, in that API's own form.",
                "content": {"application/json": {}},
            }
            is_foreign = path.startswith("/v1/") or path in (*COHERE_PATHS, *TEI_PATHS)
            operation["responses"].setdefault("default", foreign if is_foreign else error)
    return spec


class Edge:
    """The whole application."""

    def __init__(
        self, routes: ASGIApp, bridge: ASGIApp, hosts: Sequence[str], origins: Sequence[str]
    ) -> None:
        self._bridge = bridge
        self._routes = routes
        self._app = Guard(operations.Observed(self._dispatch), OriginRules(hosts, origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._bridge if is_grpc_web(scope) else self._routes)(scope, receive, send)
