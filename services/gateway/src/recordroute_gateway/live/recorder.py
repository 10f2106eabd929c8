"""Makes a recording of a session that has ended. Every step may be done again after a crash: the recording and its
workflow are found by the session's id, and what was half written is written anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from recordroute_runtime.errors import Conflict, DomainError

from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording, RecordingKind
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.live.container import media_type, suffix, write_container
from recordroute_gateway.live.records import SessionRow
from recordroute_gateway.live.store import LiveStore
from recordroute_gateway.workflow.records import Options

log = structlog.get_logger(__name__)

# Owner, recording, request id, options; returns the workflow's id.
StartWorkflow = Callable[[str, str, str, Options], Awaitable[str]]


@dataclass(frozen=True)
class Made:
    """What became of a session; ids are empty where there is none."""

    recording_id: str
    workflow_id: str


class Recorder:
    """Turns a session's file into a recording and starts its workflow."""

    def __init__(
        self, library: LibraryStore, store: LiveStore, start_workflow: StartWorkflow, threads: Executor
    ) -> None:
        self._library = library
        self._store = store
        self._start_workflow = start_workflow
        self._threads = threads

    async def make(self, row: SessionRow, spool: Path, seconds: float) -> Made:
        """Makes the recording of `seconds` of audio, or finds the one that was made before. Raises StorageFull."""
        if not seconds:
            return Made("", "")
        recording = await self._library.find_request(row.owner, row.id)
        if recording is None:
            recording = await self._create(row, spool, seconds)
        if row.config.skip_workflow:
            return Made(recording.id, "")
        try:
            workflow_id = await self._start_workflow(row.owner, recording.id, row.id, row.config.options)
        except Conflict as running:
            # Its owner was faster.
            workflow_id = running.metadata.get("workflow_id", "")
        except DomainError as error:
            # The recording is there, and somebody can start the work on it; trying again would change nothing.
            log.warning("workflow of a live session not started", session=row.id, reason=error.reason)
            workflow_id = ""
        return Made(recording.id, workflow_id)

    async def _create(self, row: SessionRow, spool: Path, seconds: float) -> Recording:
        target = spool.with_suffix(suffix(row.config.format))
        try:
            size, sha256 = await asyncio.get_running_loop().run_in_executor(
                self._threads, write_container, spool, row.config.format, target
            )
            return await self._add(row, target, size, sha256, seconds)
        finally:
            target.unlink(missing_ok=True)

    async def _add(self, row: SessionRow, path: Path, size: int, sha256: str, seconds: float) -> Recording:
        now = datetime.now(UTC)
        recording = Recording(
            # The session's own: of two that are made at once only one can be.
            id=row.id,
            owner=row.owner,
            title=row.title,
            file_name=f"live-{row.created_at:%Y%m%d-%H%M%S}{suffix(row.config.format)}",
            duration_seconds=seconds,
            language="",
            created_at=now,
            recorded_at=row.created_at,
            title_is_set=bool(row.config.title),
            folder=row.config.folder,
            tags=tuple(sorted(row.config.tags)),
            kind=RecordingKind.MEDIA,
            media_type=media_type(row.config.format),
            bookmarks=tuple(await self._store.bookmarks(row.id)),
        )
        media = Artifact(ArtifactKind.MEDIA, sha256, size, model="", workflow_id="", created_at=now)
        blobs = self._library.blobs
        if not blobs.is_local:
            # Sent before the transaction, which it would hold up.
            await blobs.adopt(path, sha256, keep=True)

        async def adopt() -> None:
            if blobs.is_local or not await blobs.exists(sha256):
                await blobs.adopt(path, sha256)

        return await self._library.create(recording, row.id, media, adopt=adopt)
