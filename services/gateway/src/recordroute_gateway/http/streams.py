"""Responses that are sent while a call goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from recordroute_gateway.http.problems import problem_body, problem_of

log = structlog.get_logger(__name__)


class CallResponse(StreamingResponse):
    """A body that comes out of a call; the call ends with the response, however that ends."""

    def __init__(
        self,
        content: AsyncIterator[bytes],
        *,
        end_call: Callable[[], None],
        headers: Mapping[str, str] | None = None,
        status_code: int = 200,
        media_type: str,
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self._end_call = end_call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end_call()


class EventResponse(CallResponse):
    """Server-sent events, one JSON object each (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    An error after the first event can no longer be the HTTP status: it is told as an event of its own.
    """

    def __init__(
        self, events: AsyncIterator[Mapping[str, Any] | str], *, path: str, end_call: Callable[[], None]
    ) -> None:
        super().__init__(
            _encoded(events, path),
            end_call=end_call,
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            media_type="text/event-stream",
        )


async def _encoded(events: AsyncIterator[Mapping[str, Any] | str], path: str) -> AsyncIterator[bytes]:
    try:
        async for event in events:
            data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
            yield f"data: {data}\n\n".encode()
    except Exception as error:
        problem = problem_of(error)
        if problem.reason == "INTERNAL":
            log.error("stream failed", path=path, exc_info=error)
        yield f"data: {json.dumps(problem_body(path, problem), ensure_ascii=False)}\n\n".encode()
