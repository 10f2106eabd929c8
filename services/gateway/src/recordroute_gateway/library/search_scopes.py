"""Where a user's search looks: in its own recordings, and in those that others share with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from recordroute_gateway.database import Database
from recordroute_gateway.tables import recordings, shares

# As many as one query of the index names.
MAX_RECORDINGS = 1000


@dataclass(frozen=True)
class Filters:
    """What passages have to be of to be found; empty: any."""

    recording_ids: Sequence[str] = ()
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None
    tags: Sequence[str] = ()
    folder: str = ""
    speakers: Sequence[str] = ()
    languages: Sequence[str] = ()


@dataclass(frozen=True)
class Scope:
    """Recordings of one owner; no ids: all of them."""

    owner: str
    recording_ids: tuple[str, ...] = ()

    def narrow(self, filters: Filters) -> Filters:
        """Returns the filters for this scope alone."""
        return replace(filters, recording_ids=self.recording_ids)


class ScopeStore:
    """The scopes of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user: str, recording_ids: Sequence[str]) -> list[Scope]:
        """Returns the user's own scope first, then those of others, as far as `recording_ids` (empty: all) go. Of the
        recordings that one owner shares, the newest `MAX_RECORDINGS` count."""
        query = (
            select(recordings.c.owner, recordings.c.id)
            .join(shares, shares.c.recording_id == recordings.c.id)
            .where(shares.c.user == user, recordings.c.owner != user, recordings.c.deleted_at.is_(None))
            .order_by(recordings.c.created_at.desc())
        )
        if recording_ids:
            query = query.where(recordings.c.id.in_(recording_ids))
        shared: dict[str, list[str]] = defaultdict(list)
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                shared[row.owner].append(row.id)
        theirs = {name for names in shared.values() for name in names}
        mine = tuple(name for name in recording_ids if name not in theirs)
        scopes = [] if recording_ids and not mine else [Scope(user, mine)]
        return scopes + [
            Scope(owner, tuple(names[:MAX_RECORDINGS])) for owner, names in sorted(shared.items())
        ]
