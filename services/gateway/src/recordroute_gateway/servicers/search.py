"""SearchService on the wire."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import grpc.aio
from recordroute.gateway.v1 import search_pb2, search_pb2_grpc
from recordroute_runtime.errors import InvalidInput, NotFound
from recordroute_runtime.remote import read_error
from recordroute_runtime.wire import to_duration, to_timestamp

from recordroute_gateway.clients.llm import AnswerEnd, AnswerSentence, Exchange, LlmClient, Passage
from recordroute_gateway.clients.search import FoundPassage, SearchClient, SimilarDocument
from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.pages import BAD_TOKEN
from recordroute_gateway.library.quotes import Turn, said_at, turns_of
from recordroute_gateway.library.records import ArtifactKind, Recording, Transcript
from recordroute_gateway.library.search_scopes import Filters, Scope, ScopeStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.records import Task
from recordroute_gateway.servicers.records import recording_message, time_of

DEFAULT_LIMIT = 10
# As many as the index gives for one query.
MAX_HITS = 100
# What an answer is looked for in: beyond these a passage is hardly ever what was asked for.
SOURCES = 12
HYBRID = "SEARCH_MODE_HYBRID"
# As much of a title as the llm service takes.
TITLE_BYTES = 1024
_OFFSET = re.compile(r"@(\d{1,3})")


class SearchServicer(search_pb2_grpc.SearchServiceServicer):
    def __init__(
        self,
        library: LibraryStore,
        scopes: ScopeStore,
        search: SearchClient,
        llm: LlmClient,
        models: ModelChoices,
    ) -> None:
        self._library = library
        self._scopes = scopes
        self._search = search
        self._llm = llm
        self._models = models

    async def Search(self, request: search_pb2.SearchRequest, context: Any) -> search_pb2.SearchResponse:
        hits, token = await self._find(
            request.query,
            _filters(request),
            mode=request.mode,
            limit=request.limit or DEFAULT_LIMIT,
            page_token=request.page_token,
        )
        recordings = await self._recordings(hits)
        return search_pb2.SearchResponse(
            hits=[_hit(hit, recordings[hit.recording_id]) for hit in hits if hit.recording_id in recordings],
            next_page_token=token,
        )

    async def FindSimilar(
        self, request: search_pb2.FindSimilarRequest, context: Any
    ) -> search_pb2.FindSimilarResponse:
        user = current_caller().user
        recording = await self._library.get(user, request.recording_id)
        limit = request.limit or DEFAULT_LIMIT
        # Of somebody else's recordings, those that the caller may not see are left out.
        wanted = limit if recording.owner == user else MAX_HITS
        found = await self._similar(recording, wanted)
        recordings = await self._library.get_many(user, [document.recording_id for document in found])
        similar = [
            search_pb2.SimilarRecording(
                recording=recording_message(recordings[document.recording_id]), similarity=document.score
            )
            for document in found
            if document.recording_id in recordings
        ]
        return search_pb2.FindSimilarResponse(recordings=similar[:limit])

    async def Ask(
        self, request: search_pb2.AskRequest, context: Any
    ) -> AsyncIterator[search_pb2.AskResponse]:
        user = current_caller().user
        model = await self._models.model_for(Task.LLM, request.model)
        question = await self._llm.standalone_question(
            request.question,
            [Exchange(turn.question, turn.answer) for turn in request.history],
            owner=user,
            model=model,
        )
        hits, _ = await self._find(
            question,
            _filters(request),
            mode=search_pb2.SearchRequest(mode=HYBRID).mode,
            limit=SOURCES,
            page_token="",
        )
        recordings = await self._recordings(hits)
        sources = [hit for hit in hits if hit.recording_id in recordings]
        yield search_pb2.AskResponse(
            sources=search_pb2.AskSources(
                standalone_question=question,
                sources=[_hit(hit, recordings[hit.recording_id]) for hit in sources],
            )
        )
        if not sources:
            yield search_pb2.AskResponse(result=search_pb2.AskResult(found=False))
            return
        spoken = _Spoken(self._library, recordings)
        passages = [
            _passage(number, hit, recordings[hit.recording_id], await spoken.turns(hit))
            for number, hit in enumerate(sources)
        ]
        answer = self._llm.answer(question, passages, language=request.language, owner=user, model=model)
        async with aclosing(answer) as parts:
            async for part in parts:
                match part:
                    case str():
                        yield search_pb2.AskResponse(delta=part)
                    case AnswerSentence():
                        yield search_pb2.AskResponse(sentence=await _sentence(part, sources, spoken))
                    case AnswerEnd():
                        yield search_pb2.AskResponse(
                            result=search_pb2.AskResult(found=part.found, model=part.model)
                        )

    async def _find(
        self, query: str, filters: Filters, *, mode: int, limit: int, page_token: str
    ) -> tuple[list[FoundPassage], str]:
        """Finds passages in the caller's recordings and in those that are shared with it."""
        scopes = await self._scopes.of(current_caller().user, filters.recording_ids)
        offset = _OFFSET.fullmatch(page_token)
        if len(scopes) == 1 and offset is None:
            return await self._find_in(
                scopes[0], query, filters, mode=mode, limit=limit, page_token=page_token
            )
        if page_token and offset is None:
            raise InvalidInput("PAGE_TOKEN", BAD_TOKEN)
        start = int(offset[1]) if offset else 0
        end = min(start + limit, MAX_HITS)
        found: list[FoundPassage] = []
        for scope in scopes:
            hits, _ = await self._find_in(scope, query, filters, mode=mode, limit=MAX_HITS, page_token="")
            found += hits
        # One index holds them all, so that scores of one query and one mode can be compared.
        found.sort(key=lambda hit: -hit.score)
        return found[start:end], f"@{end}" if end < min(len(found), MAX_HITS) else ""

    async def _find_in(
        self, scope: Scope, query: str, filters: Filters, *, mode: int, limit: int, page_token: str
    ) -> tuple[list[FoundPassage], str]:
        return await self._search.search(
            scope.owner,
            query,
            mode=mode,
            filters=scope.narrow(filters),
            limit=limit,
            page_token=page_token,
        )

    async def _similar(self, recording: Recording, limit: int) -> list[SimilarDocument]:
        not_ready = NotFound(
            "ARTIFACT_NOT_READY",
            f"recording {recording.id} is not in the search index",
            metadata={"artifact": ArtifactKind.INDEX.value},
        )
        if recording.artifact(ArtifactKind.INDEX) is None:
            raise not_ready
        try:
            return await self._search.similar(recording.owner, recording.id, limit=limit)
        except grpc.aio.AioRpcError as error:
            if read_error(error).reason == "DOCUMENT_NOT_FOUND":
                raise not_ready from error
            raise

    async def _recordings(self, hits: Sequence[FoundPassage]) -> dict[str, Recording]:
        """Returns the recordings of hits; one that is being deleted has left the library before the index."""
        ids = list(dict.fromkeys(hit.recording_id for hit in hits))
        return await self._library.get_many(current_caller().user, ids)


