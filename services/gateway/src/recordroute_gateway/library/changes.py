"""The log of changes, and the feed that tells watchers of it.

The log keeps the last change of each thing that a user sees, under a number that rises over all users. Numbers become
visible in their order: a transaction holds the clock's row from its first number to its end, so it takes its numbers
last of all.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from recordroute_runtime.errors import UpstreamUnavailable
from sqlalchemy import Row, delete, func, insert, select, union_all, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.tables import change_clock, changes, recordings, shares

log = structlog.get_logger(__name__)

# Another replica's changes are noticed by looking; this replica's wake the feed at once.
POLL_SECONDS = 0.5
# Changes that follow each other more closely are told together: no person sees the difference, and what has changed
# twice is read once.
GATHER_SECONDS = 0.02
MAX_PENDING = 1000
PAGE = 500


class ChangeKind(StrEnum):
    RECORDING = "recording"
    WORKFLOW = "workflow"


@dataclass(frozen=True, eq=False)
class Change:
    """The last change of a thing that a user sees. All watchers of the user are given the same object."""

    sequence: int
    time: datetime
    kind: ChangeKind
    id: str
    # What the feed's loader gave for it, as it is now; None: it is gone, or no longer the user's to see.
    item: object | None


@dataclass(frozen=True)
class WatchStart:
    """The number that the watching begins with. `reset`: what came before it is not known, or was too much."""

    sequence: int
    time: datetime
    reset: bool


async def seen_by(connection: AsyncConnection, recording_id: str) -> list[str]:
    """Returns the users who see a recording, the owner first."""
    query = union_all(
        select(recordings.c.owner).where(recordings.c.id == recording_id),
        select(shares.c.user).where(shares.c.recording_id == recording_id),
    )
    return list((await connection.execute(query)).scalars())


async def append_changes(
    database: Database,
    connection: AsyncConnection,
    users: Sequence[str],
    things: Iterable[tuple[ChangeKind, str]],
    *,
    removed: bool = False,
) -> None:
    """Logs that things have changed, or are gone, for users. To be called last in a transaction."""
    pairs = [(user, kind.value, thing) for user in users for kind, thing in things]
    if not pairs:
        return
    clock = update(change_clock).values(sequence=change_clock.c.sequence + len(pairs))
    last = (await connection.execute(clock.returning(change_clock.c.sequence))).scalar_one()
    for user, kind, thing in pairs:
        place = (changes.c.user == user) & (changes.c.kind == kind) & (changes.c.id == thing)
        await connection.execute(delete(changes).where(place))
    now = datetime.now(UTC)
    await connection.execute(
        insert(changes),
        [
            {"user": user, "kind": kind, "id": thing, "sequence": sequence, "removed": removed, "time": now}
            for sequence, (user, kind, thing) in enumerate(pairs, last - len(pairs) + 1)
        ],
    )
    database.announce(connection)


async def trim_changes(database: Database, *, older_than: timedelta) -> None:
    """Forgets changes that are older: whoever asks for what came after them is told to begin anew."""
    old = changes.c.time < datetime.now(UTC) - older_than
    async with database.write() as connection:
        # The lock first: nothing takes a number meanwhile.
        await connection.execute(update(change_clock).values(sequence=change_clock.c.sequence))
        last = (await connection.execute(select(func.max(changes.c.sequence)).where(old))).scalar_one()
        if last is None:
            return
        await connection.execute(delete(changes).where(changes.c.sequence <= last))
        await connection.execute(update(change_clock).values(trimmed_sequence=last))


class Watcher:
    """What one client has not taken yet: of each thing the last change. At most `MAX_PENDING` things: a client that
    is further behind reads everything anew."""

    def __init__(self, user: str) -> None:
        self.user = user
        self._pending: dict[tuple[ChangeKind, str], Change] = {}
        self._lost = False
        self._failure: BaseException | None = None
        self._news = asyncio.Event()

    def offer(self, change: Change) -> None:
        key = (change.kind, change.id)
        self._pending.pop(key, None)
        self._pending[key] = change
        if len(self._pending) > MAX_PENDING:
            self.lose()
        self._news.set()

    def lose(self) -> None:
        """Gives up what is pending: the client is told that changes are missing."""
        self._pending.clear()
        self._lost = True
        self._news.set()

    def fail(self, error: BaseException) -> None:
        """Ends the watching by an error."""
        self._failure = error
        self._news.set()

    async def take(self) -> Change | None:
        """Waits for the next change; None: changes were lost."""
        while True:
            if self._failure is not None:
                raise self._failure
            if self._lost:
                self._lost = False
                return None
            if self._pending:
                return self._pending.pop(next(iter(self._pending)))
            self._news.clear()
            await self._news.wait()


# Reads things as a user sees them, by id; what there is no more is left out.
Load = Callable[[str, Sequence[str]], Awaitable[Mapping[str, object]]]


class ChangeFeed:
    """Reads the log once for all watchers of this process, as long as there are any."""

    def __init__(self, database: Database, loaders: Mapping[ChangeKind, Load]) -> None:
        self._database = database
        self._loaders = loaders
        self._watchers: dict[str, set[Watcher]] = defaultdict(set)
        self._position = 0
        self._news = asyncio.Event()
        self._opening = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None

    async def watch(self, user: str, after_sequence: int | None) -> AsyncGenerator[WatchStart | Change]:
        """Yields where the watching begins, then what has changed after `after_sequence` (None: from now on).

        A WatchStart that comes later says that changes are missing before it.
        """
        watcher = Watcher(user)
        try:
            position = await self._join(watcher)
            sequence, trimmed = await self._clock()
            begin = position if after_sequence is None else after_sequence
            missed: list[Change] = []
            reset = not trimmed <= begin <= sequence
            if begin < position and not reset:
                missed = await self._read(user, begin, position)
                reset = len(missed) > MAX_PENDING
            if reset:
                begin, missed = position, []
            yield WatchStart(begin, datetime.now(UTC), reset)
            for change in missed:
                yield change
            last = max(begin, position)
            while True:
                news = await watcher.take()
                if news is None:
                    yield WatchStart(self._position, datetime.now(UTC), reset=True)
                elif news.sequence > last:
                    last = news.sequence
                    yield news
        finally:
            await self._leave(watcher)

    async def close(self) -> None:
        """Ends every watching by UpstreamUnavailable: the clients go on elsewhere, or here when it is up again."""
        self._fail(UpstreamUnavailable("gateway"))
        await self._stop()

    async def _stop(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            self._database.listeners.discard(self._news.set)
            pump.cancel()
            await asyncio.wait([pump])

    @property
    def watcher_count(self) -> int:
        return sum(map(len, self._watchers.values()))

    async def _join(self, watcher: Watcher) -> int:
        """Returns the number after which the watcher is told everything."""
        async with self._opening:
            if self._pump is None:
                self._position = (await self._clock())[0]
                self._database.listeners.add(self._news.set)
                self._pump = asyncio.create_task(self._run())
                self._pump.add_done_callback(self._ended)
        self._watchers[watcher.user].add(watcher)
        return self._position

    async def _leave(self, watcher: Watcher) -> None:
        mine = self._watchers[watcher.user]
        mine.discard(watcher)
        if not mine:
            del self._watchers[watcher.user]
        if not self._watchers:
            await self._stop()

    def _ended(self, pump: asyncio.Task[None]) -> None:
        error = None if pump.cancelled() else pump.exception()
        if error is not None:
            if self._pump is pump:
                self._pump = None
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        for watcher in [watcher for mine in self._watchers.values() for watcher in mine]:
            watcher.fail(error)

    async def _run(self) -> None:
        while True:
            try:
                await self._tell()
            except (DBAPIError, OSError) as error:
                # PostgreSQL is away: the position stands still, so nothing is missed.
                log.warning("changes can't be read", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)

    async def _tell(self) -> None:
        self._news.clear()
        sequence, _ = await self._clock()
        while self._position < sequence:
            rows = await self._rows(self._position, sequence)
            end = rows[-1].sequence if len(rows) == PAGE else sequence
            by_user: dict[str, list[Row[Any]]] = defaultdict(list)
            for row in rows:
                by_user[row.user].append(row)
            told: dict[str, list[Change]] = {}
            # Again for those who join while it reads: they were given the position before it.
            while unread := (by_user.keys() & self._watchers.keys()) - told.keys():
                for user in unread:
                    told[user] = await self._changes(user, by_user[user])
            self._position = end
            for user, news in told.items():
                for watcher in self._watchers.get(user, ()):
                    for change in news:
                        watcher.offer(change)

    async def _clock(self) -> tuple[int, int]:
        async with self._database.read() as connection:
            row = (await connection.execute(select(change_clock))).one()
        return row.sequence, row.trimmed_sequence

    async def _rows(self, after: int, last: int, user: str | None = None) -> Sequence[Row[Any]]:
        query = select(changes).where(changes.c.sequence > after, changes.c.sequence <= last)
        if user is not None:
            query = query.where(changes.c.user == user)
        query = query.order_by(changes.c.sequence).limit(PAGE)
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()

    async def _read(self, user: str, after: int, last: int) -> list[Change]:
        """Reads a user's changes, and one too many at most beyond what is told."""
        found: list[Change] = []
        while len(found) <= MAX_PENDING:
            rows = await self._rows(after, last, user)
            found += await self._changes(user, rows)
            if len(rows) < PAGE:
                break
            after = rows[-1].sequence
        return found

    async def _changes(self, user: str, rows: Sequence[Row[Any]]) -> list[Change]:
        ids: dict[ChangeKind, list[str]] = defaultdict(list)
        for row in rows:
            if not row.removed:
                ids[ChangeKind(row.kind)].append(row.id)
        items = {kind: await self._loaders[kind](user, wanted) for kind, wanted in ids.items()}
        return [
            Change(row.sequence, row.time, kind, row.id, item)
            for row in rows
            for kind in (ChangeKind(row.kind),)
            for item in (items.get(kind, {}).get(row.id),)
            # A workflow goes with its recording, which has its own change.
            if item is not None or kind is ChangeKind.RECORDING
        ]
