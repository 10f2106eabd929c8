"""The wire side of the LLM service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc.aio
from recordroute.common.v1 import minutes_pb2, transcript_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.errors import Overloaded
from recordroute_runtime.inference import CancelToken, InferencePool
from recordroute_runtime.models import installed_models
from recordroute_runtime.wire import model_messages, to_duration, to_seconds

from recordroute_llm.engines.registry import EngineRegistry
from recordroute_llm.minutes import Delta, Event, Item, Kind, Minutes, Progress, Result, summarize
from recordroute_llm.settings import LlmSettings
from recordroute_llm.title import write_title
from recordroute_llm.transcript import Segment

_KINDS = {
    Kind.TOPICS: minutes_pb2.MINUTES_SECTION_KIND_TOPICS,
    Kind.KEY_POINTS: minutes_pb2.MINUTES_SECTION_KIND_KEY_POINTS,
    Kind.DECISIONS: minutes_pb2.MINUTES_SECTION_KIND_DECISIONS,
    Kind.ACTION_ITEMS: minutes_pb2.MINUTES_SECTION_KIND_ACTION_ITEMS,
}


def _segments(messages: Sequence[transcript_pb2.Segment]) -> list[Segment]:
    return [
        Segment(
            message.index, to_seconds(message.start), to_seconds(message.end), message.text, message.speaker
        )
        for message in messages
    ]


def _item(item: Item) -> minutes_pb2.MinutesItem:
    return minutes_pb2.MinutesItem(
        text=item.text,
        evidence=[
            minutes_pb2.Evidence(
                segment_index=segment.index,
                start=to_duration(segment.start),
                end=to_duration(segment.end),
                speaker=segment.speaker,
                quote=segment.text,
            )
            for segment in item.evidence
        ],
    )


def _minutes(minutes: Minutes, model: str) -> minutes_pb2.Minutes:
    return minutes_pb2.Minutes(
        language=minutes.language,
        overview=minutes.overview,
        sections=[
            minutes_pb2.MinutesSection(kind=_KINDS[kind], items=[_item(item) for item in items])
            for kind, items in minutes.sections
        ],
        model=model,
        unsupported=minutes.unsupported,
    )


def _response(event: Event, model: str) -> llm_pb2.SummarizeResponse:
    match event:
        case Progress(completed, total):
            return llm_pb2.SummarizeResponse(
                progress=llm_pb2.SummarizeProgress(completed_steps=completed, total_steps=total)
            )
        case Delta(chunk, text):
            return llm_pb2.SummarizeResponse(delta=llm_pb2.SummarizeDelta(chunk=chunk, text=text))
        case Result(minutes, usage, seconds):
            return llm_pb2.SummarizeResponse(
                result=llm_pb2.SummarizeResult(
                    minutes=_minutes(minutes, model),
                    stats=llm_pb2.SummarizeStats(
                        prompt_tokens=usage.prompt_tokens,
                        completion_tokens=usage.completion_tokens,
                        processing_time=to_duration(seconds),
                    ),
                )
            )


class LlmServicer(llm_pb2_grpc.LlmServiceServicer):
    """Serves LlmService by the engines of a registry, on the slots of a pool."""

    def __init__(
        self, settings: LlmSettings, models_dir: Path, engines: EngineRegistry, pool: InferencePool
    ) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._engines = engines
        self._pool = pool
        self._summaries = 0

    async def Summarize(
        self, request: llm_pb2.SummarizeRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[llm_pb2.SummarizeResponse]:
        if self._summaries >= self._settings.parallel + self._settings.max_waiting:
            raise Overloaded(f"{self._summaries} summaries run or wait already")
        segments = _segments(request.segments)

        def work(token: CancelToken) -> Iterator[llm_pb2.SummarizeResponse]:
            with self._engines.use(request.model) as engine:
                for event in summarize(
                    segments, request.language, engine, self._settings.chunk_tokens, token
                ):
                    yield _response(event, engine.model_id)

        self._summaries += 1
        try:
            async with aclosing(self._pool.stream(work)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._summaries -= 1

    async def Title(
        self, request: llm_pb2.TitleRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.TitleResponse:
        segments = _segments(request.segments)

        def work(token: CancelToken) -> llm_pb2.TitleResponse:
            with self._engines.use(request.model) as engine:
                title = write_title(segments, request.language, engine, self._settings.chunk_tokens, token)
                return llm_pb2.TitleResponse(title=title, model=engine.model_id)

        return await self._pool.run(work)

    async def ListModels(
        self, request: llm_pb2.ListModelsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.ListModelsResponse:
        return llm_pb2.ListModelsResponse(
            models=model_messages(
                installed_models(self._models_dir, "llm"),
                loaded=self._engines.loaded,
                default=self._settings.model,
            )
        )
