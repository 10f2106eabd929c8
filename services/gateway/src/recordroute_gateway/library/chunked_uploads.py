"""Uploads in chunks: over days, in any order, through restarts of the gateway.

A chunk is acknowledged when its bytes and the note that they have come outlive this process; what the database says of
an upload outlives a loss of power. Where the chunks are kept with notes of their own, the database follows them within
`NOTE_SECONDS`, and else it is told before the chunk is acknowledged. Chunks that come while others are being written
wait and are written together. What has come is never written again, so that the hash that is computed on the way stays
true.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import google_crc32c
import structlog
from recordroute_runtime.errors import (
    DomainError,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
)
from recordroute_runtime.threads import in_thread
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from recordroute_gateway.database import Database
from recordroute_gateway.library.chunk_store import ChunkStore, Piece
from recordroute_gateway.library.intake import Intake, Upload, clean_file_name
from recordroute_gateway.library.prefix_hash import PrefixHash
from recordroute_gateway.library.ranges import Ranges
from recordroute_gateway.library.records import Recording
from recordroute_gateway.tables import uploads

log = structlog.get_logger(__name__)

CHUNK_BYTES = 1 << 20
# Enough for a client that sends a large file in random order; more is somebody who wants to use up memory.
MOST_RANGES = 16_384
# Uploads whose hash is kept in memory; those beyond are read once more at their end.
MOST_REMEMBERED = 64
SWEEP_SECONDS = 60.0
# What a loss of power can take with it, beside the time that the disk takes.
NOTE_SECONDS = 1.0


@dataclass(frozen=True)
class ChunkedUpload:
    """An upload as its client sees it; `recording_id` is empty until it is completed."""

    id: str
    upload: Upload
    size_bytes: int
    received: Ranges
    expires_at: datetime
    recording_id: str


@dataclass
class _Open:
    """What this process remembers of an upload between its chunks."""

    owner: str
    size_bytes: int
    received: Ranges
    # What the database has of it.
    in_database: Ranges
    waiting: list[tuple[Piece, asyncio.Future[Ranges]]] = field(default_factory=list)
    writing: asyncio.Task[None] | None = None
    hashing: asyncio.Task[None] | None = None
    noting: asyncio.Task[None] | None = None
    completing: asyncio.Task[Recording] | None = None
    prefix: PrefixHash = field(default_factory=PrefixHash)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        found = (self.writing, self.hashing, self.noting, self.completing)
        return [task for task in found if task is not None and not task.done()]

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.tasks


class ChunkedUploads:
    """The uploads of all users that are not complete."""

    def __init__(
        self,
        database: Database,
        chunks: ChunkStore,
        intake: Intake,
        *,
        expiry: timedelta,
        most_per_user: int,
    ) -> None:
        self._database = database
        self._chunks = chunks
        self._intake = intake
        self._expiry = expiry
        self._most_per_user = most_per_user
        self._open: dict[str, _Open] = {}
        self._sweeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to throw away, from time to time, what nobody goes on with."""
        self._sweeping = asyncio.create_task(self._sweep_for_ever())

    async def close(self) -> None:
        """Ends what runs; nothing is lost by it."""
        tasks = [task for state in self._open.values() for task in state.tasks]
        for task in [*tasks, *([self._sweeping] if self._sweeping is not None else [])]:
            task.cancel()
            await asyncio.wait([task])

    async def create(self, upload: Upload) -> ChunkedUpload:
        """Opens an upload. The same request id again returns it as it is, and `allow_duplicate` can be added so.

        Raises what `Intake.check` raises, StorageFull, and QuotaExceeded (TOO_MANY_UPLOADS).
        """
        if upload.size_bytes is None:
            raise ValueError("the size of a chunked upload has to be known")
        known = await self._find_request(upload)
        if known is not None:
            return known
        upload_id = str(uuid.uuid4())
        now = datetime.now(UTC)
        # An upload that ended under this request, as a stream or so long ago that it was forgotten.
        made = await self._intake.library.find_request(upload.owner, upload.request_id)
        if made is None:
            await self._intake.check(upload)
            await self._chunks.create(upload_id, upload.size_bytes)
        received = Ranges() if made is None else Ranges((0,), (upload.size_bytes,))
        row = {
            "id": upload_id,
            "owner": upload.owner,
            "request_id": upload.request_id,
            "size_bytes": upload.size_bytes,
            "config": _config(upload),
            "received": received.pack(),
            "recording_id": "" if made is None else made.id,
            "created_at": now,
            "expires_at": now + self._expiry,
        }
        try:
            async with self._database.write() as connection:
                query = (
                    select(func.count())
                    .select_from(uploads)
                    .where(uploads.c.owner == upload.owner, uploads.c.recording_id == "")
                )
                if (await connection.execute(query)).scalar_one() >= self._most_per_user:
                    raise QuotaExceeded(
                        "TOO_MANY_UPLOADS",
                        f"{self._most_per_user} uploads are open; complete or abort some of them",
                        metadata={"limit": str(self._most_per_user)},
                    )
                await connection.execute(insert(uploads).values(row))
        except (DomainError, IntegrityError) as error:
            await self._chunks.delete(upload_id)
            # The same request came twice at once, and the other one won.
            known = await self._find_request(upload) if isinstance(error, IntegrityError) else None
            if known is None:
                raise
            return known
        return _record(row)

    async def get(self, owner: str, upload_id: str) -> ChunkedUpload:
        """Returns an upload. Raises NotFound (UPLOAD_NOT_FOUND)."""
        return await self._with_notes(await self._in_database(owner, upload_id))

    async def write(self, owner: str, upload_id: str, offset: int, data: bytes, crc32c: int) -> Ranges:
        """Keeps a chunk, and returns what has come when it will not be lost by the end of this process.

        Raises NotFound (UPLOAD_NOT_FOUND), InvalidInput (CHUNK_CHECKSUM_MISMATCH, CHUNK_OUT_OF_RANGE),
        PreconditionFailed (UPLOAD_COMPLETED), StorageFull, QuotaExceeded (TOO_MANY_GAPS).
        """
        if google_crc32c.value(data) != crc32c:
            raise InvalidInput(
                "CHUNK_CHECKSUM_MISMATCH", "the chunk was changed on its way here; send it again"
            )
        state = await self._remember(owner, upload_id)
        if offset + len(data) > state.size_bytes:
            raise InvalidInput(
                "CHUNK_OUT_OF_RANGE", f"the chunk ends behind the file, which has {state.size_bytes} bytes"
            )
        written: asyncio.Future[Ranges] = asyncio.get_running_loop().create_future()
        state.waiting.append(((offset, memoryview(data)), written))
        if state.writing is None:
            state.writing = asyncio.create_task(self._write_waiting(upload_id, state))
        return await written

    async def complete(self, owner: str, upload_id: str, sha256: str) -> Recording:
        """Makes the recording of an upload whose bytes have all come; again: returns the same recording.

        It goes on where the caller stops waiting, and calling again waits for the same. Raises what `Intake.take_in`
        raises, NotFound (UPLOAD_NOT_FOUND), PreconditionFailed (UPLOAD_INCOMPLETE).
        """
        try:
            state = await self._remember(owner, upload_id)
        except PreconditionFailed:
            found = await self._in_database(owner, upload_id)
            return await self._intake.library.get(owner, found.recording_id)
        if state.completing is None:
            state.completing = asyncio.create_task(self._complete(owner, upload_id, state, sha256))
            state.completing.add_done_callback(lambda task: _forget_completing(state, task))
        return await asyncio.shield(state.completing)

    async def abort(self, owner: str, upload_id: str) -> None:
        """Throws an upload away; it is no error if there is none."""
        with suppress(NotFound):
            await self.get(owner, upload_id)
            await self._discard(upload_id, delete(uploads).where(uploads.c.id == upload_id))

    async def sweep(self) -> None:
        """Throws away the uploads that nobody goes on with, and chunks that belong to none."""
        now = datetime.now(UTC)
        async with self._database.read() as connection:
            query = select(uploads.c.id).where(uploads.c.expires_at < now)
            expired = list((await connection.execute(query)).scalars())
        for upload_id in expired:
            # Asked once more: a chunk may have come.
            statement = delete(uploads).where(uploads.c.id == upload_id, uploads.c.expires_at < now)
            await self._discard(upload_id, statement)
        old = await self._chunks.old_ids()
        if old:
            async with self._database.read() as connection:
                query = select(uploads.c.id).where(uploads.c.id.in_(old), uploads.c.recording_id == "")
                known = set((await connection.execute(query)).scalars())
            for upload_id in set(old) - known:
                await self._chunks.delete(upload_id)

    async def _discard(self, upload_id: str, statement: Any) -> None:
        async with self._database.write() as connection:
            if (await connection.execute(statement)).rowcount == 0:
                return
        self._open.pop(upload_id, None)
        await self._chunks.delete(upload_id)

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:
                # The next round may go better.
                log.exception("abandoned uploads could not be thrown away")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _in_database(self, owner: str, upload_id: str) -> ChunkedUpload:
        query = select(uploads).where(uploads.c.id == upload_id, uploads.c.owner == owner)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise _not_found(upload_id)
        return _record(row)

    async def _with_notes(self, found: ChunkedUpload) -> ChunkedUpload:
        if found.recording_id or not self._chunks.keeps_notes:
            return found
        state = self._open.get(found.id)
        if state is not None:
            return replace(found, received=state.received)
        return replace(found, received=Ranges.of([*found.received, *await self._chunks.noted(found.id)]))

    async def _find_request(self, upload: Upload) -> ChunkedUpload | None:
        place = (uploads.c.owner == upload.owner) & (uploads.c.request_id == upload.request_id)
        async with self._database.read() as connection:
            row = (await connection.execute(select(uploads).where(place))).mappings().one_or_none()
        if row is None:
            return None
        found = await self._with_notes(_record(row))
        if upload.allow_duplicate and not found.upload.allow_duplicate:
            found = replace(found, upload=replace(found.upload, allow_duplicate=True))
            async with self._database.write() as connection:
                await connection.execute(update(uploads).where(place).values(config=_config(found.upload)))
        return found

    async def _remember(self, owner: str, upload_id: str) -> _Open:
        state = self._open.get(upload_id)
        if state is None:
            found = await self._in_database(owner, upload_id)
            if found.recording_id:
                raise _completed(upload_id)
            noted = await self._with_notes(found)
            state = _Open(owner, found.size_bytes, noted.received, in_database=found.received)
            state = self._open.setdefault(upload_id, state)
            self._forget_some()
        elif state.owner != owner:
            raise _not_found(upload_id)
        # The one that was used last is the last to be forgotten.
        self._open[upload_id] = self._open.pop(upload_id)
        return state

    def _forget_some(self) -> None:
        idle = [upload_id for upload_id, state in self._open.items() if state.idle]
        # The newest is the one that is about to be used.
        for upload_id in idle[: max(0, len(self._open) - MOST_REMEMBERED)][: len(idle) - 1]:
            del self._open[upload_id]

    async def _write_waiting(self, upload_id: str, state: _Open) -> None:
        while state.waiting:
            batch, state.waiting = state.waiting, []
            error: Exception | None = None
            try:
                await self._write_batch(upload_id, state, [piece for piece, _ in batch])
            except asyncio.CancelledError:
                for _, written in (*batch, *state.waiting):
                    written.cancel()
                raise
            except Exception as caught:  # noqa: BLE001 - whoever waits for the chunk raises it
                error = caught
            for _, written in batch:
                if written.done():
                    # Its client is gone.
                    continue
                if error is None:
                    written.set_result(state.received)
                else:
                    written.set_exception(error)
        state.writing = None

    async def _write_batch(self, upload_id: str, state: _Open, batch: list[Piece]) -> None:
        received, pieces = state.received, list[Piece]()
        for offset, data in batch:
            for start, end in received.missing(offset, offset + len(data)):
                pieces.append((start, data[start - offset : end - offset]))
            received = received.add(offset, offset + len(data))
        if not pieces:
            return
        if len(received) > MOST_RANGES:
            raise QuotaExceeded("TOO_MANY_GAPS", "the chunks leave too many gaps; fill some of them first")
        try:
            await self._chunks.write(upload_id, pieces)
        except FileNotFoundError:
            raise _not_found(upload_id) from None
        if self._chunks.hash_as_they_come:
            if state.hashing is not None:
                await state.hashing
            state.hashing = asyncio.create_task(in_thread(_feed, state.prefix, pieces))
        added = Ranges.of((start, start + len(data)) for start, data in pieces)
        if not self._chunks.keeps_notes:
            state.received = state.in_database = await self._note(upload_id, state.received, received, added)
            return
        state.received = received
        if state.noting is None or state.noting.done():
            state.noting = asyncio.create_task(self._note_soon(upload_id, state))

    async def _note_soon(self, upload_id: str, state: _Open) -> None:
        """Has the database follow what has come."""
        while state.in_database != state.received:
            await asyncio.sleep(NOTE_SECONDS)
            received = state.received
            try:
                await self._chunks.sync(upload_id)
                state.in_database = await self._note(upload_id, state.in_database, received, received)
            except (NotFound, PreconditionFailed):
                # It was thrown away, or became a recording.
                return
            except (DomainError, SQLAlchemyError, OSError) as error:
                log.warning(
                    "what came of an upload could not be noted", upload_id=upload_id, error=str(error)
                )

    async def _note(self, upload_id: str, before: Ranges, after: Ranges, added: Ranges) -> Ranges:
        """Writes what has come to the database, and returns what it has then."""
        place = uploads.c.id == upload_id
        expires_at = datetime.now(UTC) + self._expiry
        as_known = place & (uploads.c.received == before.pack()) & (uploads.c.recording_id == "")
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(uploads).where(as_known).values(received=after.pack(), expires_at=expires_at)
            )
            if changed.rowcount:
                return after
            # Another replica got chunks as well, or it is complete, or gone.
            query = select(uploads.c.received, uploads.c.recording_id).where(place).with_for_update()
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                raise _not_found(upload_id)
            if row.recording_id:
                raise _completed(upload_id)
            received = Ranges.of([*Ranges.unpack(row.received), *added])
            await connection.execute(
                update(uploads).where(place).values(received=received.pack(), expires_at=expires_at)
            )
        return received

    async def _complete(self, owner: str, upload_id: str, state: _Open, sha256: str) -> Recording:
        found = await self.get(owner, upload_id)
        if found.recording_id:
            # By another call that ended while this one began.
            self._open.pop(upload_id, None)
            return await self._intake.library.get(owner, found.recording_id)
        if found.received != Ranges((0,), (found.size_bytes,)):
            missing, _ = next(found.received.missing(0, found.size_bytes))
            raise PreconditionFailed(
                "UPLOAD_INCOMPLETE",
                f"{found.size_bytes - found.received.total} bytes are missing, the first at {missing}",
                metadata={"first_missing_offset": str(missing)},
            )
        upload = replace(found.upload, sha256=found.upload.sha256 or sha256)
        if state.hashing is not None:
            await state.hashing
        async with self._chunks.assembled(found.id, found.size_bytes) as path:
            actual = await in_thread(state.prefix.finish, path)
            if actual != sha256 or actual != upload.sha256:
                await self._begin_anew(found.id, state)
                raise InvalidInput(
                    "CHECKSUM_MISMATCH", "the file was changed on its way here; send all of it again"
                )
            recording = await self._intake.take_in(upload, path, found.size_bytes, actual, keep=True)
        async with self._database.write() as connection:
            await connection.execute(
                update(uploads).where(uploads.c.id == found.id).values(recording_id=recording.id)
            )
        self._open.pop(found.id, None)
        await self._chunks.delete(found.id)
        return recording

    async def _begin_anew(self, upload_id: str, state: _Open) -> None:
        # Which of the bytes are wrong can't be known.
        await self._chunks.forget(upload_id)
        async with self._database.write() as connection:
            await connection.execute(
                update(uploads).where(uploads.c.id == upload_id).values(received=Ranges().pack())
            )
        state.received = state.in_database = Ranges()
        state.prefix = PrefixHash()


