"""Hashes a file while its chunks come, as far as they come in order."""

from __future__ import annotations

import hashlib
from pathlib import Path

# Chunks that overtook others wait for them, a few at a time: clients send several at once.
MOST_WAITING_BYTES = 16 << 20
READ_BYTES = 4 << 20


class PrefixHash:
    """SHA-256 of the first `position` bytes. It takes bytes that are on disk and do not change any more."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._waiting: dict[int, memoryview] = {}
        self._waiting_bytes = 0
        self.position = 0

    def feed(self, offset: int, data: memoryview) -> None:
        """Takes bytes; those that fit nowhere yet are kept while there is room, and else left to `finish`."""
        if offset > self.position:
            if offset not in self._waiting and self._waiting_bytes + len(data) <= MOST_WAITING_BYTES:
                self._waiting[offset] = data
                self._waiting_bytes += len(data)
            return
        self._take(offset, data)
        while self._waiting:
            first = min(self._waiting)
            if first > self.position:
                break
            data = self._waiting.pop(first)
            self._waiting_bytes -= len(data)
            self._take(first, data)

    def finish(self, path: Path) -> str:
        """Reads what has not been hashed, and returns the SHA-256 of the file in hexadecimal."""
        self._waiting.clear()
        self._waiting_bytes = 0
        with path.open("rb", buffering=0) as file:
            file.seek(self.position)
            while data := file.read(READ_BYTES):
                self._digest.update(data)
                self.position += len(data)
        return self._digest.hexdigest()

    def _take(self, offset: int, data: memoryview) -> None:
        rest = data[self.position - offset :]
        self._digest.update(rest)
        self.position += len(rest)
