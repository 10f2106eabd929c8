"""Search, similar recordings and answers over the wire, with services that tell what they were asked."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from recordroute.gateway.v1 import library_pb2, search_pb2, search_pb2_grpc
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, index_pb2, index_pb2_grpc
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.clients.search import SearchClient
from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import Caller, Scope, calling
from recordroute_gateway.library.artifact_json import transcript_bytes
from recordroute_gateway.library.quotes import Turn, said_at, turns_of
from recordroute_gateway.library.records import (
    Artifact,
    ArtifactKind,
    Recording,
    Segment,
    Speaker,
    Transcript,
    Word,
)
from recordroute_gateway.library.search_scopes import ScopeStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.servicers.search import SearchServicer
from recordroute_gateway.tables import recordings, shares
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import BudgetExhausted, NotFound
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import ServerSettings
from recordroute_runtime.wire import to_duration, to_seconds, to_timestamp
from sqlalchemy import insert, update

RECORDED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FIRST = "The venue costs four hundred euros."
SECOND = "Anna pays for it."


class Upstream(index_pb2_grpc.IndexServiceServicer, llm_pb2_grpc.LlmServiceServicer):
    """The index finds whatever the tests put there; the model says what they give it."""

    names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.hits: dict[str, list[index_pb2.SearchHit]] = {}
        self.similar: dict[str, list[tuple[str, float]]] = {}
        self.searches: list[Any] = []
        self.questions: list[Any] = []
        self.answers: list[llm_pb2.AnswerResponse] = []
        self.error: Exception | None = None
        self.holds = False
        self.cancelled = asyncio.Event()

    async def Search(self, request: Any, context: Any) -> Any:
        self.searches.append(request)
        hits = [
            hit
            for hit in self.hits.get(request.owner, ())
            if not request.document_ids or hit.document_id in request.document_ids
        ]
        start = int(request.page_token or 0)
        end = start + (request.limit or 10)
        return index_pb2.SearchResponse(
            hits=hits[start:end], next_page_token=str(end) if end < len(hits) else ""
        )

    async def FindSimilar(self, request: Any, context: Any) -> Any:
        if request.document_id not in self.similar:
            raise NotFound("DOCUMENT_NOT_FOUND", "the index does not hold it")
        found = self.similar[request.document_id][: request.limit]
        return index_pb2.FindSimilarResponse(
            documents=[index_pb2.SimilarDocument(document_id=name, score=score) for name, score in found]
        )

    async def Answer(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.questions.append(request)
        if self.error is not None:
            raise self.error
        if request.rewrite_only:
            result = llm_pb2.AnswerResult(standalone_question="Who pays for the venue?", model="m")
            yield llm_pb2.AnswerResponse(result=result)
            return
        for answer in self.answers:
            yield answer
        if self.holds:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()

    def register(self, server: grpc.aio.Server) -> None:
        index_pb2_grpc.add_IndexServiceServicer_to_server(self, server)
        llm_pb2_grpc.add_LlmServiceServicer_to_server(self, server)

    async def load(self) -> None: ...

    async def close(self) -> None: ...


class UserOfCall(CallInterceptor):
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        user = dict(call.context.invocation_metadata() or ()).get("user", "anna")
        with calling(Caller(str(user), frozenset(Scope))):
            yield


class World:
    names: tuple[str, ...] = ()

    def __init__(self, folder: Path, url: str, upstream: Upstream, channel: grpc.aio.Channel) -> None:
        self.upstream = upstream
        self.database = Database(url)
        self.blobs = BlobStore(folder, "")
        self.library = LibraryStore(self.database, self.blobs)
        self.interceptors = (UserOfCall(),)
        self._servicer = SearchServicer(
            self.library,
            ScopeStore(self.database),
            SearchClient(channel),
            LlmClient(channel),
            ModelChoices(self.database),
        )

    def register(self, server: grpc.aio.Server) -> None:
        search_pb2_grpc.add_SearchServiceServicer_to_server(self._servicer, server)

    async def load(self) -> None:
        self.blobs.open()
        await self.database.migrate()

    async def close(self) -> None:
        await self.database.close()

    async def add(self, owner: str, title: str, *, shared_with: str = "") -> str:
        media = Artifact(ArtifactKind.MEDIA, await self.blobs.put(b"sound"), 5, "", "", RECORDED)
        new = Recording(str(uuid.uuid4()), owner, title, "talk.wav", 9.0, "en", RECORDED, RECORDED)
        recording = await self.library.create(new, str(uuid.uuid4()), media)
        await self.library.put_artifact(recording.id, ArtifactKind.INDEX, None, model="m", workflow_id="w")
        if shared_with:
            async with self.database.write() as connection:
                await connection.execute(
                    insert(shares).values(
                        recording_id=recording.id, user=shared_with, access="read", created_at=RECORDED
                    )
                )
        return recording.id

    def find(self, owner: str, recording_id: str, text: str, score: float, **values: Any) -> None:
        """Has the index find a passage."""
        passage = embedding_pb2.Passage(
            index=0,
            text=text,
            start=to_duration(2.0),
            end=to_duration(8.0),
            **{"speakers": ["Anna"], "first_segment_index": 1, "last_segment_index": 2, **values},
        )
        hit = index_pb2.SearchHit(
            document_id=recording_id,
            passage=passage,
            score=score,
            snippet=text,
            snippet_start=to_duration(2.0),
            highlights=[index_pb2.TextRange(start=0, end=3)],
            sentence=index_pb2.TextRange(start=0, end=len(text)),
        )
        self.upstream.hits.setdefault(owner, []).append(hit)

    async def search(self, user: str = "anna", **values: Any) -> search_pb2.SearchResponse:
        request = search_pb2.SearchRequest(**{"query": "venue", **values})
        return await self.stub.Search(request, timeout=60, metadata=(("user", user),))

    async def similar(self, recording_id: str, user: str = "anna", **values: Any) -> Any:
        request = search_pb2.FindSimilarRequest(recording_id=recording_id, **values)
        answer = await self.stub.FindSimilar(request, timeout=60, metadata=(("user", user),))
        return [(each.recording.title, round(each.similarity, 3)) for each in answer.recordings]

    async def ask(self, **values: Any) -> list[search_pb2.AskResponse]:
        request = search_pb2.AskRequest(**{"question": "Who pays?", **values})
        return [response async for response in self.stub.Ask(request, metadata=(("user", "anna"),))]


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    upstream = Upstream()
    behind = RunningServer(upstream, ServerSettings(listen="127.0.0.1:0"))
    await behind.start()
    channel = open_channel(f"127.0.0.1:{behind.port}")
    made = World(tmp_path, database_url, upstream, channel)
    server = RunningServer(made, ServerSettings(listen="127.0.0.1:0"))
    await server.start()
    await server.loaded()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as client:
        made.stub = search_pb2_grpc.SearchServiceStub(client)
        yield made
    await server.stop()
    await channel.close()
    await behind.stop()


def reason(caught: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> str:
    return read_error(caught.value).reason


async def test_search_passes_the_conditions_on_and_tells_where_it_is(world: World) -> None:
    talk = await world.add("anna", "Talk")
    world.find("anna", talk, FIRST, 0.9, page=4, line=7)
    world.find("anna", talk, SECOND, 0.5)
    answer = await world.search(
        tags=["a", "b"],
        folder="work",
        speakers=["Anna"],
        languages=["en", "ko"],
        mode="SEARCH_MODE_LEXICAL",
        recording_ids=[talk],
        recorded_from=to_timestamp(RECORDED),
        limit=1,
    )
    (asked,) = world.upstream.searches
    assert (asked.owner, asked.query, asked.limit) == ("anna", "venue", 1)
    assert (list(asked.tags), asked.folder, list(asked.speakers)) == (["a", "b"], "work", ["Anna"])
    assert (list(asked.languages), list(asked.document_ids)) == (["en", "ko"], [talk])
    assert asked.mode == index_pb2.SEARCH_MODE_LEXICAL
    assert asked.recorded_from == to_timestamp(RECORDED)
    assert not asked.HasField("recorded_before")
    (hit,) = answer.hits
    assert (hit.recording_title, hit.text, list(hit.speakers)) == ("Talk", FIRST, ["Anna"])
    assert (hit.page, hit.line, hit.segment_index, hit.last_segment_index) == (4, 7, 1, 2)
    assert hit.sentence == search_pb2.TextRange(start=0, end=len(FIRST))
    assert (hit.recorded_at, hit.recording_kind) == (
        to_timestamp(RECORDED),
        library_pb2.RECORDING_KIND_MEDIA,
    )
    more = await world.search(recording_ids=[talk], limit=1, page_token=answer.next_page_token)
    assert [each.text for each in more.hits] == [SECOND]
    assert not more.hits[0].HasField("page")
    assert more.next_page_token == ""


async def test_a_time_that_is_none_is_refused(world: World) -> None:
    for field in ("recorded_from", "recorded_before"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.search(**{field: Timestamp(seconds=2**62)})
        assert reason(caught) == "INVALID_FIELDS"


async def test_search_finds_what_is_shared_and_nothing_else_of_others(world: World) -> None:
    mine = await world.add("anna", "Mine")
    theirs = await world.add("berta", "Theirs", shared_with="anna")
    secret = await world.add("berta", "Secret")
    for number in range(3):
        world.find("anna", mine, f"mine {number}", 0.9 - number / 10)
        world.find("berta", theirs, f"theirs {number}", 0.85 - number / 10)
        world.find("berta", secret, f"secret {number}", 0.99)
    first = await world.search(limit=4)
    assert [hit.text for hit in first.hits] == ["mine 0", "theirs 0", "mine 1", "theirs 1"]
    rest = await world.search(limit=4, page_token=first.next_page_token)
    assert [hit.text for hit in rest.hits] == ["mine 2", "theirs 2"]
    assert rest.next_page_token == ""
    only = await world.search(recording_ids=[theirs, secret])
    assert {hit.recording_id for hit in only.hits} == {theirs}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.search(page_token="12")
    assert reason(caught) == "PAGE_TOKEN"
    # Back in the bin, or no longer shared.
    async with world.database.write() as connection:
        await connection.execute(
            update(recordings).where(recordings.c.id == theirs).values(deleted_at=RECORDED)
        )
    assert {hit.recording_id for hit in (await world.search()).hits} == {mine}


async def test_what_is_in_the_bin_is_not_found(world: World) -> None:
    mine = await world.add("anna", "Mine")
    world.find("anna", mine, "mine", 0.9)
    async with world.database.write() as connection:
        await connection.execute(update(recordings).values(deleted_at=RECORDED))
    assert list((await world.search()).hits) == []


async def test_similar_recordings(world: World) -> None:
    mine, other = await world.add("anna", "Mine"), await world.add("anna", "Other")
    theirs = await world.add("berta", "Theirs", shared_with="anna")
    secret = await world.add("berta", "Secret")
    world.upstream.similar[mine] = [(other, 0.75), (str(uuid.uuid4()), 0.5)]
    assert await world.similar(mine) == [("Other", 0.75)]
    # Of berta's recordings anna sees those only that are shared.
    shared_too = await world.add("berta", "Shared too", shared_with="anna")
    world.upstream.similar[theirs] = [(secret, 0.9), (shared_too, 0.8)]
    assert await world.similar(theirs, limit=1) == [("Shared too", 0.8)]
    for hidden, user, expected in (
        (secret, "anna", "RECORDING_NOT_FOUND"),
        (other, "anna", "ARTIFACT_NOT_READY"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.similar(hidden, user)
        assert reason(caught) == expected


def sentence(text: str, *citations: tuple[str, int, int]) -> llm_pb2.AnswerResponse:
    return llm_pb2.AnswerResponse(
        sentence=llm_pb2.AnswerSentence(
            text=text,
            citations=[
                llm_pb2.Citation(passage_id=name, start=start, end=end) for name, start, end in citations
            ],
        )
    )


def end(*, found: bool) -> llm_pb2.AnswerResponse:
    return llm_pb2.AnswerResponse(
        result=llm_pb2.AnswerResult(found=found, standalone_question="?", model="m")
    )


def words(text: str, start: float) -> tuple[Word, ...]:
    return tuple(
        Word(f" {word}", start + number, start + number + 0.5, 0.9)
        for number, word in enumerate(text.split())
    )


TRANSCRIPT = Transcript(
    "en",
    1.0,
    20.0,
    "m",
    (
        Segment(0, 0.0, 1.0, "Welcome.", words=words("Welcome.", 0.0)),
        Segment(1, 2.0, 8.0, FIRST, words=words(FIRST, 2.0)),
        Segment(2, 9.0, 13.0, SECOND, words=words(SECOND, 9.0)),
    ),
)


SPOKEN = Transcript(
    "en",
    1.0,
    20.0,
    "m",
    (
        Segment(0, 0.0, 1.0, "Welcome. Where  is it?", "S1"),
        Segment(1, 2.0, 8.0, FIRST, "S1"),
        Segment(2, 9.0, 13.0, "I pay for\nit.", "S2"),
        Segment(3, 14.0, 15.0, "Applause."),
    ),
    speakers=(Speaker("S1", 9.0, "Anna"), Speaker("S2", 4.0, "Berta")),
)


async def test_answer_comes_with_sources_text_and_checked_sentences(world: World) -> None:
    talk = await world.add("anna", "Talk")
    await world.library.put_artifact(
        talk, ArtifactKind.TRANSCRIPT, transcript_bytes(TRANSCRIPT), model="m", workflow_id="w"
    )
    both = f"{FIRST} {SECOND}"
    world.find("anna", talk, both, 0.9)
    place = (both.index(SECOND), len(both))
    world.upstream.answers = [
        llm_pb2.AnswerResponse(delta="Anna "),
        llm_pb2.AnswerResponse(delta="pays."),
        sentence("Anna pays.", ("0", *place), ("0", 0, 9)),
        end(found=True),
    ]
    parts = await world.ask(
        history=[search_pb2.Exchange(question="Where is it?", answer="At the venue.")],
        language="en",
        tags=["a"],
        folder="work",
    )
    rewriting, asked = world.upstream.questions
    assert (rewriting.rewrite_only, rewriting.question, rewriting.owner) == (True, "Who pays?", "anna")
    assert [turn.answer for turn in rewriting.history] == ["At the venue."]
    assert (asked.question, asked.language, asked.owner) == ("Who pays for the venue?", "en", "anna")
    assert not asked.rewrite_only
    (passage,) = asked.passages
    assert (passage.text, passage.title, passage.date, list(passage.speakers)) == (
        both,
        "Talk",
        "2026-03-01",
        ["Anna"],
    )
    (searched,) = world.upstream.searches
    assert (searched.query, list(searched.tags), searched.folder) == (
        "Who pays for the venue?",
        ["a"],
        "work",
    )
    assert searched.mode == index_pb2.SEARCH_MODE_HYBRID
    kinds = [part.WhichOneof("payload") for part in parts]
    assert kinds == ["sources", "delta", "delta", "sentence", "result"]
    assert parts[0].sources.standalone_question == "Who pays for the venue?"
    (source,) = parts[0].sources.sources
    assert (source.recording_title, source.recorded_at) == ("Talk", to_timestamp(RECORDED))
    citation, other = parts[3].sentence.citations
    assert (citation.source_index, citation.range.start, citation.range.end) == (0, *place)
    # By the words of the transcript, not by the share of the passage.
    assert (to_seconds(citation.start), to_seconds(other.start)) == (9.0, 2.0)
    assert (parts[4].result.found, parts[4].result.model) == (True, "m")


async def test_citation_of_a_text_that_was_edited_since_is_estimated(world: World) -> None:
    talk = await world.add("anna", "Talk")
    await world.library.put_artifact(
        talk, ArtifactKind.TRANSCRIPT, transcript_bytes(TRANSCRIPT), model="m", workflow_id="w"
    )
    old = "Anna pays. Berta pays."
    world.find("anna", talk, old, 0.9)
    world.upstream.answers = [sentence("Berta pays.", ("0", 11, len(old))), end(found=True)]
    (citation,) = (await world.ask())[1].sentence.citations
    assert to_seconds(citation.start) == pytest.approx(2.0 + 6.0 * 11 / len(old))


async def test_passages_tell_who_says_what(world: World) -> None:
    talk = await world.add("anna", "Talk")
    await world.library.put_artifact(
        talk, ArtifactKind.TRANSCRIPT, transcript_bytes(SPOKEN), model="m", workflow_id="w"
    )
    both = f"{FIRST} I pay for it."
    world.find("anna", talk, both, 0.9, speakers=["Anna", "S2"])
    world.find("anna", talk, FIRST, 0.8)
    world.find("anna", talk, "It was edited since.", 0.7, speakers=["Anna", "S2"])
    world.upstream.answers = [end(found=False)]
    await world.ask()
    passages = world.upstream.questions[0].passages
    turns = [[(turn.start, turn.speaker) for turn in passage.turns] for passage in passages]
    # Who speaks alone, or is not known any more, needs none.
    assert turns == [[(0, "Anna"), (both.index("I pay"), "Berta")], [], []]


async def test_nothing_found_needs_no_model(world: World) -> None:
    sources, result = await world.ask()
    assert (sources.sources.standalone_question, len(sources.sources.sources)) == ("Who pays?", 0)
    assert (result.result.found, result.result.model) == (False, "")
    assert world.upstream.questions == []


async def test_answer_that_the_passages_do_not_hold(world: World) -> None:
    talk = await world.add("anna", "Talk")
    world.find("anna", talk, FIRST, 0.9)
    world.upstream.answers = [end(found=False)]
    parts = await world.ask()
    assert [part.WhichOneof("payload") for part in parts] == ["sources", "result"]
    assert not parts[1].result.found


async def test_refusals_of_the_model_are_passed_on(world: World) -> None:
    talk = await world.add("anna", "Talk")
    world.find("anna", talk, FIRST, 0.9)
    world.upstream.error = BudgetExhausted("the tokens of the month are used up")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.ask()
    assert reason(caught) == "BUDGET_EXHAUSTED"


async def test_a_client_that_goes_away_stops_the_model(world: World) -> None:
    talk = await world.add("anna", "Talk")
    world.find("anna", talk, FIRST, 0.9)
    world.upstream.answers = [llm_pb2.AnswerResponse(delta="Anna ")]
    world.upstream.holds = True
    call = world.stub.Ask(search_pb2.AskRequest(question="Who pays?"), metadata=(("user", "anna"),))
    async for part in call:
        if part.WhichOneof("payload") == "delta":
            break
    assert not world.upstream.cancelled.is_set()
    call.cancel()
    await asyncio.wait_for(world.upstream.cancelled.wait(), 60)


def test_when_something_was_said() -> None:
    assert said_at(TRANSCRIPT, "costs  four hundred", first=1, last=2) == 4.0
    assert said_at(TRANSCRIPT, f"{FIRST}\n{SECOND}", first=1, last=2) == 2.0
    assert said_at(TRANSCRIPT, "Welcome.", first=1, last=2) is None
    assert said_at(TRANSCRIPT, " ", first=0, last=2) is None


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (f"Where is it? {FIRST}", [Turn(0, "Anna")]),
        ("for it. Applause.", [Turn(0, "Berta"), Turn(8, "")]),
        ("I pay for it.", [Turn(0, "Berta")]),
        ("  I pay  for it. Applause.", [Turn(2, "Berta"), Turn(17, "")]),
        ("Nobody said that.", []),
        (" ", []),
    ],
)
def test_who_speaks_where(text: str, turns: list[Turn]) -> None:
    assert turns_of(SPOKEN, text, first=0, last=3) == turns
