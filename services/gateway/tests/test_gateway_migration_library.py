"""A library of the version before labels comes through with everything kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import recordroute_gateway
from alembic import command
from alembic.config import Config
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.listing import ListQuery, Order
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.tables import artifacts, metadata, recordings
from sqlalchemy import Connection, func, insert, inspect, select, table
from sqlalchemy import column as named

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# The tables that came with labels, and those that were there before with the columns of then.
NEW = ("recording_tags", "shares", "done_requests", "index_tasks", "orphan_blobs", "changes", "change_clock")
OLD_RECORDING = {
    "owner": "local",
    "request_id": "r",
    "duration_seconds": 3.5,
    "language": "ko",
    "created_at": NOW,
    "recorded_at": NOW,
}


def old(name: str, row: dict[str, Any]) -> Any:
    """A row for a table with the columns that it had."""
    known = {item.name: item.type for item in metadata.tables[name].columns}
    return insert(table(name, *(named(key, known[key]) for key in row))).values(row)


def migrate(connection: Connection, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(recordroute_gateway.__path__[0]) / "migrations"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


async def test_old_recordings_are_kept_and_labelled(empty_database_url: str, tmp_path: Path) -> None:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(migrate, "upgrade", "0002")
        for number, title in enumerate(("Talk 10", "Talk 9", "회의")):
            row = {**OLD_RECORDING, "id": f"id-{number}", "request_id": str(number), "title": title}
            await connection.execute(old("recordings", {**row, "file_name": f"{title}.mp3"}))
            artifact = {"recording_id": f"id-{number}", "kind": "media", "sha256": "0" * 64, "size_bytes": 5}
            more = {"model": "", "workflow_id": "", "created_at": NOW}
            await connection.execute(old("artifacts", {**artifact, **more}))
        await connection.run_sync(migrate, "upgrade", "0003")
        # Back and forth: what is new goes, what was there stays.
        await connection.run_sync(migrate, "downgrade", "0002")
        for kept in (recordings, artifacts):
            count = select(func.count()).select_from(table(kept.name))
            assert (await connection.execute(count)).scalar_one() == 3
    await database.migrate()
    store = LibraryStore(database, BlobStore(tmp_path, ""))
    page, _ = await store.list_page("local", 10, "", ListQuery(order=Order.TITLE, ascending=True))
    assert [recording.title for recording in page] == ["Talk 9", "Talk 10", "회의"]
    assert {(recording.media_type, recording.title_is_set) for recording in page} == {("audio/mpeg", False)}
    assert all(len(recording.artifacts) == 1 and recording.recorded_at == NOW for recording in page)
    found, _ = await store.list_page("local", 10, "", ListQuery(text="회의"))
    assert [recording.id for recording in found] == ["id-2"]
    await store.read_old_speakers()
    if database.is_local:
        # Migrations go without them.
        async with database.read() as connection:
            enforced = (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one()
        assert enforced == 1
    await database.close()


async def test_the_migrated_tables_are_those_that_the_code_knows(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    await database.migrate()

    def columns(connection: Connection) -> dict[str, set[tuple[str, bool]]]:
        inspector = inspect(connection)
        return {
            name: {(column["name"], column["nullable"]) for column in inspector.get_columns(name)}
            for name in (*NEW, "recordings", "artifacts")
        }

    async with database.read() as connection:
        found = await connection.run_sync(columns)
    assert found == {
        name: {(column.name, bool(column.nullable)) for column in metadata.tables[name].columns}
        for name in found
    }
    await database.close()
