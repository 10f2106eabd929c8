"""Opens the gateway's database, SQLite or PostgreSQL, at the newest schema."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from recordroute_runtime.settings import CommonSettings
from sqlalchemy import event, func, make_url, select
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


async def _set_foreign_keys(connection: AsyncConnection, *, enforced: bool) -> None:
    # Past SQLAlchemy, which would begin a transaction, in which SQLite ignores it.
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None, "it is connected"
    await raw.driver_connection.execute(f"PRAGMA foreign_keys={'ON' if enforced else 'OFF'}")


class Database:
    """The engine with the two ways to use it."""

    def __init__(self, url: str) -> None:
        # Called after each commit of a transaction that `announce` was called in.
        self.listeners: set[Callable[[], None]] = set()
        self._announcing: set[int] = set()
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

        async with self.engine.connect() as connection:
            if self.is_local:
                # Some changes make a table anew: to drop the old one would delete all that hangs on its rows.
                await _set_foreign_keys(connection, enforced=False)
            try:
                async with connection.begin():
                    await connection.run_sync(upgrade)
            finally:
                if self.is_local:
                    await _set_foreign_keys(connection, enforced=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads."""
        async with self.engine.connect() as connection:
            yield await connection.execution_options(read_only=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, undone by an exception."""
        key = 0
        try:
            async with self.engine.begin() as connection:
                key = id(connection)
                yield connection
            announced = key in self._announcing
        finally:
            self._announcing.discard(key)
        for listener in tuple(self.listeners) if announced else ():
            listener()

    def announce(self, connection: AsyncConnection) -> None:
        """Has the listeners called once this transaction is committed."""
        self._announcing.add(id(connection))

    async def hold(self, connection: AsyncConnection, name: str) -> None:
        """Waits until no other transaction holds `name`, and holds it to the end of this one."""
        if not self.is_local:
            await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
        # aiosqlite's threads end when their loop has run once more.
        await asyncio.sleep(0)
