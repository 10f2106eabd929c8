"""The wire: vector.v1.EmbeddingService."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc.aio
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import installed_models
from recordroute_runtime.wire import model_messages, to_duration, to_seconds

from recordroute_vector.domain import Passage, Segment
from recordroute_vector.encoder import TASK, TextKind
from recordroute_vector.engines import EngineHolder
from recordroute_vector.settings import VectorSettings

_KINDS = {
    embedding_pb2.EMBEDDING_KIND_QUERY: TextKind.QUERY,
    embedding_pb2.EMBEDDING_KIND_PASSAGE: TextKind.PASSAGE,
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
        embeddings = await engines.embedder.embed(list(request.texts), _KINDS[request.kind])
        return embedding_pb2.EmbedResponse(
            embeddings=[
                embedding_pb2.Embedding(
                    values=embedding.vector.tolist(),
                    token_count=embedding.token_count,
                    truncated=embedding.truncated,
                )
                for embedding in embeddings
            ],
            model=engines.model,
        )

    async def SplitPassages(
        self, request: embedding_pb2.SplitPassagesRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> embedding_pb2.SplitPassagesResponse:
        splitter = self._engines.get().splitter
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
            passages=[passage_to_wire(passage) for passage in passages]
        )

    async def ListModels(
        self, request: embedding_pb2.ListModelsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> embedding_pb2.ListModelsResponse:
        return embedding_pb2.ListModelsResponse(
            models=model_messages(
                installed_models(self._models_dir, TASK),
                loaded=[self._settings.model] if self._engines.loaded else [],
                default=self._settings.model,
            )
        )


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
    )
