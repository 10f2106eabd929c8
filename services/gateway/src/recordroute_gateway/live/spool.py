"""The file that a session's audio is written to while it is spoken.

Only ever appended to: an 8-byte magic number, then each chunk as its length and CRC-32 (both little-endian uint32)
and its bytes. The number of a chunk is its place in the file; the session's last one has the highest bit of its length
set. A chunk that a crash cut off is known by its length or its checksum and cut away when the file is opened again.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.live.audio import AudioFormat

MAGIC = b"RRLIVE1\n"
HEAD = struct.Struct("<II")
LAST = 1 << 31
# The contract's largest chunk.
MAX_CHUNK_BYTES = 1 << 20
READ_BUFFER_BYTES = 1 << 18
# Places in the file that captions can begin at: four a second, for the last minute.
MARK_SECONDS = 0.25
MARKS = 240


@dataclass(frozen=True)
class Place:
    """A boundary between chunks: the byte where it is, and the samples of each channel before it."""

    offset: int
    samples: int


BEGIN = Place(len(MAGIC), 0)


@dataclass(frozen=True)
class SpooledChunk:
    """A chunk with the place after it."""

    audio: bytes
    is_last: bool
    after: Place


def read_chunks(
    path: Path, audio_format: AudioFormat, start: Place = BEGIN, end: int | None = None
) -> Iterator[SpooledChunk]:
    """Yields the chunks from a place on, up to the byte `end` or the first one that is not whole."""
    offset, samples = start.offset, start.samples
    with path.open("rb", buffering=READ_BUFFER_BYTES) as file:
        file.seek(offset)
        while end is None or offset < end:
            head = file.read(HEAD.size)
            if len(head) < HEAD.size:
                return
            flags, checksum = HEAD.unpack(head)
            length = flags & ~LAST
            if length > MAX_CHUNK_BYTES:
                return
            audio = file.read(length)
            if len(audio) < length or zlib.crc32(audio) != checksum:
                return
            offset += HEAD.size + length
            samples += audio_format.samples(audio)
            yield SpooledChunk(audio, bool(flags & LAST), Place(offset, samples))


class Spool:
    """A session's file, open for appending. Its methods block; they may be called from any thread."""

    def __init__(self, path: Path, audio_format: AudioFormat) -> None:
        """Opens the file, or makes it. Raises StorageFull."""
        self.path = path
        self.format = audio_format
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self.count = 0
        self.end = BEGIN
        # Whether the last chunk of the session is there.
        self.is_whole = False
        self.marks: deque[Place] = deque([self.end], MARKS)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(self._file).st_size < len(MAGIC):
                self._write(0, MAGIC)
                _sync_folder(path.parent)
            else:
                for chunk in read_chunks(path, audio_format):
                    self._count(chunk.after)
                    self.is_whole = chunk.is_last
            os.ftruncate(self._file, self.end.offset)
        except BaseException as error:
            os.close(self._file)
            raise_if_full(error)
            raise

    @property
    def seconds(self) -> float:
        """Audio in the file."""
        return self.end.samples / self.format.rate

    def append(self, first: int, chunks: Sequence[bytes], *, is_whole: bool = False) -> None:
        """Appends chunks, the first of which has number `first`; those that are there already are left out. `is_whole`
        says that the session has no more.

        Raises StorageFull; then none of them is in the file.
        """
        with self._lock:
            new = chunks[max(0, self.count - first) :]
            if first > self.count or not new:
                return
            heads = [HEAD.pack(len(audio), zlib.crc32(audio)) for audio in new]
            if is_whole:
                heads[-1] = HEAD.pack(len(new[-1]) | LAST, zlib.crc32(new[-1]))
            data = b"".join(part for pair in zip(heads, new, strict=True) for part in pair)
            try:
                self._write(self.end.offset, data)
            except OSError as error:
                os.ftruncate(self._file, self.end.offset)
                raise_if_full(error)
                raise
            self.is_whole = is_whole
            for audio in new:
                self._count(
                    Place(
                        self.end.offset + HEAD.size + len(audio),
                        self.end.samples + self.format.samples(audio),
                    )
                )

    def sync(self) -> int:
        """Makes everything in the file safe from a loss of power; returns the number of its chunks."""
        with self._sync_lock:
            count = self.count
            os.fsync(self._file)
        return count

    def place_at(self, seconds: float) -> Place:
        """Returns the last known place that is not after a time, or else the first known one."""
        samples = seconds * self.format.rate
        marks = list(self.marks)
        return next((mark for mark in reversed(marks) if mark.samples <= samples), marks[0])

    def place_from(self, seconds: float) -> Place:
        """Returns the first known place that is not before a time, or else the end."""
        samples = seconds * self.format.rate
        return next((mark for mark in list(self.marks) if mark.samples >= samples), self.end)

    def close(self) -> None:
        """Closes the file, after what still runs with it."""
        with self._lock, self._sync_lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _count(self, after: Place) -> None:
        self.count += 1
        self.end = after
        if after.samples - self.marks[-1].samples >= MARK_SECONDS * self.format.rate:
            self.marks.append(after)

    def _write(self, offset: int, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, memoryview(data)[written:], offset + written)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
