"""Editing transcripts over the wire: what is answered, kept, learned, and embedded anew."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest
from recordroute.gateway.v1 import (
    library_pb2,
    library_pb2_grpc,
    template_pb2,
    template_pb2_grpc,
    vocabulary_pb2,
    vocabulary_pb2_grpc,
    workflow_pb2,
)
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.clients.stt import Transcription
from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import Caller, Scope, calling
from recordroute_gateway.index_keeper import IndexKeeper
from recordroute_gateway.library import vocabulary
from recordroute_gateway.library.artifact_json import read_transcript, transcript_bytes
from recordroute_gateway.library.export import RENDERERS
from recordroute_gateway.library.index_tasks import IndexTaskStore
from recordroute_gateway.library.minutes_edits import MinutesEditor
from recordroute_gateway.library.records import (
    Artifact,
    ArtifactKind,
    Damage,
    Recording,
    RecordingKind,
    Segment,
    Speaker,
    Transcript,
    Word,
)
from recordroute_gateway.library.revisions import Revision, RevisionStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.templates import TemplateStore
from recordroute_gateway.library.transcripts import MEMORY_PER_BYTE, TranscriptReader
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.library.word_times import tile
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.servicers import workflow as workflow_servicer
from recordroute_gateway.servicers.library_transcripts import TranscriptCalls
from recordroute_gateway.servicers.template import TemplateServicer
from recordroute_gateway.servicers.vocabulary import VocabularyServicer
from recordroute_gateway.servicers.workflow import WorkflowServicer
from recordroute_gateway.tables import shares, transcript_revisions
from recordroute_gateway.workflow.records import Options
from recordroute_gateway.workflow.stages import Stages
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import ServerSettings
from sqlalchemy import insert, select, update

SAID = (
    "We use comfy you eye every day.",
    "The budget is three million.",
    "민지가 회의를 시작했습니다.",
)


def transcript_of(*texts: str) -> Transcript:
    segments, at = [], 0.0
    for index, text in enumerate(texts):
        words = []
        for piece in tile(text):
            words.append(Word(piece, at, at + 0.25, 0.5))
            at += 0.5
        segments.append(Segment(index, words[0].start, at, text, "S1", tuple(words)))
    return Transcript("en", 1.0, at, "whisper", tuple(segments), speakers=(Speaker("S1", at),))


class Vector(embedding_pb2_grpc.EmbeddingServiceServicer, index_pb2_grpc.IndexServiceServicer):
    """A passage for each segment; writes down what it was asked to embed."""

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.documents: dict[str, list[str]] = {}
        self.is_away = False

    async def SplitPassages(self, request: Any, context: Any) -> Any:
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return embedding_pb2.SplitPassagesResponse(
            model="m",
            passages=[
                embedding_pb2.Passage(
                    index=index,
                    text=segment.text,
                    start=segment.start,
                    end=segment.end,
                    speakers=[segment.speaker],
                    content_hash=hashlib.md5(segment.text.encode()).hexdigest(),
                )
                for index, segment in enumerate(request.segments)
            ],
        )

    async def Embed(self, request: Any, context: Any) -> Any:
        self.embedded += request.texts
        return embedding_pb2.EmbedResponse(
            model="m", embeddings=[embedding_pb2.Embedding(values=[1.0]) for _ in request.texts]
        )

    async def Upsert(self, request_iterator: Any, context: Any) -> Any:
        first = await anext(request_iterator)
        texts = [item.passage.text async for message in request_iterator for item in message.batch.passages]
        self.documents[first.config.document_id] = texts
        return index_pb2.UpsertResponse(passage_count=len(texts))

    async def Delete(self, request: Any, context: Any) -> Any:
        self.documents.pop(request.document_id, None)
        return index_pb2.DeleteResponse()


class Llm(llm_pb2_grpc.LlmServiceServicer):
    def __init__(self) -> None:
        self.requests: list[Any] = []

    async def ListTemplates(self, request: Any, context: Any) -> Any:
        title = "회의" if request.language == "ko" else "Meeting"
        return llm_pb2.ListTemplatesResponse(
            templates=[
                llm_pb2.MinutesTemplate(name=name, title=title, markdown=f"# {title}\n")
                for name in ("call", "meeting")
            ]
        )

    async def CheckTemplate(self, request: Any, context: Any) -> Any:
        if not request.markdown.startswith("# "):
            raise InvalidInput("BAD_TEMPLATE", "line 1: expected '# Name'", metadata={"line": "1"})
        return llm_pb2.CheckTemplateResponse(title=request.markdown.splitlines()[0].removeprefix("# "))

    async def Summarize(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        result = llm_pb2.SummarizeResult()
        result.minutes.language, result.minutes.model, result.minutes.template = "en", "l", "Heading"
        yield llm_pb2.SummarizeResponse(result=result)

    async def Title(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        return llm_pb2.TitleResponse(title="A title", model="l")


class Transcripts(TranscriptCalls, library_pb2_grpc.LibraryServiceServicer):
    """The part of LibraryService that is tested here."""


class UserOfCall(CallInterceptor):
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        user = dict(call.context.invocation_metadata() or ()).get("user", "anna")
        with calling(Caller(str(user), frozenset(Scope))):
            yield


@dataclass
class Upstream:
    """The services behind the gateway."""

    vector: Vector = field(default_factory=Vector)
    llm: Llm = field(default_factory=Llm)
    names: tuple[str, ...] = ()

    def register(self, server: grpc.aio.Server) -> None:
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(self.vector, server)
        index_pb2_grpc.add_IndexServiceServicer_to_server(self.vector, server)
        llm_pb2_grpc.add_LlmServiceServicer_to_server(self.llm, server)

    async def load(self) -> None: ...

    async def close(self) -> None: ...


class World:
    """The gateway's part with its stores, a client of it, and the services behind it."""

    names: tuple[str, ...] = ()

    def __init__(self, folder: Path, url: str, upstream: Upstream, channel: grpc.aio.Channel) -> None:
        self.upstream = upstream
        self.database = Database(url)
        self.blobs = BlobStore(folder, "")
        self.library = LibraryStore(self.database, self.blobs)
        self.vocabulary = VocabularyStore(self.database)
        self.templates = TemplateStore(self.database)
        self.revisions = RevisionStore(self.database, self.library, self.vocabulary)
        self.vector = VectorClient(channel)
        self.llm = LlmClient(channel)
        self.keeper = IndexKeeper(self.library, IndexTaskStore(self.database), self.vector)
        self.interceptors = (UserOfCall(),)

    def register(self, server: grpc.aio.Server) -> None:
        parts: Any = SimpleNamespace(
            library=self.library,
            revisions=self.revisions,
            minutes=MinutesEditor(self.database, self.library),
            keeper=self.keeper,
        )
        library_pb2_grpc.add_LibraryServiceServicer_to_server(Transcripts(parts), server)
        vocabulary_pb2_grpc.add_VocabularyServiceServicer_to_server(
            VocabularyServicer(self.vocabulary), server
        )
        template_pb2_grpc.add_TemplateServiceServicer_to_server(
            TemplateServicer(self.templates, self.llm), server
        )

    async def load(self) -> None:
        self.blobs.open()
        await self.database.migrate()

    async def close(self) -> None:
        await self.keeper.close()
        await self.database.close()

    def connect(self, port: int) -> None:
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.stub = library_pb2_grpc.LibraryServiceStub(self.channel)
        self.terms = vocabulary_pb2_grpc.VocabularyServiceStub(self.channel)
        self.template_calls = template_pb2_grpc.TemplateServiceStub(self.channel)

    async def add(self, transcript: Transcript | None = None, *, indexed: bool = True) -> str:
        """Adds a recording of anna's with transcript and minutes, and has it indexed."""
        now = datetime.now(UTC)
        media = Artifact(ArtifactKind.MEDIA, await self.blobs.put(b"sound"), 5, "", "", now)
        new = Recording(str(uuid.uuid4()), "anna", "Talk", "talk.wav", 3.0, "en", now, now)
        recording = await self.library.create(new, str(uuid.uuid4()), media)
        await self.transcribe(recording.id, transcript or transcript_of(*SAID))
        minutes = b'{"language":"en","overview":"","model":"l","sections":[],"unsupported":[],"template":""}'
        await self.put(recording.id, ArtifactKind.MINUTES, minutes)
        if indexed:
            recording = await self.library.get("anna", recording.id)
            embedded = await self.vector.embed(
                await self.library.transcript(recording), report=lambda _: asyncio.sleep(0)
            )
            assert embedded is not None
            await self.put(recording.id, ArtifactKind.EMBEDDINGS, embedded.data)
            await self.put(recording.id, ArtifactKind.INDEX, None)
            self.upstream.vector.embedded.clear()
        return recording.id

    async def put(self, recording_id: str, kind: ArtifactKind, data: bytes | None) -> None:
        await self.library.put_artifact(recording_id, kind, data, model="m", workflow_id="w")

    async def transcribe(self, recording_id: str, transcript: Transcript) -> None:
        await self.put(recording_id, ArtifactKind.TRANSCRIPT, transcript_bytes(transcript))

    async def read(self, recording_id: str) -> library_pb2.GetTranscriptResponse:
        return await self.stub.GetTranscript(
            library_pb2.GetTranscriptRequest(recording_id=recording_id), timeout=60
        )

    async def edit(
        self, recording_id: str, *edits: dict[str, Any], user: str = "anna", **values: Any
    ) -> library_pb2.EditTranscriptResponse:
        etag = values.pop("etag", None) or (await self.read(recording_id)).etag
        request = library_pb2.EditTranscriptRequest(
            **{"request_id": str(uuid.uuid4()), "recording_id": recording_id, "etag": etag, **values},
            edits=[library_pb2.TranscriptEdit(**edit) for edit in edits],
        )
        return await self.stub.EditTranscript(request, timeout=60, metadata=(("user", user),))

    async def revert(self, recording_id: str, revision: int) -> library_pb2.RevertTranscriptResponse:
        request = library_pb2.RevertTranscriptRequest(
            request_id=str(uuid.uuid4()),
            recording_id=recording_id,
            etag=(await self.read(recording_id)).etag,
            revision=revision,
        )
        return await self.stub.RevertTranscript(request, timeout=60)

    async def history(self, recording_id: str, **values: Any) -> Any:
        request = library_pb2.ListTranscriptRevisionsRequest(recording_id=recording_id, **values)
        return await self.stub.ListTranscriptRevisions(request, timeout=60)

    async def call(self, method: Any, request: Any, user: str = "anna") -> Any:
        return await method(request, timeout=60, metadata=(("user", user),))

    async def settled(self) -> None:
        await asyncio.gather(*self.keeper._running)

    async def stale(self, recording_id: str) -> set[str]:
        recording = await self.library.get("anna", recording_id)
        return {artifact.kind.value for artifact in recording.artifacts if artifact.stale}


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
    made.connect(server.port)
    yield made
    await made.channel.close()
    await server.stop()
    await channel.close()
    await behind.stop()


