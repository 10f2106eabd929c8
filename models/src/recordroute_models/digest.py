"""Hashes of files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

CHUNK_BYTES = 1 << 20

OnBytes = Callable[[int], None]
"""Is told how many bytes of a file are done; the number falls where a file starts anew."""


def ignore_bytes(_count: int) -> None:
    """Listens to nothing."""


def file_sha256(path: Path, on_bytes: OnBytes = ignore_bytes) -> str:
    """Returns the hash of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            on_bytes(done)
    return digest.hexdigest()
