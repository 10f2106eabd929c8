"""The values of failures come to a library that is in use, and go again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import recordroute_gateway
from alembic import command
from alembic.config import Config
from recordroute_gateway.database import Database
from recordroute_gateway.tables import metadata
from recordroute_gateway.webhooks.store import WebhookStore
from recordroute_gateway.workflow.records import Failure, Stage
from recordroute_gateway.workflow.store import WorkflowStore
from sqlalchemy import Connection, inspect, text

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADDED = {
    "workflows": {"error_metadata"},
    "workflow_stages": {"waiting_metadata"},
    "workflow_events": {"error_metadata", "waiting_metadata"},
    "webhooks": {"last_reason"},
}
ROWS = (
    "INSERT INTO recordings (id, owner, request_id, title, file_name, language, created_at, recorded_at)"
    " VALUES ('a', 'local', 'r', 'Talk', 'talk.mp3', 'en', :now, :now)",
    "INSERT INTO workflows (id, recording_id, owner, request_id, retry_request_id, state, attempt, options,"
    " error_reason, error_message, created_at, ended_at, last_sequence)"
    " VALUES ('w', 'a', 'local', 'r', '', 'failed', 1, '{}', 'MODEL_MISSING', 'it is not installed', :now, :now, 1)",
    *(
        "INSERT INTO workflow_stages (workflow_id, stage, state, percent, started_at)"
        f" VALUES ('w', '{stage.value}', 'queued', 0, :now)"
        for stage in Stage
    ),
    "INSERT INTO webhooks (id, owner, request_id, url, events, secret, created_at, last_status, last_error)"
    " VALUES ('h', 'local', 'r', 'https://example.org/', '[]', 's', :now, 500, 'refused')",
)


def migrate(connection: Connection, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(recordroute_gateway.__path__[0]) / "migrations"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


def missing(connection: Connection) -> dict[str, set[str]]:
    """Returns the columns of today that the tables don't have."""
    inspector = inspect(connection)
    return {
        name: {column.name for column in metadata.tables[name].columns}
        - {column["name"] for column in inspector.get_columns(name)}
        for name in ADDED
    }


async def test_what_has_failed_before_stays_told(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    now = NOW if "postgresql" in empty_database_url else NOW.strftime("%Y-%m-%d %H:%M:%S.%f")
    async with database.write() as connection:
        await connection.run_sync(migrate, "upgrade", "0009")
        assert await connection.run_sync(missing) == ADDED
        for row in ROWS:
            await connection.execute(text(row).bindparams(now=now))
        await connection.run_sync(migrate, "upgrade", "0010")
        assert await connection.run_sync(missing) == {name: set() for name in ADDED}
    workflow = await WorkflowStore(database).get("local", "w")
    assert workflow.failure == Failure("MODEL_MISSING", "it is not installed")
    (webhook,) = await WebhookStore(database).all_of("local")
    assert (webhook.last_error, webhook.last_reason) == ("refused", "")
    async with database.write() as connection:
        await connection.run_sync(migrate, "downgrade", "0009")
        assert await connection.run_sync(missing) == ADDED
    await database.close()