def replaced(segment: int, start: int, end: int, text: str) -> dict[str, Any]:
    return {"replace_text": library_pb2.ReplaceText(segment_index=segment, start=start, end=end, text=text)}


def found(find: str, replacement: str) -> dict[str, Any]:
    return {"find_and_replace": library_pb2.FindAndReplace(find=find, replacement=replacement)}


def renamed(label: str, name: str) -> dict[str, Any]:
    return {"rename_speaker": library_pb2.RenameSpeaker(label=label, name=name)}


def reason(caught: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> str:
    return read_error(caught.value).reason


async def test_edit_is_kept_and_everything_follows(world: World) -> None:
    recording_id = await world.add()
    before = await world.read(recording_id)
    assert (before.revision, len(before.etag)) == (1, 32)
    answer = await world.edit(recording_id, replaced(0, 7, 20, "ComfyUI"), renamed("S1", "Anna"))
    assert (answer.revision.revision, answer.revision.author) == (2, "anna")
    assert answer.revision.summary == "3 words, speaker S1 is Anna"
    assert (answer.segment_count, answer.changed_count) == (3, 1)
    assert [speaker.name for speaker in answer.speakers] == ["Anna"]
    after = await world.read(recording_id)
    assert (after.etag, after.revision) == (answer.revision.etag, 2)
    assert after.segments[0] == answer.changed_segments[0]
    assert after.segments[0].text == "We use ComfyUI every day."
    assert [word.text for word in after.segments[0].words] == ["We", " use", " ComfyUI", " every", " day."]
    # The words around it keep their times to the nanosecond, and the new one has those of what it replaced.
    kept = [0, 1, 5, 6]
    assert [after.segments[0].words[index] for index in (0, 1, 3, 4)] == [
        before.segments[0].words[index] for index in kept
    ]
    assert after.segments[0].words[2].start == before.segments[0].words[2].start
    assert after.segments[0].words[2].end == before.segments[0].words[4].end
    minutes = await world.call(
        world.stub.GetMinutes, library_pb2.GetMinutesRequest(recording_id=recording_id)
    )
    assert minutes.stale
    recording = await world.library.get("anna", recording_id)
    assert [speaker.name for speaker in recording.speakers] == ["Anna"]
    text = RENDERERS["txt"](recording, await world.library.transcript(recording), None)
    assert "Anna: We use ComfyUI every day." in text
    # Of three passages one has changed.
    await world.settled()
    assert world.upstream.vector.embedded == ["We use ComfyUI every day."]
    assert world.upstream.vector.documents[recording_id] == ["We use ComfyUI every day.", *SAID[1:]]
    assert await world.stale(recording_id) == {"minutes"}


async def test_minutes_are_fresh_again_when_they_are_made_of_the_new_text(world: World) -> None:
    recording_id = await world.add()
    old = (await world.library.get("anna", recording_id)).artifact(ArtifactKind.TRANSCRIPT)
    await world.edit(recording_id, replaced(1, 0, 3, "A"))
    # These were being made of the old text meanwhile.
    await world.library.put_artifact(
        recording_id, ArtifactKind.MINUTES, b"{}", model="l", workflow_id="w", source=old
    )
    assert "minutes" in await world.stale(recording_id)
    new = (await world.library.get("anna", recording_id)).artifact(ArtifactKind.TRANSCRIPT)
    await world.library.put_artifact(
        recording_id, ArtifactKind.MINUTES, b"{ }", model="l", workflow_id="w", source=new
    )
    assert "minutes" not in await world.stale(recording_id)


MINUTES_JSON = (
    b'{"language":"en","overview":"They talk.","model":"l","unsupported":[],"template":"meeting","sections":'
    b'[{"kind":"action_items","title":"Action items","items":[{"text":"Write it down.","fields":[],"evidence":'
    b'[{"segment_index":0,"start":0,"end":1,"speaker":"S1","quote":"We write it down.","page":null,"line":null}]}]}]}'
)


async def test_minutes_are_edited_by_whoever_may_and_on_what_they_have_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = await world.add()
    await world.put(recording_id, ArtifactKind.MINUTES, MINUTES_JSON)
    old = (await world.library.get("anna", recording_id)).artifact(ArtifactKind.MINUTES)
    assert old is not None
    seen = await world.call(world.stub.GetMinutes, library_pb2.GetMinutesRequest(recording_id=recording_id))
    line = library_pb2.MinutesLine(section_index=0, item_index=0)
    request = library_pb2.EditMinutesRequest(
        request_id=str(uuid.uuid4()),
        recording_id=recording_id,
        etag=seen.etag,
        edits=[
            library_pb2.MinutesEdit(rewrite_line=library_pb2.RewriteLine(line=line, text="Write all down.")),
            library_pb2.MinutesEdit(tick_line=library_pb2.TickLine(line=line, done=True)),
        ],
    )
    read_blob, read_again = world.blobs.get, list[str]()

    async def noted(sha256: str) -> bytes:
        read_again.append(sha256)
        return await read_blob(sha256)

    monkeypatch.setattr(world.blobs, "get", noted)
    edited = await world.call(world.stub.EditMinutes, request)
    # What was written needs not be read.
    assert read_again == [old.sha256]
    item = edited.minutes.sections[0].items[0]
    assert (item.text, item.edited, item.done) == ("Write all down.", True, True)
    assert item.evidence[0].quote == "We write it down."
    # The same request again, as after a lost answer, changes nothing and answers the same.
    assert await world.call(world.stub.EditMinutes, request) == edited
    read = await world.call(world.stub.GetMinutes, library_pb2.GetMinutesRequest(recording_id=recording_id))
    assert (read.minutes, read.etag, read.stale) == (edited.minutes, edited.etag, False)
    recording = await world.library.get("anna", recording_id)
    text = RENDERERS["md"](
        recording, await world.library.transcript(recording), await world.library.minutes(recording)
    )
    assert "Write all down." in text
    assert not await world.blobs.exists(old.sha256)
    # Another edit of what is there no more, by another request.
    request.request_id = str(uuid.uuid4())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(world.stub.EditMinutes, request)
    assert caught.value.code() is grpc.StatusCode.ABORTED
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(world.stub.EditMinutes, request, user="ben")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_edit_survives_a_vector_service_that_is_away(world: World) -> None:
    recording_id = await world.add()
    world.upstream.vector.is_away = True
    await world.edit(recording_id, replaced(0, 0, 2, "They"))
    await world.settled()
    assert await world.stale(recording_id) == {"minutes", "embeddings", "index"}
    world.upstream.vector.is_away = False
    # The process was started again since: what is left to do stands in the database.
    tasks = IndexTaskStore(world.database)
    task = await tasks.find(recording_id)
    assert task is not None
    await IndexKeeper(world.library, tasks, world.vector)._do(task)
    assert await world.stale(recording_id) == {"minutes"}
    assert world.upstream.vector.documents[recording_id][0].startswith("They use")


async def test_edit_while_an_older_text_is_being_indexed(world: World) -> None:
    recording_id = await world.add()
    recording = await world.library.get("anna", recording_id)
    old = await world.library.transcript(recording)
    await world.edit(recording_id, replaced(0, 0, 2, "They"))
    await world.settled()
    # A workflow that had read the old text ends now.
    embedded = await world.vector.embed(old, report=lambda _: asyncio.sleep(0))
    assert embedded is not None
    await world.library.put_artifact(
        recording_id,
        ArtifactKind.EMBEDDINGS,
        embedded.data,
        model="m",
        workflow_id="w2",
        source=recording.artifact(ArtifactKind.TRANSCRIPT),
    )
    await world.keeper.run_due()
    assert world.upstream.vector.documents[recording_id][0].startswith("They use")
    found_artifact = await world.library.find_artifact(recording_id, ArtifactKind.EMBEDDINGS)
    assert found_artifact is not None
    assert (found_artifact.stale, found_artifact.workflow_id) == (False, "w2")


async def test_edits_that_follow_each_other_end_with_the_last_text_in_the_index(world: World) -> None:
    recording_id = await world.add()
    for old, name in (("We", "They"), ("They", "You"), ("You", "People")):
        await world.edit(recording_id, replaced(0, 0, len(old), name))
    await world.settled()
    await world.keeper.run_due()
    assert world.upstream.vector.documents[recording_id][0].startswith("People use")
    assert await world.stale(recording_id) == {"minutes"}
    assert await IndexTaskStore(world.database).find(recording_id) is None


async def test_same_request_is_answered_alike_and_done_once(world: World) -> None:
    recording_id = await world.add()
    values = {"request_id": str(uuid.uuid4()), "etag": (await world.read(recording_id)).etag}
    edits = [found("e", "3"), found("zzz", "")]
    answers = await asyncio.gather(*(world.edit(recording_id, *edits, **values) for _ in range(3)))
    answers.append(await world.edit(recording_id, *edits, **values))
    assert [answer == answers[0] for answer in answers] == [True] * 4
    assert list(answers[0].replaced_counts) == [10, 0]
    assert (await world.read(recording_id)).revision == 2


async def test_the_slower_of_two_is_told(world: World) -> None:
    recording_id = await world.add()
    etag = (await world.read(recording_id)).etag
    results = await asyncio.gather(
        *(world.edit(recording_id, replaced(0, 0, 2, name), etag=etag) for name in ("Ann", "Bob", "Cem")),
        return_exceptions=True,
    )
    errors = [result for result in results if isinstance(result, grpc.aio.AioRpcError)]
    assert len(errors) == 2
    for error in errors:
        assert (error.code(), read_error(error).reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert (await world.read(recording_id)).revision == 2


async def test_all_pages_of_a_transcript_are_read_from_its_blob_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = await world.add(indexed=False)
    read: list[str] = []
    get = world.blobs.get

    async def counted(sha256: str) -> bytes:
        read.append(sha256)
        return await get(sha256)

    monkeypatch.setattr(world.blobs, "get", counted)
    texts, token, etags = [], "", set()
    while True:
        request = library_pb2.GetTranscriptRequest(recording_id=recording_id, page_size=2, page_token=token)
        page = await world.stub.GetTranscript(request, timeout=60)
        texts += [segment.text for segment in page.segments]
        etags.add(page.etag)
        token = page.next_page_token
        if not token:
            break
    assert (texts, len(etags), len(read)) == (list(SAID), 1, 1)
    request.page_token = "3"
    behind = await world.stub.GetTranscript(request, timeout=60)
    assert (len(behind.segments), behind.next_page_token, len(read)) == (0, "", 1)


async def test_what_is_read_is_never_an_older_text(world: World) -> None:
    recording_id = await world.add(indexed=False)
    seen: dict[str, str] = {}

    async def text() -> str:
        answer = await world.read(recording_id)
        first = answer.segments[0].text
        # A state of the text has its own etag, whoever asks and however often.
        assert seen.setdefault(answer.etag, first) == first
        return first

    assert await text() == SAID[0]
    await world.edit(recording_id, replaced(0, 0, 2, "They"))
    assert await text() == "They use comfy you eye every day."
    await world.edit(recording_id, found("every day", "daily"))
    assert await text() == "They use comfy you eye daily."
    await world.transcribe(recording_id, transcript_of("All anew."))
    assert await text() == "All anew."
    await world.revert(recording_id, 1)
    assert await text() == SAID[0]
    assert len(seen) == 4


async def test_text_that_is_transcribed_again_while_it_is_read_comes_with_its_own_etag(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = await world.add(indexed=False)
    current, interrupted = world.revisions.current, []

    async def and_then_transcribed_again(recording: Recording) -> Revision:
        revision = await current(recording)
        if not interrupted:
            interrupted.append(revision)
            await world.transcribe(recording_id, transcript_of("All anew."))
            assert not await world.blobs.exists(revision.sha256)
        return revision

    monkeypatch.setattr(world.revisions, "current", and_then_transcribed_again)
    answer = await world.read(recording_id)
    assert [segment.text for segment in answer.segments] == ["All anew."]
    assert answer.etag == (await world.read(recording_id)).etag != interrupted[0].etag


async def test_what_one_user_has_read_is_not_read_by_others(world: World) -> None:
    recording_id = await world.add(indexed=False)
    request = library_pb2.GetTranscriptRequest(recording_id=recording_id)
    assert len((await world.call(world.stub.GetTranscript, request)).segments) == 3
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(world.stub.GetTranscript, request, user="berta")
    assert reason(caught) == "RECORDING_NOT_FOUND"


async def test_text_that_is_deleted_for_good_is_not_kept(world: World) -> None:
    recording_id = await world.add(indexed=False)
    await world.read(recording_id)
    artifact = (await world.library.get("anna", recording_id)).artifact(ArtifactKind.TRANSCRIPT)
    assert artifact is not None
    assert len((await world.library.transcripts.read(artifact.sha256)).segments) == 3
    await world.library.delete(recording_id)
    with pytest.raises(FileNotFoundError):
        await world.library.transcripts.read(artifact.sha256)


class CountedBlobs:
    """Blobs of transcripts, all equally long, and the names of those that were read."""

    size = len(transcript_bytes(transcript_of("text 0")))

    def __init__(self) -> None:
        self.read: list[str] = []

    async def get(self, name: str) -> bytes:
        self.read.append(name)
        await asyncio.sleep(0)
        return transcript_bytes(transcript_of(f"text {name}"))


async def test_the_transcripts_that_were_read_last_are_kept_as_far_as_there_is_room() -> None:
    blobs: Any = CountedBlobs()
    reader = TranscriptReader(blobs, kept_bytes=2 * blobs.size * MEMORY_PER_BYTE)

    async def read(*names: str) -> list[str]:
        blobs.read.clear()
        for name in names:
            assert (await reader.read(name)).segments[0].text == f"text {name}"
        return list(blobs.read)

    assert await read("1", "2", "1", "2") == ["1", "2"]
    # The one that nobody has read for the longest time goes.
    assert await read("1", "3", "1", "2") == ["3", "2"]
    reader.forget("1")
    assert await read("2", "1") == ["1"]
    # Two at once read it twice, and count once.
    blobs.read.clear()
    await asyncio.gather(reader.read("4"), reader.read("4"))
    assert await read("1", "4") == []
    # One that is forgotten while it is being read is not kept either.
    reading = asyncio.create_task(reader.read("5"))
    await asyncio.sleep(0)
    reader.forget("5")
    await reading
    assert await read("5") == ["5"]
    # What is larger than all the room is read each time, and drives nothing else out for long.
    small = TranscriptReader(blobs, kept_bytes=blobs.size)
    blobs.read.clear()
    await small.read("1")
    await small.read("1")
    assert blobs.read == ["1", "1"]


async def test_history_and_going_back(world: World) -> None:
    recording_id = await world.add()
    original = await world.read(recording_id)
    await world.edit(recording_id, replaced(0, 0, 2, "They"))
    await world.edit(recording_id, replaced(1, 0, 3, "A"), user="anna")
    back = (await world.revert(recording_id, 1)).revision
    assert (back.revision, back.reverted_to, back.summary) == (4, 1, "back to revision 1")
    now = await world.read(recording_id)
    assert (list(now.segments), now.etag, now.revision) == (list(original.segments), original.etag, 4)
    assert (await world.revert(recording_id, 3)).revision.revision == 5
    assert (await world.read(recording_id)).segments[1].text == "A budget is three million."
    first = await world.history(recording_id, page_size=3)
    rest = await world.history(recording_id, page_size=3, page_token=first.next_page_token)
    rows = [*first.revisions, *rest.revisions]
    assert [(row.revision, row.author, row.summary) for row in rows] == [
        (5, "anna", "back to revision 3"),
        (4, "anna", "back to revision 1"),
        (3, "anna", "1 word"),
        (2, "anna", "1 word"),
        (1, "", "transcribed"),
    ]
    assert rest.next_page_token == ""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.revert(recording_id, 9)
    assert reason(caught) == "REVISION_NOT_FOUND"


async def test_edits_that_were_transcribed_over_can_be_gone_back_to(world: World) -> None:
    recording_id = await world.add()
    await world.edit(recording_id, replaced(0, 0, 2, "They"))
    await world.transcribe(recording_id, transcript_of("All anew."))
    assert (await world.read(recording_id)).revision == 3
    assert [row.summary for row in (await world.history(recording_id)).revisions] == [
        "transcribed again",
        "1 word",
        "transcribed",
    ]
    assert (await world.revert(recording_id, 2)).revision.revision == 4
    assert (await world.read(recording_id)).segments[0].text.startswith("They use")
    assert (await world.revert(recording_id, 3)).revision.revision == 5
    assert (await world.read(recording_id)).segments[0].text == "All anew."


async def test_texts_go_with_the_recording(world: World) -> None:
    recording_id = await world.add()
    await world.edit(recording_id, replaced(0, 0, 2, "They"))
    async with world.database.read() as connection:
        names = list((await connection.execute(select(transcript_revisions.c.sha256))).scalars())
    assert len({await world.blobs.get(name) for name in names}) == 2
    from recordroute_gateway.tables import blob_columns

    assert transcript_revisions.c.sha256 in list(blob_columns())


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (replaced(7, 0, 1, "x"), "0"),
        (replaced(0, 5, 2, "x"), "0"),
        ({"split_segment": library_pb2.SplitSegment(segment_index=0, position=99)}, "0"),
        ({"merge_segments": library_pb2.MergeSegments(first_segment_index=2, last_segment_index=1)}, "0"),
        (renamed("S7", "Anna"), "0"),
    ],
)
async def test_bad_edits_change_nothing(world: World, edit: dict[str, Any], place: str) -> None:
    recording_id = await world.add(indexed=False)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.edit(recording_id, replaced(0, 0, 2, "They"), edit)
    assert reason(caught) == "BAD_EDIT"
    assert "edit 1:" in (caught.value.details() or "")
    assert (await world.read(recording_id)).revision == 1


async def test_only_those_who_may_write_edit(world: World) -> None:
    recording_id = await world.add(indexed=False)
    etag = (await world.read(recording_id)).etag

    async def refusal(user: str) -> str:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.edit(recording_id, replaced(0, 0, 2, "They"), user=user, etag=etag)
        return reason(caught)

    assert await refusal("berta") == "RECORDING_NOT_FOUND"
    async with world.database.write() as connection:
        await connection.execute(
            insert(shares).values(
                recording_id=recording_id, user="berta", access="read", created_at=datetime.now(UTC)
            )
        )
    assert await refusal("berta") == "READ_ONLY"
    async with world.database.write() as connection:
        await connection.execute(update(shares).values(access="write"))
    answer = await world.edit(recording_id, found("comfy you eye", "ComfyUI"), user="berta", etag=etag)
    assert answer.revision.author == "berta"
    # What berta has corrected is berta's to know.
    assert await world.vocabulary.hotwords("berta", 9) == ["ComfyUI"]
    assert await world.vocabulary.hotwords("anna", 9) == []


async def test_documents_have_no_transcript(world: World) -> None:
    now = datetime.now(UTC)
    media = Artifact(ArtifactKind.MEDIA, await world.blobs.put(b"text"), 4, "", "", now)
    new = Recording(
        str(uuid.uuid4()), "anna", "Notes", "n.txt", None, "en", now, now, kind=RecordingKind.DOCUMENT
    )
    recording = await world.library.create(new, str(uuid.uuid4()), media)
    await world.transcribe(recording.id, transcript_of("Some notes."))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.edit(recording.id, replaced(0, 0, 4, "My"))
    assert reason(caught) == "NOT_A_TRANSCRIPT"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_long_transcript_is_edited_quickly(world: World) -> None:
    sentence = " ".join(f"word{number}" for number in range(20))
    transcript = transcript_of(*[sentence] * 2500)
    recording_id = await world.add(transcript, indexed=False)
    etag = (await world.read(recording_id)).etag
    started = time.process_time()
    read_transcript(transcript_bytes(transcript))
    once = time.process_time() - started
    started = time.process_time()
    answer = await world.edit(recording_id, replaced(1234, 0, 5, "first"), etag=etag)
    # 50,000 words: about what it takes to write and read them once, however fast the machine is.
    assert time.process_time() - started < 8 * once
    assert answer.changed_count == 1
    answer = await world.edit(recording_id, found("word7", "seven"))
    assert list(answer.replaced_counts) == [2500]
    # More than fits into a message.
    assert (answer.changed_count, len(answer.changed_segments) > 100) == (2500, True)


class Stt:
    """Says what it was given."""

    def __init__(self) -> None:
        self.options: Options | None = None

    async def transcribe(self, media: Any, options: Options, **_: Any) -> Transcription:
        self.options = options
        return Transcription(transcript_of("Said again."), {})


async def test_corrections_are_heard_the_next_time(world: World) -> None:
    recording_id = await world.add(indexed=False)
    await world.edit(recording_id, found("comfy you eye", "ComfyUI"), found("three million", "4 million"))
    await world.vocabulary.add("anna", ["Qdrant"])
    stt: Any = Stt()
    voices: Any = SimpleNamespace(allowed=False, keep=lambda *_: asyncio.sleep(0))
    models = ModelChoices(world.database)
    stages = Stages(
        world.library, voices, stt, world.llm, world.vector, world.vocabulary, world.templates, models
    )
    recording = await world.library.get("anna", recording_id)

    async def heard(options: Options) -> tuple[str, ...]:
        context: Any = SimpleNamespace(
            recording=recording,
            workflow=SimpleNamespace(id="w3", owner="anna", options=options),
            report=None,
        )
        await stages.transcribe(context)
        return stt.options.hotwords

    assert await heard(Options()) == ("ComfyUI", "Qdrant")
    assert await heard(Options(hotwords=("Anna", "Qdrant"))) == ("Anna", "Qdrant", "ComfyUI")
    assert await heard(Options(skip_vocabulary=True)) == ()
    await world.vocabulary.add("anna", [f"term {number}" for number in range(300)])
    most = await heard(Options(hotwords=("Anna",)))
    assert (len(most), most[:2]) == (200, ("Anna", "ComfyUI"))


async def test_edits_teach_nothing_where_that_is_not_wanted(world: World) -> None:
    recording_id = await world.add(indexed=False)
    await world.edit(recording_id, found("comfy you eye", "ComfyUI"), skip_vocabulary=True)
    assert await world.vocabulary.hotwords("anna", 9) == []


async def test_vocabulary(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def request_id() -> str:
        return str(uuid.uuid4())

    answer = await world.call(
        world.terms.AddTerms,
        vocabulary_pb2.AddTermsRequest(request_id=request_id(), texts=[" Ünal ", "zebra", "Ada"]),
    )
    assert [term.text for term in answer.terms] == ["Ünal", "zebra", "Ada"]
    assert not any(term.learned for term in answer.terms)
    recording_id = await world.add(indexed=False)
    for _ in range(2):
        await world.edit(recording_id, found("comfy you eye", "ComfyUI"))
        await world.edit(recording_id, found("ComfyUI", "comfy you eye"), skip_vocabulary=True)
    first = await world.call(world.terms.ListTerms, vocabulary_pb2.ListTermsRequest(page_size=2))
    rest = await world.call(
        world.terms.ListTerms, vocabulary_pb2.ListTermsRequest(page_token=first.next_page_token)
    )
    terms = [*first.terms, *rest.terms]
    assert [term.text for term in terms] == ["Ada", "ComfyUI", "Ünal", "zebra"]
    assert (terms[1].correction_count, terms[1].learned, list(terms[1].heard_as)) == (
        2,
        True,
        ["comfy you eye"],
    )
    added = vocabulary_pb2.AddTermsRequest(request_id=request_id(), texts=["ComfyUI"])
    (known,) = (await world.call(world.terms.AddTerms, added)).terms
    assert (known.learned, known.correction_count) == (False, 2)
    remove = vocabulary_pb2.RemoveTermsRequest(request_id=request_id(), texts=["ComfyUI", "Ünal", "gone"])
    await world.call(world.terms.RemoveTerms, remove)
    await world.call(world.terms.RemoveTerms, remove)
    left = await world.call(world.terms.ListTerms, vocabulary_pb2.ListTermsRequest())
    assert [term.text for term in left.terms] == ["Ada", "zebra"]
    others = await world.call(world.terms.ListTerms, vocabulary_pb2.ListTermsRequest(), "berta")
    assert list(others.terms) == []
    for bad in ({"page_token": "nonsense"}, {"page_token": "WzEsMl0="}):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.call(world.terms.ListTerms, vocabulary_pb2.ListTermsRequest(**bad))
        assert reason(caught) == "PAGE_TOKEN"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(
            world.terms.AddTerms, vocabulary_pb2.AddTermsRequest(request_id=request_id(), texts=["\u200a "])
        )
    assert reason(caught) == "BAD_TERM"
    monkeypatch.setattr(vocabulary, "MAX_TERMS", 3)
    await world.vocabulary.add("anna", ["third"])
    request = vocabulary_pb2.AddTermsRequest(request_id=request_id(), texts=["Ada", "fourth"])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(world.terms.AddTerms, request)
    assert reason(caught) == "TOO_MANY_TERMS"
    # Neither is one learned, and the edit is done all the same.
    await world.edit(recording_id, found("comfy you eye", "ComfyUI"))
    assert "ComfyUI" not in await world.vocabulary.hotwords("anna", 9)


async def test_templates(world: World) -> None:
    async def listed(language: str = "") -> list[tuple[str, str, bool]]:
        request = template_pb2.ListTemplatesRequest(language=language)
        answer = await world.call(world.template_calls.ListTemplates, request)
        return [(template.name, template.title, template.built_in) for template in answer.templates]

    async def put(name: str, markdown: str) -> Any:
        request = template_pb2.PutTemplateRequest(request_id=str(uuid.uuid4()), name=name, markdown=markdown)
        return await world.call(world.template_calls.PutTemplate, request)

    assert await listed("ko") == [("call", "회의", True), ("meeting", "회의", True)]
    await put("daily", "# Daily\n\n## News\nWhat is new.")
    written = (await put("meeting", "# Ours\n\n## News\nWhat is new.")).template
    assert (written.title, written.built_in, written.HasField("updated_at")) == ("Ours", False, True)
    assert await listed() == [
        ("call", "Meeting", True),
        ("daily", "Daily", False),
        ("meeting", "Ours", False),
    ]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await put("bad", "no template")
    assert (reason(caught), caught.value.details()) == ("BAD_TEMPLATE", "line 1: expected '# Name'")
    await world.templates.put("berta", "secret", title="S", markdown="# S")
    assert "secret" not in {name for name, _, _ in await listed()}
    for _ in range(2):
        request = template_pb2.DeleteTemplateRequest(request_id=str(uuid.uuid4()), name="meeting")
        await world.call(world.template_calls.DeleteTemplate, request)
    assert ("meeting", "Meeting", True) in await listed()
    for number in range(199):
        await world.templates.put("anna", f"t{number}", title="T", markdown="# T")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await put("one-more", "# More")
    assert reason(caught) == "TOO_MANY_TEMPLATES"
    await put("t7", "# Seven")


async def test_minutes_follow_the_user_s_template(world: World) -> None:
    recording_id = await world.add(indexed=False)
    await world.templates.put("anna", "daily", title="Daily", markdown="# Daily\n\n## News\nNew.")
    services: Any = SimpleNamespace()
    stages = Stages(
        world.library,
        services,
        services,
        world.llm,
        world.vector,
        world.vocabulary,
        world.templates,
        ModelChoices(world.database),
    )

    async def summarise(**options: Any) -> Any:
        context: Any = SimpleNamespace(
            recording=await world.library.get("anna", recording_id),
            workflow=SimpleNamespace(id="w", owner="anna", options=Options(**options)),
            report=None,
        )
        world.upstream.llm.requests.clear()
        assert await stages.summarise(context)
        asked, titled = world.upstream.llm.requests
        assert (asked.owner, titled.owner) == ("anna", "anna")
        minutes = await world.library.minutes(await world.library.get("anna", recording_id))
        return asked.template, asked.template_markdown, asked.output_language, minutes.template

    assert await summarise() == ("", "", "", "Heading")
    assert await summarise(template="call", output_language="ko") == ("call", "", "ko", "call")
    assert await summarise(template="daily") == ("", "# Daily\n\n## News\nNew.", "", "daily")


async def test_template_that_there_is_not_starts_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its service is not away where the machine is busy.
    monkeypatch.setattr(workflow_servicer, "TEMPLATES_SECONDS", 60.0)
    recording_id = await world.add(indexed=False)
    await world.templates.put("anna", "daily", title="Daily", markdown="# Daily\n\n## News\nNew.")
    started: list[str] = []

    class Stop(Exception):
        """It would have been started."""

    async def start(owner: str, recording: str, request: str, options: Options, *, batch_id: str) -> None:
        started.append(options.template)
        raise Stop

    others: Any = SimpleNamespace(start=start)

    async def ask(llm: LlmClient, **options: Any) -> None:
        servicer = WorkflowServicer(world.library, others, others, others, world.templates, llm)
        request = workflow_pb2.StartWorkflowRequest(
            request_id=str(uuid.uuid4()),
            recording_id=recording_id,
            options=workflow_pb2.WorkflowOptions(**options),
        )
        with calling(Caller("anna", frozenset(Scope))), suppress(Stop):
            await servicer.StartWorkflow(request, None)

    for name in ("", "call", "daily"):
        await ask(world.llm, template=name)
    with pytest.raises(InvalidInput, match=r"no template 'dailly'; there are call, meeting") as caught:
        await ask(world.llm, template="dailly")
    assert caught.value.reason == "BAD_TEMPLATE"
    await ask(world.llm, template="dailly", skip_summary=True)
    async with open_channel("127.0.0.1:1") as nobody:
        await ask(LlmClient(nobody), template="later")
    assert started == ["", "call", "daily", "dailly", "later"]


async def test_what_was_wrong_with_the_file_is_told_in_values(world: World) -> None:
    damage = Damage("MEDIA_CUT_OFF", "It is cut off.", {"stated": "20", "held": "10"})
    recording_id = await world.add(replace(transcript_of(*SAID), damages=(damage,)), indexed=False)
    (told,) = (await world.read(recording_id)).damages
    assert (told.reason, told.message, dict(told.metadata)) == (
        damage.reason,
        damage.message,
        damage.metadata,
    )


def test_bytes_of_a_transcript_are_what_is_read() -> None:
    transcript = replace(
        transcript_of(*SAID), warnings=("odd",), damages=(Damage("MEDIA_CUT_OFF", "odd", {"held": "10"}),)
    )
    data = transcript_bytes(transcript)
    assert read_transcript(data) == transcript
    assert json.loads(data) == json.loads(json.dumps(asdict(transcript)))
