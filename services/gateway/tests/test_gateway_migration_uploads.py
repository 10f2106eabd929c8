"""The schema of uploads comes to a library that is in use, and goes again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import recordroute_gateway
from alembic import command
from alembic.config import Config
from recordroute_gateway.database import Database
from recordroute_gateway.tables import metadata, recordings
from sqlalchemy import Connection, inspect, select, text

TABLES = ("uploads", "watched_files", "waveforms")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def migrate(connection: Connection, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(recordroute_gateway.__path__[0]) / "migrations"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


def look(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        name: {column["name"] for column in inspector.get_columns(name)}
        for name in inspector.get_table_names()
        if name in TABLES
    }


async def test_schema_comes_and_goes(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(migrate, "upgrade", "0002")
        await connection.execute(
            text(
                "INSERT INTO recordings (id, owner, request_id, title, file_name, language, created_at, recorded_at)"
                " VALUES ('a', 'local', 'r', 'Talk', 'talk.mp3', 'en', :now, :now)"
            ).bindparams(
                now=NOW if "postgresql" in empty_database_url else NOW.strftime("%Y-%m-%d %H:%M:%S.%f")
            )
        )
        await connection.run_sync(migrate, "upgrade", "0006")
        expected = {name: {column.name for column in metadata.tables[name].columns} for name in TABLES}
        assert await connection.run_sync(look) == expected
        await connection.run_sync(migrate, "downgrade", "0005")
        assert await connection.run_sync(look) == {}
    await database.migrate()
    async with database.write() as connection:
        assert (await connection.execute(select(recordings.c.title))).scalar_one() == "Talk"
        values = {"recording_id": "a", "peaks": b"\1", "duration_seconds": 1.0}
        await connection.execute(metadata.tables["waveforms"].insert().values(values))
        # With its recording.
        await connection.execute(recordings.delete())
        assert (await connection.execute(select(metadata.tables["waveforms"]))).all() == []
    await database.close()
