"""The models that the services have, and the names that clients of other servers use for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import grpc.aio
from recordroute.common.v1 import model_pb2
from recordroute.llm.v1 import llm_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute.vector.v1 import embedding_pb2

from recordroute_gateway.http.backend import CALL_SECONDS, Backend
from recordroute_gateway.http.problems import Refusal

# OpenAI's API has required names here, of models that nobody has but OpenAI: scripts that were written for it get the
# default.
DEFAULT_NAMES = frozenset(("", "default", "whisper-1"))


@dataclass(frozen=True)
class Model:
    """A model and what it is for: "transcription", "chat", "embedding"."""

    task: str
    info: model_pb2.ModelInfo


def model_id(name: str | None) -> str:
    """Returns the id that the services know; empty for their default."""
    return "" if name is None or name in DEFAULT_NAMES else name


async def list_models(backend: Backend) -> list[Model]:
    """Returns the models of all services that answer. Raises AioRpcError where none does."""
    calls: tuple[tuple[str, Any, Any], ...] = (
        ("transcription", backend.stt.ListModels, stt_pb2.ListModelsRequest()),
        ("chat", backend.llm.ListModels, llm_pb2.ListModelsRequest()),
        ("embedding", backend.vector.ListModels, embedding_pb2.ListModelsRequest()),
    )
    answers = await asyncio.gather(
        *(call(request, timeout=CALL_SECONDS) for _, call, request in calls), return_exceptions=True
    )
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    for failure in failures:
        if not isinstance(failure, grpc.aio.AioRpcError) or len(failures) == len(answers):
            raise failure
    return [
        Model(task, info)
        for (task, _, _), answer in zip(calls, answers, strict=True)
        if not isinstance(answer, BaseException)
        for info in answer.models
    ]


async def check_embedding_model(backend: Backend, name: str | None) -> None:
    """Refuses a name that is not the embedding model's: vectors of different models can't be compared."""
    wanted = model_id(name)
    if not wanted:
        return
    answer = await backend.vector.ListModels(embedding_pb2.ListModelsRequest(), timeout=CALL_SECONDS)
    in_use = {model.id for model in answer.models if model.is_default or model.loaded}
    if wanted not in in_use:
        raise Refusal(
            404,
            "MODEL_MISSING",
            f"the model {wanted} is not served; {' or '.join(sorted(in_use))} is",
            field="model",
        )
