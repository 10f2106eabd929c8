"""The gateway's view of the models that the services use."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
import structlog
from recordroute.common.v1 import model_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc

from recordroute_gateway.models.overview import SERVICES
from recordroute_gateway.models.records import Served, ServedModel, Task

log = structlog.get_logger(__name__)

# A page waits for it.
CALL_SECONDS = 5.0


class ModelsClient:
    """Asks the services for their models."""

    def __init__(self, stt: grpc.aio.Channel, llm: grpc.aio.Channel, vector: grpc.aio.Channel) -> None:
        self._calls: tuple[tuple[Task, Any, Any], ...] = (
            (Task.STT, stt_pb2_grpc.SttServiceStub(stt).ListModels, stt_pb2.ListModelsRequest()),
            (Task.LLM, llm_pb2_grpc.LlmServiceStub(llm).ListModels, llm_pb2.ListModelsRequest()),
            (
                Task.EMBEDDING,
                embedding_pb2_grpc.EmbeddingServiceStub(vector).ListModels,
                embedding_pb2.ListModelsRequest(),
            ),
        )

    async def served(self) -> Served:
        """Returns the models of all services that answer."""
        answers = await asyncio.gather(*(self._ask(*call) for call in self._calls))
        return Served(
            tuple(model for answer in answers if answer is not None for model in answer),
            tuple(
                SERVICES[task]
                for (task, _, _), answer in zip(self._calls, answers, strict=True)
                if answer is None
            ),
        )

    async def _ask(self, task: Task, call: Any, request: Any) -> list[ServedModel] | None:
        try:
            answer = await call(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            log.warning("models of a service can't be listed", service=SERVICES[task], error=error.details())
            return None
        return [_served(task, info) for info in answer.models]


def _served(task: Task, info: model_pb2.ModelInfo) -> ServedModel:
    return ServedModel(
        info.id,
        task,
        languages=tuple(info.languages),
        license=info.license,
        size_bytes=info.size_bytes,
        is_default=info.is_default,
        is_loaded=info.loaded,
        server=info.server,
    )
