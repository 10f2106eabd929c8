"""The WebSocket /ws: progress of tasks as typed events.

The client sends {"watch": "<task id>", "after": 0} and {"unwatch": "<task id>"}, or names tasks in the address:
/ws?task_id=...&after=0. The server sends `ProgressEvent`, `EndEvent` and `ErrorEvent`.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import Literal

import grpc.aio
from fastapi import APIRouter, WebSocket
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from recordroute.gateway.v1 import identity_pb2, workflow_pb2
from recordroute_runtime.errors import DomainError
from recordroute_runtime.wire import enum_name
from starlette.websockets import WebSocketDisconnect, WebSocketState

from recordroute_gateway.http.backend import Backend, Metadata, backend_of, metadata_of, opened
from recordroute_gateway.http.problems import Problem, problem_of

MAX_WATCHED = 64
INVALID_MESSAGE, POLICY_VIOLATION = 1007, 1008
router = APIRouter()


class WatchMessage(BaseModel):
    """What a client sends: one of both."""

    model_config = ConfigDict(extra="forbid")

    watch: uuid.UUID | None = Field(None, description="A task whose events are wanted.")
    after: int = Field(0, ge=0, lt=2**63, description="Events with higher numbers are wanted; 0: all.")
    unwatch: uuid.UUID | None = Field(None, description="A task whose events are no longer wanted.")

    @model_validator(mode="after")
    def _one(self) -> WatchMessage:
        if (self.watch is None) == (self.unwatch is None):
            raise ValueError("either watch or unwatch is expected")
        return self


class ProgressEvent(BaseModel):
    """Something that happened to a task. `sequence` counts each task's events from 1 without gaps."""

    type: Literal["progress"] = "progress"
    task_id: uuid.UUID
    sequence: int
    time: AwareDatetime
    stage: Literal["transcribe", "summarise", "embed", "index"] | None = Field(
        description="null: the whole task."
    )
    state: Literal["queued", "running", "succeeded", "failed", "cancelled", "skipped"]
    percent: float = Field(ge=0, le=100)
    reason: str | None = Field(description="Why it failed; null otherwise.")
    message: str | None = Field(description="The same for people.")


class EndEvent(BaseModel):
    """The task has ended: no event follows."""

    type: Literal["end"] = "end"
    task_id: uuid.UUID


class ErrorEvent(BaseModel):
    """A task can't be watched, or the client's message was not understood (`task_id` is null then)."""

    type: Literal["error"] = "error"
    task_id: uuid.UUID | None
    reason: str
    message: str


class _Watcher:
    """The tasks that one client watches. A slow client holds up its own streams only: each waits for its turn."""

    def __init__(self, socket: WebSocket, backend: Backend, metadata: Metadata) -> None:
        self._socket = socket
        self._backend = backend
        self._metadata = metadata
        self._sending = asyncio.Lock()
        self._watched: dict[uuid.UUID, asyncio.Task[None]] = {}

    async def apply(self, message: WatchMessage) -> None:
        if message.unwatch is not None:
            self._stop(message.unwatch)
        if message.watch is not None:
            self._stop(message.watch)
            if len(self._watched) >= MAX_WATCHED:
                problem = Problem(
                    429, "TOO_MANY_TASKS", f"at most {MAX_WATCHED} tasks can be watched at once"
                )
                await self._refuse(message.watch, problem)
                return
            watching = asyncio.create_task(self._watch(message.watch, message.after))
            self._watched[message.watch] = watching

    async def refuse_message(self) -> None:
        problem = Problem(
            400, "INVALID_MESSAGE", 'expected {"watch": "<task id>"} or {"unwatch": "<task id>"}'
        )
        await self._refuse(None, problem)

    async def close(self) -> None:
        watched = list(self._watched)
        tasks = [self._watched[task_id] for task_id in watched]
        for task_id in watched:
            self._stop(task_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop(self, task_id: uuid.UUID) -> None:
        if (task := self._watched.pop(task_id, None)) is not None:
            task.cancel()

    async def _watch(self, task_id: uuid.UUID, after: int) -> None:
        request = workflow_pb2.WatchWorkflowRequest(workflow_id=str(task_id), after_sequence=after)
        call = self._backend.workflows.WatchWorkflow(request, metadata=self._metadata)
        try:
            async for response in await opened(call, workflow_pb2.WatchWorkflowResponse):
                await self._send(_progress(task_id, response.event))
            await self._send(EndEvent(task_id=task_id))
        except (grpc.aio.AioRpcError, DomainError) as error:
            await self._refuse(task_id, problem_of(error))
        finally:
            call.cancel()
            if self._watched.get(task_id) is asyncio.current_task():
                del self._watched[task_id]

    async def _refuse(self, task_id: uuid.UUID | None, problem: Problem) -> None:
        await self._send(ErrorEvent(task_id=task_id, reason=problem.reason, message=problem.message))

    async def _send(self, event: BaseModel) -> None:
        async with self._sending:
            if self._socket.application_state is WebSocketState.CONNECTED:
                # The client may go away between the check and the sending.
                with suppress(WebSocketDisconnect, RuntimeError):
                    await self._socket.send_text(event.model_dump_json())


def _progress(task_id: uuid.UUID, event: workflow_pb2.WorkflowEvent) -> ProgressEvent:
    failed = event.HasField("error")
    stage = enum_name(event, "stage")
    return ProgressEvent.model_validate(
        {
            "task_id": task_id,
            "sequence": event.sequence,
            "time": event.time.ToJsonString(),
            "stage": None if stage == "unspecified" else stage,
            "state": enum_name(event, "state"),
            "percent": round(event.percent, 3),
            "reason": event.error.reason if failed else None,
            "message": event.error.message if failed else None,
        }
    )


@router.websocket("/ws")
async def watch_tasks(socket: WebSocket) -> None:
    """Sends the progress of the tasks that the client names, until it goes away."""
    try:
        first = [
            WatchMessage.model_validate({"watch": task_id, "after": socket.query_params.get("after", 0)})
            for task_id in socket.query_params.getlist("task_id")
        ]
    except ValidationError:
        await socket.close(INVALID_MESSAGE, "task_id or after is not valid")
        return
    backend, metadata = backend_of(socket), metadata_of(socket)
    try:
        await backend.authorise(metadata, identity_pb2.SCOPE_READ)
    except (grpc.aio.AioRpcError, DomainError) as error:
        await socket.close(POLICY_VIOLATION, problem_of(error).reason)
        return
    await socket.accept()
    watcher = _Watcher(socket, backend, metadata)
    try:
        for message in first:
            await watcher.apply(message)
        while True:
            try:
                message = WatchMessage.model_validate_json(await socket.receive_text())
            except (ValidationError, KeyError):
                # KeyError: a binary message.
                await watcher.refuse_message()
            else:
                await watcher.apply(message)
    except WebSocketDisconnect:
        return
    finally:
        await watcher.close()
