"""The journal of an index: every change in the order of its happening, on disk before it is acknowledged.

A record is the length and the CRC-32 of its body (u32 each, little-endian) and the body: a kind, the length of a
JSON header (u32), the header, data. The first record that is cut short or does not fit its CRC is the end: what a
crash left half-written was never acknowledged. A snapshot is the same file with a beginning and an end.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

_FRAME = struct.Struct("<II")
_HEAD = struct.Struct("<BI")
MAX_RECORD_BYTES = 1 << 30


class Kind(Enum):
    """What a record says."""

    HEADER = 0
    """Begins a snapshot: format, model, dimensions."""
    ROWS = 1
    """Rows that are in the index."""
    PART = 2
    """Rows of a version that is not yet to be seen."""
    COMMIT = 3
    """A version takes the place of whatever the document was before."""
    DELETE = 4
    """A document is gone."""
    END = 5
    """Ends a snapshot."""
    ABORT = 6
    """A version is never going to be committed."""


@dataclass(frozen=True)
class Record:
    kind: Kind
    header: dict[str, Any]
    data: bytes = b""

    def pack(self) -> bytes:
        """Returns the record's bytes."""
        head = json.dumps(self.header, ensure_ascii=False).encode()
        body = b"".join((_HEAD.pack(self.kind.value, len(head)), head, self.data))
        return _FRAME.pack(len(body), zlib.crc32(body)) + body


def read_records(path: Path, position: int = 0) -> Iterator[tuple[Record, int]]:
    """Yields each whole record from a position on, with the position after it."""
    with path.open("rb") as file:
        file.seek(position)
        while True:
            frame = file.read(_FRAME.size)
            if len(frame) < _FRAME.size:
                return
            length, checksum = _FRAME.unpack(frame)
            if not _HEAD.size <= length <= MAX_RECORD_BYTES:
                return
            body = file.read(length)
            if len(body) < length or zlib.crc32(body) != checksum:
                return
            kind, size = _HEAD.unpack_from(body)
            header = json.loads(body[_HEAD.size : _HEAD.size + size])
            position += _FRAME.size + length
            yield Record(Kind(kind), header, body[_HEAD.size + size :]), position


class Journal:
    """A journal that is written to. `append` is for one thread; `sync` may run in another."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file; what a crash left behind the last whole record is cut off by `truncate`."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.position = os.fstat(self._descriptor).st_size

    def append(self, record: Record) -> None:
        """Writes a record, whole or not at all; durable after `sync`. Raises OSError."""
        data = memoryview(record.pack())
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self.position + written)
        except OSError:
            os.ftruncate(self._descriptor, self.position)
            raise
        self.position += len(data)

    def sync(self) -> None:
        """Makes durable what is written. Raises OSError."""
        os.fdatasync(self._descriptor)

    def truncate(self, position: int) -> None:
        """Forgets what stands after a position."""
        os.ftruncate(self._descriptor, position)
        os.fsync(self._descriptor)
        self.position = position

    def close(self) -> None:
        os.close(self._descriptor)
