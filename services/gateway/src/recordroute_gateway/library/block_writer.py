"""Writes a file from its start to its end and hashes it, both in threads beside the event loop.

What comes is gathered in large aligned blocks, so that many small chunks cost no more than few large ones. While one
block is hashed and written, at once, the other one fills: the memory is two blocks, whatever the file's size.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import mmap
import os
from pathlib import Path

from recordroute_runtime.threads import in_thread

BLOCK_BYTES = 4 << 20
# From here on a file goes past the page cache, which would push out what is in use, and costs as much as the hash.
DIRECT_AFTER_BYTES = 16 << 20
# open(2); not every system has it, nor every file system.
_O_DIRECT = getattr(os, "O_DIRECT", 0)


class BlockWriter:
    """Writes to an existing file. Close it, also after an error; every method raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY)
        self._may_go_direct = bool(_O_DIRECT)
        self._is_direct = False
        self._digest = hashlib.sha256()
        self._flushing: asyncio.Task[None] | None = None
        # Anonymous memory begins at a page, as direct writes need it.
        self._block = mmap.mmap(-1, BLOCK_BYTES)
        self._spare: mmap.mmap | None = None
        self._filled = 0
        self._flushed = 0

    async def write(self, data: bytes | memoryview) -> None:
        """Takes the next bytes; waits where those before have not been written."""
        rest = memoryview(data)
        while rest:
            count = min(len(rest), BLOCK_BYTES - self._filled)
            self._block[self._filled : self._filled + count] = rest[:count]
            self._filled += count
            rest = rest[count:]
            if self._filled == BLOCK_BYTES:
                await self._hand_over()

    async def finish(self) -> tuple[int, str]:
        """Returns the size of the file and its SHA-256 in hexadecimal once it is durable."""
        await self._wait()
        await in_thread(self._write_tail)
        return self._flushed, self._digest.hexdigest()

    def close(self) -> None:
        """Closes the file, at once or when the thread is done that writes it."""
        if self._flushing is None:
            os.close(self._file)
        else:
            self._flushing.add_done_callback(self._close_after)

    async def _hand_over(self) -> None:
        await self._wait()
        full = self._block
        self._block = self._spare or mmap.mmap(-1, BLOCK_BYTES)
        self._spare = full
        self._filled = 0
        self._flushing = asyncio.create_task(self._flush(full))

    async def _wait(self) -> None:
        if self._flushing is not None:
            # Whoever waits may be cancelled, the thread can't be.
            await asyncio.shield(self._flushing)
            self._flushing = None

    async def _flush(self, block: mmap.mmap) -> None:
        hashing = asyncio.create_task(in_thread(self._digest.update, block))
        try:
            await in_thread(self._write, memoryview(block))
        finally:
            await hashing

    def _write(self, data: memoryview) -> None:
        if self._may_go_direct and self._flushed >= DIRECT_AFTER_BYTES:
            self._may_go_direct = False
            self._go_direct(True)
        while data:
            try:
                count = os.write(self._file, data)
            except OSError as error:
                if not self._is_direct or error.errno != errno.EINVAL:
                    raise
                # What a direct write left when it was cut short, at a place that is not aligned.
                self._go_direct(False)
                continue
            data = data[count:]
            self._flushed += count

    def _write_tail(self) -> None:
        if self._is_direct:
            self._go_direct(False)
        tail = memoryview(self._block)[: self._filled]
        self._digest.update(tail)
        self._write(tail)
        os.fsync(self._file)

    def _go_direct(self, direct: bool) -> None:
        flags = fcntl.fcntl(self._file, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self._file, fcntl.F_SETFL, flags | _O_DIRECT if direct else flags & ~_O_DIRECT)
        except OSError:
            # The file system has no direct writes.
            if not direct:
                raise
        else:
            self._is_direct = direct

    def _close_after(self, flushing: asyncio.Task[None]) -> None:
        os.close(self._file)
        if not flushing.cancelled():
            # Whoever waited was told; after a cancelled call nobody does.
            flushing.exception()
