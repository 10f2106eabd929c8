"""Nobody sees or changes what is another's: every RPC and every HTTP route, as found in the contract.

Anna owns things. A stranger, somebody she shares one recording with to be read, and nobody at all call everything
with her ids. What comes back must not hold what they may not know, and nothing of hers may change.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import io
import json
import pkgutil
import re
import uuid
import zipfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import google_crc32c
import grpc
import grpc.aio
import httpx
import pytest
import pytest_asyncio
import recordroute.gateway.v1
from google.protobuf import field_mask_pb2, text_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message_factory import GetMessageClass
from recordroute.gateway.v1 import (
    identity_pb2,
    library_pb2,
    live_pb2,
    model_pb2,
    search_pb2,
    system_pb2,
    template_pb2,
    upload_pb2,
    vocabulary_pb2,
    voice_pb2,
    watch_pb2,
    webhook_pb2,
    workflow_pb2,
)
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, index_pb2, index_pb2_grpc
from recordroute_gateway.identity.authenticator import OPERATOR
from recordroute_gateway.identity.caller import Scope
from recordroute_gateway.identity.rules import RULES
from recordroute_gateway.library.artifact_json import minutes_bytes, transcript_bytes
from recordroute_gateway.library.records import (
    ArtifactKind,
    Minutes,
    Segment,
    Speaker,
    Transcript,
    Word,
)
from recordroute_gateway.service import GatewayService
from recordroute_gateway.settings import GatewaySettings
from recordroute_gateway.tables import metadata
from recordroute_gateway.workflow.records import Failure, Options, Stage, State
from recordroute_runtime.bearer import bearer
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings, ServerSettings
from sqlalchemy import select
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

# Words that stand in nothing but what they are named after.
MAIN, SECRET, BINNED, OWN = "mainmarkq", "secretmarkq", "binmarkq", "annamarkq"
# Somebody else whom Anna shares the same recording with.
FRIEND = f"{OWN} friend"
OK = grpc.StatusCode.OK
REFUSALS = ("NOT_FOUND", "PERMISSION_DENIED")
# They go on until their caller leaves.
ENDLESS = (
    "WatchService/WatchLibrary",
    "WorkflowService/WatchWorkflow",
    "LiveService/StreamingTranscribe",
    "LiveService/OpenLiveSession",
)
ENDLESS_SECONDS = 0.3
CALL_SECONDS = 60.0
# What says nothing of anything that is somebody's.
TELLS_NOTHING = ("SystemService/GetSystemStatus", "LibraryService/GetWaveform", "ModelService/ListModels")
# They answer for each recording by itself.
PER_ITEM = ("LibraryService/BulkEdit", "LibraryService/ImportLibrary", "WorkflowService/StartWorkflows")
# Rows that every call may add to or that count calls, and columns that the index keeper goes on with by itself.
NOT_COMPARED = ("audit_events", "change_clock", "alembic_version")
COLUMNS_COMPARED = {"index_tasks": ("recording_id", "owner")}
# A key's last use is noted.
COLUMNS_LEFT_OUT = {"api_keys": ("last_used_at",)}


def methods() -> dict[str, MethodDescriptor]:
    """Every RPC of every service in the gateway's package, by "Service/Method"."""
    found = {}
    for module in pkgutil.iter_modules(recordroute.gateway.v1.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"recordroute.gateway.v1.{module.name}")
            for service in file.DESCRIPTOR.services_by_name.values():
                found |= {f"{service.name}/{method.name}": method for method in service.methods}
    return found


METHODS = methods()


def scoped(*scopes: Scope) -> list[str]:
    """The RPCs that need one of the scopes."""
    return sorted(rpc for rpc, rule in RULES.items() if rule.scope in scopes)


@dataclass(frozen=True)
class Ids:
    """What a call names. Those of `Ids()` are nobody's."""

    main: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=lambda: str(uuid.uuid4()))
    binned: str = field(default_factory=lambda: str(uuid.uuid4()))
    main_workflow: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret_workflow: str = field(default_factory=lambda: str(uuid.uuid4()))
    upload: str = field(default_factory=lambda: str(uuid.uuid4()))
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    voice: str = field(default_factory=lambda: str(uuid.uuid4()))
    webhook: str = field(default_factory=lambda: str(uuid.uuid4()))
    api_key: str = "rrk_0000000000000000"
    template: str = "nobodys"
    term: str = "Nobodysterm"
    etag: str = "nobodys-etag"
    minutes_etag: str = "nobodys-etag"
    # The user's file, and the hash of what it is uploading.
    media: bytes = b"# Nobody's document\n\nWith its own text.\n"
    media_name: str = "nobodys.md"

    @property
    def recordings(self) -> tuple[str, ...]:
        return (self.main, self.secret, self.binned)

    @property
    def workflows(self) -> tuple[str, ...]:
        return (self.main_workflow, self.secret_workflow)

    def words(self) -> set[str]:
        """What tells that something is there: ids that nobody can make up."""
        singles = (self.upload, self.session, self.voice, self.webhook, self.api_key)
        return {*self.recordings, *self.workflows, *singles}


def new() -> str:
    return str(uuid.uuid4())


Build = Callable[[Ids], Sequence[Sequence[Any]]]
BUILD: dict[str, Build] = {}


def each(rpc: str, make: Callable[[Any], Any], of: Callable[[Ids], Sequence[Any]]) -> None:
    """Adds the builder of a unary request: one call for each of `of`."""
    BUILD[rpc] = lambda ids: [[make(one)] for one in of(ids)]


def once(rpc: str, make: Callable[[Ids], Any]) -> None:
    BUILD[rpc] = lambda ids: [[make(ids)]]


def by_recording(rpc: str, request: type, **values: Any) -> None:
    fields = request.DESCRIPTOR.fields_by_name

    def make(recording_id: str) -> Any:
        own = {"request_id": new()} if "request_id" in fields else {}
        return request(recording_id=recording_id, **own, **values)

    each(f"{'LibraryService/' if '/' not in rpc else ''}{rpc}", make, lambda ids: ids.recordings)


