"""Errors over HTTP: one catalogue, told in the form that each API's clients read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import grpc
import grpc.aio
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from recordroute_runtime.errors import DomainError
from recordroute_runtime.remote import read_error
from recordroute_runtime.telemetry import current_trace_id
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from recordroute_gateway.http.backend import ClientGone

log = structlog.get_logger(__name__)

# google.rpc.Code as HTTP (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto).
HTTP_STATUS: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}
# Where HTTP has a word of its own.
REASON_STATUS = {
    "MEDIA_TOO_LARGE": 413,
    "MESSAGE_TOO_LARGE": 413,
    "MODEL_MISSING": 404,
    "DISK_FULL": 507,
    "QUOTA_EXCEEDED": 507,
}
CLIENT_GONE = 499
PROBLEM_TYPE = "application/problem+json"
COHERE_PATHS = ("/v1/rerank", "/v2/rerank")
TEI_PATHS = ("/embed", "/rerank")


@dataclass(frozen=True)
class Problem:
    """A failed request: HTTP status, stable reason, a sentence for people; `field` where one is at fault."""

    status: int
    reason: str
    message: str
    trace_id: str = ""
    retry_after: int | None = None
    field: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        if self.status == 408:
            headers["connection"] = "close"
        return headers


class Refusal(Exception):
    """A request that a route refuses by itself."""

    def __init__(self, status: int, reason: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(status, reason, message, current_trace_id(), field=field)


def problem_of(error: BaseException) -> Problem:
    """Returns what a client is told of an error. Errors that nobody expected tell nothing but their trace."""
    trace_id = current_trace_id()
    match error:
        case Refusal():
            return error.problem
        case grpc.aio.AioRpcError():
            return _remote(error)
        case DomainError():
            seconds = None if error.retry_after is None else round(error.retry_after.total_seconds())
            status = REASON_STATUS.get(error.reason, HTTP_STATUS.get(error.status, 500))
            return Problem(status, error.reason, error.message, trace_id, seconds)
        case RequestValidationError():
            return _invalid(error, trace_id)
        case HTTPException():
            reason = re.sub(r"\W+", "_", error.detail).upper() if error.status_code < 500 else "INTERNAL"
            return Problem(error.status_code, reason, error.detail, trace_id)
        case ClientGone() | ClientDisconnect():
            return Problem(CLIENT_GONE, "CLIENT_GONE", "the client went away", trace_id)
        case _:
            return Problem(500, "INTERNAL", "internal error; look for the trace in the log", trace_id)


def _remote(error: grpc.aio.AioRpcError) -> Problem:
    remote = read_error(error)
    status = REASON_STATUS.get(remote.reason, HTTP_STATUS.get(remote.code, 500))
    seconds = None if remote.retry_after is None else max(1, round(remote.retry_after.total_seconds()))
    if remote.reason:
        return Problem(status, remote.reason, remote.message, remote.trace_id, seconds)
    # Not of our making: it may name addresses.
    messages = {
        grpc.StatusCode.UNAVAILABLE: "a service does not answer",
        grpc.StatusCode.DEADLINE_EXCEEDED: "the answer did not come in time",
        grpc.StatusCode.UNIMPLEMENTED: "this server can't do that",
    }
    return Problem(
        status, remote.code.name, messages.get(remote.code, "the call failed"), remote.trace_id, seconds
    )


def _invalid(error: RequestValidationError, trace_id: str) -> Problem:
    found = [
        (".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]), str(item["msg"]))
        for item in error.errors()
    ]
    message = "; ".join(f"{field}: {text}" for field, text in found)
    return Problem(400, "INVALID_FIELDS", message, trace_id, field=found[0][0] if found else None)


def _openai(problem: Problem) -> dict[str, Any]:
    kinds = {401: "authentication_error", 403: "permission_error", 404: "invalid_request_error"}
    kinds |= {429: "rate_limit_error", 413: "invalid_request_error"}
    kind = kinds.get(problem.status, "invalid_request_error" if problem.status < 500 else "server_error")
    codes = {"MODEL_MISSING": "model_not_found", "BUDGET_EXHAUSTED": "insufficient_quota"}
    code = codes.get(problem.reason, problem.reason.lower())
    return {"error": {"message": problem.message, "type": kind, "param": problem.field, "code": code}}


def _cohere(problem: Problem) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "message": problem.message}


def _tei(problem: Problem) -> dict[str, Any]:
    kinds = {413: "Validation", 422: "Tokenizer", 429: "Overloaded", 503: "Unhealthy"}
    kind = kinds.get(problem.status, "Validation" if problem.status < 500 else "Backend")
    return {"error": problem.message, "error_type": kind}


def _rest(problem: Problem) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": problem.reason,
        "status": problem.status,
        "detail": problem.message,
        "reason": problem.reason,
        "trace_id": problem.trace_id,
    }


def problem_body(path: str, problem: Problem) -> dict[str, Any]:
    """Returns the body of an error in the form of the API that the path belongs to."""
    if path in COHERE_PATHS:
        return _cohere(problem)
    if path in TEI_PATHS:
        return _tei(problem)
    if path.startswith("/v1/"):
        return _openai(problem)
    return _rest(problem)


def problem_response(path: str, problem: Problem) -> Response:
    if path in TEI_PATHS and problem.reason in ("TEXT_TOO_LONG", "TOO_MANY_TOKENS"):
        problem = replace(problem, status=413)
    body = problem_body(path, problem)
    media_type = PROBLEM_TYPE if "title" in body else "application/json"
    return JSONResponse(body, problem.status, problem.headers, media_type)


async def _answer(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.reason == "INTERNAL":
        log.error("request failed", path=request.url.path, exc_info=error)
    return problem_response(request.url.path, problem)


def add_handlers(app: FastAPI) -> None:
    """Makes every error of a route an answer."""
    for kind in (
        Refusal, grpc.aio.AioRpcError, DomainError, RequestValidationError, HTTPException, ClientGone,
        ClientDisconnect, Exception,
    ):  # fmt: skip
        app.add_exception_handler(kind, _answer)