class _Spoken:
    """Tells of passages what stands in the transcripts: when something is said, and who speaks."""

    def __init__(self, library: LibraryStore, recordings: dict[str, Recording]) -> None:
        self._library = library
        self._recordings = recordings
        self._transcripts: dict[str, Transcript | None] = {}

    async def said_at(self, hit: FoundPassage, start: int, end: int) -> float:
        """Returns the time of a part of a passage by the transcript's words, estimated where it has changed since."""
        transcript = await self._transcript(hit)
        time = None
        if transcript is not None:
            time = said_at(transcript, hit.text[start:end], first=hit.first_segment, last=hit.last_segment)
        if time is None:
            time = hit.start + (hit.end - hit.start) * start / max(1, len(hit.text))
        return time

    async def turns(self, hit: FoundPassage) -> tuple[Turn, ...]:
        """Returns who speaks where, where that is known and more than one does."""
        if len(hit.speakers) < 2:
            return ()
        transcript = await self._transcript(hit)
        if transcript is None:
            return ()
        return tuple(turns_of(transcript, hit.text, first=hit.first_segment, last=hit.last_segment))

    async def _transcript(self, hit: FoundPassage) -> Transcript | None:
        if hit.recording_id not in self._transcripts:
            recording = self._recordings[hit.recording_id]
            has_one = recording.artifact(ArtifactKind.TRANSCRIPT) is not None
            self._transcripts[hit.recording_id] = (
                await self._library.transcript(recording) if has_one else None
            )
        return self._transcripts[hit.recording_id]


async def _sentence(
    sentence: AnswerSentence, sources: Sequence[FoundPassage], spoken: _Spoken
) -> search_pb2.AskSentence:
    citations = []
    for cited in sentence.citations:
        source = int(cited.passage_id)
        time = await spoken.said_at(sources[source], cited.start, cited.end)
        citations.append(
            search_pb2.AskCitation(
                source_index=source,
                range=search_pb2.TextRange(start=cited.start, end=cited.end),
                start=to_duration(time),
            )
        )
    return search_pb2.AskSentence(text=sentence.text, citations=citations)


def _filters(request: search_pb2.SearchRequest | search_pb2.AskRequest) -> Filters:
    return Filters(
        recording_ids=tuple(request.recording_ids),
        recorded_from=time_of(request, "recorded_from"),
        recorded_before=time_of(request, "recorded_before"),
        tags=tuple(request.tags),
        folder=request.folder,
        speakers=tuple(request.speakers),
        languages=tuple(request.languages),
    )


def _passage(number: int, hit: FoundPassage, recording: Recording, turns: tuple[Turn, ...]) -> Passage:
    return Passage(
        id=str(number),
        text=hit.text,
        title=recording.title.encode()[:TITLE_BYTES].decode(errors="ignore"),
        speakers=hit.speakers[:64],
        date=f"{recording.recorded_at:%Y-%m-%d}",
        turns=turns,
    )


def _hit(hit: FoundPassage, recording: Recording) -> search_pb2.SearchHit:
    return search_pb2.SearchHit(
        recording_id=hit.recording_id,
        recording_title=recording.title,
        start=to_duration(hit.start),
        end=to_duration(hit.end),
        text=hit.text,
        snippet=hit.snippet,
        highlights=[search_pb2.TextRange(start=start, end=end) for start, end in hit.highlights],
        snippet_start=to_duration(hit.snippet_start),
        score=hit.score,
        speakers=hit.speakers,
        page=hit.page,
        line=hit.line,
        segment_index=hit.first_segment,
        last_segment_index=hit.last_segment,
        recorded_at=to_timestamp(recording.recorded_at),
        sentence=search_pb2.TextRange(start=hit.sentence[0], end=hit.sentence[1]),
        recording_kind=f"RECORDING_KIND_{recording.kind.name}",
    )
