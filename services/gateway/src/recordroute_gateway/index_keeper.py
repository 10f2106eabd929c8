"""Brings the search index to what the library says: what is in the bin or gone leaves it; what has been restored or
labelled anew is written again, with the vectors that were kept; of an edited transcript what has changed is embedded
anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context

import grpc.aio
import structlog
from recordroute_runtime.errors import DomainError
from recordroute_runtime.remote import read_error

from recordroute_gateway.clients.vector import EmbeddedTranscript, VectorClient
from recordroute_gateway.library.index_tasks import IndexTask, IndexTaskStore
from recordroute_gateway.library.records import ArtifactKind
from recordroute_gateway.library.store import LibraryStore

log = structlog.get_logger(__name__)

# What a caller waits for at most: its change is kept, search hides what has to be hidden, and the rest goes on.
SETTLE_SECONDS = 3.0
AT_ONCE = 4
DUE_AT_ONCE = 100
# The vectors were made by another model than the index is of now.
OTHER_MODEL = ("MODEL_MISMATCH", "INDEX_MODEL_MISMATCH", "DIMENSION_MISMATCH")


async def _unwatched(_: float) -> None:
    return None


class IndexKeeper:
    """Does the index tasks: at once for those who wait, and again later where the vector service was away."""

    def __init__(self, library: LibraryStore, tasks: IndexTaskStore, vector: VectorClient) -> None:
        self._library = library
        self._tasks = tasks
        self._vector = vector
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        # Recordings that this process is at.
        self._busy: dict[str, asyncio.Event] = {}

    async def settle(self, recording_ids: Sequence[str]) -> None:
        """Does the recordings' tasks, and waits a moment for them to be done."""
        await asyncio.wait([self.begin(recording_ids)], timeout=SETTLE_SECONDS)

    def begin(self, recording_ids: Sequence[str]) -> asyncio.Task[None]:
        """Begins with the recordings' tasks."""
        # Not within the caller's deadline and trace: it goes on when the caller has been answered.
        running = asyncio.create_task(self._settle(list(recording_ids)), context=Context())
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running

    async def run_due(self) -> None:
        """Does the tasks whose time has come."""
        while tasks := await self._tasks.due(DUE_AT_ONCE):
            # Embedding may take longer than a claim holds.
            idle = [task for task in tasks if task.recording_id not in self._busy]
            if not all(await asyncio.gather(*map(self._do, idle))) or len(idle) < DUE_AT_ONCE:
                return

    async def close(self) -> None:
        """Stops; what was not done is done after the next start."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running))

    async def _settle(self, recording_ids: list[str]) -> None:
        for recording_id in recording_ids:
            task = await self._find_idle(recording_id)
            if task is not None and not await self._do(task):
                # The others would find the service away as well.
                return

    async def _find_idle(self, recording_id: str) -> IndexTask | None:
        """Returns a recording's task when nobody here is at it."""
        while True:
            while recording_id in self._busy:
                await self._busy[recording_id].wait()
            task = await self._tasks.find(recording_id)
            if recording_id not in self._busy:
                return task

    async def _do(self, task: IndexTask) -> bool:
        """Does a task; returns False where the service did not answer, and it is to be done later."""
        if task.recording_id in self._busy:
            return True
        self._busy[task.recording_id] = ended = asyncio.Event()
        try:
            return await self._do_alone(task)
        finally:
            del self._busy[task.recording_id]
            ended.set()

    async def _do_alone(self, task: IndexTask) -> bool:
        async with self._slots:
            if not await self._tasks.claim(task):
                return True
            try:
                await self._sync(task)
            except grpc.aio.AioRpcError as error:
                remote = read_error(error)
                log.warning(
                    "index is not up to date yet",
                    recording=task.recording_id,
                    reason=remote.reason or remote.code.name,
                    message=remote.message,
                )
                if remote.reason in OTHER_MODEL:
                    # The next time it is embedded anew.
                    stale = (ArtifactKind.EMBEDDINGS, ArtifactKind.INDEX)
                    await self._library.mark_stale(task.recording_id, stale)
                return False
            except DomainError as error:
                log.warning("recording went meanwhile", recording=task.recording_id, reason=error.reason)
            await self._tasks.done(task)
            return True

    async def _sync(self, task: IndexTask) -> None:
        recording = await self._library.find(task.recording_id)
        embeddings = recording.artifact(ArtifactKind.EMBEDDINGS) if recording is not None else None
        if recording is None or recording.deleted_at is not None or embeddings is None:
            await self._vector.delete(task.owner, task.recording_id)
            return
        data = await self._library.read_artifact(recording, ArtifactKind.EMBEDDINGS)
        transcript = recording.artifact(ArtifactKind.TRANSCRIPT)
        if embeddings.stale and transcript is not None:
            # The transcript was edited: what has not changed keeps its vectors.
            previous = EmbeddedTranscript(data, embeddings.model)
            made = await self._vector.embed(
                await self._library.transcript(recording), report=_unwatched, previous=previous
            )
            if made is None:
                await self._vector.delete(task.owner, task.recording_id)
                await self._library.drop_artifacts(
                    recording.id, (ArtifactKind.EMBEDDINGS, ArtifactKind.INDEX)
                )
                return
            data = made.data
            # Whose work it is stays: a workflow that runs goes on with what it finds.
            embeddings = await self._library.put_artifact(
                recording.id,
                ArtifactKind.EMBEDDINGS,
                data,
                model=made.model,
                workflow_id=embeddings.workflow_id,
                source=transcript,
            )
        await self._vector.upsert(recording, data, model=embeddings.model, report=_unwatched)
        await self._library.put_artifact(
            recording.id,
            ArtifactKind.INDEX,
            None,
            model=embeddings.model,
            workflow_id=embeddings.workflow_id,
            indexed_version=recording.version,
            source=embeddings,
        )
