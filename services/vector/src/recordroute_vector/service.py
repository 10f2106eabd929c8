"""Puts the vector service together for `recordroute_runtime.serve`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import grpc.aio
import structlog
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.errors import DomainError, ModelMissing, PreconditionFailed
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import find_model
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.threads import in_thread

from recordroute_vector.batcher import Batcher
from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import Encoder, TextKind
from recordroute_vector.engines import EngineHolder, Engines
from recordroute_vector.index.edge import EdgeIndex, EmbeddedConfig
from recordroute_vector.index.port import PassageIndex
from recordroute_vector.index.rows import Row
from recordroute_vector.lexical import ANALYZER, LexicalEncoder
from recordroute_vector.model_files import model_in_folder
from recordroute_vector.page_tokens import PageTokens
from recordroute_vector.passages import PassageLimits, PassageSplitter
from recordroute_vector.rerank import CrossEncoder, LateInteraction, Rerankers, RerankMethod
from recordroute_vector.result_cache import ResultCache
from recordroute_vector.search import Searcher, SearchPage
from recordroute_vector.servicer_embedding import EmbeddingServicer
from recordroute_vector.servicer_index import IndexServicer
from recordroute_vector.settings import VectorSettings

log = structlog.get_logger(__name__)

REINDEX_RETRY_SECONDS = 30.0
_DEFAULT_RERANK = {
    "none": RerankMethod.NONE,
    "late_interaction": RerankMethod.LATE_INTERACTION,
    "cross_encoder": RerankMethod.CROSS_ENCODER,
}


class VectorService:
    """Embeddings and the index: healthy as soon as the model is in memory and the index open."""

    def __init__(self, settings: VectorSettings, common: CommonSettings) -> None:
        self._settings = settings
        self._models_dir = common.models_dir
        self._index_dir: Path = settings.index_dir or common.data_dir / "index"
        # One batch a core at a time: that is faster than one batch on all cores, and starts none anew.
        self._model_pool = InferencePool("embedding", settings.threads)
        # Tokenizing whole transcripts takes seconds and must not stand in a query's way.
        self._text_pool = InferencePool("text", 2)
        self._token_pool = InferencePool("tokenizer", 1)
        self._engines = EngineHolder()
        self._encoder: Encoder | None = None
        self._reindexing: asyncio.Task[None] | None = None
        self._embedding = EmbeddingServicer(settings, common.models_dir, self._engines, self._text_pool)
        self._cross_encoder: CrossEncoder | None = None
        self._cache: ResultCache[SearchPage] = ResultCache(
            max_bytes=settings.cache_max_bytes,
            ttl_seconds=settings.cache_ttl_seconds,
        )
        secret = settings.page_token_secret.get_secret_value().encode() or secrets.token_bytes(32)
        self._index = IndexServicer(self._engines, self._text_pool, PageTokens(secret))

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
                self._encoder = await in_thread(self._load_encoder)
            if self._cross_encoder is None and self._settings.rerank_model:
                self._cross_encoder = await in_thread(self._load_cross_encoder)
            index, engines, following = await self._open_index(self._encoder)
        except DomainError as error:
            self._engines.clear(error)
            raise
        self._engines.set(engines)
        if following is not None and isinstance(index, EdgeIndex):
            self._reindexing = asyncio.create_task(self._reindex(index, following))

    async def close(self) -> None:
        if self._reindexing is not None:
            self._reindexing.cancel()
            await asyncio.wait([self._reindexing])
            self._reindexing = None
        engines = self._engines.clear()
        self._encoder = None
        if engines is not None:
            await engines.index.close()
        await self._text_pool.close()
        await self._token_pool.close()
        await self._model_pool.close()

    async def _open_index(self, encoder: Encoder) -> tuple[PassageIndex, Engines, Engines | None]:
        """Opens the index. Returns it, the engines to begin with, and those to go over to where the index is made
        with another model or other words than they are."""
        settings = self._settings
        if settings.index_url:
            # Its client takes half of the service's start: those who have the index here do without.
            from recordroute_vector.qdrant_server import QdrantIndex, ServerConfig

            server = QdrantIndex(
                ServerConfig(
                    url=settings.index_url,
                    collection=settings.index_collection,
                    api_key=settings.index_api_key.get_secret_value(),
                    model=encoder.model.id,
                    dimensions=encoder.dimensions,
                    analyzer=ANALYZER,
                )
            )
            await server.open()
            return server, self._make_engines(encoder, server), None
        index = EdgeIndex(
            EmbeddedConfig(
                directory=self._index_dir,
                model=encoder.model.id,
                dimensions=encoder.dimensions,
                analyzer=ANALYZER,
                min_free_bytes=settings.min_free_bytes,
                erase_after_seconds=settings.erase_after_hours * 3600,
            )
        )
        await index.open()
        try:
            engines = self._make_engines(encoder, index)
            if index.is_as_configured:
                return index, engines, None
            before = await in_thread(self._load_replaced, index.manifest.model, encoder)
            if before is None:
                raise index.model_mismatch()
        except BaseException:
            await index.close()
            raise
        return index, self._make_engines(before, index), engines

    def _load_replaced(self, model: str, encoder: Encoder) -> Encoder | None:
        """Loads the model that the index is made with; None where it is no longer installed."""
        if model == encoder.model.id:
            return encoder
        try:
            return Encoder(
                find_model(self._models_dir, model), device=self._settings.device, batch_token_budget=None
            )
        except ModelMissing:
            return None

    async def _reindex(self, index: EdgeIndex, engines: Engines) -> None:
        """Makes the index anew with the model of `engines`, and goes over to them."""
        before = index.manifest.model

        async def transform(rows: Sequence[Row]) -> list[Row]:
            texts = [row.passage.text for row in rows]
            terms = await self._text_pool.run(lambda _: engines.lexical.encode_passages(texts), wait=True)
            vectors = [row.dense for row in rows]
            if before != engines.model:
                vectors = [item.vector for item in await engines.embedder.embed(texts, TextKind.PASSAGE)]
            return [
                replace(row, dense=vector, lexical=lexical)
                for row, vector, lexical in zip(rows, vectors, terms, strict=True)
            ]

        log.info("making the index anew", model=engines.model, replaced=before)
        while True:
            try:
                await index.reindex(
                    transform, lambda: self._engines.set(replace(engines, replaced_model=before))
                )
                log.info("the index is made anew", model=engines.model)
                return
            except DomainError as error:
                log.warning("the index can't be made anew now", reason=error.reason, message=error.message)
                await asyncio.sleep(REINDEX_RETRY_SECONDS)

    def _load_encoder(self) -> Encoder:
        settings = self._settings
        encoder = Encoder(
            model_in_folder(settings.model_dir)
            if settings.model_dir
            else find_model(self._models_dir, settings.model),
            device=settings.device,
            batch_token_budget=settings.batch_token_budget,
            parameters=settings.model_parameters,
        )
        if settings.passage_tokens > encoder.passage_room:
            raise PreconditionFailed(
                "SETTINGS_INVALID",
                f"passage_tokens is {settings.passage_tokens}, but model {encoder.model.id} reads "
                f"{encoder.passage_room} tokens of a passage",
            )
        log.info(
            "model loaded",
            model=encoder.model.id,
            device=encoder.device.name,
            dimensions=encoder.dimensions,
            batch_token_budget=encoder.batch_token_budget,
        )
        return encoder

    def _load_cross_encoder(self) -> CrossEncoder:
        settings = self._settings
        return CrossEncoder(
            find_model(self._models_dir, settings.rerank_model),
            self._model_pool,
            threads=1,
        )

    def _make_engines(self, encoder: Encoder, index: PassageIndex) -> Engines:
        settings = self._settings
        batcher = Batcher(
            encoder,
            self._model_pool,
            workers=settings.threads,
            window_seconds=settings.batch_window_ms / 1000,
            max_queued_tokens=settings.max_queued_tokens,
        )
        embedder = Embedder(
            encoder, batcher, self._token_pool, max_request_tokens=settings.max_request_tokens
        )
        lexical = LexicalEncoder(average_length=settings.passage_tokens)
        rerankers = Rerankers(LateInteraction(embedder), self._cross_encoder)
        return Engines(
            embedder=embedder,
            lexical=lexical,
            splitter=PassageSplitter(
                encoder.tokenizer, PassageLimits(settings.passage_tokens, settings.passage_overlap_tokens)
            ),
            index=index,
            rerankers=rerankers,
            searcher=Searcher(
                embedder,
                lexical,
                index,
                self._text_pool,
                dense_weight=settings.dense_weight,
                rerankers=rerankers,
                default_rerank=_DEFAULT_RERANK[settings.rerank],
                cache=self._cache,
            ),
        )


async def make_service(settings: VectorSettings, common: CommonSettings) -> VectorService:
    """Returns the service, not yet loaded."""
    return VectorService(settings, common)
