"""Puts the vector service together for `recordroute_runtime.serve`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import grpc.aio
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.errors import DomainError, PreconditionFailed
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import find_model
from recordroute_runtime.settings import CommonSettings

from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import Encoder
from recordroute_vector.engines import EngineHolder, Engines
from recordroute_vector.index.edge import EdgeIndex
from recordroute_vector.index.frames import IndexConfig
from recordroute_vector.lexical import LexicalEncoder
from recordroute_vector.passages import PassageSplitter
from recordroute_vector.search import Searcher
from recordroute_vector.servicer_embedding import EmbeddingServicer
from recordroute_vector.servicer_index import IndexServicer
from recordroute_vector.settings import VectorSettings


class VectorService:
    """Embeddings and the index: healthy as soon as the model is in memory and the index open."""

    def __init__(self, settings: VectorSettings, common: CommonSettings) -> None:
        self._settings = settings
        self._models_dir = common.models_dir
        self._index_dir: Path = settings.index_dir or common.data_dir / "index"
        # One batch at a time, on all of the model's threads: two at once only take the cores from each other.
        self._model_pool = InferencePool("embedding", 1)
        # Tokenizing whole transcripts takes seconds and must not stand in a query's way.
        self._text_pool = InferencePool("text", 2)
        self._engines = EngineHolder()
        self._encoder: Encoder | None = None
        self._embedding = EmbeddingServicer(settings, common.models_dir, self._engines, self._text_pool)
        self._index = IndexServicer(self._engines, self._text_pool)

    @property
    def names(self) -> Sequence[str]:
        return (
            embedding_pb2.DESCRIPTOR.services_by_name["EmbeddingService"].full_name,
            index_pb2.DESCRIPTOR.services_by_name["IndexService"].full_name,
        )

    def register(self, server: grpc.aio.Server) -> None:
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(self._embedding, server)
        index_pb2_grpc.add_IndexServiceServicer_to_server(self._index, server)

    async def load(self) -> None:
        try:
            # Kept while the index can't be opened: a load that is tried again need not read the model again.
            if self._encoder is None:
                self._encoder = await asyncio.to_thread(self._load_encoder)
            encoder = self._encoder
            index = EdgeIndex(
                IndexConfig(
                    directory=self._index_dir,
                    model=encoder.model.id,
                    dimensions=encoder.dimensions,
                    min_free_bytes=self._settings.min_free_bytes,
                )
            )
            await index.open()
        except DomainError as error:
            self._engines.clear(error)
            raise
        self._engines.set(self._make_engines(encoder, index))

    async def close(self) -> None:
        engines = self._engines.clear()
        self._encoder = None
        if engines is not None:
            await engines.index.close()
        await self._text_pool.close()
        await self._model_pool.close()

    def _load_encoder(self) -> Encoder:
        settings = self._settings
        encoder = Encoder(
            find_model(self._models_dir, settings.model),
            threads=settings.threads,
            batch_token_budget=settings.batch_token_budget,
        )
        if settings.passage_tokens > encoder.passage_room:
            raise PreconditionFailed(
                "SETTINGS_INVALID",
                f"passage_tokens is {settings.passage_tokens}, but model {settings.model} reads "
                f"{encoder.passage_room} tokens of a passage",
            )
        return encoder

    def _make_engines(self, encoder: Encoder, index: EdgeIndex) -> Engines:
        settings = self._settings
        embedder = Embedder(encoder, self._model_pool, max_waiting=settings.max_waiting)
        lexical = LexicalEncoder(encoder.tokenizer, average_length=settings.passage_tokens)
        return Engines(
            embedder=embedder,
            lexical=lexical,
            splitter=PassageSplitter(
                encoder.tokenizer,
                max_tokens=settings.passage_tokens,
                overlap_tokens=settings.passage_overlap_tokens,
            ),
            index=index,
            searcher=Searcher(embedder, lexical, index, self._text_pool, dense_weight=settings.dense_weight),
        )


async def make_service(settings: VectorSettings, common: CommonSettings) -> VectorService:
    """Returns the service, not yet loaded."""
    return VectorService(settings, common)
