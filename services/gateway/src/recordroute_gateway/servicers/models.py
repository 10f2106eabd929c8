"""ModelService on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from recordroute.gateway.v1 import model_pb2, model_pb2_grpc
from recordroute_runtime.wire import enum_name, to_timestamp

from recordroute_gateway.clients.models import ModelsClient
from recordroute_gateway.identity.caller import Scope, current_caller
from recordroute_gateway.models import errors
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.command import ModelCommand
from recordroute_gateway.models.overview import SERVICES, SWITCHABLE, overview
from recordroute_gateway.models.pulls import Pulls
from recordroute_gateway.models.records import ModelEntry, PullState, Served, Shelf, State, Task


class ModelServicer(model_pb2_grpc.ModelServiceServicer):
    def __init__(
        self, command: ModelCommand, pulls: Pulls, choices: ModelChoices, client: ModelsClient
    ) -> None:
        self._command = command
        self._pulls = pulls
        self._choices = choices
        self._client = client
        # What is being removed must not be switched to meanwhile.
        self._changing = asyncio.Lock()

    async def ListModels(
        self, request: model_pb2.ListModelsRequest, context: Any
    ) -> model_pb2.ListModelsResponse:
        shelf, served, choices = await asyncio.gather(
            self._command.shelf(), self._client.served(), self._choices.all()
        )
        return model_pb2.ListModelsResponse(
            models=map(_model_message, overview(shelf, served, choices, self._pulls.state)),
            manage_refusal="" if shelf is not None else errors.MANAGED_ELSEWHERE,
            free_bytes=shelf.free_bytes if shelf is not None else 0,
            unavailable_services=served.unavailable,
        )

    async def PullModel(
        self, request: model_pb2.PullModelRequest, context: Any
    ) -> AsyncIterator[model_pb2.PullModelResponse]:
        await self._check_pullable(request.model_id)
        async with aclosing(self._pulls.watch(request.model_id)) as states:
            async for state in states:
                yield model_pb2.PullModelResponse(pull=_pull_message(state))

    async def CancelPull(
        self, request: model_pb2.CancelPullRequest, context: Any
    ) -> model_pb2.CancelPullResponse:
        await self._check_pullable(request.model_id)
        return model_pb2.CancelPullResponse(cancelled=await self._pulls.cancel(request.model_id))

    async def RemoveModel(
        self, request: model_pb2.RemoveModelRequest, context: Any
    ) -> model_pb2.RemoveModelResponse:
        async with self._changing:
            entry = (await self._entries()).get(request.model_id)
            if entry is None:
                # Where nothing can be removed, nobody is told what there is.
                reason = errors.UNKNOWN if self._command.is_there else errors.MANAGED_ELSEWHERE
                raise errors.refusal(reason, request.model_id, "")
            if entry.remove_refusal:
                raise errors.refusal(entry.remove_refusal, request.model_id, entry.service)
            return model_pb2.RemoveModelResponse(freed_bytes=await self._command.remove(request.model_id))

    async def UseModel(self, request: model_pb2.UseModelRequest, context: Any) -> model_pb2.UseModelResponse:
        task, model = Task(enum_name(request, "task")), request.model_id
        async with self._changing:
            entries = await self._entries()
            if model and model not in entries:
                raise errors.refusal(errors.UNKNOWN, model, "")
            if task is Task.OTHER or (model and entries[model].model.task is not task):
                raise errors.refusal(errors.WRONG_TASK, model, "")
            if task not in SWITCHABLE and not (model and entries[model].is_current):
                raise errors.refusal(errors.FIXED_AT_START, model, SERVICES[task])
            if model and entries[model].use_refusal:
                raise errors.refusal(entries[model].use_refusal, model, SERVICES[task])
            if task in SWITCHABLE:
                await self._choices.choose(task, model)
        default = (
            entry.model.id
            for entry in entries.values()
            if entry.model.task is task and entry.is_service_default
        )
        return model_pb2.UseModelResponse(model_id=model or next(default, ""))

    async def _check_pullable(self, model: str) -> None:
        shelf = await self._command.shelf()
        if shelf is None:
            raise errors.refusal(errors.MANAGED_ELSEWHERE, model, "")
        if model not in shelf.models or not shelf.models[model].in_catalogue:
            raise errors.refusal(errors.UNKNOWN, model, "")

    async def _entries(self) -> Mapping[str, ModelEntry]:
        shelf: Shelf | None
        served: Served
        shelf, served, choices = await asyncio.gather(
            self._command.shelf(), self._client.served(), self._choices.all()
        )
        return {entry.model.id: entry for entry in overview(shelf, served, choices, self._pulls.state)}


def _model_message(entry: ModelEntry) -> model_pb2.Model:
    model = entry.model
    return model_pb2.Model(
        id=model.id,
        task=f"MODEL_TASK_{model.task.name}",
        description=model.description,
        languages=model.languages,
        license=model.license,
        source=f"MODEL_SOURCE_{model.source.name}",
        state=f"MODEL_STATE_{model.state.name}",
        download_bytes=model.download_bytes,
        size_bytes=model.size_bytes,
        problems=model.problems if model.state is State.BROKEN else (),
        pull=_pull_message(entry.pull) if entry.pull is not None else None,
        is_recommended=model.is_recommended,
        service=entry.service,
        is_current=entry.is_current,
        is_service_default=entry.is_service_default,
        is_loaded=entry.is_loaded,
        pull_refusal=entry.pull_refusal,
        remove_refusal=entry.remove_refusal,
        use_refusal=entry.use_refusal,
    )


def _pull_message(pull: PullState) -> model_pb2.ModelPull:
    message = model_pb2.ModelPull(
        phase=f"PULL_PHASE_{pull.phase.name}",
        done_bytes=pull.done_bytes,
        total_bytes=pull.total_bytes,
        started_at=to_timestamp(pull.started_at),
        notice=pull.notice,
    )
    if pull.failure is not None:
        message.failure.reason = pull.failure.reason
        # It can name folders, which are for those who run the system.
        if Scope.ADMIN in current_caller().scopes:
            message.failure.message = pull.failure.message
    return message
