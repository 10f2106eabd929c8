"""The wire: vector.v1.EmbeddingService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc.aio
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_runtime.errors import FieldViolations
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import installed_models
from recordroute_runtime.wire import model_messages, read_configured, to_duration, to_seconds

from recordroute_vector.domain import Passage, Segment, TextBlock
from recordroute_vector.embedder import EmbedOptions
from recordroute_vector.encoder import Embedding, TextKind, Truncation
from recordroute_vector.engines import EngineHolder, Engines
from recordroute_vector.model_files import TASK, model_in_folder
from recordroute_vector.passages import PassageLimits, PassageSplitter
from recordroute_vector.rerank import RerankMethod
from recordroute_vector.settings import VectorSettings
from recordroute_vector.tokenizer import TokenIds

# Batches of one stream that are read ahead: enough that the model never waits for the next one.
STREAM_BATCHES = 4

_KINDS = {
    embedding_pb2.EMBEDDING_KIND_QUERY: TextKind.QUERY,
    embedding_pb2.EMBEDDING_KIND_PASSAGE: TextKind.PASSAGE,
}
_TRUNCATIONS = {
    embedding_pb2.TRUNCATION_MODE_UNSPECIFIED: Truncation.END,
    embedding_pb2.TRUNCATION_MODE_END: Truncation.END,
    embedding_pb2.TRUNCATION_MODE_ERROR: Truncation.ERROR,
    embedding_pb2.TRUNCATION_MODE_WINDOW_MEAN: Truncation.WINDOW_MEAN,
}

RERANK_METHODS = {
    RerankMethod.NONE: embedding_pb2.RERANK_METHOD_NONE,
    RerankMethod.LATE_INTERACTION: embedding_pb2.RERANK_METHOD_LATE_INTERACTION,
    RerankMethod.CROSS_ENCODER: embedding_pb2.RERANK_METHOD_CROSS_ENCODER,
}
_RERANK: dict[int, RerankMethod | None] = {
    embedding_pb2.RERANK_METHOD_UNSPECIFIED: None,
    **{wire: method for method, wire in RERANK_METHODS.items()},
}


class EmbeddingServicer(embedding_pb2_grpc.EmbeddingServiceServicer):
    """Serves the configured model."""

    def __init__(
        self, settings: VectorSettings, models_dir: Path, engines: EngineHolder, pool: InferencePool
    ) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._engines = engines
        self._pool = pool

    async def Embed(
        self, request: embedding_pb2.EmbedRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> embedding_pb2.EmbedResponse:
        engines = self._engines.get()
        embeddings = await engines.embedder.embed(_texts(request), _KINDS[request.kind], _options(request))
        return embedding_pb2.EmbedResponse(
            embeddings=map(_embedding, embeddings),
            model=engines.model,
            token_count=sum(embedding.token_count for embedding in embeddings),
        )

    async def StreamEmbed(
        self,
        request_iterator: AsyncIterator[embedding_pb2.StreamEmbedRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncGenerator[embedding_pb2.StreamEmbedResponse, None]:
        engines = self._engines.get()
        first, rest = await read_configured(request_iterator)
        kind, options = _KINDS[first.config.kind], _options(first.config)
        running: asyncio.Queue[asyncio.Task[list[Embedding]] | None] = asyncio.Queue()
        room = asyncio.Semaphore(STREAM_BATCHES)

        async def read() -> None:
            try:
                await room.acquire()
                async for message in rest:
                    embedding = engines.embedder.embed(_texts(message.batch), kind, options, wait=True)
                    running.put_nowait(asyncio.create_task(embedding))
                    await room.acquire()
            finally:
                running.put_nowait(None)

        reader = asyncio.create_task(read())
        try:
            while (task := await running.get()) is not None:
                embeddings = await task
                yield embedding_pb2.StreamEmbedResponse(
                    embeddings=map(_embedding, embeddings),
                    model=engines.model,
                    token_count=sum(embedding.token_count for embedding in embeddings),
                )
                room.release()
            await reader
        finally:
            reader.cancel()
            while not running.empty():
                if (task := running.get_nowait()) is not None:
                    task.cancel()

    async def SplitPassages(
        self, request: embedding_pb2.SplitPassagesRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> embedding_pb2.SplitPassagesResponse:
        engines = self._engines.get()
        splitter = _splitter(request, engines)
        if request.blocks:
            blocks = [
                TextBlock(index, block.text, block.page, block.line, block.starts_paragraph)
                for index, block in enumerate(request.blocks)
            ]
            passages = await self._pool.run(lambda _: splitter.split_document(blocks), wait=True)
        else:
            segments = [
                Segment(
                    index=segment.index,
                    start=to_seconds(segment.start),
                    end=to_seconds(segment.end),
                    text=segment.text,
                    speaker=segment.speaker,
                )
                for segment in request.segments
            ]
            passages = await self._pool.run(lambda _: splitter.split(segments), wait=True)
        return embedding_pb2.SplitPassagesResponse(
            passages=map(passage_to_wire, passages), model=engines.model
        )

    async def Rerank(
        self, request: embedding_pb2.RerankRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> embedding_pb2.RerankResponse:
        rerankers = self._engines.get().rerankers
        method = _RERANK[request.method]
        reranker = rerankers.best if method is None else rerankers.get(method)
        scores = await reranker.score(request.query, list(request.texts))
        return embedding_pb2.RerankResponse(
            scores=scores, method=RERANK_METHODS[reranker.method], model=reranker.model
        )

    async def ListModels(
        self, request: embedding_pb2.ListModelsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> embedding_pb2.ListModelsResponse:
        models = installed_models(self._models_dir, TASK)
        if self._settings.model_dir is not None:
            models.append(model_in_folder(self._settings.model_dir))
        default = (
            self._settings.model_dir.resolve().name if self._settings.model_dir else self._settings.model
        )
        messages = model_messages(models, loaded=[default] if self._engines.loaded else [], default=default)
        for message in messages:
            if message.loaded:
                message.device = self._engines.get().embedder.encoder.device.name
        return embedding_pb2.ListModelsResponse(models=messages)


def passage_to_wire(passage: Passage) -> embedding_pb2.Passage:
    """Returns a passage as the contract says it."""
    return embedding_pb2.Passage(
        index=passage.index,
        text=passage.text,
        start=to_duration(passage.start),
        end=to_duration(passage.end),
        first_segment_index=passage.first_segment_index,
        last_segment_index=passage.last_segment_index,
        speakers=passage.speakers,
        content_hash=passage.content_hash,
        page=passage.page,
        line=passage.line,
    )


def passage_from_wire(wire: embedding_pb2.Passage) -> Passage:
    """Returns a passage of the contract."""
    return Passage(
        index=wire.index,
        text=wire.text,
        start=to_seconds(wire.start),
        end=to_seconds(wire.end),
        first_segment_index=wire.first_segment_index,
        last_segment_index=wire.last_segment_index,
        speakers=tuple(wire.speakers),
        page=wire.page,
        line=wire.line,
        content_hash=wire.content_hash,
    )


def _texts(message: embedding_pb2.EmbedRequest | embedding_pb2.EmbedBatch) -> Sequence[str | TokenIds]:
    return list(message.texts) or [tuple(array.ids) for array in message.token_arrays]


def _options(message: embedding_pb2.EmbedRequest | embedding_pb2.StreamEmbedConfig) -> EmbedOptions:
    return EmbedOptions(
        normalize=not message.HasField("normalize") or message.normalize,
        dimensions=message.dimensions or None,
        truncation=_TRUNCATIONS[message.truncation],
    )


def _embedding(embedding: Embedding) -> embedding_pb2.Embedding:
    return embedding_pb2.Embedding(
        values=embedding.vector.tolist(),
        token_count=embedding.token_count,
        truncated=embedding.truncated,
    )


def _splitter(request: embedding_pb2.SplitPassagesRequest, engines: Engines) -> PassageSplitter:
    default = engines.splitter.limits
    max_tokens = request.max_tokens or default.max_tokens
    limits = PassageLimits(
        max_tokens=max_tokens,
        # A small passage can't repeat as much as one of the usual size.
        overlap_tokens=request.overlap_tokens
        if request.HasField("overlap_tokens")
        else min(default.overlap_tokens, max_tokens // 4),
        overlap_sentences=request.overlap_sentences if request.HasField("overlap_sentences") else None,
    )
    violations = []
    room = engines.embedder.encoder.passage_room
    if limits.max_tokens > room:
        violations.append(("max_tokens", f"must not be over {room}, which model {engines.model} reads"))
    if limits.overlap_tokens >= limits.max_tokens:
        violations.append(("overlap_tokens", "must be less than max_tokens"))
    if violations:
        raise FieldViolations(violations)
    return engines.splitter if limits == default else engines.splitter.within(limits)
