"""Takes in the files that appear in a folder, once each, also through restarts.

The folder is looked at from time to time, for its file system may be one that tells of no changes (NFS, SMB, what is
mounted into a container). A file counts as finished when it has kept its size and time from one look to a later one.
What was dealt with is remembered by path, size and time, and files are told apart by their bytes as everywhere in the
library: one that was moved, or is there already, makes no second recording.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from recordroute_runtime.errors import Conflict, DomainError, InvalidInput
from recordroute_runtime.threads import in_thread
from sqlalchemy import delete, insert, select

from recordroute_gateway.database import Database
from recordroute_gateway.library.intake import Intake, Upload
from recordroute_gateway.library.uploads import receive
from recordroute_gateway.tables import watched_files

log = structlog.get_logger(__name__)

READ_BYTES = 4 << 20
SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *(
            "3gp",
            "aac",
            "ac3",
            "aif",
            "aiff",
            "amr",
            "au",
            "avi",
            "caf",
            "flac",
            "flv",
            "m4a",
            "m4b",
            "m4v",
            "mka",
        ),
        *(
            "mkv",
            "mov",
            "mp2",
            "mp3",
            "mp4",
            "mpeg",
            "mpg",
            "mts",
            "oga",
            "ogg",
            "ogv",
            "opus",
            "ts",
            "vob",
            "wav",
        ),
        *("weba", "webm", "wma", "wmv", "wv"),
        *("markdown", "md", "pdf", "text", "txt"),
    )
)
# How long after an error that may pass a file is tried again; the pause doubles up to the second figure.
FIRST_RETRY_SECONDS = 30.0
LAST_RETRY_SECONDS = 3600.0
# Makes the same file's request the same through restarts.
_NAMESPACE = uuid.UUID("6a0a3a3e-7d43-4b5c-9a52-8d1f0f3c6b57")

# Owner, recording, request id.
StartWork = Callable[[str, str, str], Awaitable[object]]


class _Changed(Exception):
    """The file is still being written."""


@dataclass(frozen=True)
class _State:
    """A file as a look found it."""

    size_bytes: int
    modified_ns: int


@dataclass
class _Retry:
    not_before: float
    pause: float


class WatchFolder:
    """Watches one folder for one user."""

    def __init__(
        self,
        folder: Path,
        owner: str,
        database: Database,
        intake: Intake,
        start_work: StartWork,
        *,
        poll_seconds: float,
        settle_seconds: float,
    ) -> None:
        self._folder = folder
        self._owner = owner
        self._database = database
        self._intake = intake
        self._start_work = start_work
        self._poll_seconds = poll_seconds
        self._settle_seconds = settle_seconds
        self._growing: dict[str, tuple[_State, float]] = {}
        self._retries: dict[str, _Retry] = {}
        self._missing = False
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look."""
        log.info("watching", folder=str(self._folder))
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Ends; a file that is being taken in is taken in by the next start."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def look(self) -> None:
        """Takes in what is new and finished."""
        try:
            found = await in_thread(_scan, self._folder)
        except OSError as error:
            if not self._missing:
                log.warning("watched folder can't be read", folder=str(self._folder), error=str(error))
            self._missing = True
            return
        self._missing = False
        known = await self._known()
        now = time.monotonic()
        for path in (self._growing.keys() | self._retries.keys()) - found.keys():
            self._growing.pop(path, None)
            self._retries.pop(path, None)
        for path, state in found.items():
            if known.get(path) == state:
                continue
            before, since = self._growing.get(path, (None, now))
            if before != state:
                self._growing[path] = state, now
                self._retries.pop(path, None)
                continue
            retry = self._retries.get(path)
            if now - since >= self._settle_seconds and (retry is None or now >= retry.not_before):
                await self._take(path, state)

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                # The next look may go better.
                log.exception("the watched folder could not be looked through")
            await asyncio.sleep(self._poll_seconds)

    async def _known(self) -> dict[str, _State]:
        query = select(watched_files.c.path, watched_files.c.size_bytes, watched_files.c.modified_ns)
        async with self._database.read() as connection:
            return {
                row.path: _State(row.size_bytes, row.modified_ns) for row in await connection.execute(query)
            }

    async def _take(self, path: str, state: _State) -> None:
        # After a crash between the recording and our note, the same request finds the recording.
        request_id = str(
            uuid.uuid5(_NAMESPACE, f"{self._owner}\n{path}\n{state.size_bytes}\n{state.modified_ns}")
        )
        upload = Upload(
            self._owner,
            request_id,
            Path(path).name,
            size_bytes=state.size_bytes,
            folder=self._folder_of(path),
        )
        sha256, reason = "", ""
        try:
            recording = await receive(upload, _read(self._folder / path, state), self._intake)
            # Also under the same request: work that a crash kept from being started.
            await self._start_work(self._owner, recording.id, request_id)
            media = recording.artifacts[0]
            sha256 = media.sha256
            log.info("taken in", file=path, recording=recording.id)
        except Conflict as error:
            if error.reason not in ("DUPLICATE_RECORDING", "WORKFLOW_RUNNING"):
                raise
            log.info("in the library already", file=path, recording=error.metadata.get("recording_id", ""))
        except _Changed:
            self._growing.pop(path, None)
            return
        except InvalidInput as error:
            # It will never be taken as it is.
            reason = error.reason
            log.warning("not taken in", file=path, reason=error.reason, message=error.message)
        except (DomainError, OSError) as error:
            self._put_off(path, error)
            return
        self._growing.pop(path, None)
        self._retries.pop(path, None)
        await self._remember(path, state, sha256, reason)

    def _folder_of(self, path: str) -> str:
        parent = Path(path).parent.as_posix()
        return "" if parent == "." or not parent.isprintable() else parent

    def _put_off(self, path: str, error: Exception) -> None:
        last = self._retries.get(path)
        pause = FIRST_RETRY_SECONDS if last is None else min(2 * last.pause, LAST_RETRY_SECONDS)
        self._retries[path] = _Retry(time.monotonic() + pause, pause)
        log.warning("not taken in yet", file=path, error=str(error), retry_seconds=pause)

    async def _remember(self, path: str, state: _State, sha256: str, reason: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(watched_files).where(watched_files.c.path == path))
            await connection.execute(
                insert(watched_files).values(
                    path=path,
                    size_bytes=state.size_bytes,
                    modified_ns=state.modified_ns,
                    sha256=sha256,
                    error_reason=reason,
                    seen_at=datetime.now(UTC),
                )
            )