def by_workflow(name: str, request: type) -> None:
    fields = request.DESCRIPTOR.fields_by_name

    def make(workflow_id: str) -> Any:
        return request(workflow_id=workflow_id, **({"request_id": new()} if "request_id" in fields else {}))

    each(f"WorkflowService/{name}", make, lambda ids: ids.workflows)


once("IdentityService/GetCaller", lambda ids: identity_pb2.GetCallerRequest())
BUILD["IdentityService/CreateApiKey"] = lambda ids: [
    [identity_pb2.CreateApiKeyRequest(request_id=new(), name="k", scopes=[1], user=user)]
    for user in ("anna", "local")
]
BUILD["IdentityService/ListApiKeys"] = lambda ids: [
    [identity_pb2.ListApiKeysRequest()],
    [identity_pb2.ListApiKeysRequest(all_users=True)],
]
once(
    "IdentityService/RevokeApiKey",
    lambda ids: identity_pb2.RevokeApiKeyRequest(request_id=new(), api_key_id=ids.api_key),
)
BUILD["IdentityService/ListAuditEvents"] = lambda ids: [
    [identity_pb2.ListAuditEventsRequest()],
    [identity_pb2.ListAuditEventsRequest(all_users=True)],
    *([identity_pb2.ListAuditEventsRequest(recording_id=recording)] for recording in ids.recordings),
]
by_recording("GetRecording", library_pb2.GetRecordingRequest)
BUILD["LibraryService/ListRecordings"] = lambda ids: [
    [library_pb2.ListRecordingsRequest()],
    [library_pb2.ListRecordingsRequest(in_bin=True)],
    *([library_pb2.ListRecordingsRequest(text=text)] for text in (MAIN, SECRET, OWN)),
    [library_pb2.ListRecordingsRequest(folder=OWN)],
]
once("LibraryService/ListFacets", lambda ids: library_pb2.ListFacetsRequest())
each(
    "LibraryService/UpdateRecording",
    lambda recording: library_pb2.UpdateRecordingRequest(
        request_id=new(),
        recording=library_pb2.Recording(id=recording, title="changed", tags=["changed"]),
        update_mask=field_mask_pb2.FieldMask(paths=["title", "tags"]),
    ),
    lambda ids: ids.recordings,
)
BUILD["LibraryService/DeleteRecording"] = lambda ids: [
    [library_pb2.DeleteRecordingRequest(request_id=new(), recording_id=recording, purge=purge)]
    for recording in ids.recordings
    for purge in (False, True)
]
by_recording("RestoreRecording", library_pb2.RestoreRecordingRequest)
BUILD["LibraryService/BulkEdit"] = lambda ids: [
    [library_pb2.BulkEditRequest(request_id=new(), recording_ids=ids.recordings, **{name: action})]
    for name, action in (
        ("labels", library_pb2.BulkLabels(add_tags=["changed"])),
        ("delete", library_pb2.BulkDelete()),
        ("delete", library_pb2.BulkDelete(purge=True)),
        ("restore", library_pb2.BulkRestore()),
    )
]
by_recording("GetTranscript", library_pb2.GetTranscriptRequest, include_removed_text=True)
BUILD["LibraryService/EditTranscript"] = lambda ids: [
    [
        library_pb2.EditTranscriptRequest(
            request_id=new(),
            recording_id=recording,
            etag=ids.etag,
            edits=[
                library_pb2.TranscriptEdit(
                    replace_text=library_pb2.ReplaceText(segment_index=0, start=0, end=1, text="X")
                )
            ],
        )
    ]
    for recording in ids.recordings
]
by_recording("ListTranscriptRevisions", library_pb2.ListTranscriptRevisionsRequest)
BUILD["LibraryService/RevertTranscript"] = lambda ids: [
    [library_pb2.RevertTranscriptRequest(request_id=new(), recording_id=recording, etag=ids.etag, revision=1)]
    for recording in ids.recordings
]
by_recording("GetMinutes", library_pb2.GetMinutesRequest)
BUILD["LibraryService/EditMinutes"] = lambda ids: [
    [
        library_pb2.EditMinutesRequest(
            request_id=new(),
            recording_id=recording,
            etag=ids.minutes_etag,
            edits=[library_pb2.MinutesEdit(overview="X")],
        )
    ]
    for recording in ids.recordings
]
by_recording("GetWaveform", library_pb2.GetWaveformRequest)
BUILD["LibraryService/DownloadArtifact"] = lambda ids: [
    [library_pb2.DownloadArtifactRequest(recording_id=recording, kind=kind)]
    for recording in ids.recordings
    for kind in (1, 2, 3)
]
BUILD["LibraryService/Export"] = lambda ids: [
    [library_pb2.ExportRequest(recording_id=recording, format=format_number)]
    for recording in ids.recordings
    for format_number in (1, 2, 3, 4, 5, 6)
]
BUILD["LibraryService/ExportLibrary"] = lambda ids: [
    [library_pb2.ExportLibraryRequest()],
    *([library_pb2.ExportLibraryRequest(recording_ids=[recording])] for recording in ids.recordings),
]
BUILD["LibraryService/ImportLibrary"] = lambda ids: [
    [
        library_pb2.ImportLibraryRequest(config=library_pb2.ImportConfig(request_id=new(), skip_index=True)),
        library_pb2.ImportLibraryRequest(chunk=archive(ids)),
    ]
]
by_recording("ShareRecording", library_pb2.ShareRecordingRequest, user="dora", access=2)
by_recording("UnshareRecording", library_pb2.UnshareRecordingRequest, user=FRIEND)
by_recording("ListShares", library_pb2.ListSharesRequest)
BUILD["LiveService/StreamingTranscribe"] = lambda ids: [
    [
        live_pb2.StreamingTranscribeRequest(resume=live_pb2.LiveResume(session_id=ids.session)),
        live_pb2.StreamingTranscribeRequest(audio=live_pb2.LiveAudio(sequence=1, audio=b"\0" * 3200)),
    ]
]
once(
    "LiveService/OpenLiveSession",
    lambda ids: live_pb2.OpenLiveSessionRequest(resume=live_pb2.LiveResume(session_id=ids.session)),
)
once(
    "LiveService/PushLiveAudio",
    lambda ids: live_pb2.PushLiveAudioRequest(
        session_id=ids.session, audio=live_pb2.LiveAudio(sequence=1, audio=b"\0" * 3200, end_of_audio=True)
    ),
)
once(
    "LiveService/AddLiveBookmark",
    lambda ids: live_pb2.AddLiveBookmarkRequest(request_id=new(), session_id=ids.session, label="b"),
)
once("LiveService/ListLiveSessions", lambda ids: live_pb2.ListLiveSessionsRequest())
once("ModelService/ListModels", lambda ids: model_pb2.ListModelsRequest())
once("ModelService/PullModel", lambda ids: model_pb2.PullModelRequest(request_id=new(), model_id="nobodys"))
once("ModelService/CancelPull", lambda ids: model_pb2.CancelPullRequest(request_id=new(), model_id="nobodys"))
once(
    "ModelService/RemoveModel",
    lambda ids: model_pb2.RemoveModelRequest(request_id=new(), model_id="nobodys"),
)
once(
    "ModelService/UseModel",
    lambda ids: model_pb2.UseModelRequest(request_id=new(), task=1, model_id="nobodys"),
)
BUILD["SearchService/Search"] = lambda ids: [
    [search_pb2.SearchRequest(query="what was said")],
    *([search_pb2.SearchRequest(query="what", recording_ids=[recording])] for recording in ids.recordings),
    [search_pb2.SearchRequest(query="what", folder=OWN)],
]
by_recording("SearchService/FindSimilar", search_pb2.FindSimilarRequest)
BUILD["SearchService/Ask"] = lambda ids: [
    [search_pb2.AskRequest(question="What was said?")],
    [search_pb2.AskRequest(question="What was said?", recording_ids=ids.recordings)],
]
once("SystemService/GetSystemStatus", lambda ids: system_pb2.GetSystemStatusRequest())
once("SystemService/Backup", lambda ids: system_pb2.BackupRequest())
once("TemplateService/ListTemplates", lambda ids: template_pb2.ListTemplatesRequest())
once(
    "TemplateService/PutTemplate",
    lambda ids: template_pb2.PutTemplateRequest(
        request_id=new(), name=ids.template, markdown="# Changed\n\n## Section\n"
    ),
)
once(
    "TemplateService/DeleteTemplate",
    lambda ids: template_pb2.DeleteTemplateRequest(request_id=new(), name=ids.template),
)
BUILD["UploadService/UploadRecording"] = lambda ids: [
    [
        upload_pb2.UploadRecordingRequest(
            config=upload_pb2.UploadConfig(
                request_id=new(),
                file_name=ids.media_name,
                size_bytes=len(ids.media),
                sha256=hashlib.sha256(ids.media).hexdigest(),
            )
        ),
        upload_pb2.UploadRecordingRequest(chunk=ids.media),
    ]
]
once(
    "UploadService/CreateUpload",
    lambda ids: upload_pb2.CreateUploadRequest(
        config=upload_pb2.UploadConfig(
            request_id=new(),
            file_name="f",
            size_bytes=len(ids.media),
            # Of what nobody else has uploaded either, as far as the caller can know.
            sha256=hashlib.sha256(ids.media + b"?").hexdigest(),
        )
    ),
)
once("UploadService/GetUpload", lambda ids: upload_pb2.GetUploadRequest(upload_id=ids.upload))
once(
    "UploadService/UploadChunk",
    lambda ids: upload_pb2.UploadChunkRequest(
        upload_id=ids.upload, offset=0, data=b"changed", crc32c=google_crc32c.value(b"changed")
    ),
)
once(
    "UploadService/CompleteUpload",
    lambda ids: upload_pb2.CompleteUploadRequest(upload_id=ids.upload, sha256="0" * 64),
)
once("UploadService/AbortUpload", lambda ids: upload_pb2.AbortUploadRequest(upload_id=ids.upload))
once("VocabularyService/ListTerms", lambda ids: vocabulary_pb2.ListTermsRequest())
once(
    "VocabularyService/AddTerms",
    lambda ids: vocabulary_pb2.AddTermsRequest(request_id=new(), texts=[f"Term {new()}"]),
)
once(
    "VocabularyService/RemoveTerms",
    lambda ids: vocabulary_pb2.RemoveTermsRequest(request_id=new(), texts=[ids.term]),
)
by_recording(
    "VoiceService/RememberVoice", voice_pb2.RememberVoiceRequest, speaker="S1", name="N", consent=True
)
once("VoiceService/ListVoices", lambda ids: voice_pb2.ListVoicesRequest())
once(
    "VoiceService/DeleteVoice",
    lambda ids: voice_pb2.DeleteVoiceRequest(request_id=new(), voice_id=ids.voice),
)
BUILD["WatchService/WatchLibrary"] = lambda ids: [
    [watch_pb2.WatchLibraryRequest()],
    [watch_pb2.WatchLibraryRequest(after_sequence=0)],
]
once(
    "WebhookService/CreateWebhook",
    lambda ids: webhook_pb2.CreateWebhookRequest(
        request_id=new(), url="https://192.0.2.1/new", events=[1, 2]
    ),
)
once("WebhookService/ListWebhooks", lambda ids: webhook_pb2.ListWebhooksRequest())
once(
    "WebhookService/DeleteWebhook",
    lambda ids: webhook_pb2.DeleteWebhookRequest(request_id=new(), webhook_id=ids.webhook),
)
by_recording("WorkflowService/StartWorkflow", workflow_pb2.StartWorkflowRequest)
by_workflow("GetWorkflow", workflow_pb2.GetWorkflowRequest)
BUILD["WorkflowService/ListWorkflows"] = lambda ids: [
    [workflow_pb2.ListWorkflowsRequest()],
    *([workflow_pb2.ListWorkflowsRequest(recording_id=recording)] for recording in ids.recordings),
]
by_workflow("CancelWorkflow", workflow_pb2.CancelWorkflowRequest)
by_workflow("RetryWorkflow", workflow_pb2.RetryWorkflowRequest)
by_workflow("WatchWorkflow", workflow_pb2.WatchWorkflowRequest)
once(
    "WorkflowService/StartWorkflows",
    lambda ids: workflow_pb2.StartWorkflowsRequest(request_id=new(), recording_ids=ids.recordings),
)


