"""Puts the gateway together."""

from __future__ import annotations

import grpc.aio
import structlog
from recordroute.gateway.v1 import (
    library_pb2_grpc,
    search_pb2_grpc,
    upload_pb2_grpc,
    voice_pb2_grpc,
    workflow_pb2_grpc,
)
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import UpstreamUnavailable
from recordroute_runtime.settings import CommonSettings
from sqlalchemy.exc import DBAPIError

from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.clients.stt import SttClient
from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.database import Database, library_url, workflow_url
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.voices import VoiceStore
from recordroute_gateway.servicers.library import LibraryServicer
from recordroute_gateway.servicers.search import SearchServicer
from recordroute_gateway.servicers.upload import UploadServicer
from recordroute_gateway.servicers.voice import VoiceServicer
from recordroute_gateway.servicers.workflow import WorkflowServicer
from recordroute_gateway.settings import GatewaySettings
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.stages import Stages
from recordroute_gateway.workflow.store import WorkflowStore

log = structlog.get_logger(__name__)

# Asking again changes nothing, so an address that does not answer is no reason to fail.
IDEMPOTENT = (
    "recordroute.llm.v1.LlmService/Title",
    "recordroute.vector.v1.EmbeddingService/SplitPassages",
    "recordroute.vector.v1.EmbeddingService/Embed",
    "recordroute.vector.v1.IndexService/Delete",
    "recordroute.vector.v1.IndexService/Search",
)


class GatewayService:
    """The gateway as a `recordroute_runtime.server.Service`."""

    names = (
        "recordroute.gateway.v1.UploadService",
        "recordroute.gateway.v1.LibraryService",
        "recordroute.gateway.v1.WorkflowService",
        "recordroute.gateway.v1.SearchService",
        "recordroute.gateway.v1.VoiceService",
    )

    def __init__(self, settings: GatewaySettings, common: CommonSettings) -> None:
        common.data_dir.mkdir(parents=True, exist_ok=True)
        self._channels = [
            open_channel(target, idempotent=IDEMPOTENT)
            for target in (settings.stt_target, settings.llm_target, settings.vector_target)
        ]
        stt, llm, vector = self._channels
        self._database = Database(library_url(settings, common))
        self._blobs = BlobStore(common.data_dir, settings.blobs_url)
        self._vector = VectorClient(vector)
        self._library = LibraryStore(self._database, self._blobs)
        self._voices = VoiceStore(self._database, allowed=settings.remember_voices)
        self._workflows = WorkflowStore(self._database)
        self._engine = WorkflowEngine(
            self._workflows,
            self._library,
            Stages(self._library, self._voices, SttClient(stt), LlmClient(llm), self._vector),
            database_url=workflow_url(settings, common),
            executor_id=settings.executor_id,
            concurrent_workflows=settings.concurrent_workflows,
            patience_seconds=settings.upstream_patience_seconds,
        )
        self._max_upload_bytes = settings.max_upload_bytes
        self._launched = False

    def register(self, server: grpc.aio.Server) -> None:
        upload_pb2_grpc.add_UploadServiceServicer_to_server(
            UploadServicer(self._library, self._max_upload_bytes), server
        )
        library_pb2_grpc.add_LibraryServiceServicer_to_server(
            LibraryServicer(self._library, self._workflows, self._engine, self._vector), server
        )
        workflow_pb2_grpc.add_WorkflowServiceServicer_to_server(
            WorkflowServicer(self._library, self._workflows, self._engine), server
        )
        search_pb2_grpc.add_SearchServiceServicer_to_server(
            SearchServicer(self._library, self._vector), server
        )
        voice_pb2_grpc.add_VoiceServiceServicer_to_server(VoiceServicer(self._library, self._voices), server)

    async def load(self) -> None:
        self._blobs.open()
        try:
            await self._database.migrate()
        except (OSError, DBAPIError) as error:
            if self._database.is_local:
                raise
            log.warning("database", error=str(error))
            raise UpstreamUnavailable("PostgreSQL") from error
        await self._engine.launch()
        self._launched = True

    async def close(self) -> None:
        if self._launched:
            await self._engine.close()
        await self._database.close()
        for channel in self._channels:
            await channel.close()
