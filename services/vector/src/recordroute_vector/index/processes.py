"""Worker processes as the service sees them: start, call, end."""

from __future__ import annotations

import asyncio
import itertools
import socket
import subprocess
import sys
from typing import Any

import structlog
from recordroute_runtime.errors import (
    DomainError,
    InvalidInput,
    PreconditionFailed,
    StorageFull,
    UpstreamUnavailable,
)
from recordroute_runtime.threads import in_thread

from recordroute_vector.index.errors import VectorsMissing
from recordroute_vector.index.files import has_room
from recordroute_vector.index.frames import (
    LENGTH,
    BuildIndex,
    Call,
    Failure,
    IndexTrouble,
    OpenIndex,
    Reply,
    Trouble,
    pack,
    unpack,
)

log = structlog.get_logger(__name__)

CLOSE_WAIT_SECONDS = 10.0


class Worker:
    """One run of a worker process and the calls that it has not answered."""

    def __init__(
        self,
        config: OpenIndex | BuildIndex,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.process = process
        self.manifest: Any = None
        self._config = config
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.ended: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, config: OpenIndex | BuildIndex, lock: int) -> Worker:
        """Starts a worker, which shares the folder's lock, and waits until it is ready. Raises DomainError."""
        # A fork takes long where the process is large and the machine busy.
        process, ours = await in_thread(_spawn, lock, discard=_end)
        try:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
        except BaseException:
            await in_thread(_end, (process, ours))
            raise
        worker = cls(config, process, reader, writer)
        try:
            writer.write(pack(config))
            opened: Reply = await _read(reader)
            if isinstance(opened.result, Failure):
                raise domain_error(opened.result)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await worker.stop()
            raise worker.why_it_died() from error
        except BaseException:
            await worker.stop()
            raise
        worker.manifest = opened.result
        worker.ended = asyncio.create_task(worker._hand_out())
        return worker

    async def call(self, method: str, *arguments: Any) -> Any:
        """Calls a method of the worker. Raises DomainError; UpstreamUnavailable where it died meanwhile."""
        if self.ended is None or self.ended.done():
            raise self.why_it_died()
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        self._idle.clear()
        try:
            # Not drained: where the process is gone, `_hand_out` notices and answers.
            self._writer.write(pack(Call(number, method, arguments)))
            result = await answer
        finally:
            del self._calls[number]
            if not self._calls:
                self._idle.set()
        if isinstance(result, Failure):
            raise domain_error(result)
        return result

    async def drained(self) -> None:
        """Waits until no call is left."""
        await self._idle.wait()

    async def stop(self, error: DomainError | None = None) -> None:
        """Closes the connection, upon which the process ends; kills it where it does not."""
        self._fail(error or UpstreamUnavailable("index"))
        self._writer.close()
        try:
            await in_thread(self.process.wait, CLOSE_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            log.error("index worker does not end, killing it", pid=self.process.pid)
            self.process.kill()
            await in_thread(self.process.wait)

    def why_it_died(self) -> DomainError:
        """Returns what a death without a word means."""
        # A full disk kills a process that writes through memory maps (SIGBUS).
        if not has_room(self._config.path, self._config.min_free_bytes):
            return StorageFull("the disk of the index is full")
        return UpstreamUnavailable("index")

    def _fail(self, error: DomainError) -> None:
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(error)

    async def _hand_out(self) -> None:
        """Hands out answers until the process ends."""
        try:
            while True:
                reply: Reply = await _read(self._reader)
                answer = self._calls.get(reply.number)
                if answer is not None and not answer.done():
                    answer.set_result(reply.result)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._fail(self.why_it_died())


async def _read(reader: asyncio.StreamReader) -> Any:
    """Waits for the next message. Raises IncompleteReadError or ConnectionError where the other end is gone."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return unpack(await reader.readexactly(length))


def _spawn(lock: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        # Popen runs nothing of ours between fork and exec, so gRPC's threads and locks are not copied in use.
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno(), lock],
            stdin=subprocess.DEVNULL,
        )
    return process, ours


def _end(spawned: tuple[subprocess.Popen[bytes], socket.socket]) -> None:
    process, ours = spawned
    ours.close()
    process.kill()
    process.wait()


def domain_error(failure: Failure | IndexTrouble) -> Exception:
    """Returns what the trouble is to a client."""
    message = failure.message if isinstance(failure, Failure) else str(failure)
    log.warning("index trouble", trouble=failure.trouble.value, error=message, **failure.details)
    match failure.trouble:
        case Trouble.IN_USE:
            return PreconditionFailed(
                "INDEX_IN_USE", "another process has the index open; only one service may use an index folder"
            )
        case Trouble.UNREADABLE:
            return PreconditionFailed(
                "INDEX_UNREADABLE", "the index on disk can't be read; see the service's log"
            )
        case Trouble.DISK_FULL:
            return StorageFull("the disk of the index is full")
        case Trouble.VECTORS_MISSING:
            return VectorsMissing([int(failure.details["passages"])])
        case Trouble.BAD_SNAPSHOT:
            return InvalidInput("SNAPSHOT_INVALID", "the snapshot is damaged or not whole")
        case Trouble.INTERNAL:
            return RuntimeError(message)
