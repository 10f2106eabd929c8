"""The gateway's client of the index: finding, not writing."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio
from recordroute.vector.v1 import index_pb2, index_pb2_grpc
from recordroute_runtime.wire import to_seconds, to_timestamp

from recordroute_gateway.library.search_scopes import Filters

CALL_SECONDS = 120.0


@dataclass(frozen=True)
class FoundPassage:
    """A passage that was found; times in seconds, highlights and the best sentence in code points of the snippet, page
    and line from 1."""

    recording_id: str
    text: str
    start: float
    end: float
    first_segment: int
    last_segment: int
    speakers: tuple[str, ...]
    page: int | None
    line: int | None
    snippet: str
    snippet_start: float
    highlights: tuple[tuple[int, int], ...]
    sentence: tuple[int, int]
    score: float


@dataclass(frozen=True)
class SimilarDocument:
    """A recording that is like another; `score` is comparable within one answer only."""

    recording_id: str
    score: float


class SearchClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._index = index_pb2_grpc.IndexServiceStub(channel)

    async def search(
        self, owner: str, query: str, *, mode: int, filters: Filters, limit: int, page_token: str
    ) -> tuple[list[FoundPassage], str]:
        """Finds passages of an owner, best first, and the next page's token (empty at the end). `mode` is the number of
        the contract's SearchMode."""
        answer = await self._index.Search(
            index_pb2.SearchRequest(
                owner=owner,
                query=query,
                mode=index_pb2.SearchMode.Name(mode),
                limit=limit,
                document_ids=filters.recording_ids,
                recorded_from=to_timestamp(filters.recorded_from) if filters.recorded_from else None,
                recorded_before=to_timestamp(filters.recorded_before) if filters.recorded_before else None,
                tags=filters.tags,
                folder=filters.folder,
                speakers=filters.speakers,
                languages=filters.languages,
                page_token=page_token,
            ),
            timeout=CALL_SECONDS,
        )
        return [_found(hit) for hit in answer.hits], answer.next_page_token

    async def similar(self, owner: str, recording_id: str, *, limit: int) -> list[SimilarDocument]:
        """Finds the owner's other recordings that are like one of them, most alike first.

        The service refuses with DOCUMENT_NOT_FOUND where the index does not hold it.
        """
        answer = await self._index.FindSimilar(
            index_pb2.FindSimilarRequest(owner=owner, document_id=recording_id, limit=limit),
            timeout=CALL_SECONDS,
        )
        return [SimilarDocument(document.document_id, document.score) for document in answer.documents]


def _found(hit: index_pb2.SearchHit) -> FoundPassage:
    passage = hit.passage
    return FoundPassage(
        recording_id=hit.document_id,
        text=passage.text,
        start=to_seconds(passage.start),
        end=to_seconds(passage.end),
        first_segment=passage.first_segment_index,
        last_segment=passage.last_segment_index,
        speakers=tuple(passage.speakers),
        page=passage.page or None,
        line=passage.line or None,
        snippet=hit.snippet,
        snippet_start=to_seconds(hit.snippet_start),
        highlights=tuple((place.start, place.end) for place in hit.highlights),
        sentence=(hit.sentence.start, hit.sentence.end),
        score=hit.score,
    )
