"""The wire: what vector.v1.IndexService does to documents and to the index as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc.aio
import numpy as np
from recordroute.vector.v1 import embedding_pb2, index_pb2, index_pb2_grpc
from recordroute_runtime.errors import FieldViolations, InvalidInput, NotFound, PreconditionFailed
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.wire import read_configured, to_datetime, to_timestamp

from recordroute_vector.domain import Passage
from recordroute_vector.encoder import TextKind
from recordroute_vector.engines import EngineHolder, Engines
from recordroute_vector.index.edge import EdgeIndex
from recordroute_vector.index.port import Activity, Document, IndexedPassage, Vector
from recordroute_vector.passages import content_hash
from recordroute_vector.servicer_embedding import passage_from_wire, passage_to_wire

# Some hundred hours of speech; more would have to be held in memory before it is written.
MAX_PASSAGES = 20_000
DEFAULT_PAGE_SIZE = 200
UNIT_TOLERANCE = 1e-2

_ACTIVITIES = {
    Activity.IDLE: index_pb2.INDEX_ACTIVITY_IDLE,
    Activity.OPTIMIZING: index_pb2.INDEX_ACTIVITY_OPTIMIZING,
    Activity.REEMBEDDING: index_pb2.INDEX_ACTIVITY_REEMBEDDING,
}


class IndexAdminServicer(index_pb2_grpc.IndexServiceServicer):
    """Serves everything of the index but searches."""

    def __init__(self, engines: EngineHolder, pool: InferencePool) -> None:
        self._engines = engines
        self._pool = pool

    async def Upsert(
        self,
        request_iterator: AsyncIterator[index_pb2.UpsertRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> index_pb2.UpsertResponse:
        first, rest = await read_configured(request_iterator)
        config = first.config
        batches = []
        passage_count = 0
        async for message in rest:
            passage_count += len(message.batch.passages)
            if passage_count > MAX_PASSAGES:
                raise InvalidInput(
                    "TOO_MANY_PASSAGES",
                    f"a document may have {MAX_PASSAGES} passages",
                    metadata={"max_passages": str(MAX_PASSAGES)},
                )
            batches.append(message.batch)
        # Only now: an upload may outlast a change of the model.
        engines = self._engines.get()
        if config.model not in (engines.model, engines.replaced_model):
            raise InvalidInput(
                "MODEL_MISMATCH",
                f"the vectors are made with model {config.model}, but the index is made with {engines.model}",
                metadata={"model": config.model, "index_model": engines.model},
            )
        passages: list[IndexedPassage] = []
        for batch in batches:
            passages += await self._read(batch, len(passages), engines, config.model)
        document = Document(
            owner=config.owner,
            id=config.document_id,
            language=config.language,
            recorded_at=to_datetime(config.recorded_at).timestamp(),
            kind=config.kind,
            folder=config.folder,
            tags=tuple(config.tags),
        )
        count = await engines.index.upsert(document, passages, model=engines.model)
        return index_pb2.UpsertResponse(passage_count=count)

    async def Delete(
        self, request: index_pb2.DeleteRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.DeleteResponse:
        deleted = await self._engines.get().index.delete(request.owner, request.document_id)
        return index_pb2.DeleteResponse(deleted_passage_count=deleted)

    async def GetStats(
        self, request: index_pb2.GetStatsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.GetStatsResponse:
        engines = self._engines.get()
        stats = await engines.index.stats(request.owner, request.document_id or None)
        state = await engines.index.state()
        return index_pb2.GetStatsResponse(
            passage_count=stats.passage_count,
            document_count=stats.document_count,
            model=state.model,
            dimensions=state.dimensions,
            activity=_ACTIVITIES[state.activity],
            progress=state.progress,
        )

    async def GetDocument(
        self, request: index_pb2.GetDocumentRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.GetDocumentResponse:
        stored = await self._engines.get().index.document(request.owner, request.document_id)
        if stored is None:
            raise NotFound(
                "DOCUMENT_NOT_FOUND",
                f"the index holds no document {request.document_id}",
                metadata={"document_id": request.document_id},
            )
        first = _page_start(request.page_token, len(stored.passages))
        last = first + (request.page_size or DEFAULT_PAGE_SIZE)
        document = stored.document
        return index_pb2.GetDocumentResponse(
            language=document.language,
            recorded_at=to_timestamp(datetime.fromtimestamp(document.recorded_at, UTC)),
            kind=document.kind,
            folder=document.folder,
            tags=document.tags,
            passages=[passage_to_wire(item.passage) for item in stored.passages[first:last]],
            passage_count=len(stored.passages),
            next_page_token=str(last) if last < len(stored.passages) else "",
        )

    async def Optimize(
        self, request: index_pb2.OptimizeRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.OptimizeResponse:
        await self._embedded().optimize()
        return index_pb2.OptimizeResponse()

    async def Snapshot(
        self, request: index_pb2.SnapshotRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[index_pb2.SnapshotResponse]:
        async with aclosing(self._embedded().snapshot()) as chunks:
            async for chunk in chunks:
                yield index_pb2.SnapshotResponse(chunk=chunk)

    async def Restore(
        self,
        request_iterator: AsyncIterator[index_pb2.RestoreRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> index_pb2.RestoreResponse:
        chunks = (message.chunk async for message in request_iterator)
        return index_pb2.RestoreResponse(passage_count=await self._embedded().restore(chunks))

    def _embedded(self) -> EdgeIndex:
        index = self._engines.get().index
        if not isinstance(index, EdgeIndex):
            raise PreconditionFailed(
                "INDEX_SERVER", "the index is kept by an index server, which has its own command for this"
            )
        return index

    async def _read(
        self, batch: index_pb2.EmbeddedPassages, position: int, engines: Engines, model: str
    ) -> list[IndexedPassage]:
        passages = [
            _passage(item.passage, position + number, f"batch.passages[{number}].passage")
            for number, item in enumerate(batch.passages)
        ]
        texts = [passage.text for passage in passages]
        vectors: list[Vector | None]
        if model == engines.model:
            vectors = [_vector(item.vector, engines.dimensions) for item in batch.passages]
        else:
            # Made just before the index got its new model: the texts are here, so nobody need come again.
            vectors = [
                embedding.vector for embedding in await engines.embedder.embed(texts, TextKind.PASSAGE)
            ]
        terms = await self._pool.run(lambda _: engines.lexical.encode_passages(texts), wait=True)
        return [IndexedPassage(*parts) for parts in zip(passages, vectors, terms, strict=True)]


def _passage(wire: embedding_pb2.Passage, position: int, field: str) -> Passage:
    passage = passage_from_wire(wire)
    violations = []
    if passage.index != position:
        violations.append((f"{field}.index", f"must be {position}: passages come in order and without gaps"))
    if not 0 <= passage.start <= passage.end:
        violations.append((f"{field}.end", "must not be before start, and start not negative"))
    if violations:
        raise FieldViolations(violations)
    # Our own: what vectors are known by is not for callers to say.
    return replace(passage, content_hash=content_hash(passage.text))


def _vector(values: Any, dimensions: int) -> Vector | None:
    if not len(values):
        return None
    vector = np.asarray(values, np.float32)
    if len(vector) != dimensions:
        raise InvalidInput(
            "DIMENSION_MISMATCH",
            f"a vector has {len(vector)} dimensions, but the index has {dimensions}",
            metadata={"dimensions": str(len(vector)), "index_dimensions": str(dimensions)},
        )
    if abs(float(np.linalg.norm(vector)) - 1) > UNIT_TOLERANCE:
        raise InvalidInput("VECTOR_NOT_NORMALISED", "a vector does not have length 1")
    return vector


def _page_start(token: str, count: int) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdecimal() and 0 < int(token) < count):
        raise FieldViolations([("page_token", "is not one that this document gave")])
    return int(token)
