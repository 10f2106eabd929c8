"""Which recordings' places in the search index have to be brought to what the library says.

A task names a recording, not what to do: whoever does it looks at the library then. Tasks are added in the transaction
of the change that needs them, and outlive the recording.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.tables import index_tasks

# Longer than a task takes: nobody else begins with it meanwhile.
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class IndexTask:
    recording_id: str
    owner: str
    token: str
    attempts: int


async def add_index_task(connection: AsyncConnection, owner: str, recording_id: str) -> None:
    """Asks, in the caller's transaction, for a recording to be looked after in the index."""
    await connection.execute(delete(index_tasks).where(index_tasks.c.recording_id == recording_id))
    await connection.execute(
        insert(index_tasks).values(
            recording_id=recording_id,
            owner=owner,
            token=str(uuid.uuid4()),
            attempts=0,
            not_before=datetime.now(UTC),
        )
    )


class IndexTaskStore:
    """The tasks of all owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, limit: int) -> list[IndexTask]:
        """Returns tasks whose time has come, the longest due first."""
        query = (
            select(index_tasks)
            .where(index_tasks.c.not_before <= datetime.now(UTC))
            .order_by(index_tasks.c.not_before)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [IndexTask(row.recording_id, row.owner, row.token, row.attempts) for row in rows]

    async def find(self, recording_id: str) -> IndexTask | None:
        """Returns a recording's task, due or not, or None."""
        query = select(index_tasks).where(index_tasks.c.recording_id == recording_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else IndexTask(row.recording_id, row.owner, row.token, row.attempts)

    async def add(self, owner: str, recording_id: str) -> None:
        """Asks for a recording to be looked after."""
        async with self._database.write() as connection:
            await add_index_task(connection, owner, recording_id)

    async def claim(self, task: IndexTask) -> bool:
        """Takes a task on; returns False where somebody else has. It is due again after a pause, longer with each time,
        unless it is `done` before."""
        pause = min(FIRST_PAUSE * 2 ** min(task.attempts, 20), LONGEST_PAUSE)
        taken = (
            update(index_tasks)
            .where(
                index_tasks.c.recording_id == task.recording_id,
                index_tasks.c.token == task.token,
                index_tasks.c.attempts == task.attempts,
            )
            .values(attempts=task.attempts + 1, not_before=datetime.now(UTC) + pause)
        )
        async with self._database.write() as connection:
            return bool((await connection.execute(taken)).rowcount)

    async def done(self, task: IndexTask) -> None:
        """Takes a task off the list. If it was asked for again meanwhile, by somebody whose doing may have overlapped
        with this one, it is done once more: the last one alone is sure to have left what the library says."""
        async with self._database.write() as connection:
            place = index_tasks.c.recording_id == task.recording_id
            removed = await connection.execute(
                delete(index_tasks).where(place, index_tasks.c.token == task.token)
            )
            if not removed.rowcount:
                await add_index_task(connection, task.owner, task.recording_id)
