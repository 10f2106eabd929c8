"""Makes a backup of a running system that keeps everything in its data folder, as one TAR archive.

It is of one moment: the database is copied by SQLite itself, and every file that the copy names is linked, not copied,
before it can go. The search index is not in it: it is made anew from the vectors, which are files like any other.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from recordroute_runtime.errors import PreconditionFailed
from recordroute_runtime.threads import in_thread
from sqlalchemy import Column

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.library.byte_pipe import written_by
from recordroute_gateway.tables import BLOB, metadata

FORMAT = 1
MANIFEST = "recordroute-backup.json"
STAGING_PREFIX = "backup-"
DATABASES = ("library.sqlite", "workflows.sqlite")
# A file that was made and is gone again while it was looked for: seldom, and never twice in a row but by a defect.
SNAPSHOT_TRIES = 5


class SnapshotFailed(Exception):
    """The files kept changing."""


def unsupported() -> PreconditionFailed:
    return PreconditionFailed(
        "BACKUP_UNSUPPORTED",
        "database or files are servers of their own here: back these up with their own tools",
    )


class Backups:
    """Makes backups of a data folder."""

    def __init__(self, data_dir: Path, *, is_local: bool) -> None:
        self._data_dir = data_dir
        self._is_local = is_local

    def clear(self) -> None:
        """Removes what a killed process left of its backups."""
        for left_over in self._data_dir.glob(f"{STAGING_PREFIX}*"):
            shutil.rmtree(left_over)

    async def stream(self) -> AsyncGenerator[bytes]:
        """Yields the archive. Raises PreconditionFailed (BACKUP_UNSUPPORTED) and StorageFull."""
        if not self._is_local:
            raise unsupported()
        staging = self._data_dir / f"{STAGING_PREFIX}{uuid.uuid4().hex}"
        try:
            await in_thread(self._snapshot, staging)
            async with aclosing(_archive(staging)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except OSError as error:
            raise_if_full(error)
            raise
        finally:
            await in_thread(partial(shutil.rmtree, staging, ignore_errors=True))

    def _snapshot(self, staging: Path) -> None:
        blobs = self._data_dir / "blobs"
        staging.mkdir(mode=0o700)
        for folder in ("blobs", "live"):
            for path in _files(self._data_dir / folder):
                _link(path, staging / path.relative_to(self._data_dir))
        for _ in range(SNAPSHOT_TRIES):
            for name in DATABASES:
                _copy_database(self._data_dir / name, staging / name)
            missing = [
                name
                for name in _named_blobs(staging / "library.sqlite")
                if not _link(blobs / name[:2] / name, staging / "blobs" / name[:2] / name)
            ]
            if not missing:
                break
        else:
            raise SnapshotFailed(f"blob {missing[0]} and others are gone although the library names them")
        _prepare(staging / "library.sqlite")
        manifest = {
            "format": FORMAT,
            "version": version("recordroute-gateway"),
            "created_at": datetime.now(UTC).isoformat(),
        }
        (staging / MANIFEST).write_text(json.dumps(manifest))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else iter(())


def _link(source: Path, target: Path) -> bool:
    """Links a file; returns False where it is gone."""
    if target.exists():
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    return True


def _copy_database(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as read,
        closing(sqlite3.connect(target)) as write,
    ):
        read.backup(write)


def _blob_columns() -> Iterator[Column[str]]:
    for table in metadata.tables.values():
        yield from (column for column in table.columns if column.info == BLOB)


def _named_blobs(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {
            name
            for column in _blob_columns()
            for (name,) in connection.execute(f"SELECT {column.name} FROM {column.table.name}")
            if name
        }


def _prepare(database: Path) -> None:
    """Makes the copy fit for a folder without index and without the chunks of open uploads."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM uploads WHERE recording_id = ''")
        connection.execute("DELETE FROM index_tasks")
        connection.execute(
            "INSERT INTO index_tasks (recording_id, owner, token, attempts, not_before) "
            "SELECT id, owner, lower(hex(randomblob(16))), 0, ? FROM recordings "
            "WHERE id IN (SELECT recording_id FROM artifacts WHERE kind = 'index')",
            (now,),
        )


def _archive(staging: Path) -> AsyncGenerator[bytes]:
    def write(file: BinaryIO) -> None:
        with tarfile.open(fileobj=file, mode="w|") as archive:
            # First: whoever reads it knows at once what it is.
            archive.add(staging / MANIFEST, MANIFEST)
            for path in sorted(_files(staging)):
                name = str(path.relative_to(staging))
                if name != MANIFEST:
                    archive.add(path, name, recursive=False)

    return written_by(write)
