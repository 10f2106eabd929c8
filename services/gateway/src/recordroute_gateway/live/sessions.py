"""All live sessions of this replica: opened, found again, ended, and taken up after a restart.

A session's audio lies in a file of this replica's data folder, its row in the database. Whatever happens in between, a
row that is not ended and whose file is here is taken up by the next start: an open session waits for its client as long
as an idle one does, and one that was ending becomes a recording.
"""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from prometheus_client import Gauge
from recordroute_runtime.errors import Overloaded, StorageFull
from recordroute_runtime.threads import in_thread
from sqlalchemy.exc import DBAPIError

from recordroute_gateway.blobs import FULL
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.records import Bookmark
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.live.captions import Recogniser
from recordroute_gateway.live.errors import (
    SessionAway,
    TooMany,
    session_ended,
    session_not_found,
    shutting_down,
)
from recordroute_gateway.live.log import EventLog
from recordroute_gateway.live.recorder import Made, Recorder, StartWorkflow
from recordroute_gateway.live.records import LiveConfig, SessionRow, SessionState, Warned
from recordroute_gateway.live.session import LiveSession
from recordroute_gateway.live.spool import Spool
from recordroute_gateway.live.store import LiveStore

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

SESSIONS_OPEN = Gauge("recordroute_live_sessions", "Live sessions that are open.")
CHECK_SECONDS = 0.25
FIRST_RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 60.0
# How long an ended session answers its watchers with everything that they missed.
LINGER_SECONDS = 60.0
END_GRACE_SECONDS = 5.0
# How long its id is known after that.
REMEMBER = timedelta(days=30)
FORGET_EVERY_SECONDS = 3600.0
# Audio of other sessions, the database and the container of one that ends have to fit as well.
MIN_FREE_BYTES = 64 << 20
# As many as the contract allows.
MAX_HOTWORDS = 200
WRITERS = 8
# Long sessions that end at the same time are made into files one after another.
ENCODERS = 1


@dataclass(frozen=True)
class LiveLimits:
    """How long a session may do nothing, and go on, in seconds; how many one user may have open, and all together."""

    idle_seconds: float
    max_seconds: float
    per_user: int
    in_all: int


@dataclass(frozen=True)
class SessionStatus:
    """A session with where its audio is."""

    row: SessionRow
    next_sequence: int
    audio_seconds: float


