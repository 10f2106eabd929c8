"""Remembers which changes were made under which request id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.tables import done_requests


async def is_repeated(connection: AsyncConnection, user: str, request_id: str, recording_id: str) -> bool:
    """Returns whether the user has changed the recording under this request id before; from now on it has.

    In the transaction of the change, which holds the recording's row.
    """
    known = select(done_requests.c.created_at).where(
        done_requests.c.user == user,
        done_requests.c.request_id == request_id,
        done_requests.c.recording_id == recording_id,
    )
    if (await connection.execute(known)).first() is not None:
        return True
    await connection.execute(
        insert(done_requests).values(
            user=user, request_id=request_id, recording_id=recording_id, created_at=datetime.now(UTC)
        )
    )
    return False


async def forget_requests(database: Database, *, older_than: timedelta) -> None:
    """Forgets requests that no client repeats any more."""
    async with database.write() as connection:
        await connection.execute(
            delete(done_requests).where(done_requests.c.created_at < datetime.now(UTC) - older_than)
        )
