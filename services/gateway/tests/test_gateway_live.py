"""Live sessions over the wire, with a speech service that tells what it was given.

The audio of these tests says where it belongs: each sample holds the number of its second. The speech service writes
down the number that it finds, so that a caption which says "second 7" has to begin at 7 seconds, whatever happened.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
import uuid
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import grpc
import grpc.aio
import numpy as np
import pytest
import recordroute_gateway
from alembic import command
from alembic.config import Config
from recordroute.gateway.v1 import live_pb2, live_pb2_grpc, workflow_pb2
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.clients.stt_live import LiveSttClient
from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import Caller, Scope, calling
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.records import ArtifactKind, Bookmark, Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.live.sessions import LiveLimits, LiveSessions
from recordroute_gateway.live.spool import Spool
from recordroute_gateway.live.store import LiveStore
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.records import Task
from recordroute_gateway.servicers.live import LiveServicer
from recordroute_gateway.tables import live_bookmarks, live_sessions, recordings
from recordroute_gateway.workflow.records import Options
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import InvalidInput, Overloaded, PreconditionFailed, StorageFull
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import ServerSettings
from recordroute_runtime.wire import read_configured, to_duration, to_seconds
from sqlalchemy import inspect, select
from sqlalchemy.engine import Connection

RATE = 8_000
TENTH = RATE // 10
LIMITS = LiveLimits(idle_seconds=600, max_seconds=3600, per_user=3, in_all=5)


def chunk(sequence: int) -> bytes:
    """100 ms of audio that say in which second they are."""
    return np.full(TENTH, sequence // 10, "<i2").tobytes()


class Speech(stt_pb2_grpc.SttServiceServicer):
    """Ends an utterance after each second, and says the number that its samples hold."""

    def __init__(self) -> None:
        self.configs: list[stt_pb2.StreamingRecognizeConfig] = []
        self.error: Exception | None = None
        self.cut_after: int | None = None

    async def StreamingRecognize(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        first, rest = await read_configured(request_iterator)
        self.configs.append(first.config)
        if self.error is not None:
            raise self.error
        heard = np.zeros(0, "<i2")
        utterance, told = 0, False
        async for message in rest:
            if not message.audio:
                raise InvalidInput("AUDIO_UNREADABLE", "an empty message")
            heard = np.concatenate([heard, np.frombuffer(message.audio, "<i2")])
            while len(heard) >= RATE * (utterance + 1):
                if not told:
                    told = True
                    language = first.config.language if first.config.HasField("language") else "en"
                    yield stt_pb2.StreamingRecognizeResponse(
                        language=stt_pb2.DetectedLanguage(language=language, probability=0.9)
                    )
                for is_final in (False, True):
                    yield self._result(heard, utterance, is_final)
                utterance += 1
                if utterance == self.cut_after:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    @staticmethod
    def _result(heard: np.ndarray, utterance: int, is_final: bool) -> Any:
        said = f"second {heard[RATE * utterance]}"
        return stt_pb2.StreamingRecognizeResponse(
            result=stt_pb2.RecognitionResult(
                utterance=utterance,
                is_final=is_final,
                start=to_duration(utterance),
                end=to_duration(utterance + 1),
                stable_text=said if is_final else "",
                unstable_text="" if is_final else said,
                stability=1.0 if is_final else 0.5,
                language="en",
            )
        )


class SpeechServer:
    """The speech service, to be stopped and started at one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.speech = Speech()
        self._server: RunningServer | None = None

    names = ("recordroute.stt.v1.SttService",)

    def register(self, server: grpc.aio.Server) -> None:
        stt_pb2_grpc.add_SttServiceServicer_to_server(self.speech, server)

    async def load(self) -> None: ...

    async def close(self) -> None: ...

    async def start(self) -> None:
        self._server = RunningServer(self, ServerSettings(listen=self.address, drain_grace_seconds=0))
        await self._server.start()
        await self._server.loaded()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None


class TestUser(CallInterceptor):
    """Whoever the call says."""

    __test__ = False

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        user = dict(call.context.invocation_metadata() or ()).get("user", "local")
        with calling(Caller(str(user), frozenset(Scope))):
            yield


