"""Content-addressed files: a blob's name is the SHA-256 of its bytes, so writing it twice changes nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url
from recordroute_runtime.errors import StorageFull
from recordroute_runtime.threads import in_thread

if TYPE_CHECKING:
    from obstore import GetOptions

READ_CHUNK_BYTES = 1 << 20
FULL = "the disk of the library is full; nothing was changed"


def raise_if_full(error: BaseException) -> None:
    """Raises StorageFull where `error`, or what caused it, is a full disk or a used-up quota."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(FULL) from error
        cause = cause.__cause__
    # The object store's errors carry the system's only in their text.
    if isinstance(error, BaseError) and "No space left" in str(error):
        raise StorageFull(FULL) from error


class BlobStore:
    """Blobs below the data folder, or in an object store."""

    def __init__(self, data_dir: Path, url: str) -> None:
        self.incoming = data_dir / "incoming"
        self._local = None if url else data_dir / "blobs"
        if self._local is not None:
            self._local.mkdir(parents=True, exist_ok=True)
        self.store: ObjectStore = from_url(url) if url else LocalStore(prefix=self._local)

    @property
    def is_local(self) -> bool:
        """Whether the blobs are files below the data folder."""
        return self._local is not None

    def open(self) -> None:
        """Clears away what a killed process was receiving."""
        self.incoming.mkdir(parents=True, exist_ok=True)
        for left_over in self.incoming.iterdir():
            left_over.unlink()

    def new_incoming(self) -> Path:
        """Returns the path of a new empty file to receive into; `adopt` or unlink it."""
        descriptor, path = tempfile.mkstemp(dir=self.incoming)
        os.close(descriptor)
        return Path(path)

    async def adopt(self, path: Path, sha256: str, *, keep: bool = False) -> None:
        """Takes over a received file under its name; with `keep` the path stays, and its file must not be changed any
        more. Raises StorageFull."""
        if self._local is not None:
            await in_thread(self._link if keep else self._move, path, self._local / _key(sha256))
            return
        try:
            await obstore.put_async(self.store, _key(sha256), path)
        except BaseError as error:
            raise_if_full(error)
            raise
        if not keep:
            path.unlink()

    async def put(self, data: bytes) -> str:
        """Writes a small blob and returns its name. Raises StorageFull."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = await in_thread(self._write, data, discard=Path.unlink)
        try:
            await self.adopt(path, sha256)
        finally:
            path.unlink(missing_ok=True)
        return sha256

    async def get(self, sha256: str) -> bytes:
        """Returns the whole of a small blob."""
        result = await obstore.get_async(self.store, _key(sha256))
        return bytes(await result.bytes_async())

    async def stream(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yields a blob's bytes, or those from `start` up to `end`, in chunks of at most `READ_CHUNK_BYTES`."""
        options: GetOptions | None = None
        if end is not None:
            options = {"range": (start, end)}
        elif start:
            options = {"range": {"offset": start}}
        result = await obstore.get_async(self.store, _key(sha256), options=options)
        async for chunk in result.stream(min_chunk_size=READ_CHUNK_BYTES):
            data = memoryview(chunk)
            for first in range(0, len(data), READ_CHUNK_BYTES):
                yield bytes(data[first : first + READ_CHUNK_BYTES])

    async def exists(self, sha256: str) -> bool:
        """Whether there is a blob."""
        try:
            await obstore.head_async(self.store, _key(sha256))
        except FileNotFoundError:
            return False
        return True

    @asynccontextmanager
    async def local_path(self, sha256: str) -> AsyncIterator[Path]:
        """Gives a file with a blob's bytes, to be read only: the blob's own, or a copy for as long as it is needed.

        Raises StorageFull.
        """
        if self._local is not None:
            yield self._local / _key(sha256)
            return
        path = self.new_incoming()
        try:
            with path.open("wb") as file:
                async for chunk in self.stream(sha256):
                    await in_thread(file.write, chunk)
            yield path
        except OSError as error:
            raise_if_full(error)
            raise
        finally:
            path.unlink(missing_ok=True)

    async def delete(self, sha256: str) -> None:
        """Deletes a blob; it is no error if it is gone."""
        try:
            await obstore.delete_async(self.store, _key(sha256))
        except FileNotFoundError:
            return

    def _write(self, data: bytes) -> Path:
        path = self.new_incoming()
        try:
            with path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise_if_full(error)
            raise
        return path

    @classmethod
    def _link(cls, source: Path, target: Path) -> None:
        link = source.with_name(f"{source.name}.link")
        link.unlink(missing_ok=True)
        link.hardlink_to(source)
        cls._move(link, target)
        # Renaming a link to the same file over another does nothing, and leaves both.
        link.unlink(missing_ok=True)

    @staticmethod
    def _move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
