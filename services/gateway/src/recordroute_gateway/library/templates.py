"""The users' own templates of minutes. What a template may hold is the llm service's to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import QuotaExceeded
from sqlalchemy import Row, delete, func, insert, select

from recordroute_gateway.database import Database
from recordroute_gateway.tables import minutes_templates

MAX_TEMPLATES = 200


@dataclass(frozen=True)
class UserTemplate:
    """A template that a user has written."""

    name: str
    title: str
    markdown: str
    updated_at: datetime


class TemplateStore:
    """The templates of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, owner: str) -> list[UserTemplate]:
        """Returns a user's templates by name."""
        query = select(minutes_templates).where(minutes_templates.c.owner == owner)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(minutes_templates.c.name))).all()
        return list(map(_template, rows))

    async def find(self, owner: str, name: str) -> UserTemplate | None:
        """Returns a user's template, or None."""
        query = select(minutes_templates).where(
            minutes_templates.c.owner == owner, minutes_templates.c.name == name
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _template(row)

    async def put(self, owner: str, name: str, *, title: str, markdown: str) -> UserTemplate:
        """Writes a template in place of an older one. Raises QuotaExceeded (TOO_MANY_TEMPLATES)."""
        template = UserTemplate(name, title, markdown, datetime.now(UTC))
        own = minutes_templates.c.owner == owner
        async with self._database.write() as connection:
            await self._database.hold(connection, f"templates/{owner}")
            await connection.execute(delete(minutes_templates).where(own, minutes_templates.c.name == name))
            if (await connection.execute(select(func.count()).where(own))).scalar_one() >= MAX_TEMPLATES:
                raise QuotaExceeded(
                    "TOO_MANY_TEMPLATES", f"a user has {MAX_TEMPLATES} templates at most; delete some first"
                )
            await connection.execute(
                insert(minutes_templates).values(
                    owner=owner, name=name, title=title, markdown=markdown, updated_at=template.updated_at
                )
            )
        return template

    async def delete(self, owner: str, name: str) -> None:
        """Deletes a template; it is no error if there is none."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(minutes_templates).where(
                    minutes_templates.c.owner == owner, minutes_templates.c.name == name
                )
            )


def _template(row: Row[Any]) -> UserTemplate:
    return UserTemplate(row.name, row.title, row.markdown, row.updated_at)
