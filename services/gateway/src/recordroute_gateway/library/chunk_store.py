"""Keeps the chunks of uploads that are not complete: in a file each, or as objects where files are kept in a store.

What is written to a file outlives this process at once, by a journal beside it, and a loss of power once it is synced.
The journal names the boot of the machine: after another one nobody knows which of its chunks reached the disk.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from recordroute_runtime.errors import StorageFull
from recordroute_runtime.threads import in_thread

from recordroute_gateway.blobs import FULL, BlobStore, raise_if_full
from recordroute_gateway.library.ranges import Ranges

# Without the times of the file, which nobody needs; not every system has it.
_sync = getattr(os, "fdatasync", os.fsync)
Piece = tuple[int, memoryview]
PREFIX = "uploads"
# What belongs to no upload is left alone for so long: its row may be about to be written.
YOUNG = timedelta(hours=1)


class ChunkStore(Protocol):
    """Where chunks are kept. Every method but `assembled` raises StorageFull where there is no room."""

    # Whether what `write` was given first is what `assembled` gives, whatever other replicas do.
    hash_as_they_come: bool
    # Whether `noted` knows what was written, so that the database need not be told of each chunk.
    keeps_notes: bool

    async def create(self, upload_id: str, size_bytes: int) -> None:
        """Makes room for an upload."""
        ...

    async def write(self, upload_id: str, pieces: Sequence[Piece]) -> None:
        """Keeps pieces, each an offset with bytes. When it returns they outlive this process, together with the note
        that they came, or a loss of power where no notes are kept."""
        ...

    async def sync(self, upload_id: str) -> None:
        """Makes what was written outlive a loss of power."""
        ...

    async def noted(self, upload_id: str) -> Ranges:
        """Returns what was written since the machine was started, as far as there is a note of it."""
        ...

    async def forget(self, upload_id: str) -> None:
        """Takes nothing as written any more."""
        ...

    def assembled(self, upload_id: str, size_bytes: int) -> AbstractAsyncContextManager[Path]:
        """Gives the whole file, once every byte has come. It is the caller's to read and to link, not to change."""
        ...

    async def delete(self, upload_id: str) -> None:
        """Deletes an upload's chunks; it is no error if there are none."""
        ...

    async def old_ids(self) -> list[str]:
        """Returns the uploads that have chunks and were begun some time ago."""
        ...


def make_chunk_store(data_dir: Path, blobs: BlobStore) -> ChunkStore:
    """Keeps chunks where the blobs are kept: with an object store, every replica sees those of the others."""
    if blobs.is_local:
        return LocalChunks(data_dir / PREFIX)
    return ObjectChunks(blobs)


