"""Keeps live sessions and their bookmarks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from recordroute_gateway.database import Database
from recordroute_gateway.library.records import Bookmark
from recordroute_gateway.live.errors import TooMany
from recordroute_gateway.live.records import LiveConfig, SessionRow, SessionState
from recordroute_gateway.tables import live_bookmarks, live_sessions

# As many as the contract lets a recording have.
MAX_BOOKMARKS = 1000


class LiveStore:
    """Live sessions of all owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, session_id: str, owner: str, config: LiveConfig, title: str) -> SessionRow:
        """Adds an open session. The same request id again returns the session of the first time."""
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(live_sessions).values(
                        id=session_id,
                        owner=owner,
                        request_id=config.request_id,
                        state=SessionState.OPEN.value,
                        config=config.to_json(),
                        title=title,
                        created_at=datetime.now(UTC),
                        end_reason="",
                        next_sequence=0,
                        audio_seconds=0.0,
                        recording_id="",
                        workflow_id="",
                    )
                )
        except IntegrityError:
            # The same request came twice at once, and the other one won.
            known = await self.find_request(owner, config.request_id)
            if known is None:
                raise
            return known
        row = await self.find(session_id)
        assert row is not None, "it was written just now, and only ended sessions are deleted"
        return row

    async def find(self, session_id: str) -> SessionRow | None:
        """Returns a session of anybody, or None."""
        rows = await self._rows(live_sessions.c.id == session_id)
        return rows[0] if rows else None

    async def find_request(self, owner: str, request_id: str) -> SessionRow | None:
        """Returns the session that a request id opened, or None."""
        rows = await self._rows(live_sessions.c.owner == owner, live_sessions.c.request_id == request_id)
        return rows[0] if rows else None

    async def unfinished(self) -> list[SessionRow]:
        """Returns the sessions that are not recordings yet, oldest first."""
        return await self._rows(live_sessions.c.state != SessionState.ENDED.value)

    async def list_open(self, owner: str, since: datetime) -> list[SessionRow]:
        """Returns an owner's open sessions that began after a time, oldest first."""
        return await self._rows(
            live_sessions.c.owner == owner,
            live_sessions.c.state == SessionState.OPEN.value,
            live_sessions.c.created_at > since,
        )

    async def set_ending(self, session_id: str, reason: str) -> SessionRow:
        """Notes that an open session takes no more audio, and since when; the first reason stays."""
        async with self._database.write() as connection:
            await connection.execute(
                update(live_sessions)
                .where(live_sessions.c.id == session_id, live_sessions.c.state == SessionState.OPEN.value)
                .values(state=SessionState.ENDING.value, end_reason=reason, ended_at=datetime.now(UTC))
            )
        row = await self.find(session_id)
        assert row is not None, "only ended sessions are deleted"
        return row

    async def set_ended(
        self,
        session_id: str,
        *,
        next_sequence: int,
        audio_seconds: float,
        recording_id: str,
        workflow_id: str,
    ) -> None:
        """Notes what became of a session."""
        async with self._database.write() as connection:
            await connection.execute(
                update(live_sessions)
                .where(live_sessions.c.id == session_id)
                .values(
                    state=SessionState.ENDED.value,
                    next_sequence=next_sequence,
                    audio_seconds=audio_seconds,
                    recording_id=recording_id,
                    workflow_id=workflow_id,
                )
            )

    async def forget_ended(self, before: datetime) -> None:
        """Deletes sessions that ended before a time; their recordings stay."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(live_sessions).where(
                    live_sessions.c.state == SessionState.ENDED.value, live_sessions.c.ended_at < before
                )
            )

    async def add_bookmark(self, session_id: str, request_id: str, bookmark: Bookmark) -> Bookmark:
        """Adds a bookmark. The same request id again returns that of the first time.

        Raises TooMany (TOO_MANY_BOOKMARKS).
        """
        place = (live_bookmarks.c.session_id == session_id) & (live_bookmarks.c.request_id == request_id)
        known = select(live_bookmarks).where(place)
        try:
            async with self._database.write() as connection:
                row = (await connection.execute(known)).one_or_none()
                if row is None:
                    count = select(func.count()).where(live_bookmarks.c.session_id == session_id)
                    if (await connection.execute(count)).scalar_one() >= MAX_BOOKMARKS:
                        raise TooMany(
                            "TOO_MANY_BOOKMARKS", f"a session has at most {MAX_BOOKMARKS} bookmarks"
                        )
                    await connection.execute(
                        insert(live_bookmarks).values(
                            session_id=session_id,
                            request_id=request_id,
                            position=bookmark.position,
                            label=bookmark.label,
                        )
                    )
                    return bookmark
        except IntegrityError:
            async with self._database.read() as connection:
                row = (await connection.execute(known)).one()
        return Bookmark(row.position, row.label)

    async def bookmarks(self, session_id: str) -> list[Bookmark]:
        """Returns a session's bookmarks, in order of their positions."""
        query = (
            select(live_bookmarks)
            .where(live_bookmarks.c.session_id == session_id)
            .order_by(live_bookmarks.c.position, live_bookmarks.c.label)
        )
        async with self._database.read() as connection:
            return [Bookmark(row.position, row.label) for row in await connection.execute(query)]

    async def _rows(self, *conditions: Any) -> list[SessionRow]:
        query = (
            select(live_sessions).where(*conditions).order_by(live_sessions.c.created_at, live_sessions.c.id)
        )
        async with self._database.read() as connection:
            return _sessions((await connection.execute(query)).all())


def _sessions(rows: Sequence[Any]) -> list[SessionRow]:
    return [
        SessionRow(
            id=row.id,
            owner=row.owner,
            state=SessionState(row.state),
            config=LiveConfig.from_json(row.config),
            title=row.title,
            created_at=row.created_at,
            ended_at=row.ended_at,
            end_reason=row.end_reason,
            next_sequence=row.next_sequence,
            audio_seconds=row.audio_seconds,
            recording_id=row.recording_id,
            workflow_id=row.workflow_id,
        )
        for row in rows
    ]
