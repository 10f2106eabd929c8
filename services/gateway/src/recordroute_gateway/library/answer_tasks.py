"""Whose cached answers have to be forgotten by the llm service, because a text that they may rest on is purged.

Tasks are added in the transaction of the purge; they stay until the service has answered.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.tables import answer_tasks


async def add_answer_tasks(connection: AsyncConnection, users: Iterable[str]) -> None:
    """Asks, in the caller's transaction, for the users' cached answers to be forgotten."""
    for user in users:
        await connection.execute(delete(answer_tasks).where(answer_tasks.c.user == user))
        await connection.execute(insert(answer_tasks).values(user=user, token=str(uuid.uuid4())))


class AnswerTaskStore:
    """The tasks of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self) -> list[tuple[str, str]]:
        """Returns users, each with the token of its task."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(answer_tasks))).all()
        return [(row.user, row.token) for row in rows]

    async def done(self, user: str, token: str) -> None:
        """Takes a task off the list, unless it was asked for again."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(answer_tasks).where(answer_tasks.c.user == user, answer_tasks.c.token == token)
            )
