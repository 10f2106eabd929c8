"""Library and uploads on a real SQLite database and real files."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.intake import Intake, Upload
from recordroute_gateway.library.records import ArtifactKind
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.uploads import receive
from recordroute_runtime.errors import DomainError, InvalidInput, NotFound

LIMIT = 10 << 20


@pytest.fixture
async def intake(tmp_path: Path, database_url: str) -> AsyncIterator[Intake]:
    database = Database(database_url)
    await database.migrate()
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    quota = StorageQuota(database, 0)
    yield Intake(database, LibraryStore(database, blobs), quota, max_upload_bytes=LIMIT)
    await database.close()


@pytest.fixture
def library(intake: Intake) -> LibraryStore:
    return intake.library


async def in_chunks(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def upload_of(name: str = "speech.flac", **values: object) -> Upload:
    fields = {"request_id": str(uuid.uuid4()), "allow_duplicate": True, **values}
    return Upload(owner="local", file_name=name, **fields)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_pages_survive_inserts(library: LibraryStore, intake: Intake, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()

    async def add() -> str:
        return (await receive(upload_of(), in_chunks(content), intake)).id

    ids = [await add() for _ in range(5)]
    page, token = await library.list_page("local", 2, "")
    assert [recording.id for recording in page] == [ids[4], ids[3]]
    await add()
    page, token = await library.list_page("local", 2, token)
    assert [recording.id for recording in page] == [ids[2], ids[1]]
    page, token = await library.list_page("local", 2, token)
    assert ([recording.id for recording in page], token) == ([ids[0]], "")
    for bad in ("nonsense", "W10=", "WyIyMDI2LTAxLTAxIiwgIngiXQ=="):
        with pytest.raises(InvalidInput):
            await library.list_page("local", 2, bad)


async def test_deleting_keeps_what_another_recording_shares(
    library: LibraryStore, intake: Intake, data: Path
) -> None:
    content = (data / "jfk.flac").read_bytes()
    first = await receive(upload_of(), in_chunks(content), intake)
    second = await receive(upload_of(), in_chunks(content), intake)
    await library.put_artifact(first.id, ArtifactKind.MINUTES, b"{}", model="m", workflow_id="w")
    await library.delete(first.id)
    with pytest.raises(NotFound):
        await library.get("local", first.id)
    media = second.artifact(ArtifactKind.MEDIA)
    assert media is not None
    assert await library.blobs.get(media.sha256) == content
    await library.delete(second.id)
    assert files_below(library.blobs.incoming.parent / "blobs") == []


async def test_other_owners_see_nothing(library: LibraryStore, intake: Intake, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    recording = await receive(upload_of(), in_chunks(content), intake)
    with pytest.raises(DomainError):
        await library.get("somebody else", recording.id)
    assert await library.list_page("somebody else", 10, "") == ([], "")


async def test_replaced_artifact_takes_its_blob_along(
    library: LibraryStore, intake: Intake, data: Path
) -> None:
    content = (data / "jfk.flac").read_bytes()
    recording = await receive(upload_of(), in_chunks(content), intake)
    old = await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"old", model="m", workflow_id="1")
    new = await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"new", model="m", workflow_id="2")
    again = await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"new", model="m", workflow_id="2")
    assert await library.blobs.get(again.sha256) == b"new"
    assert new.sha256 == again.sha256
    with pytest.raises(FileNotFoundError):
        await library.blobs.get(old.sha256)
    assert (await library.get("local", recording.id)).created_at <= datetime.now(UTC)