def _boot_id() -> bytes:
    """Returns what names this boot of the machine; empty where the system has no such name.

    https://man7.org/linux/man-pages/man4/random.4.html
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return b""


class LocalChunks:
    """One file an upload, of its full size from the start and full of holes, and its journal: a line that names the
    boot, and a pair of offsets a stretch that was written."""

    hash_as_they_come = True

    def __init__(self, folder: Path, boot: bytes | None = None) -> None:
        self._folder = folder
        self._boot = _boot_id() if boot is None else boot
        self.keeps_notes = bool(self._boot)
        folder.mkdir(parents=True, exist_ok=True)

    async def create(self, upload_id: str, size_bytes: int) -> None:
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < size_bytes:
            raise StorageFull(FULL)
        await in_thread(self._create, upload_id, size_bytes)

    async def write(self, upload_id: str, pieces: Sequence[Piece]) -> None:
        try:
            await in_thread(self._write, upload_id, pieces)
        except OSError as error:
            raise_if_full(error)
            raise

    async def sync(self, upload_id: str) -> None:
        try:
            await in_thread(self._sync, upload_id)
        except OSError as error:
            raise_if_full(error)
            raise

    async def noted(self, upload_id: str) -> Ranges:
        try:
            journal = self._journal(upload_id).read_bytes()
        except FileNotFoundError:
            return Ranges()
        boot, _, pairs = journal.partition(b"\n")
        if boot != self._boot:
            await self.forget(upload_id)
            return Ranges()
        return Ranges.of(Ranges.unpack(pairs))

    async def forget(self, upload_id: str) -> None:
        self._journal(upload_id).unlink(missing_ok=True)

    @asynccontextmanager
    async def assembled(self, upload_id: str, size_bytes: int) -> AsyncIterator[Path]:
        await self.sync(upload_id)
        yield self._folder / upload_id

    async def delete(self, upload_id: str) -> None:
        self._journal(upload_id).unlink(missing_ok=True)
        (self._folder / upload_id).unlink(missing_ok=True)

    async def old_ids(self) -> list[str]:
        before = (datetime.now(UTC) - YOUNG).timestamp()
        return [path.stem for path in self._folder.iterdir() if path.stat().st_mtime < before]

    def _journal(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.journal"

    def _create(self, upload_id: str, size_bytes: int) -> None:
        try:
            with (self._folder / upload_id).open("xb") as file:
                file.truncate(size_bytes)
                os.fsync(file.fileno())
        except OSError as error:
            raise_if_full(error)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, upload_id: str, pieces: Sequence[Piece]) -> None:
        file = os.open(self._folder / upload_id, os.O_WRONLY)
        try:
            for offset, data in pieces:
                written = 0
                while written < len(data):
                    written += os.pwrite(file, data[written:], offset + written)
            if not self.keeps_notes:
                _sync(file)
                return
        finally:
            os.close(file)
        self._note(upload_id, Ranges.of((offset, offset + len(data)) for offset, data in pieces))

    def _note(self, upload_id: str, written: Ranges) -> None:
        with self._journal(upload_id).open("ab", buffering=0) as journal:
            size = journal.tell()
            note = written.pack() if size else self._boot + b"\n" + written.pack()
            if journal.write(note) != len(note):
                journal.truncate(size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _sync(self, upload_id: str) -> None:
        try:
            file = os.open(self._folder / upload_id, os.O_RDONLY)
        except FileNotFoundError:
            # It was completed or thrown away meanwhile.
            return
        try:
            _sync(file)
            if sys.platform == "linux":
                # Read once more in hours or days, if at all: not worth its memory.
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


class ObjectChunks:
    """One object a piece, named by its place: `uploads/<upload>/<first byte>-<one past the last>`."""

    hash_as_they_come = False
    keeps_notes = False

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._store: ObjectStore = blobs.store

    async def create(self, upload_id: str, size_bytes: int) -> None:
        """Does nothing: an object store has no room to make."""

    async def write(self, upload_id: str, pieces: Sequence[Piece]) -> None:
        try:
            await asyncio.gather(
                *(
                    obstore.put_async(
                        self._store, f"{PREFIX}/{upload_id}/{offset:015d}-{offset + len(data):015d}", data
                    )
                    for offset, data in pieces
                )
            )
        except BaseError as error:
            raise_if_full(error)
            raise

    async def sync(self, upload_id: str) -> None:
        """Does nothing: what an object store took is durable."""

    async def noted(self, upload_id: str) -> Ranges:
        return Ranges()

    async def forget(self, upload_id: str) -> None:
        """Does nothing: there is no note but the database's."""

    @asynccontextmanager
    async def assembled(self, upload_id: str, size_bytes: int) -> AsyncIterator[Path]:
        path = self._blobs.new_incoming()
        try:
            await self._assemble(upload_id, path)
            yield path
        except OSError as error:
            raise_if_full(error)
            raise
        finally:
            path.unlink(missing_ok=True)

    async def delete(self, upload_id: str) -> None:
        keys = [key for key, _, _ in await self._pieces(upload_id)]
        for key in keys:
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, key)

    async def old_ids(self) -> list[str]:
        before = datetime.now(UTC) - YOUNG
        old = set[str]()
        async for page in obstore.list(self._store, f"{PREFIX}/"):
            old |= {str(item["path"]).split("/")[-2] for item in page if item["last_modified"] < before}
        return sorted(old)

    async def _pieces(self, upload_id: str) -> list[tuple[str, int, int]]:
        pieces = []
        async for page in obstore.list(self._store, f"{PREFIX}/{upload_id}/"):
            for item in page:
                start, end = str(item["path"]).rpartition("/")[2].split("-")
                pieces.append((str(item["path"]), int(start), int(end)))
        return sorted(pieces, key=lambda piece: piece[1:])

    async def _assemble(self, upload_id: str, path: Path) -> None:
        # Two replicas may have kept overlapping pieces of a chunk that was repeated: the first one counts.
        have = Ranges()
        with path.open("r+b", buffering=0) as file:
            for key, start, end in await self._pieces(upload_id):
                wanted = list(have.missing(start, end))
                if not wanted:
                    continue
                result = await obstore.get_async(self._store, key)
                data = memoryview(await result.bytes_async())
                for first, last in wanted:
                    await in_thread(os.pwrite, file.fileno(), data[first - start : last - start], first)
                have = have.add(start, end)