def _scan(folder: Path) -> dict[str, _State]:
    """Returns the files that could be recordings, by their path below the folder. Raises OSError."""
    return {
        os.path.relpath(path, folder): _State(found.st_size, found.st_mtime_ns)
        for path, found in _files(folder)
        if found.st_size
    }


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            # Hidden files are what programs write before they rename; a link leads to where nobody put anything in.
            if entry.name.startswith((".", "~$")) or entry.is_symlink():
                continue
            try:
                if entry.is_dir():
                    yield from _files(Path(entry.path))
                elif Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file():
                    entry.name.encode()
                    yield entry.path, entry.stat()
            except (FileNotFoundError, PermissionError, UnicodeEncodeError):
                # It went away meanwhile, is nobody's business, or has a name that is no text.
                continue


async def _read(path: Path, state: _State) -> AsyncIterator[bytes]:
    """Yields the file's bytes. Raises _Changed where it is not, or does not stay, what it was."""
    file = await in_thread(_open, path, discard=os.close)
    try:
        _compare(file, state)
        while data := await in_thread(os.read, file, READ_BYTES):
            yield data
        _compare(file, state)
    finally:
        os.close(file)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)


def _compare(file: int, state: _State) -> None:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or _State(found.st_size, found.st_mtime_ns) != state:
        raise _Changed