@dataclass
class Gateway:
    """The live part of a gateway; made anew it is the process after a restart."""

    folder: Path
    url: str
    stt: str
    limits: LiveLimits = LIMITS
    quota_bytes: int = 0
    names: tuple[str, ...] = ("recordroute.gateway.v1.LiveService",)
    interceptors: tuple[Any, ...] = ()
    started: list[tuple[str, str, str, Options]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.interceptors = (TestUser(),)
        self.database = Database(self.url)
        blobs = BlobStore(self.folder, "")
        blobs.open()
        self.library = LibraryStore(self.database, blobs)
        self.workflows = WorkflowStore(self.database)
        self.stt_channel = open_channel(self.stt)
        self.sessions = LiveSessions(
            self.folder / "live",
            LiveStore(self.database),
            self.library,
            self.start_workflow,
            LiveSttClient(self.stt_channel, ModelChoices(self.database)),
            StorageQuota(self.database, self.quota_bytes),
            VocabularyStore(self.database),
            self.limits,
        )
        listen = f"unix:{self.folder}/gateway.sock"
        self.server = RunningServer(self, ServerSettings(listen=listen, drain_grace_seconds=120))
        self.channel = grpc.aio.insecure_channel(listen)
        self.stub = live_pb2_grpc.LiveServiceStub(self.channel)

    def limit(self, **values: float) -> None:
        """Changes the limits of the sessions that are open, too."""
        self.sessions._limits = replace(self.sessions._limits, **values)

    async def start_workflow(self, owner: str, recording_id: str, request_id: str, options: Options) -> str:
        self.started.append((owner, recording_id, request_id, options))
        return (await self.workflows.create(owner, recording_id, request_id, options)).id

    def register(self, server: grpc.aio.Server) -> None:
        live_pb2_grpc.add_LiveServiceServicer_to_server(LiveServicer(self.sessions), server)

    async def load(self) -> None:
        await self.database.migrate()
        await self.sessions.launch()

    async def drain(self) -> None:
        await self.sessions.drain()

    async def close(self) -> None:
        await self.sessions.close()
        await self.database.close()

    async def start(self) -> None:
        await self.server.start()
        await self.server.loaded()

    async def stop(self) -> None:
        await self.channel.close()
        await self.server.stop()
        await self.stt_channel.close()

    async def recordings(self) -> list[Recording]:
        """Everybody's recordings."""
        query = select(recordings.c.owner, recordings.c.id)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [await self.library.get(owner, recording_id) for owner, recording_id in rows]

    async def media(self, recording: Recording) -> np.ndarray:
        artifact = recording.artifact(ArtifactKind.MEDIA)
        assert artifact is not None
        path = self.folder / "media"
        path.write_bytes(await self.library.blobs.get(artifact.sha256))
        with av.open(str(path)) as media:
            return np.concatenate([frame.to_ndarray()[0] for frame in media.decode(audio=0)])


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    # Captions that only a slow machine makes late are not left out.
    monkeypatch.setattr("recordroute_gateway.live.session.LAST_CAPTIONS_SECONDS", 60.0)


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[SpeechServer]:
    server = SpeechServer(f"unix:{tmp_path}/stt.sock")
    await server.start()
    yield server
    await server.stop()


MakeGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def make_gateway(
    tmp_path: Path, speech: SpeechServer, new_library: Callable[[Path], str]
) -> AsyncIterator[MakeGateway]:
    made: list[Gateway] = []
    local_url = new_library(tmp_path)

    async def make(url: str = "", **values: Any) -> Gateway:
        gateway = Gateway(tmp_path, url or local_url, speech.address, **values)
        made.append(gateway)
        await gateway.start()
        return gateway

    yield make
    for gateway in made:
        await gateway.stop()


@pytest.fixture
async def gateway(make_gateway: MakeGateway) -> Gateway:
    return await make_gateway()


def config(**values: Any) -> live_pb2.LiveConfig:
    fields = {
        "request_id": str(uuid.uuid4()),
        "encoding": stt_pb2.AUDIO_ENCODING_PCM_S16LE,
        "sample_rate_hertz": RATE,
        "interim_results": True,
        **values,
    }
    return live_pb2.LiveConfig(**fields)


class Stream:
    """An open OpenLiveSession, its events collected."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.events: list[live_pb2.LiveEvent] = []

    async def until(self, kind: str, seconds: float = 60.0) -> live_pb2.LiveEvent:
        """Reads on to the next event of a kind: a field of LiveEvent, or the reason of a warning."""
        async with asyncio.timeout(seconds):
            while (response := await self._call.read()) is not grpc.aio.EOF:
                event = response.event
                self.events.append(event)
                if kind in (event.WhichOneof("event"), event.warning.reason):
                    return event
        raise AssertionError(f"the stream ended without {kind}: {self.events}")

    async def until_said(self, text: str) -> live_pb2.LiveEvent:
        """Reads on until a final caption says it, if none has before."""

        def says_it(event: live_pb2.LiveEvent) -> bool:
            return event.caption.result.is_final and event.caption.result.stable_text == text

        while not (found := [event for event in self.events if says_it(event)]):
            await self.until("caption")
        return found[-1]

    async def until_saved(self, count: int) -> None:
        """Reads on until so many chunks are safe, if that has not been told before."""
        while all(event.saved_audio_sequence < count for event in self.events):
            await self.until("saved_audio_sequence")

    async def end(self) -> live_pb2.LiveEnded:
        ended = (await self.until("ended")).ended
        assert await self._call.read() is grpc.aio.EOF
        return ended

    async def failure(self) -> str:
        """Reads to the error that ends the stream and returns its reason."""

        async def read() -> None:
            while (response := await self._call.read()) is not grpc.aio.EOF:
                self.events.append(response.event)
            raise AssertionError(f"the stream ended well: {self.events}")

        return await refusal(read())

    def close(self) -> None:
        self._call.cancel()

    @property
    def finals(self) -> list[tuple[str, float]]:
        results = [event.caption.result for event in self.events if event.WhichOneof("event") == "caption"]
        return [(result.stable_text, to_seconds(result.start)) for result in results if result.is_final]

    @property
    def warnings(self) -> list[str]:
        return [event.warning.reason for event in self.events if event.HasField("warning")]


def said(*seconds: int) -> list[tuple[str, float]]:
    return [(f"second {second}", float(second)) for second in seconds]


async def open_session(gateway: Gateway, user: str = "local", **values: Any) -> tuple[str, Stream]:
    request = live_pb2.OpenLiveSessionRequest(config=config(**values))
    stream = Stream(gateway.stub.OpenLiveSession(request, metadata=(("user", user),)))
    return (await stream.until("opened")).opened.id, stream


async def resume(
    gateway: Gateway, session_id: str, after: int = 0, *, watch_only: bool = False, user: str = "local"
) -> Stream:
    request = live_pb2.OpenLiveSessionRequest(
        resume=live_pb2.LiveResume(session_id=session_id, after_sequence=after, watch_only=watch_only)
    )
    return Stream(gateway.stub.OpenLiveSession(request, metadata=(("user", user),)))


async def push(
    gateway: Gateway, session_id: str, sequence: int, audio: bytes, *, last: bool = False, user: str = "local"
) -> live_pb2.PushLiveAudioResponse:
    request = live_pb2.PushLiveAudioRequest(
        session_id=session_id,
        audio=live_pb2.LiveAudio(sequence=sequence, audio=audio, end_of_audio=last),
    )
    answer: live_pb2.PushLiveAudioResponse = await gateway.stub.PushLiveAudio(
        request, timeout=60, metadata=(("user", user),)
    )
    return answer


async def push_seconds(gateway: Gateway, session_id: str, first: int, end: int) -> None:
    for sequence in range(10 * first, 10 * end):
        await push(gateway, session_id, sequence, chunk(sequence))


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return read_error(caught.value).reason


async def wait_for(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


# From the first word to the recording -----------------------------------------------------------------------


async def test_pushed_audio_becomes_captions_and_a_recording(
    make_gateway: MakeGateway, database_url: str
) -> None:
    gateway = await make_gateway(database_url)
    session_id, stream = await open_session(
        gateway,
        title="회의\0 [1]",
        folder="work/2026",
        tags=["b", "a"],
        options=workflow_pb2.WorkflowOptions(
            language="ko", stt_model="tiny", hotwords=["Kim"], skip_index=True
        ),
    )
    (listed,) = (await gateway.stub.ListLiveSessions(live_pb2.ListLiveSessionsRequest(), timeout=60)).sessions
    assert (listed.id, listed.title, listed.config.tags) == (session_id, "회의 [1]", ["a", "b"])
    assert listed.config.options.language == "ko"
    await push_seconds(gateway, session_id, 0, 2)
    mark = live_pb2.AddLiveBookmarkRequest(
        request_id=str(uuid.uuid4()), session_id=session_id, label="import\0ant"
    )
    for _ in range(2):
        answer = await gateway.stub.AddLiveBookmark(mark, timeout=60)
        assert to_seconds(answer.position) == pytest.approx(2.0)
        await push_seconds(gateway, session_id, 2, 3)
    early = live_pb2.AddLiveBookmarkRequest(request_id=str(uuid.uuid4()), session_id=session_id)
    early.position.CopyFrom(to_duration(0.5))
    await gateway.stub.AddLiveBookmark(early, timeout=60)
    await stream.until_said("second 2")
    await stream.until_saved(30)
    last = await push(gateway, session_id, 30, b"", last=True)
    assert last.next_audio_sequence == 31
    ended = await stream.end()
    assert stream.finals == said(0, 1, 2)
    assert [e.sequence for e in stream.events] == sorted(e.sequence for e in stream.events)
    (recording,) = await gateway.recordings()
    assert recording.id == ended.recording_id
    assert (recording.title, recording.folder, recording.tags) == ("회의 [1]", "work/2026", ("a", "b"))
    assert recording.title_is_set
    assert recording.bookmarks == (Bookmark(0.5, ""), Bookmark(2.0, "important"))
    assert recording.duration_seconds == pytest.approx(3.0)
    assert recording.file_name.endswith(".flac")
    expected = np.concatenate([np.frombuffer(chunk(n), "<i2") for n in range(30)])
    assert (await gateway.media(recording) == expected).all()
    ((owner, recording_id, request_id, options),) = gateway.started
    assert (owner, recording_id, request_id) == ("local", recording.id, session_id)
    assert (options.language, options.stt_model, options.skip_index) == ("ko", "tiny", True)
    assert ended.workflow_id == (await gateway.library.get("local", recording.id)).latest_workflow_id
    assert ended.reason == ""
    assert list((gateway.folder / "live").iterdir()) == []
    assert not (await gateway.stub.ListLiveSessions(live_pb2.ListLiveSessionsRequest(), timeout=60)).sessions


async def test_one_stream_does_it_all(gateway: Gateway, speech: SpeechServer) -> None:
    call = gateway.stub.StreamingTranscribe()
    stream = Stream(call)
    await call.write(live_pb2.StreamingTranscribeRequest(config=config(skip_workflow=True)))
    opened = (await stream.until("opened")).opened
    assert opened.next_audio_sequence == 0
    for sequence in range(25):
        audio = live_pb2.LiveAudio(sequence=sequence, audio=chunk(sequence), end_of_audio=sequence == 24)
        await call.write(live_pb2.StreamingTranscribeRequest(audio=audio))
    await call.done_writing()
    ended = await stream.end()
    assert stream.finals == said(0, 1)
    assert ended.workflow_id == ""
    assert gateway.started == []
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(2.5)
    assert recording.title == opened.title
    assert not recording.title_is_set
    assert speech.speech.configs[0].interim_results


async def test_captions_look_out_for_the_vocabulary(gateway: Gateway, speech: SpeechServer) -> None:
    await VocabularyStore(gateway.database).add("local", ["Zeppelin", "Kim"])
    for skip, expected in ((False, ["Kim", "Zeppelin"]), (True, ["Kim"])):
        options = workflow_pb2.WorkflowOptions(hotwords=["Kim"], skip_vocabulary=skip)
        session_id, stream = await open_session(gateway, options=options)
        await push_seconds(gateway, session_id, 0, 1)
        await stream.until_said("second 0")
        assert speech.speech.configs[-1].hotwords == expected


async def test_captions_are_made_by_the_model_that_was_switched_to(
    gateway: Gateway, speech: SpeechServer
) -> None:
    await ModelChoices(gateway.database).choose(Task.STT, "large")
    for named, expected in (("", "large"), ("small", "small")):
        options = workflow_pb2.WorkflowOptions(stt_model=named)
        session_id, stream = await open_session(gateway, options=options)
        await push_seconds(gateway, session_id, 0, 1)
        await stream.until_said("second 0")
        assert speech.speech.configs[-1].model == expected


async def test_a_workflow_that_can_not_be_started_keeps_nothing_from_being_recorded(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: Any) -> str:
        raise PreconditionFailed("NO", "not now")

    monkeypatch.setattr(gateway.sessions._recorder, "_start_workflow", refuses)
    session_id, stream = await open_session(gateway)
    await push(gateway, session_id, 0, chunk(0), last=True)
    ended = await stream.end()
    assert ended.workflow_id == ""
    assert [recording.id for recording in await gateway.recordings()] == [ended.recording_id]


async def test_a_session_without_audio_is_no_recording(gateway: Gateway) -> None:
    session_id, stream = await open_session(gateway)
    await push(gateway, session_id, 0, b"", last=True)
    assert (await stream.end()).recording_id == ""
    assert await gateway.recordings() == []
    assert list((gateway.folder / "live").iterdir()) == []


# Lost, repeated, reordered ----------------------------------------------------------------------------------


async def test_pushes_in_any_order_and_several_times_are_one_recording(gateway: Gateway) -> None:
    session_id, stream = await open_session(gateway)
    order = np.random.default_rng(7).permutation(40)
    sent = [int(n) for n in order] + [int(n) for n in order[:20]]
    answers = await asyncio.gather(*(push(gateway, session_id, n, chunk(n), last=n == 39) for n in sent))
    assert max(answer.next_audio_sequence for answer in answers) == 40
    await stream.end()
    (recording,) = await gateway.recordings()
    expected = np.concatenate([np.frombuffer(chunk(n), "<i2") for n in range(40)])
    assert (await gateway.media(recording) == expected).all()
    assert stream.finals == said(0, 1, 2, 3)


async def test_a_gap_is_told_and_what_is_too_far_ahead_refused(gateway: Gateway) -> None:
    session_id, stream = await open_session(gateway)
    assert (await push(gateway, session_id, 1, chunk(1))).next_audio_sequence == 0
    assert await refusal(push(gateway, session_id, 65, chunk(65))) == "AUDIO_AHEAD"
    assert await refusal(push(gateway, session_id, 2, b"odd")) == "AUDIO"
    assert (await push(gateway, session_id, 0, chunk(0))).next_audio_sequence == 2
    # A client that lost what it had sent goes on from the number that it is told; what waits is not mixed into that.
    await push(gateway, session_id, 4, b"\x63\x00" * TENTH)
    again = await resume(gateway, session_id)
    assert (await again.until("opened")).opened.next_audio_sequence == 2
    for sequence in (2, 3, 4):
        await push(gateway, session_id, sequence, chunk(sequence), last=sequence == 4)
    await stream.end()
    (recording,) = await gateway.recordings()
    assert not (await gateway.media(recording) == 0x63).any()


async def test_audio_that_never_came_costs_nothing_that_came_after_it(make_gateway: MakeGateway) -> None:
    gateway = await make_gateway()
    session_id, stream = await open_session(gateway)
    for sequence in (0, 1, 3, 4):
        await push(gateway, session_id, sequence, chunk(sequence))
    gateway.limit(idle_seconds=0.5)
    ended = await stream.end()
    assert ended.reason == "IDLE"
    assert "AUDIO_MISSING" in stream.warnings
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(0.4)


async def test_answers_that_were_lost_can_be_had_again(gateway: Gateway) -> None:
    """Opening, the last chunk, and the end: each is repeated by a client that never heard of its success."""
    first = config()
    ids = set()
    for _ in range(3):
        stream = Stream(gateway.stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=first)))
        ids.add((await stream.until("opened")).opened.id)
    (session_id,) = ids
    await push(gateway, session_id, 0, chunk(0))
    for _ in range(2):
        await push(gateway, session_id, 0, chunk(0), last=True)
    ended = await stream.end()
    assert (await push(gateway, session_id, 0, chunk(0), last=True)).next_audio_sequence == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await push(gateway, session_id, 1, chunk(1))
    assert read_error(caught.value).reason == "SESSION_ENDED"
    assert ended.recording_id in str(caught.value.trailing_metadata())
    for after in (0, 2**63, 2**64 - 1):
        assert await (await resume(gateway, session_id, after)).end() == ended
    assert len(gateway.started) == 1


# Coming back ------------------------------------------------------------------------------------------------


async def test_who_comes_back_gets_the_captions_that_it_missed(gateway: Gateway) -> None:
    session_id, stream = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 2)
    seen = (await stream.until_said("second 1")).sequence
    stream.close()
    await push_seconds(gateway, session_id, 2, 5)
    watcher = await resume(gateway, session_id, watch_only=True)
    await watcher.until_said("second 4")
    again = await resume(gateway, session_id, seen)
    await again.until_said("second 4")
    assert again.finals == said(2, 3, 4)
    await push(gateway, session_id, 50, b"", last=True)
    assert await again.end() == await watcher.end()
    assert watcher.finals == said(0, 1, 2, 3, 4)


async def test_sessions_belong_to_their_users(gateway: Gateway) -> None:
    session_id, stream = await open_session(gateway, "anna")
    for call in (
        push(gateway, session_id, 0, chunk(0), user="ben"),
        gateway.stub.AddLiveBookmark(
            live_pb2.AddLiveBookmarkRequest(request_id=str(uuid.uuid4()), session_id=session_id), timeout=60
        ),
    ):
        assert await refusal(call) == "SESSION_NOT_FOUND"
    assert await (await resume(gateway, session_id, user="ben")).failure() == "SESSION_NOT_FOUND"
    assert not (await gateway.stub.ListLiveSessions(live_pb2.ListLiveSessionsRequest(), timeout=60)).sessions
    await push(gateway, session_id, 0, chunk(0), last=True, user="anna")
    await stream.end()
    (recording,) = await gateway.recordings()
    assert recording.owner == "anna"


# The speech service goes away -------------------------------------------------------------------------------


async def test_audio_is_saved_and_captions_come_again_when_the_speech_service_dies(
    gateway: Gateway, speech: SpeechServer
) -> None:
    session_id, stream = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 2)
    await stream.until_said("second 1")
    await speech.stop()
    await stream.until("CAPTIONS_INTERRUPTED")
    await push_seconds(gateway, session_id, 2, 5)
    await speech.start()
    await stream.until("CAPTIONS_RESUMED")
    await push_seconds(gateway, session_id, 5, 7)
    await stream.until_said("second 6")
    await push(gateway, session_id, 70, b"", last=True)
    await stream.end()
    assert stream.finals == said(0, 1, 2, 3, 4, 5, 6), "with their times, none twice, none missing"
    utterances = [e.caption.result.utterance for e in stream.events if e.caption.result.is_final]
    assert utterances == list(range(7))
    assert stream.warnings == ["CAPTIONS_INTERRUPTED", "CAPTIONS_RESUMED"]
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(7.0)
    assert speech.speech.configs[-1].language == "en", "the language is told once"


async def test_no_room_for_captions_is_no_reason_not_to_record(
    gateway: Gateway, speech: SpeechServer
) -> None:
    speech.speech.error = Overloaded("every stream is taken")
    session_id, stream = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 1)
    await stream.until("CAPTIONS_INTERRUPTED")
    speech.speech.error = None
    await stream.until_said("second 0")
    speech.speech.error = InvalidInput("UNSUPPORTED_LANGUAGE", "model tiny.en does not transcribe this")
    other_id, other = await open_session(gateway)
    warning = (await other.until("CAPTIONS_UNAVAILABLE")).warning
    assert "does not transcribe" in warning.message
    assert to_seconds((await push(gateway, other_id, 0, chunk(0), last=True)).buffered) == 0
    await other.end()
    assert len(await gateway.recordings()) == 1


async def test_the_end_does_not_wait_for_a_speech_service_that_is_away(
    gateway: Gateway, speech: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordroute_gateway.live.session.LAST_CAPTIONS_SECONDS", 600.0)
    await speech.stop()
    session_id, stream = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 1)
    await stream.until("CAPTIONS_INTERRUPTED")
    await push(gateway, session_id, 10, b"", last=True)
    async with asyncio.timeout(60):
        await stream.end()
    assert len(await gateway.recordings()) == 1


async def test_captions_that_are_too_late_are_left_out_and_the_rest_is_on_time(gateway: Gateway) -> None:
    session_id, stream = await open_session(gateway)
    # A second each: all are there before the captions may come near.
    for second in range(80):
        await push(gateway, session_id, second, np.full(RATE, second, "<i2").tobytes())
    assert to_seconds((await push(gateway, session_id, 80, chunk(800))).buffered) <= 30
    await stream.until("CAPTIONS_SKIPPED")
    skipped = len(stream.finals)
    await push(gateway, session_id, 81, b"", last=True)
    await stream.end()
    assert all(text == f"second {int(start)}" for text, start in stream.finals)
    starts = [start for _, start in stream.finals]
    assert starts == sorted(set(starts))
    assert starts[skipped] > starts[skipped - 1] + 1
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(80.1)


# Ends that nobody asked for ---------------------------------------------------------------------------------


async def test_idle_sessions_end_as_recordings(make_gateway: MakeGateway) -> None:
    gateway = await make_gateway()
    session_id, stream = await open_session(gateway)
    await push(gateway, session_id, 0, chunk(0))
    gateway.limit(idle_seconds=0.5)
    assert (await stream.end()).reason == "IDLE"
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(0.1)


async def test_long_sessions_end_as_recordings(make_gateway: MakeGateway) -> None:
    gateway = await make_gateway()
    long_id, long = await open_session(gateway)
    ending = asyncio.create_task(long.end())
    sent = 0

    async def speak_for_ever() -> None:
        nonlocal sent
        while True:
            await push(gateway, long_id, sent, chunk(sent))
            sent += 1
            gateway.limit(max_seconds=2.0)

    assert await refusal(speak_for_ever()) == "SESSION_ENDED"
    assert (await ending).reason == "TOO_LONG"
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(sent / 10)


async def test_a_drained_gateway_hands_its_sessions_to_the_next_one(
    make_gateway: MakeGateway, database_url: str
) -> None:
    gateway = await make_gateway(database_url)
    session_id, stream = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 3)
    seen = (await stream.until_said("second 1")).sequence
    await stream.until_said("second 2")
    failing = asyncio.create_task(stream.failure())
    # It would wait for longer if it did not send its clients away.
    async with asyncio.timeout(60):
        await gateway.server.stop()
    assert await failing == "SHUTTING_DOWN"
    assert await gateway.recordings() == []
    after = await make_gateway(database_url)
    again = await resume(after, session_id, seen)
    assert (await again.until("opened")).opened.next_audio_sequence == 30
    await push_seconds(after, session_id, 3, 5)
    await again.until_said("second 4")
    await push(after, session_id, 50, b"", last=True)
    await again.end()
    assert sorted(set(again.finals)) == said(2, 3, 4)
    (recording,) = await after.recordings()
    assert recording.duration_seconds == pytest.approx(5.0)


STEPS = ["set_ending", "write", "create", "start_workflow", "set_ended"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_in_any_step_of_the_end_neither_loses_nor_doubles(
    make_gateway: MakeGateway, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    monkeypatch.setattr("recordroute_gateway.live.sessions.END_GRACE_SECONDS", 0.01)
    gateway = await make_gateway()
    session_id, _ = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 2)
    reached = asyncio.Event()
    places = {
        "set_ending": (gateway.sessions._store, "set_ending"),
        "write": (gateway.sessions._recorder, "_add"),
        "create": (gateway.library, "create"),
        "start_workflow": (gateway.sessions._recorder, "_start_workflow"),
        "set_ended": (gateway.sessions._store, "set_ended"),
    }
    target, name = places[step]
    real = getattr(target, name)

    async def dies(*arguments: Any, **named: Any) -> Any:
        if after:
            await real(*arguments, **named)
        reached.set()
        # From here on the process does nothing any more.
        await asyncio.Event().wait()

    monkeypatch.setattr(target, name, dies)
    await push(gateway, session_id, 20, b"", last=True)
    await asyncio.wait_for(reached.wait(), 60)
    await gateway.server.stop()
    next_one = await make_gateway()

    async def ended() -> bool:
        row = await next_one.sessions._store.find(session_id)
        return row is not None and row.state == "ended"

    await wait_for(ended)
    (recording,) = await next_one.recordings()
    assert recording.duration_seconds == pytest.approx(2.0)
    page, _ = await next_one.workflows.list_page("local", recording.id, 10, "")
    assert len(page) == 1
    assert (await (await resume(next_one, session_id)).end()).workflow_id == page[0].id
    assert list((next_one.folder / "live").iterdir()) == []
    blobs = [path for path in (next_one.folder / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) == 1


async def test_a_session_nobody_comes_back_to_is_finished_by_the_next_start(
    make_gateway: MakeGateway,
) -> None:
    gateway = await make_gateway()
    session_id, _ = await open_session(gateway)
    await push_seconds(gateway, session_id, 0, 2)
    await gateway.server.stop()
    # The last chunk was cut off by the crash.
    path = gateway.folder / "live" / f"{session_id}.spool"
    os.truncate(path, path.stat().st_size - 5)
    (gateway.folder / "live" / f"{uuid.uuid4()}.spool").write_bytes(b"nobody's")
    after = await make_gateway(limits=LiveLimits(0.5, 3600, 3, 5))

    async def recorded() -> bool:
        return bool(await after.recordings())

    await wait_for(recorded)
    (recording,) = await after.recordings()
    assert recording.duration_seconds == pytest.approx(1.9)
    stream = await resume(after, session_id)
    assert (await stream.end()).reason == "IDLE"
    assert list((after.folder / "live").iterdir()) == []


async def test_audio_whose_client_leaves_while_it_is_written_is_saved_and_captioned(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id, stream = await open_session(gateway)
    begun, go, append = threading.Event(), threading.Event(), Spool.append

    def slow(*arguments: Any, **named: Any) -> None:
        begun.set()
        assert go.wait(60)
        append(*arguments, **named)

    monkeypatch.setattr(Spool, "append", slow)
    session = gateway.sessions._sessions[session_id]
    pushing = asyncio.create_task(session.push(0, np.zeros(RATE, "<i2").tobytes(), is_last=False))
    assert await asyncio.to_thread(begun.wait, 60)
    pushing.cancel()
    await asyncio.wait([pushing], timeout=0.1)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    await stream.until_saved(1)
    await stream.until_said("second 0")


# Limits -----------------------------------------------------------------------------------------------------


async def test_sessions_have_limits(make_gateway: MakeGateway) -> None:
    gateway = await make_gateway(limits=LiveLimits(30, 3600, 2, 3))
    opened = [await open_session(gateway, "anna") for _ in range(2)]
    request = live_pb2.OpenLiveSessionRequest(config=config())

    def another(user: str) -> Stream:
        return Stream(gateway.stub.OpenLiveSession(request, metadata=(("user", user),)))

    assert await another("anna").failure() == "TOO_MANY_SESSIONS"
    await open_session(gateway, "ben")
    assert await another("cem").failure() == "OVERLOADED"
    await push(gateway, opened[0][0], 0, b"", last=True, user="anna")
    await opened[0][1].end()
    await another("cem").until("opened")


async def test_a_full_disk_refuses_audio_and_takes_it_when_there_is_room(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id, stream = await open_session(gateway)
    await push(gateway, session_id, 0, chunk(0))

    def full(*_: Any, **__: Any) -> None:
        raise StorageFull("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", full)
        assert await refusal(push(gateway, session_id, 1, chunk(1))) == "DISK_FULL"
    assert (await push(gateway, session_id, 1, chunk(1))).next_audio_sequence == 2
    with monkeypatch.context() as patch:
        patch.setattr("recordroute_gateway.live.recorder.write_container", full)
        await push(gateway, session_id, 2, b"", last=True)
        await stream.until("RECORDING_DELAYED")
    await stream.end()
    (recording,) = await gateway.recordings()
    assert recording.duration_seconds == pytest.approx(0.2)


async def test_a_user_without_room_is_told_before_it_speaks(make_gateway: MakeGateway) -> None:
    gateway = await make_gateway(quota_bytes=1000)
    session_id, stream = await open_session(gateway)
    noise = np.random.default_rng(1).integers(-9999, 9999, RATE, np.int16).tobytes()
    await push(gateway, session_id, 0, noise, last=True)
    await stream.end()
    call = gateway.stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=config()))
    assert await Stream(call).failure() == "QUOTA_EXCEEDED"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"encoding": stt_pb2.AUDIO_ENCODING_OPUS, "sample_rate_hertz": 16000}, "AUDIO"),
        ({"encoding": stt_pb2.AUDIO_ENCODING_OPUS, "sample_rate_hertz": 48000, "channels": 3}, "AUDIO"),
        ({"encoding": 0}, "INVALID_FIELDS"),
        ({"request_id": "x"}, "INVALID_FIELDS"),
        ({"folder": "/etc"}, "INVALID_FIELDS"),
        ({"tags": [" "]}, "BAD_LABEL"),
        ({"channels": 9}, "INVALID_FIELDS"),
    ],
)
async def test_what_can_not_be_recorded_is_refused(
    gateway: Gateway, values: dict[str, Any], reason: str
) -> None:
    call = gateway.stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=config(**values)))
    assert await Stream(call).failure() == reason
    assert list((gateway.folder / "live").iterdir()) == []


async def test_streams_keep_to_their_protocol(gateway: Gateway) -> None:
    audio = live_pb2.StreamingTranscribeRequest(audio=live_pb2.LiveAudio(audio=chunk(0)))
    opening = live_pb2.StreamingTranscribeRequest(config=config())
    for messages, reason in (
        ([audio], "STREAM_PROTOCOL"),
        ([opening, opening], "STREAM_PROTOCOL"),
        ([], "STREAM_PROTOCOL"),
        ([opening, live_pb2.StreamingTranscribeRequest()], "INVALID_FIELDS"),
        (
            [live_pb2.StreamingTranscribeRequest(resume=live_pb2.LiveResume(session_id=str(uuid.uuid4())))],
            "SESSION_NOT_FOUND",
        ),
    ):
        stream = Stream(gateway.stub.StreamingTranscribe(iter(messages)))
        assert await stream.failure() == reason


async def test_nothing_is_taken_before_the_gateway_is_ready(
    make_gateway: MakeGateway, tmp_path: Path
) -> None:
    gateway = await make_gateway()
    session_id, _ = await open_session(gateway)
    await gateway.sessions.drain()
    assert await refusal(push(gateway, session_id, 0, chunk(0))) == "SHUTTING_DOWN"
    call = gateway.stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=config()))
    assert await Stream(call).failure() == "SHUTTING_DOWN"


async def test_the_schema_goes_up_and_down_and_is_the_one_that_the_code_knows(
    empty_database_url: str,
) -> None:
    def migrate(connection: Connection, direction: str, revision: str) -> None:
        settings = Config()
        settings.set_main_option(
            "script_location", str(Path(recordroute_gateway.__file__).parent / "migrations")
        )
        settings.attributes["connection"] = connection
        getattr(command, direction)(settings, revision)

    def columns(connection: Connection) -> dict[str, set[tuple[str, bool]]]:
        found = inspect(connection)
        return {
            table.name: {(column["name"], column["nullable"]) for column in found.get_columns(table.name)}
            for table in (live_sessions, live_bookmarks)
            if found.has_table(table.name)
        }

    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(migrate, "upgrade", "0007")
        after = await connection.run_sync(columns)
        await connection.run_sync(migrate, "downgrade", "0006")
        assert await connection.run_sync(columns) == {}
        await connection.run_sync(migrate, "upgrade", "head")
        assert await connection.run_sync(columns) == after
    assert after == {
        table.name: {(column.name, bool(column.nullable)) for column in table.columns}
        for table in (live_sessions, live_bookmarks)
    }
    await database.close()


async def test_the_example_in_the_documentation_works(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[3] / "docs/live.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, str(page), "exec"), names)
    path = gateway.folder / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(map(chunk, range(12))))
    recording_id = await names["record"](gateway.channel, str(path))
    assert "second 0" in capsys.readouterr().out
    (recording,) = await gateway.recordings()
    assert recording.id == recording_id
    assert recording.duration_seconds == pytest.approx(1.2)


async def test_a_session_has_the_id_that_its_client_made(gateway: Gateway) -> None:
    made = str(uuid.uuid4())
    session_id, _ = await open_session(gateway, request_id=made)
    assert session_id == made
    # Somebody else made the same: it is taken.
    other_id, _ = await open_session(gateway, request_id=made, user="other")
    assert other_id != made
