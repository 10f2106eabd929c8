"""Which model does a task where a request names none: what was chosen for the whole installation."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from recordroute_gateway.database import Database
from recordroute_gateway.models.records import Task
from recordroute_gateway.tables import model_choices


class ModelChoices:
    """The chosen models. Read at each use: another replica may have changed them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[Task, str]:
        """Returns the ids of the chosen models; tasks whose service decides are missing."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(model_choices.c.task, model_choices.c.model))
            return {Task(row.task): row.model for row in rows}

    async def model_for(self, task: Task, named: str) -> str:
        """Returns the id of the model for a request that names `named`; empty: the service decides."""
        return named or (await self.all()).get(task, "")

    async def choose(self, task: Task, model: str) -> None:
        """Has a model do a task from now on; an empty id lets the service decide."""
        async with self._database.write() as connection:
            await self._database.hold(connection, "model_choices")
            await connection.execute(delete(model_choices).where(model_choices.c.task == task.value))
            if model:
                await connection.execute(
                    insert(model_choices).values(task=task.value, model=model, chosen_at=datetime.now(UTC))
                )
