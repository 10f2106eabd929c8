"""The wire: vector.v1.IndexService."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import numpy as np
from recordroute.vector.v1 import embedding_pb2, index_pb2, index_pb2_grpc
from recordroute_runtime.errors import FieldViolations, InvalidInput
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.wire import read_configured, to_datetime, to_duration, to_seconds

from recordroute_vector.domain import Passage
from recordroute_vector.engines import EngineHolder, Engines
from recordroute_vector.index.port import Document, IndexedPassage
from recordroute_vector.search import Hit, Mode, SearchScope
from recordroute_vector.servicer_embedding import passage_to_wire

DEFAULT_LIMIT = 10
# Some hundred hours of speech; more would have to be held in memory before it is written.
MAX_PASSAGES = 20_000
UNIT_TOLERANCE = 1e-2

_MODES = {
    index_pb2.SEARCH_MODE_UNSPECIFIED: Mode.HYBRID,
    index_pb2.SEARCH_MODE_DENSE: Mode.DENSE,
    index_pb2.SEARCH_MODE_LEXICAL: Mode.LEXICAL,
    index_pb2.SEARCH_MODE_HYBRID: Mode.HYBRID,
}
_WIRE_MODES = {
    Mode.DENSE: index_pb2.SEARCH_MODE_DENSE,
    Mode.LEXICAL: index_pb2.SEARCH_MODE_LEXICAL,
    Mode.HYBRID: index_pb2.SEARCH_MODE_HYBRID,
}


class IndexServicer(index_pb2_grpc.IndexServiceServicer):
    """Serves the index."""

    def __init__(self, engines: EngineHolder, pool: InferencePool) -> None:
        self._engines = engines
        self._pool = pool

    async def Upsert(
        self,
        request_iterator: AsyncIterator[index_pb2.UpsertRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> index_pb2.UpsertResponse:
        engines = self._engines.get()
        first, rest = await read_configured(request_iterator)
        config = first.config
        if config.model != engines.model:
            raise InvalidInput(
                "MODEL_MISMATCH",
                f"the vectors are made with model {config.model}, but the index is made with {engines.model}",
                metadata={"model": config.model, "index_model": engines.model},
            )
        passages: list[IndexedPassage] = []
        async for message in rest:
            passages += await self._read(message.batch, len(passages), engines)
            if len(passages) > MAX_PASSAGES:
                raise InvalidInput(
                    "TOO_MANY_PASSAGES",
                    f"a document may have {MAX_PASSAGES} passages",
                    metadata={"max_passages": str(MAX_PASSAGES)},
                )
        document = Document(
            owner=config.owner,
            id=config.document_id,
            language=config.language,
            recorded_at=to_datetime(config.recorded_at).timestamp(),
        )
        return index_pb2.UpsertResponse(passage_count=await engines.index.upsert(document, passages))

    async def Delete(
        self, request: index_pb2.DeleteRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.DeleteResponse:
        deleted = await self._engines.get().index.delete(request.owner, request.document_id)
        return index_pb2.DeleteResponse(deleted_passage_count=deleted)

    async def Search(
        self, request: index_pb2.SearchRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.SearchResponse:
        mode = _MODES[request.mode]
        scope = SearchScope(
            owner=request.owner,
            document_ids=tuple(request.document_ids),
            recorded_from=_seconds(request, "recorded_from"),
            recorded_before=_seconds(request, "recorded_before"),
        )
        searcher = self._engines.get().searcher
        hits = await searcher.search(request.query, scope, mode, request.limit or DEFAULT_LIMIT)
        return index_pb2.SearchResponse(hits=[_hit(hit) for hit in hits], mode=_WIRE_MODES[mode])

    async def GetStats(
        self, request: index_pb2.GetStatsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.GetStatsResponse:
        engines = self._engines.get()
        stats = await engines.index.stats(request.owner, request.document_id or None)
        return index_pb2.GetStatsResponse(
            passage_count=stats.passage_count,
            document_count=stats.document_count,
            model=engines.model,
            dimensions=engines.dimensions,
        )

    async def _read(
        self, batch: index_pb2.EmbeddedPassages, position: int, engines: Engines
    ) -> list[IndexedPassage]:
        passages = [
            _passage(item.passage, position + number, f"batch.passages[{number}].passage")
            for number, item in enumerate(batch.passages)
        ]
        vectors = [_vector(item.vector, engines.dimensions) for item in batch.passages]
        texts = [passage.text for passage in passages]
        terms = await self._pool.run(lambda _: engines.lexical.encode_passages(texts), wait=True)
        return [IndexedPassage(*parts) for parts in zip(passages, vectors, terms, strict=True)]


def _passage(wire: embedding_pb2.Passage, position: int, field: str) -> Passage:
    start, end = to_seconds(wire.start), to_seconds(wire.end)
    violations = []
    if wire.index != position:
        violations.append((f"{field}.index", f"must be {position}: passages come in order and without gaps"))
    if not 0 <= start <= end:
        violations.append((f"{field}.end", "must not be before start, and start not negative"))
    if violations:
        raise FieldViolations(violations)
    return Passage(
        index=wire.index,
        text=wire.text,
        start=start,
        end=end,
        first_segment_index=wire.first_segment_index,
        last_segment_index=wire.last_segment_index,
        speakers=tuple(wire.speakers),
    )


def _vector(values: Any, dimensions: int) -> Any:
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


def _seconds(request: index_pb2.SearchRequest, field: str) -> float | None:
    return to_datetime(getattr(request, field)).timestamp() if request.HasField(field) else None


def _hit(hit: Hit) -> index_pb2.SearchHit:
    candidate = hit.candidate
    return index_pb2.SearchHit(
        document_id=candidate.document_id,
        passage=passage_to_wire(candidate.passage),
        score=hit.score,
        dense_score=candidate.dense_score,
        lexical_score=candidate.lexical_score,
        snippet=hit.snippet.text,
        highlights=[
            index_pb2.TextRange(start=highlight.start, end=highlight.end)
            for highlight in hit.snippet.highlights
        ],
        snippet_start=to_duration(hit.snippet.start),
    )
