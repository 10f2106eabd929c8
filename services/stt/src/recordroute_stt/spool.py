"""Receives a file to disk, and reads it while it is still arriving."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from recordroute_runtime.errors import Cancelled, DomainError, InvalidInput, StorageFull
from recordroute_runtime.inference import CancelToken
from recordroute_runtime.threads import ended, in_thread

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
CANCEL_POLL_SECONDS = 0.1
# What a client sends after the answer is known is still taken for a while: a grpc.aio client whose call ends in the
# middle of a write reports INTERNAL in place of the status that it was sent.
READ_OUT_SECONDS = 5.0
READ_OUT_IDLE_SECONDS = 0.2

# Boxes of ISO base media files (ISO/IEC 14496-12) that stand at the top level before the index or the media.
_ISO_BOXES = (b"ftyp", b"styp", b"free", b"skip", b"wide", b"pdin", b"uuid", b"mdat", b"moov")
_BOX_HEADER_BYTES = 16


class Spool:
    """A file on disk that grows while the upload lasts. Readers wait for what has not come yet."""

    def __init__(self, descriptor: int, max_bytes: int) -> None:
        self._descriptor = descriptor
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._discards = False
        self.waiting_since = math.inf
        """When the wait for the next chunk began (time.monotonic); infinite while one is written."""

    async def receive(self, chunks: AsyncIterator[bytes]) -> None:
        """Takes the whole upload. What goes wrong with it is raised by the readers."""
        try:
            self.waiting_since = time.monotonic()
            async for chunk in chunks:
                self.waiting_since = math.inf
                if not self._discards:
                    await in_thread(self._append, chunk)
                self.waiting_since = time.monotonic()
            if not self._size:
                raise InvalidInput("MEDIA_EMPTY", "the file is empty")
        except asyncio.CancelledError:
            self._end(Cancelled())
            raise
        except Exception as error:  # noqa: BLE001 - the readers raise it
            self._end(error)
        else:
            self._end()

    def discard(self) -> None:
        """Stops keeping what comes: nobody reads it any more."""
        self._discards = True

    @property
    def complete(self) -> bool:
        """Whether the whole file is there."""
        return self._ended and self._error is None

    def wait_for(self, size: int, token: CancelToken) -> int:
        """Returns the number of bytes that are there, once it is beyond `size` or the upload has ended.

        Raises what was wrong with the upload, and Cancelled.
        """
        with self._changed:
            while True:
                token.raise_if_cancelled()
                if self._error is not None:
                    raise self._error
                if self._ended or self._size > size:
                    return self._size
                self._changed.wait(CANCEL_POLL_SECONDS)

    def wait_for_all(self, token: CancelToken) -> int:
        """Returns the file's size in bytes when the upload has ended; raises as `wait_for`."""
        with self._changed:
            while not self._ended and self._error is None:
                token.raise_if_cancelled()
                self._changed.wait(CANCEL_POLL_SECONDS)
        return self.wait_for(0, token)

    def read_at(self, offset: int, size: int) -> bytes:
        """Returns at most `size` bytes that are there."""
        return os.pread(self._descriptor, size, offset)

    def _append(self, chunk: bytes) -> None:
        if self._size + len(chunk) > self._max_bytes:
            raise InvalidInput(
                "MEDIA_TOO_LARGE",
                f"the file is larger than the limit of {self._max_bytes} bytes",
                metadata={"max_bytes": str(self._max_bytes)},
            )
        try:
            self._write(chunk)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StorageFull("the disk of the speech service has no room for the file") from error
            raise
        with self._changed:
            self._size += len(chunk)
            self._changed.notify_all()

    def _write(self, chunk: bytes) -> None:
        written = 0
        while written < len(chunk):
            written += os.pwrite(self._descriptor, chunk[written:], self._size + written)

    def _end(self, error: Exception | None = None) -> None:
        with self._changed:
            self._ended = True
            self._error = error
            self._changed.notify_all()


class SpoolReader:
    """A spool as a file object for one reading thread.

    It can't seek, so that FFmpeg reads the file in order as it comes and never goes to its end to look for more. The
    exception are ISO files (MP4, MOV, M4A) whose index stands behind the media: they are read when they are there.
    """

    def __init__(self, spool: Spool, token: CancelToken, *, seekable: bool | None = None) -> None:
        self._spool = spool
        self._token = token
        self._seekable = seekable
        self._position = 0
        self._failed = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        if self._seekable is None:
            self._seekable = index_follows_media(self._exactly)
            if self._seekable:
                self._spool.wait_for_all(self._token)
        return self._seekable

    def read(self, size: int = -1, /) -> bytes:
        if self._failed:
            # FFmpeg reads on for a while. What was raised is kept, and raised again when it returns.
            return b""
        try:
            if size < 0:
                size = self._spool.wait_for_all(self._token) - self._position
            self._spool.wait_for(self._position, self._token)
        except BaseException:
            self._failed = True
            raise
        content = self._spool.read_at(self._position, size)
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._spool.wait_for_all(self._token)
        if offset < 0:
            raise OSError(errno.EINVAL, "seek before the beginning")
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def whole(self) -> SpoolReader | None:
        """Returns a reader of the file that can seek; None while the file is still arriving."""
        return SpoolReader(self._spool, self._token, seekable=True) if self._spool.complete else None

    def _exactly(self, offset: int, size: int) -> bytes:
        """Returns `size` bytes, fewer only at the end of the file."""
        self._spool.wait_for(offset + size - 1, self._token)
        return self._spool.read_at(offset, size)


def index_follows_media(read_at: Callable[[int, int], bytes]) -> bool:
    """Returns whether a file is of the ISO family with its media (mdat) before its index (moov).

    `read_at(offset, size)` returns fewer bytes only at the end of the file.
    """
    offset = 0
    while True:
        header = read_at(offset, _BOX_HEADER_BYTES)
        kind = header[4:8]
        if kind not in _ISO_BOXES or kind == b"moov":
            return False
        if kind == b"mdat":
            return True
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if size < 8:
            return False
        offset += size


@asynccontextmanager
async def spooled(
    chunks: AsyncIterator[bytes], *, folder: Path | None, max_bytes: int
) -> AsyncIterator[Spool]:
    """Writes `chunks` to a file that has no name, and gives it at once; its room is free again afterwards.

    Its readers raise InvalidInput (MEDIA_EMPTY, MEDIA_TOO_LARGE), StorageFull, and what `chunks` raises.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        spool = Spool(file.fileno(), max_bytes)
        receiving = asyncio.create_task(spool.receive(chunks))
        try:
            yield spool
            await _read_out(spool, receiving)
        except DomainError:
            await _read_out(spool, receiving)
            raise
        finally:
            receiving.cancel()
            await ended(receiving)


async def _read_out(spool: Spool, receiving: asyncio.Task[None]) -> None:
    """Lets the client send on for a while, until it pauses or is done."""
    spool.discard()
    deadline = time.monotonic() + READ_OUT_SECONDS
    while not receiving.done() and time.monotonic() < min(
        deadline, spool.waiting_since + READ_OUT_IDLE_SECONDS
    ):
        await asyncio.wait([receiving], timeout=READ_OUT_IDLE_SECONDS)
