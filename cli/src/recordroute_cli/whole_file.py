"""Writes a file as a whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recordroute_cli.errors import CommandError


def draft_of(path: Path) -> Path:
    """Returns a path beside another, which nothing has, for what takes its place when it is complete.

    It is known before anything is there: so it can be removed whenever the making of it is interrupted.
    """
    # Names are limited in bytes, of which a character has up to four.
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a new file that takes the place of `path` at the end of the block, or is gone where that raises."""
    draft = draft_of(path)
    try:
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_whole(path: Path, chunks: Iterable[bytes]) -> int:
    """Writes the chunks to a file and returns their size; an older file stays until the new one is complete.

    Raises CommandError where it can't be written, and whatever the chunks raise.
    """
    try:
        with replacing(path) as file:
            return sum(map(file.write, chunks))
    except OSError as error:
        raise CommandError(f"can't write {path}: {(error.strerror or str(error)).lower()}") from error
