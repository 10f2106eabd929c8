"""Puts the gateway together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import grpc.aio
import structlog
from recordroute.gateway.v1 import (
    identity_pb2_grpc,
    library_pb2_grpc,
    live_pb2_grpc,
    model_pb2_grpc,
    search_pb2_grpc,
    system_pb2_grpc,
    template_pb2_grpc,
    vocabulary_pb2_grpc,
    voice_pb2_grpc,
    watch_pb2_grpc,
    webhook_pb2_grpc,
    workflow_pb2_grpc,
)
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import UpstreamUnavailable
from recordroute_runtime.server import remove_stale_socket
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.tls import peer_tls
from sqlalchemy.exc import DBAPIError

from recordroute_gateway.answer_keeper import AnswerKeeper
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.clients.health import HealthClient
from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.clients.models import ModelsClient
from recordroute_gateway.clients.search import SearchClient
from recordroute_gateway.clients.stt import SttClient
from recordroute_gateway.clients.stt_live import LiveSttClient
from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.database import Database, library_url, workflow_url
from recordroute_gateway.http.actions import Actions
from recordroute_gateway.http.edge import HttpEdge
from recordroute_gateway.identity.audit import AuditLog
from recordroute_gateway.identity.caller import LOCAL_USER
from recordroute_gateway.identity.keys import KeyStore
from recordroute_gateway.identity.rules import piece_methods
from recordroute_gateway.identity.setup import make_authenticator, make_limits
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.index_keeper import IndexKeeper
from recordroute_gateway.library.answer_tasks import AnswerTaskStore
from recordroute_gateway.library.archive_export import LibraryExporter
from recordroute_gateway.library.archive_import import LibraryImporter
from recordroute_gateway.library.backup import Backups
from recordroute_gateway.library.bin import Bin
from recordroute_gateway.library.changes import trim_changes
from recordroute_gateway.library.chunk_store import make_chunk_store
from recordroute_gateway.library.chunked_uploads import ChunkedUploads
from recordroute_gateway.library.edits import RecordingEditor
from recordroute_gateway.library.index_tasks import IndexTaskStore
from recordroute_gateway.library.intake import Intake
from recordroute_gateway.library.minutes_edits import MinutesEditor
from recordroute_gateway.library.requests import forget_requests
from recordroute_gateway.library.revisions import RevisionStore
from recordroute_gateway.library.search_scopes import ScopeStore
from recordroute_gateway.library.sharing import ShareStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.templates import TemplateStore
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.library.voices import VoiceStore
from recordroute_gateway.library.watch_folder import WatchFolder
from recordroute_gateway.library.waveform import WaveformStore
from recordroute_gateway.live.sessions import LiveLimits, LiveSessions
from recordroute_gateway.live.store import LiveStore
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.command import ModelCommand
from recordroute_gateway.models.pulls import Pulls
from recordroute_gateway.removal import Removal
from recordroute_gateway.servicers.access import AccessInterceptor
from recordroute_gateway.servicers.identity import IdentityServicer
from recordroute_gateway.servicers.library import LibraryServicer
from recordroute_gateway.servicers.library_parts import LibraryParts
from recordroute_gateway.servicers.live import LiveServicer
from recordroute_gateway.servicers.models import ModelServicer
from recordroute_gateway.servicers.search import SearchServicer
from recordroute_gateway.servicers.system import SystemServicer
from recordroute_gateway.servicers.template import TemplateServicer
from recordroute_gateway.servicers.upload import UploadServicer, add_upload_servicer
from recordroute_gateway.servicers.vocabulary import VocabularyServicer
from recordroute_gateway.servicers.voice import VoiceServicer
from recordroute_gateway.servicers.watch import WatchServicer
from recordroute_gateway.servicers.webhook import WebhookServicer
from recordroute_gateway.servicers.workflow import WorkflowServicer
from recordroute_gateway.settings import GatewaySettings, live_dir
from recordroute_gateway.sweeper import Job, Sweeper
from recordroute_gateway.webhooks.sender import WebhookSender
from recordroute_gateway.webhooks.store import WebhookStore
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.outlook import Forecaster
from recordroute_gateway.workflow.records import Options, Stage
from recordroute_gateway.workflow.stages import Stages
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_gateway.workflow.timings import Timings

log = structlog.get_logger(__name__)

# Asking again changes nothing, so an address that does not answer is no reason to fail.
IDEMPOTENT = (
    "recordroute.llm.v1.LlmService/Title",
    "recordroute.llm.v1.LlmService/ForgetAnswers",
    "recordroute.llm.v1.LlmService/ListTemplates",
    "recordroute.llm.v1.LlmService/CheckTemplate",
    "recordroute.vector.v1.EmbeddingService/SplitPassages",
    "recordroute.vector.v1.EmbeddingService/Embed",
    "recordroute.vector.v1.IndexService/Delete",
    "recordroute.vector.v1.IndexService/Search",
    "recordroute.vector.v1.IndexService/FindSimilar",
)


# How soon a label reaches the index after the vector service was away.
INDEX_TASK_SECONDS = 2.0
# Longer than any client that comes back has been away.
CHANGES_KEPT = timedelta(days=7)
REQUESTS_KEPT = timedelta(days=7)


class GatewayService:
    """The gateway as a `recordroute_runtime.server.Service`."""

    names = (
        "recordroute.gateway.v1.IdentityService",
        "recordroute.gateway.v1.UploadService",
        "recordroute.gateway.v1.LibraryService",
        "recordroute.gateway.v1.WorkflowService",
        "recordroute.gateway.v1.WatchService",
        "recordroute.gateway.v1.SearchService",
        "recordroute.gateway.v1.TemplateService",
        "recordroute.gateway.v1.VocabularyService",
        "recordroute.gateway.v1.VoiceService",
        "recordroute.gateway.v1.WebhookService",
        "recordroute.gateway.v1.SystemService",
        "recordroute.gateway.v1.LiveService",
        "recordroute.gateway.v1.ModelService",
    )

    def __init__(self, settings: GatewaySettings, common: CommonSettings) -> None:
        common.data_dir.mkdir(parents=True, exist_ok=True)
        tls = peer_tls(common)
        self._channels = [
            open_channel(target, idempotent=IDEMPOTENT, tls=tls)
            for target in (settings.stt_target, settings.llm_target, settings.vector_target)
        ]
        stt, llm, vector = self._channels
        self._database = Database(library_url(settings, common))
        self._keys = KeyStore(self._database)
        self._audit = AuditLog(self._database)
        self._launched = False
        self.quiet_methods = piece_methods()
        call_limits = make_limits(settings)
        self.interceptors = (
            AccessInterceptor(
                make_authenticator(settings, common, self._keys),
                call_limits,
                self._audit,
                is_ready=lambda: self._launched,
                trusted_proxies=settings.trusted_proxies,
            ),
        )
        self._local_listen = settings.local_listen
        self._blobs = BlobStore(common.data_dir, settings.blobs_url)
        self._models = ModelChoices(self._database)
        self._model_command = ModelCommand(settings.models_command)
        self._pulls = Pulls(self._model_command)
        self._vector = VectorClient(vector)
        self._search = SearchClient(vector)
        self._llm = LlmClient(llm)
        self._library = LibraryStore(self._database, self._blobs)
        self._voices = VoiceStore(self._database, allowed=settings.remember_voices)
        self._vocabulary = VocabularyStore(self._database)
        self._templates = TemplateStore(self._database)
        self._revisions = RevisionStore(self._database, self._library, self._vocabulary)
        self._workflows = WorkflowStore(self._database)
        self._timings = Timings(self._database)
        limits = {
            Stage.TRANSCRIBE: settings.transcribe_at_once,
            Stage.SUMMARISE: settings.summarise_at_once,
            Stage.EMBED: settings.embed_at_once,
            Stage.INDEX: settings.index_at_once,
        }
        self._engine = WorkflowEngine(
            self._workflows,
            self._library,
            Stages(
                self._library,
                self._voices,
                SttClient(stt),
                self._llm,
                self._vector,
                self._vocabulary,
                self._templates,
                self._models,
            ),
            database_url=workflow_url(settings, common),
            executor_id=settings.executor_id,
            limits=limits,
            patience_seconds=settings.upstream_patience_seconds,
            timings=self._timings,
        )
        self._forecaster = Forecaster(self._database, self._timings, self._engine.gates, limits)
        self._quota = StorageQuota(self._database, settings.max_storage_bytes_per_user)
        self._intake = Intake(
            self._database,
            self._library,
            self._quota,
            max_upload_bytes=settings.max_upload_bytes,
        )
        self._uploads = ChunkedUploads(
            self._database,
            make_chunk_store(common.data_dir, self._blobs),
            self._intake,
            expiry=timedelta(seconds=settings.upload_expiry_seconds),
            most_per_user=settings.max_open_uploads,
        )
        self._waveforms = WaveformStore(self._database, self._library)
        self._watch_folder = (
            WatchFolder(
                settings.watch_folder,
                LOCAL_USER,
                self._database,
                self._intake,
                self._start_default_workflow,
                poll_seconds=settings.watch_folder_poll_seconds,
                settle_seconds=settings.watch_folder_settle_seconds,
            )
            if settings.watch_folder is not None
            else None
        )
        self._http = (
            HttpEdge(
                settings, common.data_dir, self.names, self._models, Actions(call_limits, self._audit), tls
            )
            if settings.http_listen
            else None
        )
        self._live = LiveSessions(
            live_dir(common),
            LiveStore(self._database),
            self._library,
            self._start_workflow,
            LiveSttClient(stt, self._models),
            self._quota,
            self._vocabulary,
            LiveLimits(
                settings.live_idle_seconds,
                settings.live_max_seconds,
                settings.live_sessions_per_user,
                settings.live_sessions,
            ),
        )
        self._webhooks = WebhookStore(self._database)
        self._webhook_sender = WebhookSender(
            self._webhooks, private_addresses=settings.webhook_private_addresses
        )
        self._workflows.on_webhook_event = self._webhook_sender.wake
        self._backups = Backups(common.data_dir, is_local=self._database.is_local and self._blobs.is_local)
        self._files = common.data_dir if self._blobs.is_local else None
        self._bin = Bin(self._database, self._library, retention=timedelta(days=settings.bin_retention_days))
        self._answers = AnswerKeeper(AnswerTaskStore(self._database), self._llm)
        self._removal = Removal(self._bin, self._library, self._workflows, self._engine, self._answers)
        self._keeper = IndexKeeper(self._library, IndexTaskStore(self._database), self._vector)
        self._watch = WatchServicer(self._database, self._library, self._workflows, self._forecaster)
        self._sweeper = Sweeper(self._jobs(settings))

    def _jobs(self, settings: GatewaySettings) -> list[Job]:
        often, seldom = settings.sweep_seconds, 3600.0
        return [
            Job("index", INDEX_TASK_SECONDS, self._keeper.run_due),
            Job("bin", often, self._removal.purge_due),
            Job("answers", often, self._answers.run),
            Job("blobs", often, self._library.delete_all_orphans),
            Job("speakers", seldom, self._library.read_old_speakers),
            Job("changes", seldom, partial(trim_changes, self._database, older_than=CHANGES_KEPT)),
            Job("requests", seldom, partial(forget_requests, self._database, older_than=REQUESTS_KEPT)),
        ]

    def register(self, server: grpc.aio.Server) -> None:
        identity_pb2_grpc.add_IdentityServiceServicer_to_server(
            IdentityServicer(self._keys, self._audit, self._quota), server
        )
        add_upload_servicer(UploadServicer(self._intake, self._uploads), server)
        library_pb2_grpc.add_LibraryServiceServicer_to_server(
            LibraryServicer(
                LibraryParts(
                    database=self._database,
                    library=self._library,
                    workflows=self._workflows,
                    engine=self._engine,
                    vector=self._vector,
                    editor=RecordingEditor(self._database, self._library),
                    minutes=MinutesEditor(self._database, self._library),
                    bin=self._bin,
                    removal=self._removal,
                    keeper=self._keeper,
                    shares=ShareStore(self._database, self._library),
                    waveforms=self._waveforms,
                    revisions=self._revisions,
                    exporter=LibraryExporter(self._library, self._revisions, self._vocabulary),
                    importer=LibraryImporter(
                        self._database, self._library, self._vocabulary, self._quota, self._start_workflow
                    ),
                )
            ),
            server,
        )
        watch_pb2_grpc.add_WatchServiceServicer_to_server(self._watch, server)
        workflow_pb2_grpc.add_WorkflowServiceServicer_to_server(
            WorkflowServicer(
                self._library, self._workflows, self._engine, self._forecaster, self._templates, self._llm
            ),
            server,
        )
        search_pb2_grpc.add_SearchServiceServicer_to_server(
            SearchServicer(self._library, ScopeStore(self._database), self._search, self._llm, self._models),
            server,
        )
        vocabulary_pb2_grpc.add_VocabularyServiceServicer_to_server(
            VocabularyServicer(self._vocabulary), server
        )
        template_pb2_grpc.add_TemplateServiceServicer_to_server(
            TemplateServicer(self._templates, self._llm), server
        )
        voice_pb2_grpc.add_VoiceServiceServicer_to_server(VoiceServicer(self._library, self._voices), server)
        live_pb2_grpc.add_LiveServiceServicer_to_server(LiveServicer(self._live), server)
        webhook_pb2_grpc.add_WebhookServiceServicer_to_server(WebhookServicer(self._webhooks), server)
        model_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelServicer(self._model_command, self._pulls, self._models, ModelsClient(*self._channels)),
            server,
        )
        channels = dict(zip(("stt", "llm", "vector"), self._channels, strict=True))
        system_pb2_grpc.add_SystemServiceServicer_to_server(
            SystemServicer(
                HealthClient(channels, self._engine.holds_back),
                self._quota,
                self._workflows,
                self._backups,
                self._files,
            ),
            server,
        )
        if self._http is not None:
            self._http.attach(server)
        if self._local_listen:
            remove_stale_socket(self._local_listen)
            server.add_insecure_port(self._local_listen)

    async def load(self) -> None:
        if self._http is not None:
            # First: /readyz tells that the rest is not ready yet.
            await self._http.start()
        self._blobs.open()
        self._backups.clear()
        try:
            await self._database.migrate()
        except (OSError, DBAPIError) as error:
            if self._database.is_local:
                raise
            log.warning("database", error=str(error))
            raise UpstreamUnavailable("PostgreSQL") from error
        await self._timings.load()
        await self._engine.launch()
        await self._live.launch()
        self._uploads.start()
        self._webhook_sender.start()
        self._sweeper.start()
        if self._watch_folder is not None:
            self._watch_folder.start()
        self._launched = True

    async def drain(self) -> None:
        await self._watch.close()
        await self._pulls.close()
        await self._live.drain()

    async def close(self) -> None:
        if self._http is not None:
            await self._http.stop()
        if self._watch_folder is not None:
            await self._watch_folder.close()
        await self._watch.close()
        await self._pulls.close()
        await self._sweeper.close()
        await self._keeper.close()
        await self._answers.close()
        await self._webhook_sender.close()
        await self._uploads.close()
        await self._waveforms.close()
        await self._live.close()
        if self._launched:
            await self._engine.close()
        await self._audit.close()
        await self._database.close()
        for channel in self._channels:
            await channel.close()

    async def _start_workflow(self, owner: str, recording_id: str, request_id: str, options: Options) -> str:
        return (await self._engine.start(owner, recording_id, request_id, options)).id

    async def _start_default_workflow(self, owner: str, recording_id: str, request_id: str) -> str:
        return await self._start_workflow(owner, recording_id, request_id, Options())
