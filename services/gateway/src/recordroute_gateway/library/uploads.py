"""Receives a file in one stream: to disk as it comes, hashed on the way, and only then a recording."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path

from recordroute_runtime.threads import in_thread

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.library.block_writer import BlockWriter
from recordroute_gateway.library.intake import Intake, Upload, file_too_large
from recordroute_gateway.library.probe import start_media_reader
from recordroute_gateway.library.read_ahead import one_ahead
from recordroute_gateway.library.readers.process import Reader
from recordroute_gateway.library.records import Recording

Chunk = bytes | memoryview
# How often the quota is looked at where the client did not say how large the file is.
QUOTA_STEP_BYTES = 256 << 20
# What comes over loopback while a reader starts.
LARGE_BYTES = 16 << 20
START_READER_BYTES = 256 << 20
MOST_WAITING_READERS = 4


async def receive(upload: Upload, chunks: AsyncIterator[Chunk], intake: Intake) -> Recording:
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
        async with aclosing(one_ahead(chunks)) as ahead:
            size, sha256 = await _spool(waiting.near_the_end(_within_limits(upload, ahead, intake)), path)
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

    async def near_the_end(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
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
                self.reader = await start_media_reader(self._upload.file_name)
                _WaitingReader.count += self.reader is not None
            size += len(chunk)
            yield chunk

    async def close(self) -> None:
        """Ends the reader where it was not needed."""
        if self.reader is not None:
            _WaitingReader.count -= 1
            await in_thread(self.reader.end)


async def _within_limits(
    upload: Upload, chunks: AsyncIterator[Chunk], intake: Intake
) -> AsyncIterator[Chunk]:
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


async def _spool(chunks: AsyncIterator[Chunk], path: Path) -> tuple[int, str]:
    """Writes the chunks to disk, durably, and returns their size and SHA-256. Raises StorageFull."""
    try:
        with closing(BlockWriter(path)) as writer:
            async for chunk in chunks:
                await writer.write(chunk)
            return await writer.finish()
    except OSError as error:
        raise_if_full(error)
        raise
