"""The embedded index: Qdrant Edge in a worker process, which is started again should it die."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from recordroute_runtime.errors import DomainError, PreconditionFailed, StorageFull, UpstreamUnavailable

from recordroute_vector.index.frames import LENGTH, Call, Failure, IndexConfig, Reply, Trouble, pack, unpack
from recordroute_vector.index.port import Candidate, Document, IndexedPassage, IndexQuery, IndexStats

log = structlog.get_logger(__name__)

RESTART_WAIT_SECONDS = 10.0
RESTART_BACKOFF_SECONDS = (0.0, 0.2, 1.0, 5.0)
CLOSE_WAIT_SECONDS = 10.0


class _Worker:
    """One run of the worker process and the calls that it has not answered."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}

    @classmethod
    async def start(cls, config: IndexConfig) -> _Worker:
        """Starts a worker and waits until it has the index open. Raises DomainError."""
        process, ours = _spawn()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        worker = cls(process, reader, writer)
        try:
            writer.write(pack(config))
            opened: Reply = await _read(reader)
            if isinstance(opened.result, Failure):
                raise _domain_error(opened.result)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await worker.stop()
            raise _why_it_died(config) from error
        except BaseException:
            await worker.stop()
            raise
        return worker

    async def call(self, method: str, *arguments: Any) -> Any:
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        try:
            # Not drained: where the process is gone, `run` notices and `fail` answers.
            self._writer.write(pack(Call(number, method, arguments)))
            result = await answer
        finally:
            del self._calls[number]
        if isinstance(result, Failure):
            raise _domain_error(result)
        return result

    async def run(self) -> None:
        """Hands out answers until the process ends."""
        try:
            while True:
                reply: Reply = await _read(self._reader)
                answer = self._calls.get(reply.number)
                if answer is not None and not answer.done():
                    answer.set_result(reply.result)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def fail(self, error: DomainError) -> None:
        """Answers every call that is left with an error."""
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(error)

    async def stop(self) -> None:
        """Closes the connection, upon which the process ends; kills it where it does not."""
        self._writer.close()
        try:
            await asyncio.to_thread(self.process.wait, CLOSE_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            log.error("index worker does not end, killing it", pid=self.process.pid)
            self.process.kill()
            await asyncio.to_thread(self.process.wait)


async def _read(reader: asyncio.StreamReader) -> Any:
    """Waits for the next message. Raises IncompleteReadError or ConnectionError where the other end is gone."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return unpack(await reader.readexactly(length))


def _spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        # Popen runs nothing of ours between fork and exec, so gRPC's threads and locks are not copied in use.
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
    return process, ours


class EdgeIndex:
    """A `PassageIndex` over a folder. `open` comes first, `close` last."""

    def __init__(self, config: IndexConfig) -> None:
        self._config = config
        self._worker: _Worker | None = None
        self._opened = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def worker_pid(self) -> int | None:
        """Process id of the running worker."""
        return self._worker.process.pid if self._worker is not None else None

    async def open(self) -> None:
        """Starts the worker. Raises PreconditionFailed (INDEX_IN_USE, INDEX_MODEL_MISMATCH, INDEX_UNREADABLE),
        StorageFull, or UpstreamUnavailable where it died."""
        worker = await _Worker.start(self._config)
        self._use(worker)
        self._keeper = asyncio.create_task(self._keep(worker))

    async def close(self) -> None:
        """Ends the worker after what it does now."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        if self._worker is not None:
            worker, self._worker = self._worker, None
            worker.fail(UpstreamUnavailable("index"))
            await worker.stop()

    async def upsert(self, document: Document, passages: Sequence[IndexedPassage]) -> int:
        return int(await self._call("upsert", document, tuple(passages)))

    async def delete(self, owner: str, document_id: str) -> int:
        return int(await self._call("delete", owner, document_id))

    async def search(self, query: IndexQuery) -> list[Candidate]:
        candidates: list[Candidate] = await self._call("search", query)
        return candidates

    async def stats(self, owner: str, document_id: str | None = None) -> IndexStats:
        stats: IndexStats = await self._call("stats", owner, document_id)
        return stats

    async def _call(self, method: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(RESTART_WAIT_SECONDS):
                await self._opened.wait()
        except TimeoutError as error:
            raise UpstreamUnavailable("index") from error
        if self._worker is None:
            raise UpstreamUnavailable("index")
        return await self._worker.call(method, *arguments)

    def _use(self, worker: _Worker) -> None:
        self._worker = worker
        self._opened.set()

    async def _keep(self, worker: _Worker) -> None:
        while True:
            await worker.run()
            self._opened.clear()
            self._worker = None
            worker.fail(_why_it_died(self._config))
            await worker.stop()
            log.error("index worker died, starting it again", status=worker.process.returncode)
            worker = await self._restart()
            self._use(worker)

    async def _restart(self) -> _Worker:
        for attempt in itertools.count():
            await asyncio.sleep(RESTART_BACKOFF_SECONDS[min(attempt, len(RESTART_BACKOFF_SECONDS) - 1)])
            try:
                return await _Worker.start(self._config)
            except DomainError as error:
                log.error("index can't be opened", reason=error.reason, message=error.message)
        raise AssertionError("count() never ends")


def _why_it_died(config: IndexConfig) -> DomainError:
    # A full disk kills a process that writes through memory maps (SIGBUS).
    directory = config.directory
    if directory.exists() and shutil.disk_usage(directory).free < config.min_free_bytes:
        return StorageFull("the disk of the index is full")
    return UpstreamUnavailable("index")


def _domain_error(failure: Failure) -> Exception:
    log.warning("index trouble", trouble=failure.trouble.value, error=failure.message, **failure.details)
    match failure.trouble:
        case Trouble.IN_USE:
            return PreconditionFailed(
                "INDEX_IN_USE", "another process has the index open; only one service may use an index folder"
            )
        case Trouble.OTHER_MODEL:
            made_with, model = failure.details["index_model"], failure.details["model"]
            return PreconditionFailed(
                "INDEX_MODEL_MISMATCH",
                f"the index is made with model {made_with}, but the service uses {model}: "
                "configure that model, or give another index folder and index the recordings anew",
                metadata={"index_model": made_with, "model": model},
            )
        case Trouble.UNREADABLE:
            return PreconditionFailed(
                "INDEX_UNREADABLE", "the index on disk can't be read; see the service's log"
            )
        case Trouble.DISK_FULL:
            return StorageFull("the disk of the index is full")
        case Trouble.INTERNAL:
            return RuntimeError(failure.message)
