"""How the service and its index workers speak: pickles with their length before them, over a socket pair.

Both ends are processes of ours from the same installation; nothing from outside is ever unpickled.
"""

from __future__ import annotations

import errno
import pickle
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

LENGTH = struct.Struct("!Q")


class Trouble(Enum):
    """Why the index can't do what it is asked."""

    IN_USE = "in use"
    UNREADABLE = "unreadable"
    DISK_FULL = "disk full"
    VECTORS_MISSING = "vectors missing"
    BAD_SNAPSHOT = "bad snapshot"
    INTERNAL = "internal"


class IndexTrouble(Exception):
    """A trouble with its details."""

    def __init__(self, trouble: Trouble, message: str, **details: str) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.details = details


def os_trouble(error: OSError, directory: Path) -> IndexTrouble:
    """Returns what an error of the file system means."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return IndexTrouble(
        Trouble.DISK_FULL if full else Trouble.UNREADABLE, str(error), directory=str(directory)
    )


@dataclass(frozen=True)
class OpenIndex:
    """Tells a worker which generation to serve, and how many bytes to leave free on its disk."""

    path: Path
    min_free_bytes: int


@dataclass(frozen=True)
class BuildIndex:
    """Tells a worker to make a generation: below `graph_from` passages it gets no search graph."""

    path: Path
    min_free_bytes: int
    model: str
    dimensions: int
    analyzer: str
    token_vectors: bool
    graph_from: int


@dataclass(frozen=True)
class Call:
    """Asks for a method."""

    number: int
    method: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Failure:
    """What went wrong, in place of a result."""

    trouble: Trouble
    message: str
    details: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """Answers the call of the same number; 0 is the opening of the index."""

    number: int
    result: Any


def pack(message: Any) -> bytes:
    """Returns the frame of a message."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def unpack(data: bytes) -> Any:
    """Returns the message of a frame, without its length."""
    return pickle.loads(data)


def receive(connection: socket.socket) -> Any:
    """Waits for the next message. Raises EOFError where the other end is gone."""
    (length,) = LENGTH.unpack(_receive_exactly(connection, LENGTH.size))
    return unpack(_receive_exactly(connection, length))


def _receive_exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    filled = 0
    while filled < size:
        count = connection.recv_into(view[filled:])
        if not count:
            raise EOFError
        filled += count
    return bytes(data)
