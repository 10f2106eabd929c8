"""The wire: vector.v1.IndexService."""

from __future__ import annotations

from typing import Any

import grpc.aio
from recordroute.vector.v1 import embedding_pb2, index_pb2
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.wire import to_datetime, to_duration

from recordroute_vector.engines import EngineHolder
from recordroute_vector.index.port import Candidate, Filter
from recordroute_vector.page_tokens import PageTokens
from recordroute_vector.rerank import RerankMethod
from recordroute_vector.search import Hit, HitGroup, Mode, SearchRequest
from recordroute_vector.servicer_embedding import RERANK_METHODS, passage_to_wire
from recordroute_vector.servicer_index_admin import IndexAdminServicer
from recordroute_vector.similar import SimilarDocument, find_similar

DEFAULT_LIMIT = 10

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
_RERANK: dict[int, RerankMethod | None] = {
    embedding_pb2.RERANK_METHOD_UNSPECIFIED: None,
    **{wire: method for method, wire in RERANK_METHODS.items()},
}


class IndexServicer(IndexAdminServicer):
    """Serves the index: searches here, the rest by its base."""

    def __init__(self, engines: EngineHolder, pool: InferencePool, page_tokens: PageTokens) -> None:
        super().__init__(engines, pool)
        self._page_tokens = page_tokens

    async def Search(
        self, request: index_pb2.SearchRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.SearchResponse:
        fingerprint = _fingerprint(request)
        offset = self._page_tokens.read(request.page_token, fingerprint)
        page = await self._engines.get().searcher.search(
            SearchRequest(
                text=request.query,
                where=_filter(request, tuple(request.document_ids)),
                mode=_MODES[request.mode],
                rerank=_RERANK[request.rerank],
                offset=offset,
                limit=request.limit or DEFAULT_LIMIT,
                hits_per_document=request.hits_per_document,
                keep_duplicates=request.keep_duplicates,
            )
        )
        grouped = request.hits_per_document > 0
        return index_pb2.SearchResponse(
            hits=[] if grouped else map(_hit, page.hits),
            groups=map(_group, page.groups) if grouped else [],
            mode=_WIRE_MODES[_MODES[request.mode]],
            next_page_token=""
            if page.next_offset is None
            else self._page_tokens.make(page.next_offset, fingerprint),
            rerank=RERANK_METHODS[page.rerank],
            rerank_model=page.rerank_model,
        )

    async def FindSimilar(
        self, request: index_pb2.FindSimilarRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> index_pb2.FindSimilarResponse:
        documents = await find_similar(
            self._engines.get().index,
            _filter(request),
            request.document_id,
            request.passage_index if request.HasField("passage_index") else None,
            request.limit or DEFAULT_LIMIT,
        )
        return index_pb2.FindSimilarResponse(documents=map(_similar, documents))


def _fingerprint(request: index_pb2.SearchRequest) -> bytes:
    """Returns what makes two requests pages of the same results."""
    whole = index_pb2.SearchRequest()
    whole.CopyFrom(request)
    whole.ClearField("page_token")
    whole.ClearField("limit")
    return whole.SerializeToString(deterministic=True)


def _filter(
    request: index_pb2.SearchRequest | index_pb2.FindSimilarRequest, document_ids: tuple[str, ...] = ()
) -> Filter:
    return Filter(
        owner=request.owner,
        document_ids=document_ids,
        recorded_from=_seconds(request, "recorded_from"),
        recorded_before=_seconds(request, "recorded_before"),
        tags=tuple(request.tags),
        folder=request.folder,
        speakers=tuple(request.speakers),
        languages=tuple(request.languages),
        kinds=tuple(request.kinds),
    )


def _seconds(request: index_pb2.SearchRequest | index_pb2.FindSimilarRequest, field: str) -> float | None:
    return to_datetime(getattr(request, field)).timestamp() if request.HasField(field) else None


def _group(group: HitGroup) -> index_pb2.SearchGroup:
    return index_pb2.SearchGroup(
        document_id=group.hits[0].candidate.document_id,
        hits=map(_hit, group.hits),
        found_count=group.found,
    )


def _hit(hit: Hit) -> index_pb2.SearchHit:
    candidate, snippet = hit.candidate, hit.snippet
    return index_pb2.SearchHit(
        document_id=candidate.document_id,
        passage=passage_to_wire(candidate.passage),
        score=hit.score,
        dense_score=candidate.dense_score,
        lexical_score=candidate.lexical_score,
        rerank_score=hit.ranked.rerank_score,
        snippet=snippet.text,
        highlights=[
            index_pb2.TextRange(start=highlight.start, end=highlight.end) for highlight in snippet.highlights
        ],
        sentence=index_pb2.TextRange(start=snippet.sentence.start, end=snippet.sentence.end),
        snippet_start=to_duration(snippet.start),
        snippet_end=to_duration(snippet.end),
        duplicates=map(_reference, hit.ranked.duplicates),
    )


def _reference(candidate: Candidate) -> index_pb2.PassageReference:
    return index_pb2.PassageReference(
        document_id=candidate.document_id,
        passage_index=candidate.passage.index,
        start=to_duration(candidate.passage.start),
    )


def _similar(similar: SimilarDocument) -> index_pb2.SimilarDocument:
    return index_pb2.SimilarDocument(
        document_id=similar.document.id,
        score=similar.score,
        matches=[
            index_pb2.PassageMatch(
                source_passage_index=match.source_index,
                passage=passage_to_wire(match.passage),
                score=match.score,
            )
            for match in similar.matches
        ],
    )
