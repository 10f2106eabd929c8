"""A backup of a library that changes meanwhile: of one moment, complete, and usable where it is put back."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import sqlite3
import tarfile
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library import backup
from recordroute_gateway.library.backup import MANIFEST, STAGING_PREFIX, Backups
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_runtime.errors import PreconditionFailed


@pytest.fixture
async def library(tmp_path: Path, new_library: Callable[[Path], str]) -> AsyncIterator[LibraryStore]:
    database = Database(new_library(tmp_path))
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    with closing(sqlite3.connect(tmp_path / "workflows.sqlite")) as connection:
        connection.execute("CREATE TABLE t (x)")
    yield LibraryStore(database, blobs)
    await database.close()


async def add(library: LibraryStore, content: bytes) -> Recording:
    name, now = await library.blobs.put(content), datetime.now(UTC)
    recording = Recording(
        id=str(uuid.uuid4()),
        owner="local",
        title="t",
        file_name="f",
        duration_seconds=1.0,
        language="en",
        created_at=now,
        recorded_at=now,
    )
    media = Artifact(ArtifactKind.MEDIA, name, len(content), model="", workflow_id="", created_at=now)
    made = await library.create(recording, str(uuid.uuid4()), media)
    await library.put_artifact(
        made.id, ArtifactKind.MINUTES, b"minutes of " + content, model="m", workflow_id="w"
    )
    await library.put_artifact(made.id, ArtifactKind.INDEX, None, model="m", workflow_id="w")
    return made


async def archive_of(backups: Backups) -> bytes:
    return b"".join([chunk async for chunk in backups.stream()])


def check(archive: bytes, target: Path) -> set[str]:
    """Extracts a backup, checks that it has every file that its library names, and returns the recordings' ids."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        assert members.getnames()[0] == MANIFEST
        members.extractall(target, filter="data")
    with closing(sqlite3.connect(target / "library.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = {name for (name,) in connection.execute("SELECT sha256 FROM artifacts") if name}
        ids = {found for (found,) in connection.execute("SELECT id FROM recordings")}
        tasks = {found for (found,) in connection.execute("SELECT recording_id FROM index_tasks")}
        indexed = connection.execute("SELECT recording_id FROM artifacts WHERE kind = 'index'")
        assert tasks == {found for (found,) in indexed}
    for name in names:
        blob = target / "blobs" / name[:2] / name
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == name
    return ids


async def test_backup_while_recordings_come_and_go(library: LibraryStore, tmp_path: Path) -> None:
    kept = {(await add(library, f"kept {number}".encode())).id for number in range(20)}
    stopped = asyncio.Event()

    async def come_and_go() -> int:
        count = 0
        while not stopped.is_set():
            recording = await add(library, f"passing {count}".encode())
            await library.delete(recording.id)
            count += 1
        return count

    busy = asyncio.create_task(come_and_go())
    backups = Backups(tmp_path, is_local=True)
    for number in range(5):
        archive = await archive_of(backups)
        found = check(archive, tmp_path / f"restored{number}")
        assert kept <= found
        assert len(found) <= len(kept) + 1
    stopped.set()
    assert await busy > 0
    assert not list(tmp_path.glob(f"{STAGING_PREFIX}*"))


async def test_restored_library_is_read_by_the_same_code(library: LibraryStore, tmp_path: Path) -> None:
    made = await add(library, b"some bytes")
    target = tmp_path / "restored"
    check(await archive_of(Backups(tmp_path, is_local=True)), target)
    manifest = json.loads((target / MANIFEST).read_text())
    assert manifest["format"] == 1
    database = Database(f"sqlite+aiosqlite:///{target / 'library.sqlite'}")
    await database.migrate()
    restored = LibraryStore(database, BlobStore(target, ""))
    recording = await restored.get("local", made.id)
    assert await restored.read_artifact(recording, ArtifactKind.MEDIA) == b"some bytes"
    assert await restored.read_artifact(recording, ArtifactKind.MINUTES) == b"minutes of some bytes"
    await database.close()


async def left_while_it_is_put_aside(backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes away while a thread makes the snapshot, which goes on for a moment."""
    begun, go_on = threading.Event(), threading.Event()
    link = backup._link

    def link_in_time(source: Path, target: Path) -> bool:
        begun.set()
        assert go_on.wait(60)
        return link(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(backup, "_link", link_in_time)
        task = asyncio.create_task(archive_of(backups))
        assert await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        assert not (await asyncio.wait([task], timeout=0.05))[0]
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_reader_that_goes_away_leaves_nothing(
    library: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await add(library, bytes([number]) * (3 << 20))
    backups = Backups(tmp_path, is_local=True)
    async with aclosing(backups.stream()) as chunks:
        assert await anext(chunks)
    assert not list(tmp_path.glob(f"{STAGING_PREFIX}*"))
    await left_while_it_is_put_aside(backups, monkeypatch)
    assert not list(tmp_path.glob(f"{STAGING_PREFIX}*"))
    (tmp_path / f"{STAGING_PREFIX}left").mkdir()
    backups.clear()
    assert not list(tmp_path.glob(f"{STAGING_PREFIX}*"))
    assert len(await archive_of(backups)) > 12 << 20


async def test_servers_of_their_own_are_not_backed_up_here(tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        await archive_of(Backups(tmp_path, is_local=False))
    assert caught.value.reason == "BACKUP_UNSUPPORTED"