class LiveSessions:
    """The sessions of this replica."""

    def __init__(
        self,
        folder: Path,
        store: LiveStore,
        library: LibraryStore,
        start_workflow: StartWorkflow,
        recogniser: Recogniser,
        quota: StorageQuota,
        vocabulary: VocabularyStore,
        limits: LiveLimits,
    ) -> None:
        self._folder = folder
        self._store = store
        self._recogniser = recogniser
        self._quota = quota
        self._vocabulary = vocabulary
        self._limits = limits
        self._threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="live")
        self._encoders = ThreadPoolExecutor(ENCODERS, thread_name_prefix="live-encode")
        self._recorder = Recorder(library, store, start_workflow, self._encoders)
        self._sessions: dict[str, LiveSession] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._ended_at: dict[str, float] = {}
        self._opening = asyncio.Lock()
        self._checks: asyncio.Task[None] | None = None
        self._away: SessionAway | None = SessionAway("NOT_READY", "the server is starting; try again")

    async def launch(self) -> None:
        """Takes up what an earlier process left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = {row.id: row for row in await self._store.unfinished()}
        for path in self._folder.iterdir():
            row = unfinished.get(path.stem)
            if row is None or path.suffix not in (".spool", ".events"):
                path.unlink()
        for row in unfinished.values():
            if self._spool_path(row.id).exists():
                log.info("live session taken up", session=row.id, state=row.state.value)
                await self._take_up(row)
        self._checks = asyncio.create_task(self._check())
        self._away = None

    async def open(self, owner: str, config: LiveConfig) -> LiveSession | SessionRow:
        """Opens a session; the same request id again returns that of the first time, its row where it has ended.

        Raises InvalidInput (AUDIO), TooMany (TOO_MANY_SESSIONS), Overloaded, StorageFull, QuotaExceeded, SessionAway.
        """
        config.format.check()
        # To its end, even if the client goes away: half a session would be in nobody's way and in nobody's hands.
        opening = asyncio.create_task(self._open(owner, config), context=Context())
        # A caller that has gone does not ask why it was refused.
        opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(opening)

    async def find(self, owner: str, session_id: str) -> LiveSession | SessionRow:
        """Returns an owner's session, its row where it has ended a while ago.

        Raises NotFound (SESSION_NOT_FOUND) and SessionAway.
        """
        session = self._sessions.get(session_id)
        if session is not None:
            if session.row.owner != owner:
                raise session_not_found(session_id)
            return session
        row = await self._store.find(session_id)
        if row is None or row.owner != owner:
            raise session_not_found(session_id)
        if row.state is SessionState.ENDED:
            return row
        if self._away is not None:
            raise self._away
        raise SessionAway("SESSION_ELSEWHERE", f"live session {session_id} is kept by another server")

    async def find_open(self, owner: str, session_id: str) -> LiveSession:
        """Returns an owner's session that has not ended, or not long ago.

        Raises also PreconditionFailed (SESSION_ENDED), with the recording's and the workflow's ids.
        """
        found = await self.find(owner, session_id)
        if isinstance(found, SessionRow):
            raise session_ended(session_id, found.recording_id, found.workflow_id)
        return found

    async def add_bookmark(
        self, owner: str, session_id: str, request_id: str, position: float | None, label: str
    ) -> Bookmark:
        """Marks a place in a session, by default the end of what has come.

        Raises NotFound, PreconditionFailed (SESSION_ENDED), TooMany and SessionAway.
        """
        session = await self.find_open(owner, session_id)
        if not session.takes_audio:
            raise session_ended(session_id, session.row.recording_id, session.row.workflow_id)
        bookmark = Bookmark(session.seconds if position is None else position, label)
        return await self._store.add_bookmark(session_id, request_id, bookmark)

    async def list_open(self, owner: str) -> list[SessionStatus]:
        """Returns an owner's open sessions, oldest first."""
        longest = timedelta(seconds=self._limits.max_seconds + self._limits.idle_seconds)
        rows = await self._store.list_open(owner, datetime.now(UTC) - longest)
        return [self.status(row) for row in rows]

    def status(self, row: SessionRow) -> SessionStatus:
        """Returns where a session is."""
        session = self._sessions.get(row.id)
        if session is None:
            return SessionStatus(row, row.next_sequence, row.audio_seconds)
        return SessionStatus(session.row, session.progress.next_sequence, session.seconds)

    async def drain(self) -> None:
        """Lets go of all sessions: those who follow them are sent away, everything is safe on disk, and the next
        process takes the sessions up."""
        self._away = shutting_down()
        if self._checks is not None:
            self._checks.cancel()
            await asyncio.wait([self._checks])
        async with self._opening:
            ending = list(self._ending.values())
            if ending:
                # Those that are about to become recordings mostly need less.
                await asyncio.wait(ending, timeout=END_GRACE_SECONDS)
            for task in ending:
                task.cancel()
            if ending:
                await asyncio.wait(ending)
            left = [session for session in self._sessions.values() if session.id not in self._ended_at]
            results = await asyncio.gather(*(session.leave() for session in left), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                log.error("live session not left cleanly", exc_info=result)
        self._sessions.clear()
        SESSIONS_OPEN.set(0)

    async def close(self) -> None:
        """Drains, if that has not been done, and ends the threads."""
        await self.drain()
        for threads in (self._threads, self._encoders):
            await in_thread(threads.shutdown)

    def _spool_path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.spool"

    async def _open(self, owner: str, config: LiveConfig) -> LiveSession | SessionRow:
        # One at a time: the limits hold, and the same request at once is one session.
        async with self._opening:
            if self._away is not None:
                raise self._away
            known = await self._store.find_request(owner, config.request_id)
            if known is not None:
                return await self.find(owner, known.id)
            self._check_limits(owner)
            await self._quota.check(owner, 1)
            # First the file, then the row: a file without a row is known for what it is.
            # What the client made itself, where nobody has it: a proxy that sends the calls of a session to one replica
            # knows it from the first call on.
            taken = await self._store.find(config.request_id) is not None
            session_id = str(uuid.uuid4()) if taken else config.request_id
            path = self._spool_path(session_id)
            with await self._in_thread(Spool, path, config.format):
                pass
            title = config.title or f"{datetime.now(UTC).astimezone():%Y-%m-%d %H:%M}"
            row = await self._store.create(session_id, owner, config, title)
            if row.id != session_id:
                # Another replica was faster.
                path.unlink()
                return await self.find(owner, row.id)
            return await self._take_up(row)

    def _check_limits(self, owner: str) -> None:
        if shutil.disk_usage(self._folder).free < MIN_FREE_BYTES:
            raise StorageFull(FULL)
        open_sessions = [session for session in self._sessions.values() if session.takes_audio]
        if len(open_sessions) >= self._limits.in_all:
            raise Overloaded("every live session is taken", retry_after=timedelta(seconds=10))
        if sum(session.row.owner == owner for session in open_sessions) >= self._limits.per_user:
            raise TooMany(
                "TOO_MANY_SESSIONS",
                f"a user has at most {self._limits.per_user} live sessions at once; end one of them",
                metadata={"limit": str(self._limits.per_user)},
                retry_after=timedelta(seconds=10),
            )

    async def _take_up(self, row: SessionRow) -> LiveSession:
        path = self._spool_path(row.id)
        spool: Spool = await self._in_thread(Spool, path, row.config.format)
        events = EventLog(path.with_suffix(".events"))
        captioned = await self._with_vocabulary(row)
        session = LiveSession(row, captioned, spool, events, self._recogniser, self._threads)
        self._sessions[row.id] = session
        session.start()
        if row.state is SessionState.ENDING:
            self._end(session, row.end_reason)
        SESSIONS_OPEN.set(len(self._sessions))
        return session

    async def _with_vocabulary(self, row: SessionRow) -> LiveConfig:
        """Returns the configuration of the captions: the owner's vocabulary comes after the hotwords."""
        options = row.config.options
        if options.skip_vocabulary:
            return row.config
        terms = await self._vocabulary.hotwords(row.owner, MAX_HOTWORDS)
        hotwords = tuple(dict.fromkeys((*options.hotwords, *terms)))[:MAX_HOTWORDS]
        return replace(row.config, options=replace(options, hotwords=hotwords))

    async def _check(self) -> None:
        """Ends what has to end: finished, idle and over-long sessions; forgets those that ended a while ago."""
        forgotten = 0.0
        while True:
            now = time.monotonic()
            for session in list(self._sessions.values()):
                if session.id in self._ended_at:
                    if now - self._ended_at[session.id] > LINGER_SECONDS:
                        del self._ended_at[session.id], self._sessions[session.id]
                        SESSIONS_OPEN.set(len(self._sessions))
                elif (
                    session.id not in self._ending
                    and (reason := self._reason_to_end(session, now)) is not None
                ):
                    self._end(session, reason)
            if not forgotten or now - forgotten > FORGET_EVERY_SECONDS:
                forgotten = now
                try:
                    await self._store.forget_ended(datetime.now(UTC) - REMEMBER)
                except (OSError, DBAPIError) as error:
                    log.warning("ended live sessions not forgotten", error=str(error))
            await asyncio.sleep(CHECK_SECONDS)

    def _reason_to_end(self, session: LiveSession, now: float) -> str | None:
        if session.finished.is_set():
            return ""
        age = (datetime.now(UTC) - session.row.created_at).total_seconds()
        if max(age, session.seconds) > self._limits.max_seconds:
            return "TOO_LONG"
        return "IDLE" if now - session.last_heard > self._limits.idle_seconds else None

    def _end(self, session: LiveSession, reason: str) -> None:
        task = asyncio.create_task(self._finish(session, reason), context=Context())
        self._ending[session.id] = task
        task.add_done_callback(lambda _: self._ending.pop(session.id, None))

    async def _finish(self, session: LiveSession, reason: str) -> None:
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._make_recording(session, reason)
            except StorageFull:
                if pause == FIRST_RETRY_SECONDS:
                    session.events.add(
                        Warned("RECORDING_DELAYED", "the disk is full; the session is kept until it has room")
                    )
                log.warning("live session waits for room on the disk", session=session.id)
            except Exception:
                # Nothing may lose what was recorded: it is tried again for as long as it takes.
                log.exception("live session not ended", session=session.id)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_RETRY_SECONDS)

    async def _make_recording(self, session: LiveSession, reason: str) -> None:
        session.row = await self._store.set_ending(session.id, reason)
        await session.end_audio()
        made = await self._recorder.make(session.row, session.spool_path, session.seconds)
        progress = session.progress
        await self._store.set_ended(
            session.id,
            next_sequence=progress.next_sequence,
            audio_seconds=session.seconds,
            recording_id=made.recording_id,
            workflow_id=made.workflow_id,
        )
        self._say_ended(session, made)

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _say_ended(self, session: LiveSession, made: Made) -> None:
        session.ended(made.recording_id, made.workflow_id)
        for path in (session.spool_path, session.events.path):
            path.unlink(missing_ok=True)
        self._ended_at[session.id] = time.monotonic()
