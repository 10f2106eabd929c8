"""Writes a file as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from recordroute_cli.errors import CommandError


def write_whole(path: Path, chunks: Iterable[bytes]) -> int:
    """Writes the chunks to a file and returns their size; an older file stays until the new one is complete.

    Raises CommandError where it can't be written, and whatever the chunks raise.
    """
    count = 0
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:100]}.", delete=False
        ) as file:
            try:
                for chunk in chunks:
                    count += file.write(chunk)
                file.flush()
                umask = os.umask(0)
                os.umask(umask)
                os.fchmod(file.fileno(), 0o666 & ~umask)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CommandError(f"can't write {path}: {(error.strerror or str(error)).lower()}") from error
    return count
