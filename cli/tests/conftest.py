"""A gateway for the command line to talk to: the runtime kit's real server, with servicers that the tests steer."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import grpc.aio
import pytest
from recordroute.common.v1 import minutes_pb2, transcript_pb2
from recordroute.gateway.v1 import (
    library_pb2,
    library_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
    upload_pb2,
    upload_pb2_grpc,
    voice_pb2,
    voice_pb2_grpc,
    workflow_pb2,
    workflow_pb2_grpc,
)
from recordroute.stt.v1 import stt_pb2
from recordroute_cli.client import serving
from recordroute_cli.main import run
from recordroute_runtime.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import ServerSettings
from recordroute_runtime.wire import read_configured, to_duration, to_timestamp
from structlog.testing import capture_logs

Result = TypeVar("Result")
RECORDED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STAGES = (1, 2, 3, 4)
SUCCEEDED, FAILED, CANCELLED = 3, 4, 5
START_SECONDS = 60.0


def event(sequence: int, stage: int, state: int, percent: float = 0.0) -> workflow_pb2.WorkflowEvent:
    return workflow_pb2.WorkflowEvent(
        sequence=sequence, time=to_timestamp(RECORDED), stage=stage, state=state, percent=percent
    )


def successful_events() -> list[workflow_pb2.WorkflowEvent]:
    shapes = [(0, 2, 0.0)]
    for stage in STAGES:
        shapes += [(stage, 2, 0.0), (stage, 2, 50.0), (stage, SUCCEEDED, 100.0)]
    shapes.append((0, SUCCEEDED, 0.0))
    return [event(number, *shape) for number, shape in enumerate(shapes, 1)]


@dataclass
class Library:
    """What the gateway holds, and what the tests make it do. It outlives the servers that serve it."""

    recordings: dict[str, library_pb2.Recording] = field(default_factory=dict)
    workflows: dict[str, workflow_pb2.Workflow] = field(default_factory=dict)
    events: dict[str, list[workflow_pb2.WorkflowEvent]] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    voices: list[voice_pb2.Voice] = field(default_factory=list)
    end_state: int = SUCCEEDED
    error: Exception | None = None
    # Events that a watcher gets before the stream waits for ever; None sends all.
    hold_after: int | None = None
    revisions: list[library_pb2.TranscriptRevision] = field(default_factory=list)
    minutes_are_stale: bool = False
    # Uploads in chunks by id: what was said of the file, and the chunks by their offset.
    chunked: dict[str, tuple[upload_pb2.UploadConfig, dict[int, bytes]]] = field(default_factory=dict)
    chunk_bytes: int = 1000
    # The connection breaks once after so many chunks; None: never.
    chunks_until_break: int | None = None
    # What comes in place of the end of a download.
    changed_on_the_way: bytes = b""
    # Servicers that a test file adds.
    more: list[Callable[[grpc.aio.Server], None]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def add(
        self, name: str = "talk.mp3", content: bytes = b"audio", identifier: str = ""
    ) -> library_pb2.Recording:
        recording = library_pb2.Recording(
            id=identifier or str(uuid.uuid4()),
            title=f"About {name}",
            file_name=name,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            duration=to_duration(62.5),
            language="en",
            created_at=to_timestamp(RECORDED),
            recorded_at=to_timestamp(RECORDED),
            artifacts=[
                library_pb2.Artifact(kind=kind, size_bytes=1, created_at=to_timestamp(RECORDED), model="m")
                for kind in (1, 2, 3)
            ],
        )
        self.recordings[recording.id] = recording
        return recording

    def begin(self, recording: library_pb2.Recording, identifier: str = "") -> workflow_pb2.Workflow:
        workflow = workflow_pb2.Workflow(
            id=identifier or str(uuid.uuid4()),
            recording_id=recording.id,
            state=2,
            created_at=to_timestamp(RECORDED),
        )
        events = successful_events()
        events[-1].state = self.end_state
        if self.end_state == FAILED:
            events[-1].error.reason, events[-1].error.message = "MEDIA_WITHOUT_AUDIO", "the file has no audio"
        self.workflows[workflow.id] = workflow
        self.events[workflow.id] = events
        recording.latest_workflow_id = workflow.id
        recording.latest_workflow_state = 2
        return workflow

    def end(self, workflow: workflow_pb2.Workflow, state: int) -> None:
        workflow.state = state
        workflow.last_sequence = self.events[workflow.id][-1].sequence
        workflow.ended_at.CopyFrom(to_timestamp(RECORDED))
        workflow.ClearField("error")
        if state == FAILED:
            workflow.error.CopyFrom(self.events[workflow.id][-1].error)

    def record(self, request: Any) -> None:
        self.requests.append(request)
        if self.error is not None:
            raise self.error

    def of_type(self, kind: type[Result]) -> list[Result]:
        return [request for request in self.requests if isinstance(request, kind)]


class Uploads(upload_pb2_grpc.UploadServiceServicer):
    def __init__(self, library: Library) -> None:
        self.library = library

    async def UploadRecording(self, requests, context):
        first, rest = await read_configured(requests)
        self.library.record(first.config)
        content = b"".join([message.chunk async for message in rest])
        config = first.config
        if len(content) != config.size_bytes:
            raise InvalidInput("SIZE_MISMATCH", "the file has another size than was said")
        if config.HasField("sha256") and hashlib.sha256(content).hexdigest() != config.sha256:
            raise InvalidInput("CHECKSUM_MISMATCH", "the file has another content than was said")
        if content.startswith(b"not media"):
            raise InvalidInput("MEDIA_UNREADABLE", "this is no audio or video file")
        return upload_pb2.UploadRecordingResponse(recording=self._take(config, content))

    def _take(self, config, content):
        identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, config.request_id))
        for known in self.library.recordings.values():
            same = known.sha256 == hashlib.sha256(content).hexdigest() and known.id != identifier
            if same and not config.allow_duplicate:
                raise Conflict(
                    "DUPLICATE_RECORDING",
                    f"the library has this file already: {known.title}",
                    metadata={"recording_id": known.id, "title": known.title},
                )
        self.library.uploads[config.file_name] = content
        recording = self.library.recordings.get(identifier) or self.library.add(
            config.file_name, content, identifier
        )
        recording.title = config.title or recording.title
        recording.folder = config.folder
        recording.tags[:] = config.tags
        return recording

    def _of(self, identifier):
        if identifier not in self.library.chunked:
            raise NotFound("UPLOAD_NOT_FOUND", "there is no such upload")
        return self.library.chunked[identifier]

    async def CreateUpload(self, request, context):
        self.library.record(request)
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, request.config.request_id))
        _, received = self.library.chunked.setdefault(identifier, (request.config, {}))
        upload = upload_pb2.Upload(
            id=identifier, size_bytes=request.config.size_bytes, chunk_size_bytes=self.library.chunk_bytes
        )
        for offset, data in sorted(received.items()):
            upload.received.add(start=offset, end=offset + len(data))
        return upload_pb2.CreateUploadResponse(upload=upload)

    async def UploadChunk(self, request, context):
        self.library.record(request)
        _, received = self._of(request.upload_id)
        if len(received) == self.library.chunks_until_break:
            self.library.chunks_until_break = None
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
        received[request.offset] = request.data
        return upload_pb2.UploadChunkResponse(received_bytes=sum(map(len, received.values())))

    async def CompleteUpload(self, request, context):
        self.library.record(request)
        config, received = self._of(request.upload_id)
        content = b"".join(data for _, data in sorted(received.items()))
        if hashlib.sha256(content).hexdigest() != request.sha256:
            raise InvalidInput("CHECKSUM_MISMATCH", "the file was changed")
        return upload_pb2.CompleteUploadResponse(recording=self._take(config, content))


class Workflows(workflow_pb2_grpc.WorkflowServiceServicer):
    def __init__(self, library: Library) -> None:
        self.library = library

    def _get(self, identifier: str) -> workflow_pb2.Workflow:
        if identifier not in self.library.workflows:
            raise NotFound("WORKFLOW_NOT_FOUND", "there is no such workflow")
        return self.library.workflows[identifier]

    async def StartWorkflow(self, request, context):
        self.library.record(request)
        identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, request.request_id))
        workflow = self.library.workflows.get(identifier) or self.library.begin(
            self.library.recordings[request.recording_id], identifier
        )
        return workflow_pb2.StartWorkflowResponse(workflow=workflow)

    async def GetWorkflow(self, request, context):
        self.library.record(request)
        return workflow_pb2.GetWorkflowResponse(workflow=self._get(request.workflow_id))

    async def ListWorkflows(self, request, context):
        self.library.record(request)
        return workflow_pb2.ListWorkflowsResponse(workflows=list(self.library.workflows.values()))

    async def CancelWorkflow(self, request, context):
        self.library.record(request)
        workflow = self._get(request.workflow_id)
        if not workflow.HasField("ended_at"):
            self.library.end(workflow, CANCELLED)
        return workflow_pb2.CancelWorkflowResponse(workflow=workflow)

    async def RetryWorkflow(self, request, context):
        self.library.record(request)
        workflow = self._get(request.workflow_id)
        if workflow.state not in (FAILED, CANCELLED):
            raise PreconditionFailed("WORKFLOW_NOT_RETRYABLE", "the workflow has not failed")
        events = self.library.events[workflow.id]
        for shape in ((0, 2, 0.0), (4, SUCCEEDED, 100.0), (0, SUCCEEDED, 0.0)):
            events.append(event(len(events) + 1, *shape))
        workflow.state = 2
        workflow.ClearField("ended_at")
        return workflow_pb2.RetryWorkflowResponse(workflow=workflow)

    async def WatchWorkflow(self, request, context) -> AsyncIterator[workflow_pb2.WatchWorkflowResponse]:
        self.library.record(request)
        workflow = self._get(request.workflow_id)
        for sent in self.library.events[workflow.id]:
            if sent.sequence <= request.after_sequence:
                continue
            yield workflow_pb2.WatchWorkflowResponse(event=sent)
            if sent.sequence == self.library.hold_after:
                self.library.held.set()
                await asyncio.Event().wait()
        self.library.end(workflow, self.library.events[workflow.id][-1].state)


class Recordings(library_pb2_grpc.LibraryServiceServicer):
    def __init__(self, library: Library) -> None:
        self.library = library

    def _get(self, identifier: str) -> library_pb2.Recording:
        if identifier not in self.library.recordings:
            raise NotFound("RECORDING_NOT_FOUND", "there is no such recording")
        return self.library.recordings[identifier]

    async def GetRecording(self, request, context):
        self.library.record(request)
        return library_pb2.GetRecordingResponse(recording=self._get(request.recording_id))

    async def ListRecordings(self, request, context):
        self.library.record(request)
        # Pages of two, whatever was asked for: a server may give less.
        first = int(request.page_token or 0)
        every = [
            recording
            for recording in self.library.recordings.values()
            if recording.HasField("deleted_at") == request.in_bin
        ]
        return library_pb2.ListRecordingsResponse(
            recordings=every[first : first + 2],
            next_page_token=str(first + 2) if first + 2 < len(every) else "",
        )

    async def ListFacets(self, request, context):
        self.library.record(request)
        return library_pb2.ListFacetsResponse(
            tags=[library_pb2.Facet(value="예산", recording_count=12)],
            folders=[library_pb2.Facet(value="work/[2026]", recording_count=3)],
            speakers=[library_pb2.Facet(value="김민지", recording_count=2)],
            bin_count=1,
        )

    async def UpdateRecording(self, request, context):
        self.library.record(request)
        recording = self._get(request.recording.id)
        request.update_mask.MergeMessage(request.recording, recording, True, True)
        return library_pb2.UpdateRecordingResponse(recording=recording)

    async def BulkEdit(self, request, context):
        self.library.record(request)
        return library_pb2.BulkEditResponse(
            results=[self._edit_one(request, identifier) for identifier in request.recording_ids]
        )

    def _edit_one(self, request, identifier):
        result = library_pb2.BulkEditResult(recording_id=identifier)
        recording = self.library.recordings.get(identifier)
        if recording is None:
            result.error.reason, result.error.message = "RECORDING_NOT_FOUND", "there is no such recording"
            return result
        if request.HasField("labels"):
            labels = request.labels
            recording.tags[:] = sorted({*recording.tags, *labels.add_tags} - {*labels.remove_tags})
            recording.folder = labels.folder if labels.HasField("folder") else recording.folder
        elif request.HasField("restore"):
            recording.ClearField("deleted_at")
            recording.ClearField("purge_at")
        elif request.delete.purge:
            del self.library.recordings[identifier]
            return result
        else:
            recording.deleted_at.CopyFrom(to_timestamp(RECORDED))
            recording.purge_at.CopyFrom(to_timestamp(RECORDED))
        result.recording.CopyFrom(recording)
        return result

    async def GetTranscript(self, request, context):
        self.library.record(request)
        self._get(request.recording_id)
        number = int(request.page_token or 0)
        texts = ["[red]Good morning[/red].", "두 번째 문장입니다.", "The end :smile:."]
        segment = transcript_pb2.Segment(
            index=number,
            start=to_duration(60.0 * number),
            end=to_duration(60.0 * number + 5),
            text=texts[number],
            speaker=["S1", "S2", ""][number],
        )
        answer = library_pb2.GetTranscriptResponse(
            segments=[segment],
            etag="e1",
            language="en",
            next_page_token=str(number + 1) if number < 2 else "",
            speakers=[
                library_pb2.RecordingSpeaker(label="S1", name="김민지", voice_id="v", voice_similarity=0.75),
                library_pb2.RecordingSpeaker(label="S2"),
            ],
        )
        if request.include_removed_text and not number:
            answer.removed.add(
                segment=transcript_pb2.Segment(
                    start=to_duration(30.0), end=to_duration(31.0), text="Thank you."
                ),
                reason=stt_pb2.REMOVAL_REASON_NO_SPEECH,
                detail="the sound is a steady hum",
            )
        return answer

    async def EditTranscript(self, request, context):
        self.library.record(request)
        revision = library_pb2.TranscriptRevision(revision=2, author="anna", summary="1 word", etag="e2")
        return library_pb2.EditTranscriptResponse(
            revision=revision,
            segment_count=3,
            replaced_counts=[
                int(edit.find_and_replace.find == "morning")
                for edit in request.edits
                if edit.HasField("find_and_replace")
            ],
        )

    async def ListTranscriptRevisions(self, request, context):
        self.library.record(request)
        # Pages of two, whatever was asked for: a server may give less.
        first = int(request.page_token or 0)
        return library_pb2.ListTranscriptRevisionsResponse(
            revisions=self.library.revisions[first : first + 2],
            next_page_token=str(first + 2) if first + 2 < len(self.library.revisions) else "",
        )

    async def RevertTranscript(self, request, context):
        self.library.record(request)
        summary = f"back to revision {request.revision}"
        return library_pb2.RevertTranscriptResponse(
            revision=library_pb2.TranscriptRevision(revision=9, summary=summary)
        )

    async def GetMinutes(self, request, context):
        self.library.record(request)
        self._get(request.recording_id)
        evidence = minutes_pb2.Evidence(
            segment_index=1, start=to_duration(60), end=to_duration(65), quote="두 번째 문장입니다."
        )
        return library_pb2.GetMinutesResponse(
            stale=self.library.minutes_are_stale,
            minutes=minutes_pb2.Minutes(
                language="en",
                overview="They met.",
                sections=[
                    minutes_pb2.MinutesSection(
                        kind=3, items=[minutes_pb2.MinutesItem(text="Go [ahead].", evidence=[evidence])]
                    )
                ],
            ),
        )

    async def Export(self, request, context) -> AsyncIterator[library_pb2.ExportResponse]:
        self.library.record(request)
        self._get(request.recording_id)
        content = f"format {request.format}: 회의".encode()
        # Cut inside a character.
        yield library_pb2.ExportResponse(chunk=content[:-1])
        yield library_pb2.ExportResponse(chunk=content[-1:])

    async def DownloadArtifact(self, request, context) -> AsyncIterator[library_pb2.DownloadArtifactResponse]:
        self.library.record(request)
        recording = self._get(request.recording_id)
        content = b"bytes of " + library_pb2.ArtifactKind.Name(request.kind).encode()
        info = library_pb2.ArtifactInfo(
            file_name=recording.file_name,
            media_type="audio/mpeg",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        yield library_pb2.DownloadArtifactResponse(info=info)
        yield library_pb2.DownloadArtifactResponse(chunk=content[:5])
        yield library_pb2.DownloadArtifactResponse(chunk=self.library.changed_on_the_way or content[5:])


class Search(search_pb2_grpc.SearchServiceServicer):
    def __init__(self, library: Library) -> None:
        self.library = library

    async def Search(self, request, context):
        self.library.record(request)
        if request.query == "nothing":
            return search_pb2.SearchResponse()
        recording = next(iter(self.library.recordings.values()))
        return search_pb2.SearchResponse(
            hits=[
                search_pb2.SearchHit(
                    recording_id=recording.id,
                    recording_title=recording.title,
                    start=to_duration(10),
                    end=to_duration(20),
                    text="The whole passage about money.",
                    snippet="about [money]",
                    highlights=[] if request.query == "costs" else [search_pb2.TextRange(start=7, end=12)],
                    snippet_start=to_duration(12.5),
                    score=0.75,
                    recorded_at=recording.recorded_at,
                )
            ]
        )

    async def FindSimilar(self, request, context):
        self.library.record(request)
        return search_pb2.FindSimilarResponse(
            recordings=[
                search_pb2.SimilarRecording(recording=recording, similarity=0.75)
                for recording in self.library.recordings.values()
                if recording.id != request.recording_id
            ]
        )

    async def Ask(self, request, context) -> AsyncIterator[search_pb2.AskResponse]:
        self.library.record(request)
        if "nobody knows" in request.question:
            yield search_pb2.AskResponse(sources=search_pb2.AskSources(standalone_question="?"))
            yield search_pb2.AskResponse(result=search_pb2.AskResult(found=False))
            return
        recording = next(iter(self.library.recordings.values()))
        texts = ("The venue costs 400. Anna pays.", "Anna pays for the [venue].")
        sources = [
            search_pb2.SearchHit(recording_id=recording.id, recording_title=recording.title, text=text)
            for text in texts
        ]
        sources[0].recorded_at.CopyFrom(recording.recorded_at)
        sources[1].page = 7
        yield search_pb2.AskResponse(
            sources=search_pb2.AskSources(standalone_question="Who pays for it?", sources=sources)
        )
        yield search_pb2.AskResponse(delta="Anna pays, I think.")
        places = [(1, 0, 26, 0), (0, 21, 31, 62.5)]
        citations = [
            search_pb2.AskCitation(
                source_index=source,
                range=search_pb2.TextRange(start=start, end=end),
                start=to_duration(seconds),
            )
            for source, start, end, seconds in places
        ]
        for text, cited in (("Anna pays.", citations), ("It costs [400].", citations[1:])):
            yield search_pb2.AskResponse(sentence=search_pb2.AskSentence(text=text, citations=cited))
        yield search_pb2.AskResponse(result=search_pb2.AskResult(found=True, model="m"))


class Voices(voice_pb2_grpc.VoiceServiceServicer):
    def __init__(self, library: Library) -> None:
        self.library = library

    async def RememberVoice(self, request, context):
        self.library.record(request)
        voice = voice_pb2.Voice(
            id=request.request_id,
            name=request.name,
            created_at=to_timestamp(RECORDED),
            recording_id=request.recording_id,
        )
        self.library.voices.append(voice)
        return voice_pb2.RememberVoiceResponse(voice=voice)

    async def ListVoices(self, request, context):
        self.library.record(request)
        return voice_pb2.ListVoicesResponse(voices=self.library.voices)

    async def DeleteVoice(self, request, context):
        self.library.record(request)
        self.library.voices = [voice for voice in self.library.voices if voice.id != request.voice_id]
        return voice_pb2.DeleteVoiceResponse()


class GatewayService:
    names = (
        "recordroute.gateway.v1.UploadService",
        "recordroute.gateway.v1.LibraryService",
        "recordroute.gateway.v1.WorkflowService",
        "recordroute.gateway.v1.SearchService",
        "recordroute.gateway.v1.VoiceService",
    )

    def __init__(self, library: Library) -> None:
        self.library = library

    def register(self, server: grpc.aio.Server) -> None:
        upload_pb2_grpc.add_UploadServiceServicer_to_server(Uploads(self.library), server)
        library_pb2_grpc.add_LibraryServiceServicer_to_server(Recordings(self.library), server)
        workflow_pb2_grpc.add_WorkflowServiceServicer_to_server(Workflows(self.library), server)
        search_pb2_grpc.add_SearchServiceServicer_to_server(Search(self.library), server)
        voice_pb2_grpc.add_VoiceServiceServicer_to_server(Voices(self.library), server)
        for add in self.library.more:
            add(server)

    async def load(self) -> None:
        return None

    async def close(self) -> None:
        return None


class GatewayFixture:
    """A gateway in a thread with its own event loop; it can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.library = Library()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: RunningServer | None = None
        self.port = 0

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        future: Future[Result] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        async def start() -> RunningServer:
            settings = ServerSettings(listen=f"127.0.0.1:{self.port}", drain_grace_seconds=0.0)
            server = RunningServer(GatewayService(self.library), settings)
            await server.start()
            await server.loaded()
            return server

        self._server = self._do(start())
        self.port = self._server.port

    def stop(self) -> None:
        if self._server is not None:
            self._do(self._server.stop())
            self._server = None

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the library of whoever runs it."""
    monkeypatch.setenv("RECORDROUTE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    monkeypatch.delenv("RECORDROUTE_GATEWAY", raising=False)
    monkeypatch.delenv("RECORDROUTE_CONFIG", raising=False)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayFixture]:
    fixture = GatewayFixture()
    # The server's log would come out between the lines of the command that is tested.
    with capture_logs():
        fixture.start()
        monkeypatch.setenv("RECORDROUTE_GATEWAY", fixture.address)
        yield fixture
        fixture.close()


@pytest.fixture
def library(gateway: GatewayFixture) -> Library:
    return gateway.library


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command line in this process."""

    def cli(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        captured = capfd.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return cli


GatewayProcess = Callable[[Path, str, Mapping[str, str]], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def gateway_process() -> GatewayProcess:
    """Runs a real gateway in a process of its own: its log in a folder, from when it serves at an address."""

    @contextmanager
    def gateway_process(folder: Path, address: str, variables: Mapping[str, str]) -> Iterator[None]:
        environment = {**os.environ, "RECORDROUTE_GATEWAY_DRAIN_GRACE_SECONDS": "0", **variables}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "recordroute_gateway"], env=environment, stdout=log, stderr=log
            )
            try:
                deadline = time.monotonic() + START_SECONDS
                while not serving(address):
                    assert process.poll() is None, (folder / "log").read_text()
                    assert time.monotonic() < deadline, (folder / "log").read_text()
                    time.sleep(0.1)
                yield
            finally:
                process.terminate()
                process.wait()

    return gateway_process


@pytest.fixture
def children() -> Path:
    """Folder of the small programs that tests start."""
    return Path(__file__).parent / "children"