def archive(ids: Ids) -> bytes:
    """An archive that claims to hold a recording of that id."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("manifest.json", json.dumps({"version": 1, "recordings": [{"id": ids.main}]}))
    return buffer.getvalue()


class Index(index_pb2_grpc.IndexServiceServicer):
    """Finds everything of the owner that it is asked for, as the real one does."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, str]] = {}

    async def Search(self, request: Any, context: Any) -> Any:
        found = self.documents.get(request.owner, {})
        wanted = set(request.document_ids) or set(found)
        return index_pb2.SearchResponse(
            hits=[
                index_pb2.SearchHit(
                    document_id=document,
                    passage=embedding_pb2.Passage(text=text, start=Duration(), end=Duration(seconds=1)),
                    score=0.5,
                    snippet=text,
                )
                for document, text in found.items()
                if document in wanted
            ]
        )

    async def FindSimilar(self, request: Any, context: Any) -> Any:
        others = [each for each in self.documents.get(request.owner, {}) if each != request.document_id]
        return index_pb2.FindSimilarResponse(
            documents=[index_pb2.SimilarDocument(document_id=document, score=0.9) for document in others]
        )

    async def Delete(self, request: Any, context: Any) -> Any:
        return index_pb2.DeleteResponse()


class Llm(llm_pb2_grpc.LlmServiceServicer):
    async def ListTemplates(self, request: Any, context: Any) -> Any:
        return llm_pb2.ListTemplatesResponse()

    async def CheckTemplate(self, request: Any, context: Any) -> Any:
        return llm_pb2.CheckTemplateResponse(title="Title")

    async def Generate(self, request: Any, context: Any) -> AsyncIterator[Any]:
        result = llm_pb2.GenerateResult(finish_reason=llm_pb2.FINISH_REASON_STOP, model="l")
        yield llm_pb2.GenerateResponse(result=result)

    async def Answer(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield llm_pb2.AnswerResponse(result=llm_pb2.AnswerResult(found=False, model="l"))


class Upstream:
    """The services behind the gateway, but for speech: live sessions go on without captions."""

    names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.index = Index()

    def register(self, server: grpc.aio.Server) -> None:
        index_pb2_grpc.add_IndexServiceServicer_to_server(self.index, server)
        llm_pb2_grpc.add_LlmServiceServicer_to_server(Llm(), server)

    async def load(self) -> None:
        """It is ready."""

    async def close(self) -> None:
        """It holds nothing."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended, and everything that it told."""

    code: grpc.StatusCode
    reason: str
    told: str

    def __str__(self) -> str:
        return f"{self.code.name} {self.reason}"


class World:
    """A gateway with what Anna has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upstream = Upstream()
        self.ids = Ids()
        self.tokens: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        # The ids that each has named itself: its own log tells it of these.
        self.named: dict[str, set[str]] = defaultdict(set)
        self.media_sha256: set[str] = set()
        self.http = httpx.AsyncClient(trust_env=False, timeout=60, verify=False)
        self._seen: set[str] = set()

    async def start(self, data: Path) -> None:
        upstream = ServerSettings(listen=f"unix:{self.folder}/up.sock", drain_grace_seconds=0)
        self._upstream_server = RunningServer(self.upstream, upstream)
        await self._upstream_server.start()
        settings = GatewaySettings(
            auth="required",
            listen=f"unix:{self.folder}/gateway.sock",
            http_listen="127.0.0.1:0",
            stt_target=f"unix:{self.folder}/nobody.sock",
            llm_target=upstream.listen,
            vector_target=upstream.listen,
            remember_voices=True,
            webhook_private_addresses=True,
            calls_per_second=0,
            sweep_seconds=3600,
            live_idle_seconds=3600,
            drain_grace_seconds=0,
        )
        self.service = GatewayService(settings, CommonSettings(data_dir=self.folder / "data"))
        self._server = RunningServer(self.service, settings)
        await self._server.start()
        await self._server.loaded()
        self.channel = grpc.aio.insecure_channel(settings.listen)
        for user, scopes in (
            ("anna", (Scope.READ, Scope.WRITE)),
            ("stranger", (Scope.READ, Scope.WRITE)),
            ("reader", (Scope.READ, Scope.WRITE)),
        ):
            _, self.tokens[user] = await self.service._keys.create(OPERATOR, user, new(), "key", scopes, None)
        _, self.tokens["anna, to read"] = await self.service._keys.create(
            OPERATOR, "anna", new(), "key", (Scope.READ,), None
        )
        self.tokens |= {"nobody": "", "forger": "rrk_" + "0" * 16 + "." + "x" * 43}
        await self._fill(data)

    async def stop(self) -> None:
        await self.http.aclose()
        await self.channel.close()
        await self._server.stop()
        await self._upstream_server.stop()

    @property
    def url(self) -> str:
        edge = self.service._http
        assert edge is not None
        return f"http://127.0.0.1:{edge.port}"

    async def _fill(self, data: Path) -> None:
        media = (data / "jfk.flac").read_bytes()
        ids = replace(self.ids, media=media, media_name=f"{MAIN}.flac", template="board", term=OWN)
        main = await self._upload(ids)
        secret = await self._upload(replace(ids, media=f"# {SECRET}\n".encode(), media_name=f"{SECRET}.md"))
        binned = await self._upload(replace(ids, media=f"# {BINNED}\n".encode(), media_name=f"{BINNED}.md"))
        # Whoever uploads what Anna has uploaded may see that it has; these files nobody has.
        self.media_sha256 = {recording.sha256 for recording in (secret, binned)}
        library = self.service._library
        for recording, mark in ((main, MAIN), (secret, SECRET), (binned, BINNED)):
            words = tuple(Word(text, at, at + 0.5, 0.9) for text, at in ((f" {mark}", 0.0), (" said", 0.5)))
            transcript = Transcript(
                "en", 1.0, 1.0, "m", (Segment(0, 0.0, 1.0, f"{mark} said", "S1", words),),
                speakers=(Speaker("S1", 1.0, name=f"{mark} speaker"),),
            )  # fmt: skip
            minutes = Minutes("en", f"{mark} overview", "m", ())
            for kind, content in (
                (ArtifactKind.TRANSCRIPT, transcript_bytes(transcript)),
                (ArtifactKind.MINUTES, minutes_bytes(minutes)),
            ):
                await library.put_artifact(recording.id, kind, content, model="m", workflow_id="")
            await library.put_artifact(recording.id, ArtifactKind.INDEX, None, model="m", workflow_id="")
            self.upstream.index.documents.setdefault("anna", {})[recording.id] = f"{mark} passage"
            update = library_pb2.UpdateRecordingRequest(
                request_id=new(),
                recording=library_pb2.Recording(
                    id=recording.id,
                    title=f"{mark} title",
                    tags=[f"{mark} tag"],
                    folder=mark if mark == MAIN else OWN,
                    bookmarks=[library_pb2.Bookmark(position=Duration(), label=f"{mark} bookmark")],
                ),
                update_mask=field_mask_pb2.FieldMask(paths=["title", "tags", "folder", "bookmarks"]),
            )
            await self._ok("LibraryService/UpdateRecording", [update])
            await self.service._voices.keep(recording.id, {"S1": b"\0\0\x80?" * 192})
        workflows = {}
        for recording in (main, secret):
            made = await self.service._workflows.create("anna", recording.id, new(), Options())
            mark = MAIN if recording is main else SECRET
            failure = Failure("MEDIA_UNREADABLE", f"{mark} failure")
            store = self.service._workflows
            await store.record(made.id, Stage.TRANSCRIBE, State.FAILED, failure=failure)
            await store.record(made.id, None, State.FAILED, failure=failure)
            workflows[recording.id] = made.id
        for user in ("reader", FRIEND):
            share = library_pb2.ShareRecordingRequest(
                request_id=new(), recording_id=main.id, user=user, access=1
            )
            await self._ok("LibraryService/ShareRecording", [share])
        await self._ok(
            "LibraryService/DeleteRecording",
            [library_pb2.DeleteRecordingRequest(request_id=new(), recording_id=binned.id)],
        )
        term = vocabulary_pb2.AddTermsRequest(request_id=new(), texts=[OWN])
        await self._ok("VocabularyService/AddTerms", [term])
        template = template_pb2.PutTemplateRequest(request_id=new(), name="board", markdown=f"# {OWN}\n")
        await self._ok("TemplateService/PutTemplate", [template])
        config = upload_pb2.UploadConfig(request_id=new(), file_name=f"{OWN}.md", size_bytes=20)
        created = await self._ok(
            "UploadService/CreateUpload", [upload_pb2.CreateUploadRequest(config=config)]
        )
        chunk = OWN.encode()
        await self._ok(
            "UploadService/UploadChunk",
            [
                upload_pb2.UploadChunkRequest(
                    upload_id=created[0].upload.id, data=chunk, crc32c=google_crc32c.value(chunk)
                )
            ],
        )
        voice = await self._ok(
            "VoiceService/RememberVoice",
            [
                voice_pb2.RememberVoiceRequest(
                    request_id=new(), recording_id=main.id, speaker="S1", name=f"{OWN} voice", consent=True
                )
            ],
        )
        hook = webhook_pb2.CreateWebhookRequest(request_id=new(), url=f"https://192.0.2.1/{OWN}", events=[1])
        webhook = await self._ok("WebhookService/CreateWebhook", [hook])
        live = live_pb2.LiveConfig(
            request_id=new(), encoding=1, sample_rate_hertz=16000, title=f"{OWN} session", skip_workflow=True
        )
        opened = await self._ok("LiveService/OpenLiveSession", [live_pb2.OpenLiveSessionRequest(config=live)])
        session = opened[0].event.opened.id
        audio = live_pb2.LiveAudio(sequence=0, audio=b"\0" * 3200)
        await self._ok(
            "LiveService/PushLiveAudio", [live_pb2.PushLiveAudioRequest(session_id=session, audio=audio)]
        )
        await self._told_without_captions(session)
        # What is made when it is first read, and kept.
        await self._ok("LibraryService/GetWaveform", [library_pb2.GetWaveformRequest(recording_id=main.id)])
        (transcript_answer,) = await self._ok(
            "LibraryService/GetTranscript", [library_pb2.GetTranscriptRequest(recording_id=main.id)]
        )
        (minutes_answer,) = await self._ok(
            "LibraryService/GetMinutes", [library_pb2.GetMinutesRequest(recording_id=main.id)]
        )
        edit = replace(self.ids, main=main.id, etag=transcript_answer.etag)
        (edited,) = await self._ok(
            "LibraryService/EditTranscript", BUILD["LibraryService/EditTranscript"](edit)[0]
        )
        (caller,) = await self._ok("IdentityService/GetCaller", [identity_pb2.GetCallerRequest()])
        self.ids = Ids(
            main=main.id,
            secret=secret.id,
            binned=binned.id,
            main_workflow=workflows[main.id],
            secret_workflow=workflows[secret.id],
            upload=created[0].upload.id,
            session=session,
            voice=voice[0].voice.id,
            webhook=webhook[0].webhook.id,
            api_key=caller.api_key_id,
            template="board",
            term=OWN,
            etag=edited.revision.etag,
            minutes_etag=minutes_answer.etag,
            media=media,
            media_name="same.flac",
        )

    async def _told_without_captions(self, session: str) -> None:
        """Waits for the last event that a session without a speech service writes down by itself."""
        events = self.folder / "data" / "live" / f"{session}.events"
        async with asyncio.timeout(CALL_SECONDS):
            while not (events.exists() and b"CAPTIONS_INTERRUPTED" in events.read_bytes()):  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.02)

    async def _upload(self, ids: Ids) -> library_pb2.Recording:
        (call,) = BUILD["UploadService/UploadRecording"](ids)
        (answer,) = await self._ok("UploadService/UploadRecording", call)
        return answer.recording

    async def _ok(self, rpc: str, messages: Sequence[Any]) -> list[Any]:
        outcome, answers = await self._call(rpc, messages, self.tokens["anna"])
        assert outcome.code is OK, (rpc, outcome, outcome.told)
        return answers

    async def call(
        self, who: str, rpc: str, messages: Sequence[Any], seconds: float = ENDLESS_SECONDS
    ) -> Outcome:
        self.calls[who] += 1
        self.note(who, asked(messages))
        return (await self._call(rpc, messages, self.tokens[who], seconds))[0]

    def note(self, who: str, text: str) -> None:
        self.named[who] |= {word for word in self.ids.words() if word in text}

    async def _call(
        self, rpc: str, messages: Sequence[Any], token: str, seconds: float = ENDLESS_SECONDS
    ) -> tuple[Outcome, list[Any]]:
        """Calls; what is endless is listened to for so many seconds from its first answer on."""
        method = METHODS[rpc]
        response = GetMessageClass(method.output_type)
        name = "_".join(
            "stream" if s else "unary" for s in (method.client_streaming, method.server_streaming)
        )
        make = getattr(self.channel, name)(
            f"/recordroute.gateway.v1.{rpc}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        endless = rpc in ENDLESS
        request = _one_by_one(messages, endless) if method.client_streaming else messages[0]
        call = make(request, timeout=CALL_SECONDS, metadata=bearer(token))
        answers: list[Any] = []
        try:
            async with asyncio.timeout(None) as limit:
                if method.server_streaming:
                    async for answer in call:
                        answers.append(answer)
                        if endless and len(answers) == 1:
                            limit.reschedule(asyncio.get_running_loop().time() + seconds)
                else:
                    answers.append(await call)
            return Outcome(OK, "", _text(answers)), answers
        except TimeoutError:
            call.cancel()
            return Outcome(OK, "", _text(answers)), answers
        except grpc.aio.AioRpcError as error:
            told = f"{_text(answers)} {error.details()} {error.trailing_metadata()}"
            return Outcome(error.code(), read_error(error).reason, told), answers

    async def touched(self) -> list[str]:
        """Rows and files of Anna that were changed, taken away, or added since this was asked before."""
        before, self._seen = self._seen, await self._snapshot()
        words = {MAIN, SECRET, BINNED, OWN, "anna", *self.ids.words()}
        changed = {row for row in before ^ self._seen if any(word in row for word in words)}
        # The index keeper ends its tasks by itself; nobody else may give it any.
        changed -= {row for row in before - self._seen if row.startswith("index_tasks ")}
        gone = {row for row in before - self._seen if row.startswith(("blobs/", "live/", "uploads/"))}
        return sorted(changed | gone)

    async def _snapshot(self) -> set[str]:
        """Every row and every file, each as a text."""
        rows = set()
        async with self.service._database.read() as connection:
            for table in metadata.sorted_tables:
                if table.name in NOT_COMPARED:
                    continue
                names = COLUMNS_COMPARED.get(table.name, tuple(table.columns.keys()))
                names = [name for name in names if name not in COLUMNS_LEFT_OUT.get(table.name, ())]
                for row in await connection.execute(select(*(table.c[name] for name in names))):
                    rows.add(f"{table.name} {tuple(row)}")
        data = self.folder / "data"
        for path in sorted(data.rglob("*")):
            if path.is_file() and path.relative_to(data).parts[0] in ("blobs", "live", "uploads", "incoming"):
                content = path.read_bytes()
                rows.add(f"{path.relative_to(data)} {hashlib.sha256(content).hexdigest()}")
        return rows


async def _one_by_one(messages: Sequence[Any], endless: bool) -> AsyncIterator[Any]:
    for message in messages:
        yield message
    if endless:
        await asyncio.sleep(CALL_SECONDS * 2)


def _text(answers: Sequence[Any]) -> str:
    """Everything in the answers as text, what is packed in chunks included."""
    chunks = b"".join(getattr(answer, "chunk", b"") or b"" for answer in answers)
    text = " ".join(text_format.MessageToString(answer, as_utf8=True) for answer in answers)
    if zipfile.is_zipfile(io.BytesIO(chunks)):
        with zipfile.ZipFile(io.BytesIO(chunks)) as packed:
            text += " ".join(f"{name} {packed.read(name)!r}" for name in packed.namelist())
    return text + chunks.decode("utf-8", "replace")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, data: Path) -> AsyncIterator[World]:
    made = World(tmp_path_factory.mktemp("w"))
    try:
        await made.start(data)
        assert await made.touched()
        yield made
    finally:
        await made.stop()


def secrets_of(world: World, who: str) -> set[str]:
    """What must not be told to somebody."""
    words = {MAIN, SECRET, BINNED, OWN, "anna", *world.ids.words(), *world.media_sha256}
    if who == "reader":
        # What it may see is its business, and whose it is.
        words -= {MAIN, "anna", world.ids.main, world.ids.main_workflow}
    return words


def leaked(world: World, who: str, told: str, asked: str) -> set[str]:
    return {word for word in secrets_of(world, who) if word in told and word not in asked}


def known(world: World, who: str, rpc: str, messages: Sequence[Any]) -> str:
    """What somebody who calls may be told, as it has said it itself."""
    own = world.named[who] if rpc == "IdentityService/ListAuditEvents" else set()
    return " ".join((asked(messages), *own))


def asked(messages: Sequence[Any]) -> str:
    return " ".join(text_format.MessageToString(message, as_utf8=True) for message in messages)


def test_every_rpc_has_a_request_and_a_rule() -> None:
    assert set(BUILD) == set(METHODS)
    assert set(RULES) == set(METHODS)


# The others would change what strangers are to find.
@pytest.mark.parametrize("rpc", scoped(Scope.READ))
@pytest.mark.asyncio(loop_scope="module")
async def test_owner_sees_what_is_its_own(world: World, rpc: str) -> None:
    """What the others must not see is there to be seen."""
    # A slow machine is listened to for longer.
    for seconds in (ENDLESS_SECONDS, 5.0, 50.0):
        outcomes = [(await world.call("anna", rpc, call, seconds), call) for call in BUILD[rpc](world.ids)]
        assert any(outcome.code is OK for outcome, _ in outcomes), [str(outcome) for outcome, _ in outcomes]
        is_told = any(leaked(world, "stranger", outcome.told, asked(call)) for outcome, call in outcomes)
        if is_told or rpc not in ENDLESS:
            break
    assert is_told or rpc in TELLS_NOTHING
    # What is made when it is first read, and kept.
    await world.touched()


@pytest.mark.parametrize("rpc", sorted(METHODS))
@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_is_let_in(world: World, rpc: str) -> None:
    for who in ("nobody", "forger"):
        for call in BUILD[rpc](world.ids):
            outcome = await world.call(who, rpc, call)
            assert outcome.code is grpc.StatusCode.UNAUTHENTICATED, outcome
            assert not leaked(world, who, outcome.told, "")
    assert await world.touched() == []


@pytest.mark.parametrize("rpc", scoped(Scope.WRITE, Scope.ADMIN))
@pytest.mark.asyncio(loop_scope="module")
async def test_key_that_reads_changes_nothing(world: World, rpc: str) -> None:
    for call in BUILD[rpc](world.ids):
        outcome = await world.call("anna, to read", rpc, call)
        assert (outcome.code, outcome.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert await world.touched() == []


@pytest.mark.parametrize("rpc", sorted(METHODS))
@pytest.mark.asyncio(loop_scope="module")
async def test_stranger_can_not_tell_that_it_is_there(world: World, rpc: str) -> None:
    nowhere = Ids()
    for real, made_up in zip(BUILD[rpc](world.ids), BUILD[rpc](nowhere), strict=True):
        outcome = await world.call("stranger", rpc, real)
        assert not leaked(world, "stranger", outcome.told, known(world, "stranger", rpc, real)), outcome.told[
            :2000
        ]
        other = await world.call("stranger", rpc, made_up)
        assert str(outcome) == str(other), (
            "an id that is somebody's is refused in another way than one of nobody"
        )
        assert outcome.code.name not in ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED"), outcome
    assert await world.touched() == []


@pytest.mark.parametrize("rpc", sorted(METHODS))
@pytest.mark.asyncio(loop_scope="module")
async def test_reader_reads_what_is_shared_and_nothing_else(world: World, rpc: str) -> None:
    for call in BUILD[rpc](world.ids):
        outcome = await world.call("reader", rpc, call)
        text = asked(call)
        assert not leaked(world, "reader", outcome.told, known(world, "reader", rpc, call)), outcome.told[
            :2000
        ]
        assert outcome.code.name not in ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED"), outcome
        names_main = world.ids.main in text
        if names_main and RULES[rpc].scope is Scope.WRITE and rpc not in PER_ITEM:
            assert outcome.code.name in REFUSALS, outcome
        names_others = any(word in text for word in (world.ids.secret, world.ids.binned))
        if names_others and not names_main and outcome.code is OK:
            assert MAIN not in outcome.told
    assert await world.touched() == []


READABLE = (
    "GetRecording",
    "GetTranscript",
    "GetMinutes",
    "DownloadArtifact",
    "Export",
    "ListTranscriptRevisions",
)


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.asyncio(loop_scope="module")
async def test_reader_does_read(world: World, name: str) -> None:
    call = BUILD[f"LibraryService/{name}"](world.ids)[0]
    outcome = await world.call("reader", f"LibraryService/{name}", call)
    assert outcome.code is OK, outcome.told


# Routes that are for everybody: they tell nothing of anybody.
OPEN_ROUTES = {"GET /healthz", "GET /readyz", "DELETE /session"}
# What a session's cookie says is looked at when it is used.
UNCHECKED_TOKENS = {"POST /session"}
FORM = {"files": {"file": ("a.wav", b"RIFF", "audio/wav")}, "data": {"model": "whisper-1"}}


def route_requests(ids: Ids) -> dict[str, list[dict[str, Any]]]:
    """Requests for each route of the OpenAPI document: paths and what is sent with them."""

    def by_id(template: str, chosen: Sequence[str], **sent: Any) -> list[dict[str, Any]]:
        return [{"url": re.sub(r"\{\w+\}", one, template), **sent} for one in chosen]

    recordings, workflows = ids.recordings, ids.workflows
    return {
        "POST /upload": [
            {"url": "/upload", "params": {"file_name": "x.md"}, "content": f"# {new()}".encode(),
             "headers": {"content-type": "application/octet-stream"}},
        ],
        "POST /process": [{"url": "/process", "json": {"recording_id": one}} for one in recordings],
        "GET /history": [{"url": "/history"}, {"url": "/history", "params": {"text": SECRET}}],
        "GET /history/{recording_id}": by_id("/history/{x}", recordings),
        "GET /download/{recording_id}": [
            {"url": f"/download/{one}", "params": {"format": kind}}
            for one in recordings
            for kind in ("txt", "json", "srt")
        ],
        "GET /media/{recording_id}": by_id("/media/{x}", recordings),
        "GET /search": [{"url": "/search", "params": {"q": "what"}},
                        *({"url": "/search", "params": {"q": "what", "recording_id": one}} for one in recordings)],
        "GET /similar/{recording_id}": by_id("/similar/{x}", recordings),
        "GET /tasks": [{"url": "/tasks"}, *({"url": "/tasks", "params": {"recording_id": one}} for one in recordings)],
        "GET /tasks/{task_id}": by_id("/tasks/{x}", workflows),
        "POST /cancel": [{"url": "/cancel", "json": {"task_id": one}} for one in workflows],
        "GET /models": [{"url": "/models"}],
        "GET /v1/models": [{"url": "/v1/models"}],
        "GET /v1/models/{name}": [{"url": "/v1/models/whisper-1"}],
        "POST /v1/audio/transcriptions": [{"url": "/v1/audio/transcriptions", **FORM}],
        "POST /v1/audio/translations": [{"url": "/v1/audio/translations", **FORM}],
        "POST /v1/chat/completions": [
            {"url": "/v1/chat/completions", "json": {"model": "l", "messages": [{"role": "user", "content": "x"}]}}
        ],
        "POST /v1/embeddings": [{"url": "/v1/embeddings", "json": {"model": "m", "input": "x"}}],
        "POST /embed": [{"url": "/embed", "json": {"inputs": "x"}}],
        "POST /v1/rerank": [{"url": "/v1/rerank", "json": {"model": "m", "query": "q", "documents": ["d"]}}],
        "POST /v2/rerank": [{"url": "/v2/rerank", "json": {"model": "m", "query": "q", "documents": ["d"]}}],
        "POST /rerank": [{"url": "/rerank", "json": {"query": "q", "texts": ["d"]}}],
        "POST /session": [{"url": "/session"}],
        "DELETE /session": [{"url": "/session"}],
        "GET /healthz": [{"url": "/healthz"}],
        "GET /readyz": [{"url": "/readyz"}],
        "GET /metrics": [{"url": "/metrics"}],
    }  # fmt: skip


def headers_of(token: str) -> dict[str, str]:
    return dict(bearer(token))


async def http(world: World, who: str, route: str, request: dict[str, Any]) -> httpx.Response:
    world.calls[f"{who} by HTTP"] += 1
    world.note(who, str(request))
    sent = {**request, "headers": {**request.get("headers", {}), **headers_of(world.tokens[who])}}
    world.http.cookies.clear()
    return await world.http.request(route.partition(" ")[0], world.url + sent.pop("url"), **sent)


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_has_a_request(world: World) -> None:
    paths = (await world.http.get(f"{world.url}/openapi.json")).json()["paths"]
    found = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    assert found == set(route_requests(world.ids))


@pytest.mark.parametrize("route", sorted(route_requests(Ids())))
@pytest.mark.asyncio(loop_scope="module")
async def test_routes(world: World, route: str) -> None:
    """As nobody, as a forger, as a stranger with ids that are Anna's or nobody's, and as the reader."""
    for request in route_requests(world.ids)[route]:
        for who in ("nobody", "forger"):
            response = await http(world, who, route, request)
            if route not in OPEN_ROUTES and (who, route) not in {
                ("forger", each) for each in UNCHECKED_TOKENS
            }:
                assert response.status_code == 401, (who, response.text)
            assert not leaked(world, who, response.text, str(request))
    for real, made_up in zip(route_requests(world.ids)[route], route_requests(Ids())[route], strict=True):
        response = await http(world, "stranger", route, real)
        assert response.status_code != 500, response.text
        assert not leaked(world, "stranger", response.text, str(real))
        assert response.status_code == (await http(world, "stranger", route, made_up)).status_code
        response = await http(world, "reader", route, real)
        assert not leaked(world, "reader", response.text, str(real))
    assert await world.touched() == []


@pytest.mark.asyncio(loop_scope="module")
async def test_log_has_the_address_that_http_came_from_and_none_that_was_made_up(world: World) -> None:
    request = {
        "url": "/upload",
        "params": {"file_name": "x.md"},
        "content": f"# {new()}".encode(),
        "headers": {"content-type": "application/octet-stream", "x-forwarded-for": "192.0.2.66"},
    }
    response = await http(world, "stranger", "POST /upload", request)
    assert response.status_code == 201
    outcome = await world.call(
        "stranger",
        "IdentityService/ListAuditEvents",
        [identity_pb2.ListAuditEventsRequest(recording_id=response.json()["id"])],
    )
    assert 'action: "UploadService/UploadRecording"' in outcome.told
    assert 'peer: "127.0.0.1"' in outcome.told
    assert "192.0.2.66" not in outcome.told


@pytest.mark.asyncio(loop_scope="module")
async def test_events_over_the_websocket(world: World) -> None:
    async def first_event(who: str, task_id: str) -> dict[str, Any]:
        world.calls[f"{who} by HTTP"] += 1
        url = f"{world.url.replace('http', 'ws', 1)}/ws?task_id={task_id}"
        async with connect(url, additional_headers=headers_of(world.tokens[who]), proxy=None) as socket:
            return json.loads(await asyncio.wait_for(socket.recv(), 60))

    for who in ("nobody", "forger"):
        with pytest.raises(InvalidStatus):
            await first_event(who, world.ids.main_workflow)
    made_up = new()
    refused, unknown = [
        await first_event("stranger", task_id) for task_id in (world.ids.main_workflow, made_up)
    ]
    assert refused["type"] == "error"
    assert json.dumps(refused).replace(world.ids.main_workflow, made_up) == json.dumps(unknown)
    assert (await first_event("reader", world.ids.main_workflow))["type"] == "progress"
    assert (await first_event("reader", world.ids.secret_workflow))["type"] == "error"


@pytest.mark.asyncio(loop_scope="module")
async def test_size_of_the_matrix(world: World, record_property: Callable[[str, object], None]) -> None:
    record_property("rpcs", len(METHODS))
    record_property("routes", len(route_requests(world.ids)))
    for who, count in world.calls.items():
        record_property(who, count)
    print(f"\n{len(METHODS)} RPCs, {len(route_requests(world.ids))} routes, calls: {dict(world.calls)}")