def _feed(prefix: PrefixHash, pieces: list[Piece]) -> None:
    for offset, data in pieces:
        prefix.feed(offset, data)


def _forget_completing(state: _Open, task: asyncio.Task[Recording]) -> None:
    state.completing = None
    if not task.cancelled():
        # Whoever waited was told; nobody may be waiting any more.
        task.exception()


def _not_found(upload_id: str) -> NotFound:
    return NotFound("UPLOAD_NOT_FOUND", f"there is no upload {upload_id}; it may have expired")


def _completed(upload_id: str) -> PreconditionFailed:
    return PreconditionFailed("UPLOAD_COMPLETED", f"upload {upload_id} has become a recording already")


def _config(upload: Upload) -> dict[str, Any]:
    recorded_at = upload.recorded_at
    return {
        "file_name": clean_file_name(upload.file_name),
        "sha256": upload.sha256,
        "recorded_at": recorded_at.isoformat() if recorded_at else None,
        "allow_duplicate": upload.allow_duplicate,
        "title": upload.title,
        "folder": upload.folder,
        "tags": list(upload.tags),
    }


def _record(row: Any) -> ChunkedUpload:
    config = dict(row["config"])
    recorded_at = config.pop("recorded_at")
    tags = config.pop("tags")
    return ChunkedUpload(
        id=row["id"],
        upload=Upload(
            owner=row["owner"],
            request_id=row["request_id"],
            size_bytes=row["size_bytes"],
            recorded_at=datetime.fromisoformat(recorded_at) if recorded_at else None,
            tags=tuple(tags),
            **config,
        ),
        size_bytes=row["size_bytes"],
        received=Ranges.unpack(row["received"]),
        expires_at=row["expires_at"],
        recording_id=row["recording_id"],
    )
