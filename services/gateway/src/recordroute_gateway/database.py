"""Opens the gateway's database, SQLite or PostgreSQL, at the newest schema."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from recordroute_runtime.settings import CommonSettings
from sqlalchemy import event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from recordroute_gateway.settings import GatewaySettings, sqlite_path


def library_url(settings: GatewaySettings, common: CommonSettings) -> str:
    """Returns the SQLAlchemy URL of the library's database."""
    if settings.database_url:
        url = make_url(settings.database_url).set(drivername="postgresql+asyncpg")
        return url.render_as_string(hide_password=False)
    return f"sqlite+aiosqlite:///{sqlite_path(common, 'library')}"


def workflow_url(settings: GatewaySettings, common: CommonSettings) -> str:
    """Returns the URL of the workflow engine's own database."""
    if settings.database_url:
        return (
            make_url(settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        )
    return f"sqlite:///{sqlite_path(common, 'workflows')}"


def _on_sqlite_connect(connection: Any, _: Any) -> None:
    # SQLAlchemy begins transactions itself, below; the driver's own habit would begin them too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    # A commit is one append instead of a rewritten journal, and readers go on meanwhile.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    # Writers queue here instead of failing where a read turns into a write.
    mode = "DEFERRED" if connection.get_execution_options().get("read_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


class Database:
    """The engine with the two ways to use it."""

    def __init__(self, url: str) -> None:
        self.engine: AsyncEngine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.is_local:
            event.listen(self.engine.sync_engine, "connect", _on_sqlite_connect)
            event.listen(self.engine.sync_engine, "begin", _on_sqlite_begin)

    @property
    def is_local(self) -> bool:
        """Whether the database is a file of ours."""
        return self.engine.dialect.name == "sqlite"

    async def migrate(self) -> None:
        """Brings the schema up to date."""
        # Its plugins report themselves at every start.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))

        def upgrade(connection: Connection) -> None:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

        async with self.engine.begin() as connection:
            await connection.run_sync(upgrade)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads."""
        async with self.engine.connect() as connection:
            yield await connection.execution_options(read_only=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, undone by an exception."""
        async with self.engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
        # aiosqlite's threads end when their loop has run once more.
        await asyncio.sleep(0)
