"""Puts chunks that come out of order into order, with an end to what it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from recordroute_gateway.live.errors import AudioAhead

MAX_CHUNKS = 64
MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Chunk:
    audio: bytes
    is_last: bool


class ReorderWindow:
    """Chunks by number that wait for the ones before them."""

    def __init__(self, *, max_chunks: int = MAX_CHUNKS, max_bytes: int = MAX_BYTES) -> None:
        self._max_chunks = max_chunks
        self._max_bytes = max_bytes
        self._chunks: dict[int, Chunk] = {}
        self._bytes = 0

    def put(self, sequence: int, chunk: Chunk, next_sequence: int) -> None:
        """Adds a chunk in place of an earlier one of its number. The one that is wanted next always fits.

        Raises AudioAhead where it is too far ahead of `next_sequence`, or too much waits already.
        """
        before = self._chunks.get(sequence)
        size = self._bytes + len(chunk.audio) - (len(before.audio) if before else 0)
        ahead = sequence - next_sequence
        if ahead and (ahead > self._max_chunks or size > self._max_bytes):
            raise AudioAhead(next_sequence)
        self._chunks[sequence] = chunk
        self._bytes = size

    def ready(self, next_sequence: int) -> list[Chunk]:
        """Returns the chunks from `next_sequence` on that follow each other, up to the last one of the session; they
        stay until `drop`."""
        found = []
        while (chunk := self._chunks.get(next_sequence)) is not None:
            found.append(chunk)
            next_sequence += 1
            if chunk.is_last:
                break
        return found

    def drop(self, next_sequence: int) -> None:
        """Forgets the chunks before a number."""
        for sequence in [sequence for sequence in self._chunks if sequence < next_sequence]:
            self._bytes -= len(self._chunks.pop(sequence).audio)

    def waiting(self) -> list[Chunk]:
        """Returns everything that waits, in order; it stays until `clear`."""
        return [self._chunks[sequence] for sequence in sorted(self._chunks)]

    def clear(self) -> None:
        """Forgets everything."""
        self._chunks.clear()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._chunks)
