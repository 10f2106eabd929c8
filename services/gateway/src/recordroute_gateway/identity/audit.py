"""The audit log: who did what to which recording. Rows are added and never changed; the database sees to that.

Events are written by one task, all that have come meanwhile in one transaction, so that many calls at once cost one
write. A call that ends well ends when its event is on disk.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from recordroute_runtime.errors import InvalidInput
from sqlalchemy import insert, or_, select
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from recordroute_gateway.database import Database
from recordroute_gateway.tables import audit_events, recordings

log = structlog.get_logger(__name__)

BATCH = 500
# What waits for a database that is away; calls wait for their place then.
MAX_WAITING = 5_000
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 5.0
BAD_TOKEN = "page_token is not one that this server gave"


@dataclass(frozen=True)
class AuditEvent:
    """Something that somebody did; `recording_id` is empty where it was done to none."""

    time: datetime
    user: str
    api_key_id: str
    action: str
    recording_id: str
    outcome: str
    peer: str


class AuditLog:
    """Writes and lists audit events."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: asyncio.Queue[tuple[list[AuditEvent], asyncio.Future[None]]] = asyncio.Queue(
            MAX_WAITING
        )
        self._writer: asyncio.Task[None] | None = None

    async def add(self, events: Sequence[AuditEvent]) -> asyncio.Future[None]:
        """Takes events and returns a future that is done once they are on disk, or fails if they never will be."""
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        written = asyncio.get_running_loop().create_future()
        await self._waiting.put((list(events), written))
        return written

    async def close(self) -> None:
        """Writes what waits, for a while, and ends. What can't be written goes to the process's log."""
        if self._writer is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._waiting.join()
        except TimeoutError:
            lost = [str(event) for events, _ in self._next() for event in events]
            log.error("audit events that are not in the audit log", events=lost)
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer

    async def list_page(
        self, user: str | None, recording_id: str, page_size: int, page_token: str
    ) -> tuple[list[AuditEvent], str]:
        """Returns events, newest first, and the next page's token: those by a user and those to its recordings (user
        None: all). Raises InvalidInput (PAGE_TOKEN)."""
        query = select(audit_events).order_by(audit_events.c.id.desc()).limit(page_size + 1)
        if user is not None:
            query = query.where(or_(audit_events.c.user == user, audit_events.c.owner == user))
        if recording_id:
            query = query.where(audit_events.c.recording_id == recording_id)
        if page_token:
            query = query.where(audit_events.c.id < _position(page_token))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        names = AuditEvent.__dataclass_fields__
        page = [AuditEvent(**{name: row[name] for name in names}) for row in rows[:page_size]]
        return page, _token(rows[page_size - 1]["id"]) if len(rows) > page_size else ""

    def _next(self) -> list[tuple[list[AuditEvent], asyncio.Future[None]]]:
        batch, count = [], 0
        while not self._waiting.empty() and count < BATCH:
            batch.append(self._waiting.get_nowait())
            count += len(batch[-1][0])
        return batch

    async def _write_all(self) -> None:
        while True:
            first = await self._waiting.get()
            batch = [first, *self._next()]
            events = [event for events, _ in batch for event in events]
            failure: SQLAlchemyError | None = None
            try:
                await self._write_when_possible(events)
            except SQLAlchemyError as error:
                # The database is there and refuses: it will do so again.
                log.exception("audit events that are not in the audit log", events=[str(e) for e in events])
                failure = error
            for _, written in batch:
                if not written.done() and failure is not None:
                    written.set_exception(failure)
                elif not written.done():
                    written.set_result(None)
                self._waiting.task_done()

    async def _write_when_possible(self, events: list[AuditEvent]) -> None:
        while True:
            try:
                await self._write(events)
            except (OperationalError, InterfaceError, OSError) as error:
                log.warning("audit log waits for the database", error=str(error), events=len(events))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _write(self, events: list[AuditEvent]) -> None:
        ids = {event.recording_id for event in events if event.recording_id}
        async with self._database.write() as connection:
            owners: dict[str, str] = {}
            if ids:
                query = select(recordings.c.id, recordings.c.owner).where(recordings.c.id.in_(ids))
                owners = {row.id: row.owner for row in await connection.execute(query)}
            await connection.execute(
                insert(audit_events),
                [
                    {
                        **{name: getattr(event, name) for name in AuditEvent.__dataclass_fields__},
                        "owner": owners.get(event.recording_id, event.user),
                    }
                    for event in events
                ],
            )


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"a{position}".encode()).decode()


def _position(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
        if not text.startswith("a") or not text[1:].isdecimal() or len(text) > 19:
            raise ValueError
        return int(text[1:])
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN) from error
