"""Keeps the chunks of uploads that are not complete: in a file each, or as objects where files are kept in a store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from recordroute_runtime.errors import StorageFull

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

    async def create(self, upload_id: str, size_bytes: int) -> None:
        """Makes room for an upload."""
        ...

    async def write(self, upload_id: str, pieces: Sequence[Piece]) -> None:
        """Keeps pieces, each an offset with bytes; they are durable when it returns."""
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


class LocalChunks:
    """One file an upload, of its full size from the start and full of holes."""

    hash_as_they_come = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def create(self, upload_id: str, size_bytes: int) -> None:
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < size_bytes:
            raise StorageFull(FULL)
        await asyncio.to_thread(self._create, upload_id, size_bytes)

    async def write(self, upload_id: str, pieces: Sequence[Piece]) -> None:
        try:
            await asyncio.to_thread(self._write, upload_id, pieces)
        except OSError as error:
            raise_if_full(error)
            raise

    @asynccontextmanager
    async def assembled(self, upload_id: str, size_bytes: int) -> AsyncIterator[Path]:
        yield self._folder / upload_id

    async def delete(self, upload_id: str) -> None:
        (self._folder / upload_id).unlink(missing_ok=True)

    async def old_ids(self) -> list[str]:
        before = (datetime.now(UTC) - YOUNG).timestamp()
        return [path.name for path in self._folder.iterdir() if path.stat().st_mtime < before]

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
            _sync(file)
        finally:
            os.close(file)


class ObjectChunks:
    """One object a piece, named by its place: `uploads/<upload>/<first byte>-<one past the last>`."""

    hash_as_they_come = False

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
                    await asyncio.to_thread(
                        os.pwrite, file.fileno(), data[first - start : last - start], first
                    )
                have = have.add(start, end)
