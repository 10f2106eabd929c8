"""SystemService on the wire."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from recordroute.gateway.v1 import system_pb2, system_pb2_grpc
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.clients.health import HealthClient
from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.backup import Backups
from recordroute_gateway.workflow.store import WorkflowStore


class SystemServicer(system_pb2_grpc.SystemServiceServicer):
    """`files` is where files are kept, None where that is elsewhere."""

    def __init__(
        self,
        health: HealthClient,
        quota: StorageQuota,
        workflows: WorkflowStore,
        backups: Backups,
        files: Path | None,
    ) -> None:
        self._health = health
        self._quota = quota
        self._workflows = workflows
        self._backups = backups
        self._files = files
        self._started_at = datetime.now(UTC)

    async def GetSystemStatus(
        self, request: system_pb2.GetSystemStatusRequest, context: Any
    ) -> system_pb2.GetSystemStatusResponse:
        services = await asyncio.gather(*(self._service(name) for name in self._health.names))
        queued, running = await self._workflows.counts()
        return system_pb2.GetSystemStatusResponse(
            version=version("recordroute-gateway"),
            started_at=to_timestamp(self._started_at),
            services=services,
            storage_bytes=await self._quota.used_bytes(current_caller().user),
            free_bytes=shutil.disk_usage(self._files).free if self._files else 0,
            queued_workflows=queued,
            running_workflows=running,
        )

    async def Backup(
        self, request: system_pb2.BackupRequest, context: Any
    ) -> AsyncIterator[system_pb2.BackupResponse]:
        async with aclosing(self._backups.stream()) as chunks:
            async for chunk in chunks:
                yield system_pb2.BackupResponse(chunk=chunk)

    async def _service(self, name: str) -> system_pb2.ServiceStatus:
        trouble = await self._health.trouble(name)
        if trouble is None:
            return system_pb2.ServiceStatus(name=name, ready=True)
        return system_pb2.ServiceStatus(name=name, reason=trouble.reason, message=trouble.message)
