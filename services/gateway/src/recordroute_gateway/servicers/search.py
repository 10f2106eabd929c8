"""SearchService on the wire."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import search_pb2, search_pb2_grpc
from recordroute_runtime.wire import to_datetime, to_duration

from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.library.records import LOCAL_OWNER
from recordroute_gateway.library.store import LibraryStore


class SearchServicer(search_pb2_grpc.SearchServiceServicer):
    def __init__(self, library: LibraryStore, vector: VectorClient) -> None:
        self._library = library
        self._vector = vector

    async def Search(self, request: search_pb2.SearchRequest, context: Any) -> search_pb2.SearchResponse:
        hits = await self._vector.search(
            LOCAL_OWNER,
            request.query,
            limit=request.limit,
            recording_ids=request.recording_ids,
            recorded_from=to_datetime(request.recorded_from) if request.HasField("recorded_from") else None,
            recorded_before=to_datetime(request.recorded_before)
            if request.HasField("recorded_before")
            else None,
        )
        recordings = await self._library.get_many(LOCAL_OWNER, [hit.document_id for hit in hits])
        return search_pb2.SearchResponse(
            hits=[
                search_pb2.SearchHit(
                    recording_id=hit.document_id,
                    recording_title=recordings[hit.document_id].title,
                    start=to_duration(hit.start),
                    end=to_duration(hit.end),
                    text=hit.text,
                    snippet=hit.snippet,
                    highlights=[search_pb2.TextRange(start=start, end=end) for start, end in hit.highlights],
                    snippet_start=to_duration(hit.snippet_start),
                    score=hit.score,
                )
                for hit in hits
                # A recording that is being deleted has left the library before its caller hears of it.
                if hit.document_id in recordings
            ]
        )
