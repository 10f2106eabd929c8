"""One session: takes chunks in any order, keeps them safe, and tells everybody who follows it what happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from recordroute_runtime.threads import outlasted

from recordroute_gateway.live.captions import Captioner, Recogniser
from recordroute_gateway.live.errors import session_ended, shutting_down
from recordroute_gateway.live.log import EventLog
from recordroute_gateway.live.records import (
    AudioSaved,
    Ended,
    LiveConfig,
    LiveEvent,
    SessionRow,
    SessionState,
    Warned,
)
from recordroute_gateway.live.reorder import Chunk, ReorderWindow
from recordroute_gateway.live.spool import Spool

log = structlog.get_logger(__name__)

# From the arrival of audio to its being safe from a loss of power: within a second, with the sync itself.
SYNC_SECONDS = 0.5
# How long the end of a session waits for its last captions.
LAST_CAPTIONS_SECONDS = 10.0


@dataclass(frozen=True)
class Progress:
    """Where the audio is: the next chunk that is wanted, what is safe on disk, and seconds without captions yet."""

    next_sequence: int
    saved_sequence: int
    buffered_seconds: float


class LiveSession:
    """A session that is open on this replica."""

    def __init__(
        self,
        row: SessionRow,
        captioned: LiveConfig,
        spool: Spool,
        events: EventLog,
        recogniser: Recogniser,
        threads: Executor,
    ) -> None:
        """`captioned` says how captions are made."""
        self.row = row
        self.events = events
        self._spool = spool
        self._threads = threads
        self._window = ReorderWindow()
        self._captioner = Captioner(captioned, spool, events, recogniser, threads)
        self._captions: asyncio.Task[None] | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._written = asyncio.Event()
        self._saved = 0
        self._lock = asyncio.Lock()
        self._away: Exception | None = None
        # Set when the client has sent its last chunk.
        self.finished = asyncio.Event()
        if spool.is_whole:
            self.finished.set()
        self.last_heard = time.monotonic()

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def spool_path(self) -> Path:
        return self._spool.path

    @property
    def seconds(self) -> float:
        """Audio that has come."""
        return self._spool.seconds

    @property
    def progress(self) -> Progress:
        return Progress(self._spool.count, self._saved, self._captioner.waiting_seconds)

    @property
    def takes_audio(self) -> bool:
        return self._away is None and not self.finished.is_set()

    def start(self) -> None:
        """Begins to keep the audio safe, and to caption it."""
        self._syncing = _in_own_context(self._keep_synced())
        self._captions = _in_own_context(self._captioner.run())
        if self._spool.count:
            self._written.set()

    async def push(self, sequence: int, audio: bytes, *, is_last: bool) -> Progress:
        """Takes a chunk; returns when it is written, or kept because others have to come first.

        Raises InvalidInput (AUDIO), AudioAhead, StorageFull, PreconditionFailed (SESSION_ENDED) and SessionAway.
        """
        async with self._lock:
            if self._away is not None:
                raise self._away
            count = self._spool.count
            if sequence < count:
                if is_last and sequence == count - 1:
                    self.finished.set()
                return self.progress
            if self.finished.is_set():
                raise session_ended(self.id, self.row.recording_id, self.row.workflow_id)
            self._spool.format.samples(audio)
            self._window.put(sequence, Chunk(audio, is_last), count)
            self.last_heard = time.monotonic()
            ready = self._window.ready(count)
            if ready:
                await self._write(count, ready)
            return self.progress

    def take_over(self) -> None:
        """A client goes on with the audio from the next chunk that is wanted: what waits is the earlier one's."""
        self._window.clear()
        self.last_heard = time.monotonic()

    def watch(self, after_sequence: int) -> AsyncGenerator[LiveEvent]:
        """Yields what happens; see EventLog.watch."""
        return self.events.watch(after_sequence)

    async def end_audio(self) -> None:
        """Takes no more audio, keeps what has come, chunks that wait for others included, and waits a while for the
        last captions. Raises StorageFull; it may then be called again."""
        self.finished.set()
        async with self._lock:
            waiting = self._window.waiting()
            if waiting:
                await self._write(self._spool.count, waiting)
                self._window.clear()
                self.events.add(
                    Warned("AUDIO_MISSING", "some audio never came; what came after it is kept all the same")
                )
        await _stop(self._syncing)
        self._saved = await self._in_thread(self._spool.sync)
        self.events.add(AudioSaved(self._saved))
        self._captioner.finish()
        if self._captions is not None:
            await asyncio.wait([self._captions], timeout=LAST_CAPTIONS_SECONDS)
            await _stop(self._captions)

    async def leave(self) -> None:
        """Lets go of the session as it is: the audio is safe on disk, and the next process finds it there."""
        self._away = shutting_down()
        self.events.close(self._away)
        async with self._lock:
            await _stop(self._captions)
            await _stop(self._syncing)
            try:
                await self._in_thread(self._spool.sync)
            finally:
                self._spool.close()

    def ended(self, recording_id: str, workflow_id: str) -> None:
        """Says that the session is a recording now, and closes its file."""
        self.row = replace(
            self.row,
            state=SessionState.ENDED,
            recording_id=recording_id,
            workflow_id=workflow_id,
            next_sequence=self._spool.count,
        )
        self.events.add(Ended(recording_id, workflow_id, self.row.end_reason, self._spool.count))
        self.events.close()
        self._spool.close()

    async def _write(self, first: int, chunks: list[Chunk]) -> None:
        work = partial(self._spool.append, is_whole=chunks[-1].is_last)
        try:
            await self._in_thread(work, first, [chunk.audio for chunk in chunks])
        finally:
            self._window.drop(self._spool.count)
            if self._spool.is_whole:
                self.finished.set()
            self._written.set()
            self._captioner.grown()

    async def _keep_synced(self) -> None:
        failing = False
        while True:
            await self._written.wait()
            self._written.clear()
            try:
                self._saved = await self._in_thread(self._spool.sync)
                failing = False
            except OSError as error:
                log.error("live audio not synced", session=self.id, error=str(error))
                if not failing:
                    self.events.add(Warned("NOT_SYNCED", "the disk fails: audio may be lost if the power is"))
                failing = True
                self._written.set()
            else:
                self.events.add(AudioSaved(self._saved))
            await asyncio.sleep(SYNC_SECONDS)

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:
        # A client that goes away meanwhile stops no thread: what it writes is there all the same.
        running = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        return await outlasted(running)


def _in_own_context(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    # Not the running call's: its deadline and trace end with it.
    task = asyncio.create_task(work, context=Context())
    task.add_done_callback(_log_failure)
    return task


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("live session task failed", exc_info=error)


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
