"""The embedded index: Qdrant Edge in a worker process, which is started again should it die.

The index is a generation in a folder. Changes go to the one in use; what has to be done to all of it (building the
search graph, dropping deleted texts, another embedding model, a snapshot that comes back) makes the next generation
in a process of its own while the present one goes on serving. A fresh worker opens it, repeats the journal of what
has changed meanwhile, and takes over within milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Sequence,
)
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from recordroute_runtime.errors import (
    DomainError,
    InvalidInput,
    PreconditionFailed,
    StorageFull,
    UpstreamUnavailable,
)
from recordroute_runtime.threads import in_thread, outlasted

from recordroute_vector.index.errors import VectorsMissing
from recordroute_vector.index.files import IndexFiles, Manifest, has_room
from recordroute_vector.index.frames import BuildIndex, IndexTrouble, OpenIndex, os_trouble
from recordroute_vector.index.generation import Measure, read_changes
from recordroute_vector.index.journal import Journal, Kind, Record, read_records
from recordroute_vector.index.port import (
    Activity,
    Candidate,
    Document,
    Facet,
    Filter,
    IndexedPassage,
    IndexQuery,
    IndexState,
    IndexStats,
    StoredDocument,
)
from recordroute_vector.index.processes import Worker, domain_error
from recordroute_vector.index.rows import Row, decode_rows, encode_rows

log = structlog.get_logger(__name__)

RESTART_WAIT_SECONDS = 10.0
RESTART_BACKOFF_SECONDS = (0.0, 0.2, 1.0, 5.0)
CHECK_SECONDS = 60.0
SETTLE_SECONDS = 0.5
# A part stops the reads of the worker for about ten milliseconds.
PART_PASSAGES = 96
SNAPSHOT_CHUNK_BYTES = 1 << 20
SNAPSHOT_FORMAT = 1
# Of what is not in the graph yet, relative to all: more makes searches slow, less rebuilds too often.
WORN_SHARE = 0.1

Transform = Callable[[Sequence[Row]], Awaitable[list[Row]]]


@dataclass(frozen=True)
class EmbeddedConfig:
    """Where the index is and what it is made with.

    `graph_from`: with fewer passages every search compares all, which is as fast and exact. `erase_after_seconds`:
    deleted texts are gone from the disk so long after their deletion at the latest.
    """

    directory: Path
    model: str
    dimensions: int
    min_free_bytes: int
    analyzer: str = "subwords"
    token_vectors: bool = False
    graph_from: int = 20_000
    erase_after_seconds: float = 86_400.0


class _WriteGate:
    """Many writers, or the one who wants none."""

    def __init__(self) -> None:
        self._writers = 0
        self._closed = False
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._writers += 1
        try:
            yield
        finally:
            async with self._changed:
                self._writers -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def nobody_writes(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            try:
                await self._changed.wait_for(lambda: not self._writers)
            except BaseException:
                self._closed = False
                self._changed.notify_all()
                raise
        try:
            yield
        finally:
            async with self._changed:
                self._closed = False
                self._changed.notify_all()


class EdgeIndex:
    """A `PassageIndex` over a folder. `open` comes first, `close` last."""

    def __init__(self, config: EmbeddedConfig) -> None:
        self._config = config
        self._files = IndexFiles(config.directory)
        self._lock: int | None = None
        self._number = 0
        self._worker: Worker | None = None
        self._opened = asyncio.Event()
        self._gate = _WriteGate()
        self._maintenance = asyncio.Lock()
        self._worn = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writes: set[asyncio.Task[Any]] = set()
        self._activity, self._progress = Activity.IDLE, 0.0
        self._epoch = uuid.uuid4().hex
        self._changes: Counter[str] = Counter()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the running worker."""
        return self._worker.process.pid if self._worker is not None else None

    @property
    def manifest(self) -> Manifest:
        """What the generation in use is made with: another model than the configured one until `reindex` is done."""
        if self._worker is None:
            raise UpstreamUnavailable("index")
        manifest: Manifest = self._worker.manifest
        return manifest

    @property
    def is_as_configured(self) -> bool:
        """Whether the generation in use is made with the configured model."""
        return replace(self.manifest, token_vectors=self._config.token_vectors) == self._manifest()

    def model_mismatch(self) -> PreconditionFailed:
        """Returns the refusal of an index that can't be served because it is made with another model."""
        return model_mismatch(self.manifest, self._manifest())

    async def open(self) -> None:
        """Takes the folder and starts the worker. Raises PreconditionFailed (INDEX_IN_USE, INDEX_UNREADABLE),
        StorageFull, or UpstreamUnavailable where the worker died."""
        try:
            self._lock = await in_thread(self._files.lock, discard=os.close)
            number = self._files.current()
            await in_thread(self._files.sweep, number)
            self._number = await self._create() if number is None else number
            worker = await self._start_worker(self._number)
        except IndexTrouble as trouble:
            self._unlock()
            raise domain_error(trouble) from trouble
        except OSError as error:
            self._unlock()
            raise domain_error(os_trouble(error, self._config.directory)) from error
        except BaseException:
            self._unlock()
            raise
        self._use(worker)
        self._spawn(self._maintain())
        self._worn.set()

    async def close(self) -> None:
        """Ends the worker after what it does now."""
        self._opened.clear()
        if self._writes:
            await asyncio.wait(self._writes)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._worker is not None:
            worker, self._worker = self._worker, None
            await worker.stop()
        self._unlock()

    async def upsert(self, document: Document, passages: Sequence[IndexedPassage], *, model: str = "") -> int:
        async def write() -> int:
            self._require_model(model)
            # One run of the worker takes it all: a new one knows nothing of parts that came before it.
            worker = await self._ready()
            version = uuid.uuid4().hex
            await self._require_vectors(worker, document, passages)
            try:
                for start in range(0, len(passages), PART_PASSAGES):
                    part = tuple(passages[start : start + PART_PASSAGES])
                    await worker.call("stage", version, document, part)
                await worker.call("commit", version, document.owner, document.id)
            except BaseException:
                with suppress(DomainError):
                    await worker.call("abort", version)
                raise
            return len(passages)

        count: int = await self._write(document.owner, write)
        return count

    async def delete(self, owner: str, document_id: str) -> int:
        count: int = await self._write(owner, lambda: self._call("delete", owner, document_id))
        return count

    async def search(self, query: IndexQuery) -> list[Candidate]:
        (candidates,) = await self.search_many([query])
        return candidates

    async def search_many(self, queries: Sequence[IndexQuery]) -> list[list[Candidate]]:
        worker = await self._ready()
        for query in queries:
            self._require_model(query.model)
        candidates: list[list[Candidate]] = await worker.call("search_many", tuple(queries))
        return candidates

    async def document(
        self, owner: str, document_id: str, *, with_vectors: bool = False
    ) -> StoredDocument | None:
        document: StoredDocument | None = await self._call("document", owner, document_id, with_vectors)
        return document

    async def facet(self, where: Filter, facet: Facet, limit: int) -> list[tuple[str, int]]:
        values: list[tuple[str, int]] = await self._call("facet", where, facet, limit)
        return values

    async def stats(self, owner: str, document_id: str | None = None) -> IndexStats:
        stats: IndexStats = await self._call("stats", owner, document_id)
        return stats

    async def revision(self, owner: str) -> str:
        return f"{self._epoch}.{self._changes[owner]}"

    async def state(self) -> IndexState:
        measure: Measure = await self._call("measure")
        return IndexState(
            model=self.manifest.model,
            dimensions=self.manifest.dimensions,
            passage_count=measure.passages,
            indexed_count=measure.indexed,
            erase_since=measure.erase_since,
            activity=self._activity,
            progress=self._progress,
        )

    async def optimize(self) -> None:
        """Makes the next generation now: a search graph over everything, and nothing deleted left on the disk.
        Raises StorageFull where there is no room for a second one, UpstreamUnavailable where a process died."""
        async with self._maintenance, self._busy(Activity.OPTIMIZING):
            await self._rebuild(self.manifest, None)

    async def reindex(self, transform: Transform, switched: Callable[[], None] | None = None) -> None:
        """Makes the next generation with the configured model: `transform` gives rows their new vectors. Searches go
        on with the old ones until then; `switched` is called in the moment when they no longer do. Raises as
        `optimize`, and whatever `transform` raises."""
        async with self._maintenance, self._busy(Activity.REEMBEDDING):
            await self._rebuild(self._manifest(), transform, switched)

    async def snapshot(self) -> AsyncGenerator[bytes, None]:
        """Yields the whole index as it is at one moment after the call, in chunks. Raises StorageFull where it can't
        be put aside."""
        with tempfile.TemporaryFile(dir=self._files.directory) as spool:
            async with self._maintenance:
                await self._write_snapshot(spool.fileno())
            spool.seek(0)
            while chunk := await in_thread(spool.read, SNAPSHOT_CHUNK_BYTES):
                yield chunk

    async def restore(self, chunks: AsyncIterable[bytes]) -> int:
        """Puts a snapshot in the place of the whole index and returns the number of its passages; nothing is changed
        where it fails. Raises InvalidInput (SNAPSHOT_INVALID), PreconditionFailed (INDEX_MODEL_MISMATCH),
        StorageFull."""
        with tempfile.NamedTemporaryFile(dir=self._files.directory) as spool:
            async for chunk in chunks:
                if not has_room(self._files.directory, self._config.min_free_bytes + len(chunk)):
                    raise StorageFull("the disk of the index is full")
                await in_thread(spool.write, chunk)
            spool.flush()
            path = Path(spool.name)
            manifest, tail = await in_thread(_check_snapshot, path)
            wanted = self._manifest()
            if replace(manifest, token_vectors=wanted.token_vectors) != wanted:
                raise model_mismatch(manifest, wanted)
            # What is written meanwhile would be acknowledged and then gone: writers wait.
            async with self._maintenance, self._busy(Activity.OPTIMIZING), self._gate.nobody_writes():
                return await self._restore(path, tail, wanted)

    def _manifest(self) -> Manifest:
        config = self._config
        return Manifest(config.model, config.dimensions, config.analyzer, config.token_vectors)

    async def _write(self, owner: str, write: Callable[[], Awaitable[int]]) -> int:
        async def whole() -> int:
            async with self._gate.writing():
                try:
                    return await write()
                finally:
                    self._changes[owner] += 1
                    self._worn.set()

        # A caller that goes away must not leave half of it: what is begun is ended.
        task = asyncio.create_task(whole())
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def _require_vectors(
        self, worker: Worker, document: Document, passages: Sequence[IndexedPassage]
    ) -> None:
        without = [item.passage for item in passages if item.dense is None]
        if without:
            held: set[str] = await worker.call("held_hashes", document.owner, document.id)
            if missing := [passage.index for passage in without if passage.content_hash not in held]:
                raise VectorsMissing(missing)

    def _require_model(self, model: str) -> None:
        if model and model != self.manifest.model:
            raise UpstreamUnavailable("index")

    async def _call(self, method: str, *arguments: Any) -> Any:
        return await (await self._ready()).call(method, *arguments)

    async def _ready(self) -> Worker:
        """Returns the running worker; waits for one that starts again."""
        try:
            async with asyncio.timeout(RESTART_WAIT_SECONDS):
                await self._opened.wait()
        except TimeoutError as error:
            raise UpstreamUnavailable("index") from error
        if self._worker is None:
            raise UpstreamUnavailable("index")
        return self._worker

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _start_worker(self, number: int) -> Worker:
        assert self._lock is not None, "open() comes first"
        config = OpenIndex(self._files.generation(number), self._config.min_free_bytes)
        return await Worker.start(config, self._lock)

    async def _start_builder(self, number: int, manifest: Manifest) -> Worker:
        assert self._lock is not None, "open() comes first"
        config = BuildIndex(
            path=self._files.draft(number),
            min_free_bytes=self._config.min_free_bytes,
            model=manifest.model,
            dimensions=manifest.dimensions,
            analyzer=manifest.analyzer,
            token_vectors=manifest.token_vectors,
            # A little before, so that what is due to get a graph does get one.
            graph_from=int(self._config.graph_from * 0.9),
        )
        return await Worker.start(config, self._lock)

    def _use(self, worker: Worker) -> None:
        self._worker = worker
        self._opened.set()
        self._spawn(self._keep(worker))

    async def _keep(self, worker: Worker) -> None:
        """Starts the worker again where it dies while it is in use."""
        assert worker.ended is not None
        await worker.ended
        if worker is not self._worker:
            return
        self._opened.clear()
        self._worker = None
        await worker.stop(worker.why_it_died())
        log.error("index worker died, starting it again", status=worker.process.returncode)
        for attempt in itertools.count():
            await asyncio.sleep(RESTART_BACKOFF_SECONDS[min(attempt, len(RESTART_BACKOFF_SECONDS) - 1)])
            if self._worker is not None:
                return
            try:
                again = await self._start_worker(self._number)
                # Another generation may have come into use meanwhile: with its own worker.
                if self._worker is None:
                    self._use(again)
                else:
                    await again.stop()
                return
            except (DomainError, RuntimeError) as error:
                log.error("index can't be opened", error=str(error))

    async def _maintain(self) -> None:
        """Makes the next generation whenever the present one is worn."""
        while True:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._worn.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(SETTLE_SECONDS)
            self._worn.clear()
            try:
                measure: Measure = await self._call("measure")
                if self._is_worn(measure):
                    await self.optimize()
            except (DomainError, RuntimeError) as error:
                log.warning("the index is not optimised now", error=str(error))
                await asyncio.sleep(CHECK_SECONDS)

    def _is_worn(self, measure: Measure) -> bool:
        unindexed = measure.passages - measure.indexed if measure.passages >= self._config.graph_from else 0
        worn = max(unindexed, measure.journal_rows, measure.deleted)
        if worn >= max(self._config.graph_from, measure.passages * WORN_SHARE):
            return True
        return (
            measure.erase_since is not None
            and time.time() - measure.erase_since >= self._config.erase_after_seconds
        )

    @asynccontextmanager
    async def _busy(self, activity: Activity) -> AsyncIterator[None]:
        self._activity, self._progress = activity, 0.0
        try:
            yield
        finally:
            self._activity, self._progress = Activity.IDLE, 0.0

    async def _create(self) -> int:
        await self._build(1, self._manifest(), _nothing())
        await self._on_disk(self._files.publish, 1)
        return 1

    async def _rebuild(
        self, manifest: Manifest, transform: Transform | None, switched: Callable[[], None] | None = None
    ) -> None:
        await in_thread(self._require_second_room)
        number = self._number + 1
        journal = self._files.generation(self._number) / "journal"
        position, _ = await self._call("begin_copy")
        await self._build(number, manifest, self._blocks(transform))
        worker = await self._start_worker(number)
        try:
            position = await self._catch_up(worker, journal, position, transform)
            await worker.call("warm")
            async with self._gate.nobody_writes():
                await self._catch_up(worker, journal, position, transform)
                retiring = await self._switch(
                    number, worker, changed=transform is not None, switched=switched
                )
        except BaseException:
            if worker is not self._worker:
                await worker.stop()
            raise
        await asyncio.shield(retiring)

    async def _catch_up(
        self, worker: Worker, journal: Path, position: int, transform: Transform | None
    ) -> int:
        if transform is None:
            following: int = await worker.call("catch_up", str(journal), position)
            return following
        changes, following = await in_thread(read_changes, journal, position)
        with tempfile.NamedTemporaryFile(dir=self._files.directory) as file:
            with closing(Journal(Path(file.name))) as copy:
                for record in changes:
                    if record.kind is Kind.PART:
                        rows = await transform(await in_thread(decode_rows, record.data))
                        record = replace(record, data=await in_thread(encode_rows, rows))
                    copy.append(record)
            await worker.call("catch_up", file.name, 0)
        return following

    async def _switch(
        self, number: int, worker: Worker, *, changed: bool, switched: Callable[[], None] | None = None
    ) -> asyncio.Task[None]:
        """Puts a generation in use, wholly or not at all, and returns the task that takes the one before away.
        `changed`: what searches find is not the same."""

        async def whole() -> asyncio.Task[None]:
            await self._on_disk(self._files.publish, number)
            return self._take_over(number, worker, changed=changed, switched=switched)

        # A caller that goes away between the two would leave the new one for the next start and writes in the old one.
        return await outlasted(asyncio.create_task(whole()))

    def _take_over(
        self, number: int, worker: Worker, *, changed: bool, switched: Callable[[], None] | None
    ) -> asyncio.Task[None]:
        retired = self._worker, self._number
        # From here to the end nobody else runs: a search meets either all of the old or all of the new.
        self._number = number
        self._use(worker)
        if changed:
            self._epoch = uuid.uuid4().hex
        if switched is not None:
            switched()
        return self._spawn(self._retire(*retired))

    async def _retire(self, worker: Worker | None, number: int) -> None:
        if worker is not None:
            try:
                await worker.drained()
            finally:
                await worker.stop()
        await self._on_disk(shutil.rmtree, self._files.generation(number))

    async def _blocks(self, transform: Transform | None) -> AsyncIterator[bytes]:
        total = max(1, (await self._call("measure")).passages)
        offset, done, first = None, 0, True
        while first or offset is not None:
            first = False
            block, count, offset = await self._call("scroll", offset)
            if transform is not None and count:
                rows = await transform(await in_thread(decode_rows, block))
                block = await in_thread(encode_rows, rows)
            done += count
            self._progress = min(1.0, done / total)
            yield block

    async def _build(self, number: int, manifest: Manifest, blocks: AsyncIterable[bytes]) -> int:
        """Makes a generation of blocks of rows, whole on the disk but not in use."""
        builder = await self._start_builder(number, manifest)
        try:
            count = 0
            async for block in blocks:
                count += await builder.call("put", block)
            await builder.call("finish")
        finally:
            await builder.stop()
        if builder.process.returncode:
            raise UpstreamUnavailable("index")
        await self._on_disk(self._files.finish, number)
        return count

    async def _restore(self, snapshot: Path, tail: int, manifest: Manifest) -> int:
        await in_thread(self._require_second_room)
        number = self._number + 1
        await self._build(number, manifest, _rows_of(snapshot))
        worker = await self._start_worker(number)
        try:
            await worker.call("catch_up", str(snapshot), tail)
            measure: Measure = await worker.call("measure")
            retiring = await self._switch(number, worker, changed=True)
        except BaseException:
            if worker is not self._worker:
                await worker.stop()
            raise
        await asyncio.shield(retiring)
        return measure.passages

    async def _write_snapshot(self, descriptor: int) -> None:
        """Rows as they are passed by, then the journal since the first of them: together the state of the end."""
        journal = self._files.generation(self._number) / "journal"
        manifest = self.manifest
        header = {
            "format": SNAPSHOT_FORMAT,
            "model": manifest.model,
            "dimensions": manifest.dimensions,
            "analyzer": manifest.analyzer,
            "token_vectors": manifest.token_vectors,
        }
        start, _ = await self._call("begin_copy")
        await self._spool(descriptor, Record(Kind.HEADER, header).pack())
        async for block in self._blocks(None):
            await self._spool(descriptor, Record(Kind.ROWS, {}, block).pack())
        _, end = await self._call("begin_copy")
        with journal.open("rb") as file:
            file.seek(start)
            for begin in range(start, end, SNAPSHOT_CHUNK_BYTES):
                await self._spool(descriptor, file.read(min(SNAPSHOT_CHUNK_BYTES, end - begin)))
        await self._spool(descriptor, Record(Kind.END, {}).pack())

    async def _spool(self, descriptor: int, data: bytes) -> None:
        if not has_room(self._files.directory, self._config.min_free_bytes + len(data)):
            raise StorageFull("the disk of the index is full")
        await self._on_disk(_write_all, descriptor, data)

    async def _on_disk(self, work: Callable[..., Any], *arguments: Any) -> None:
        try:
            await in_thread(work, *arguments)
        except OSError as error:
            raise domain_error(os_trouble(error, self._files.directory)) from error

    def _require_second_room(self) -> None:
        size = self._files.size_bytes(self._number)
        if not has_room(self._files.directory, size * 3 // 2 + self._config.min_free_bytes):
            raise StorageFull("the disk of the index has no room for a second generation")


def model_mismatch(manifest: Manifest, wanted: Manifest) -> PreconditionFailed:
    """Returns the refusal of an index that is made with something else than what is configured."""
    made_with = f"{manifest.model} ({manifest.dimensions} dimensions, {manifest.analyzer})"
    model = f"{wanted.model} ({wanted.dimensions} dimensions, {wanted.analyzer})"
    return PreconditionFailed(
        "INDEX_MODEL_MISMATCH",
        f"the index is made with model {made_with}, but the service uses {model}: with both installed it is made "
        "anew while searches go on; or give another index folder",
        metadata={"index_model": made_with, "model": model},
    )


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _check_snapshot(path: Path) -> tuple[Manifest, int]:
    """Returns what a snapshot is made with, and where its journal begins. Raises InvalidInput."""
    manifest, tail, last, position = None, 0, None, 0
    for record, end in read_records(path):
        if position == 0:
            manifest = _header(record)
        if record.kind in (Kind.HEADER, Kind.ROWS):
            tail = end
        last, position = record.kind, end
    if manifest is None or last is not Kind.END or position != path.stat().st_size:
        raise InvalidInput("SNAPSHOT_INVALID", "the snapshot is damaged or not whole")
    return manifest, tail


def _header(record: Record) -> Manifest | None:
    header = record.header
    if record.kind is not Kind.HEADER or header.get("format") != SNAPSHOT_FORMAT:
        return None
    return Manifest(header["model"], header["dimensions"], header["analyzer"], header["token_vectors"])


async def _rows_of(snapshot: Path) -> AsyncIterator[bytes]:
    records = read_records(snapshot)
    while (found := await in_thread(next, records, None)) is not None:
        if found[0].kind is Kind.ROWS:
            yield found[0].data
