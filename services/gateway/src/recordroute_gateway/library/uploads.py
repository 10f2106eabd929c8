"""Receives a file in one stream: to disk as it comes, hashed on the way, and only then a recording.

Writing and hashing run in a thread while the next chunks come; a thread is called for whatever has come meanwhile, not
for every chunk.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.library.intake import Intake, Upload, file_too_large
from recordroute_gateway.library.probe import start_media_reader
from recordroute_gateway.library.readers.process import Reader
from recordroute_gateway.library.records import Recording

# What may wait for the disk: the memory that an upload takes, whatever the file's size.
BUFFER_BYTES = 8 << 20
# The disk is kept busy while bytes come, so that little is left to wait for at the end.
WRITE_BACK_BYTES = 16 << 20
# How often the quota is looked at where the client did not say how large the file is.
QUOTA_STEP_BYTES = 256 << 20
# What comes over loopback while a reader starts.
LARGE_BYTES = 16 << 20
START_READER_BYTES = 256 << 20
MOST_WAITING_READERS = 4


async def receive(upload: Upload, chunks: AsyncIterator[bytes], intake: Intake) -> Recording:
    """Receives a file and adds its recording. Nothing is kept of a file that fails.

    Raises what `Intake.check` and `Intake.take_in` raise.
    """
    known = await intake.library.find_request(upload.owner, upload.request_id)
    if known is not None:
        return known
    await intake.check(upload)
    path = intake.library.blobs.new_incoming()
    waiting = _WaitingReader(upload)
    try:
        coming = waiting.near_the_end(_within_limits(upload, chunks, intake))
        size, sha256 = await _spool(coming, path)
        return await intake.take_in(upload, path, size, sha256, reader=waiting.reader)
    finally:
        path.unlink(missing_ok=True)
        await waiting.close()


class _WaitingReader:
    """A reader that is started shortly before the end of a large upload, so that nobody waits for its start."""

    # Each is a process: the uploads beyond start theirs when their file is there.
    count = 0

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self.reader: Reader | None = None

    async def near_the_end(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Passes the chunks on."""
        expected = self._upload.size_bytes or 0
        start = max(0, expected - START_READER_BYTES) if expected >= LARGE_BYTES else None
        size = 0
        async for chunk in chunks:
            if (
                start is not None
                and size <= start < size + len(chunk)
                and _WaitingReader.count < MOST_WAITING_READERS
            ):
                self.reader = await asyncio.to_thread(start_media_reader, self._upload.file_name)
                _WaitingReader.count += self.reader is not None
            size += len(chunk)
            yield chunk

    async def close(self) -> None:
        """Ends the reader where it was not needed."""
        if self.reader is not None:
            _WaitingReader.count -= 1
            await self.reader.close()


async def _within_limits(
    upload: Upload, chunks: AsyncIterator[bytes], intake: Intake
) -> AsyncIterator[bytes]:
    size, next_check = 0, QUOTA_STEP_BYTES if upload.size_bytes is None else None
    async for chunk in chunks:
        size += len(chunk)
        if size > intake.max_upload_bytes:
            raise file_too_large(intake.max_upload_bytes)
        if next_check is not None and size >= next_check:
            await intake.check_quota(upload.owner, size)
            next_check += QUOTA_STEP_BYTES
        yield chunk
        if upload.size_bytes is not None and size > upload.size_bytes:
            # More than was announced, and than the quota was asked for: the comparison at the end says so.
            return
    # Others of the same user may have come in meanwhile.
    await intake.check_quota(upload.owner, size)


async def _spool(chunks: AsyncIterator[bytes], path: Path) -> tuple[int, str]:
    """Writes the chunks to disk, durably, and returns their size and SHA-256. Raises StorageFull."""
    with path.open("wb", buffering=0) as file:
        sink = _Sink(file)
        waiting: list[bytes] = []
        waiting_bytes = 0
        writing: asyncio.Task[None] | None = None
        try:
            async for chunk in chunks:
                waiting.append(chunk)
                waiting_bytes += len(chunk)
                if writing is not None and (writing.done() or waiting_bytes >= BUFFER_BYTES):
                    await writing
                    writing = None
                if writing is None:
                    writing = asyncio.create_task(asyncio.to_thread(sink.write, waiting))
                    waiting, waiting_bytes = [], 0
            if writing is not None:
                await writing
            await asyncio.to_thread(sink.finish, waiting)
        except OSError as error:
            raise_if_full(error)
            raise
        finally:
            # The file is not closed under a thread that writes it.
            if writing is not None and not writing.done():
                await asyncio.wait([writing])
    return sink.size, sink.digest.hexdigest()


class _Sink:
    """Hashes and writes, in one thread at a time."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._flushed = 0
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self.digest.update(chunk)
            written = 0
            while written < len(chunk):
                written += self._file.write(memoryview(chunk)[written:])
            self.size += len(chunk)
        if sys.platform == "linux" and self.size - self._flushed >= WRITE_BACK_BYTES:
            # This begins to write what is dirty, and does not wait for it.
            os.posix_fadvise(
                self._file.fileno(), self._flushed, self.size - self._flushed, os.POSIX_FADV_DONTNEED
            )
            self._flushed = self.size

    def finish(self, chunks: list[bytes]) -> None:
        self.write(chunks)
        os.fsync(self._file.fileno())
