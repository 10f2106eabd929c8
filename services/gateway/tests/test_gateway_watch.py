"""The stream of changes: nothing missed, nothing of others, the last state of what changes often."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from recordroute.gateway.v1 import watch_pb2, watch_pb2_grpc
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import Caller, Scope, calling
from recordroute_gateway.library import changes
from recordroute_gateway.library.bin import Bin
from recordroute_gateway.library.changes import (
    Change,
    ChangeFeed,
    ChangeKind,
    WatchStart,
    append_changes,
    trim_changes,
)
from recordroute_gateway.library.records import Access, Artifact, ArtifactKind, Recording
from recordroute_gateway.library.sharing import ShareStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.servicers.watch import WatchServicer
from recordroute_gateway.workflow.outlook import Forecaster
from recordroute_gateway.workflow.records import Options, Stage, State
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_gateway.workflow.timings import Timings
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import UpstreamUnavailable
from recordroute_runtime.interceptors import server_interceptors
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor

ANNA, BEN, LOCAL = "anna", "ben", "local"
PATIENCE = 60.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def library(database: Database, tmp_path: Path) -> LibraryStore:
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    return LibraryStore(database, blobs)


@pytest.fixture
def feed(database: Database) -> ChangeFeed:
    """A feed that gives things as their ids."""

    async def load(user: str, ids: Sequence[str]) -> Mapping[str, object]:
        return {one: one for one in ids}

    return ChangeFeed(database, {ChangeKind.RECORDING: load, ChangeKind.WORKFLOW: load})


async def add(library: LibraryStore, title: str = "talk", owner: str = ANNA) -> Recording:
    now = datetime.now(UTC)
    media = Artifact(ArtifactKind.MEDIA, await library.blobs.put(title.encode()), 5, "", "", now)
    new = Recording(str(uuid.uuid4()), owner, title, "talk.mp3", None, "", now, now)
    return await library.create(new, str(uuid.uuid4()), media)


async def change(database: Database, user: str, *things: str) -> None:
    async with database.write() as connection:
        await append_changes(database, connection, [user], [(ChangeKind.RECORDING, one) for one in things])


class Watching:
    """A watcher in a task of its own."""

    def __init__(self, feed: ChangeFeed, user: str, after: int | None = None) -> None:
        self._news: asyncio.Queue[WatchStart | Change] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(feed, user, after))

    async def _read(self, feed: ChangeFeed, user: str, after: int | None) -> None:
        async with aclosing(feed.watch(user, after)) as news:
            async for one in news:
                self._news.put_nowait(one)

    async def next(self) -> WatchStart | Change:
        return await asyncio.wait_for(self._news.get(), PATIENCE)

    async def ids(self, count: int) -> list[str]:
        found = [await self.next() for _ in range(count)]
        assert all(isinstance(one, Change) for one in found), found
        return [one.id for one in found if isinstance(one, Change)]

    def nothing_more(self) -> bool:
        return self._news.empty()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


@asynccontextmanager
async def watching(feed: ChangeFeed, user: str, after: int | None = None) -> AsyncIterator[Watching]:
    watcher = Watching(feed, user, after)
    try:
        yield watcher
    finally:
        await watcher.close()


async def test_watchers_see_their_own_changes_in_order(database: Database, feed: ChangeFeed) -> None:
    await change(database, ANNA, "before")
    async with watching(feed, ANNA) as anna, watching(feed, BEN) as ben:
        start = await anna.next()
        assert isinstance(start, WatchStart)
        assert not start.reset
        await ben.next()
        await change(database, ANNA, "a", "b")
        await change(database, BEN, "c")
        assert await anna.ids(2) == ["a", "b"]
        assert await ben.ids(1) == ["c"]
        assert anna.nothing_more()
        assert feed.watcher_count == 2
    assert feed.watcher_count == 0
    assert database.listeners == set()


async def test_a_client_that_comes_back_is_told_what_it_missed(database: Database, feed: ChangeFeed) -> None:
    async with watching(feed, ANNA) as first:
        start = await first.next()
        assert isinstance(start, WatchStart)
        await change(database, ANNA, "a")
        last = await first.next()
    await change(database, ANNA, "b")
    await change(database, ANNA, "a")
    await change(database, ANNA, "b")
    async with watching(feed, ANNA, last.sequence) as again:
        assert isinstance(await again.next(), WatchStart)
        # Each thing once, in the order of the last changes.
        assert await again.ids(2) == ["a", "b"]
        await change(database, ANNA, "c")
        assert await again.ids(1) == ["c"]
    async with watching(feed, ANNA, start.sequence) as early:
        await early.next()
        assert await early.ids(3) == ["a", "b", "c"]


async def test_changes_of_another_replica_are_noticed_by_looking(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, found_by = 0, list[int]()

    async def load(user: str, ids: Sequence[str]) -> Mapping[str, object]:
        found_by.append(looks)
        return {one: one for one in ids}

    feed = ChangeFeed(database, {ChangeKind.RECORDING: load})
    look = feed._tell

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await look()

    monkeypatch.setattr(feed, "_tell", counted)
    other = Database(database_url)
    async with watching(feed, ANNA) as anna:
        await anna.next()
        await change(other, ANNA, "a")
        looks_before = looks
        assert await anna.ids(1) == ["a"]
    # The one that was under way may have come too early, the next one can't.
    assert found_by[0] <= looks_before + 1
    assert changes.POLL_SECONDS <= 1.0
    await other.close()


async def test_numbers_that_are_too_old_or_never_were_are_told(database: Database, feed: ChangeFeed) -> None:
    await change(database, ANNA, "a")
    await change(database, ANNA, "b")
    await trim_changes(database, older_than=timedelta(days=1))
    async with watching(feed, ANNA, 0) as all_of_it:
        assert isinstance(await all_of_it.next(), WatchStart)
        assert await all_of_it.ids(2) == ["a", "b"]
    await trim_changes(database, older_than=timedelta(0))
    for after, reset in ((0, True), (1, True), (2, False), (3, True), (2**64 - 1, True)):
        async with watching(feed, ANNA, after) as watcher:
            start = await watcher.next()
            assert isinstance(start, WatchStart)
            assert (start.reset, start.sequence) == (reset, 2)


async def test_a_slow_client_gets_last_states_and_is_told_when_it_is_too_slow(
    database: Database, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_PENDING", 3)
    async with aclosing(feed.watch(ANNA, None)) as news, watching(feed, ANNA) as quick:
        await anext(news)
        await quick.next()
        for name in "abab":
            await change(database, ANNA, name)
            await quick.ids(1)
        # Not taken yet: told once each, as they are now.
        assert [(await anext(news)).id for _ in range(2)] == ["a", "b"]
        for name in "cdef":
            await change(database, ANNA, name)
            await quick.ids(1)
        lost = await anext(news)
        assert isinstance(lost, WatchStart)
        assert lost.reset
        await change(database, ANNA, "g")
        assert (await anext(news)).id == "g"


async def test_a_rolled_back_change_never_happened(database: Database, feed: ChangeFeed) -> None:
    async def broken() -> None:
        async with database.write() as connection:
            await append_changes(database, connection, [ANNA], [(ChangeKind.RECORDING, "never")])
            raise ZeroDivisionError

    async with watching(feed, ANNA) as anna:
        await anna.next()
        with pytest.raises(ZeroDivisionError):
            await broken()
        await change(database, ANNA, "a")
        assert await anna.ids(1) == ["a"]


async def test_none_is_missed_while_many_write_and_others_come_and_go(
    database: Database, feed: ChangeFeed
) -> None:
    names = [f"{writer}.{number}" for writer in range(4) for number in range(10)]

    async def write(writer: int) -> None:
        for number in range(10):
            await change(database, ANNA, f"{writer}.{number}")

    async def come_and_go() -> None:
        for _ in range(10):
            async with watching(feed, BEN) as visitor:
                await visitor.next()

    async with watching(feed, ANNA) as anna:
        await anna.next()
        await asyncio.gather(*(write(writer) for writer in range(4)), come_and_go())
        assert sorted(await anna.ids(len(names))) == sorted(names)


async def test_everything_that_happens_to_a_recording_is_told_to_all_who_see_it(
    database: Database, feed: ChangeFeed, library: LibraryStore
) -> None:
    shares, bin_ = (
        ShareStore(database, library),
        Bin(database, library, retention=timedelta(days=1)),
    )
    workflows = WorkflowStore(database)

    async def told(watcher: Watching, count: int) -> list[tuple[str, bool]]:
        news = [await watcher.next() for _ in range(count)]
        return [(one.kind.value, one.item is None) for one in news if isinstance(one, Change)]

    def request() -> str:
        return str(uuid.uuid4())

    async with watching(feed, ANNA) as anna, watching(feed, BEN) as ben:
        await anna.next()
        await ben.next()
        recording = await add(library)
        assert await told(anna, 1) == [("recording", False)]
        await shares.share(ANNA, request(), recording.id, BEN, Access.READ)
        assert await told(ben, 1) == [("recording", False)]
        workflow = await workflows.create(ANNA, recording.id, request(), Options())
        for watcher in (anna, ben):
            assert sorted(await told(watcher, 2)) == [("recording", False), ("workflow", False)]
        await workflows.record(workflow.id, Stage.TRANSCRIBE, State.RUNNING, percent=5)
        for watcher in (anna, ben):
            assert await told(watcher, 1) == [("workflow", False)]
        await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"x", model="m", workflow_id="w")
        for watcher in (anna, ben):
            assert await told(watcher, 1) == [("recording", False)]
        await bin_.put(ANNA, request(), recording.id)
        assert await told(anna, 1) == [("recording", False)]
        assert await told(ben, 1) == [("recording", True)]
        await bin_.restore(ANNA, request(), recording.id)
        for watcher in (anna, ben):
            assert await told(watcher, 1) == [("recording", False)]
        await shares.unshare(ANNA, request(), recording.id, BEN)
        assert await told(ben, 1) == [("recording", True)]
        await library.delete(recording.id)
        assert await told(anna, 1) == [("recording", True)]
        assert ben.nothing_more()


async def test_a_feed_that_breaks_ends_its_watchers_and_works_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = True

    async def load(user: str, ids: Sequence[str]) -> Mapping[str, object]:
        if broken:
            raise ZeroDivisionError
        return {one: one for one in ids}

    feed = ChangeFeed(database, {ChangeKind.RECORDING: load})
    async with aclosing(feed.watch(ANNA, None)) as news:
        await anext(news)
        await change(database, ANNA, "a")
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(anext(news), PATIENCE)
    broken = False
    async with aclosing(feed.watch(ANNA, None)) as news:
        await anext(news)
        await change(database, ANNA, "b")
        assert (await asyncio.wait_for(anext(news), PATIENCE)).id == "b"
        await feed.close()
        with pytest.raises(UpstreamUnavailable):
            await asyncio.wait_for(anext(news), PATIENCE)


class AsLocalUser(CallInterceptor):
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        with calling(Caller(LOCAL, frozenset(Scope))):
            yield


@asynccontextmanager
async def served(servicer: WatchServicer) -> AsyncIterator[Any]:
    server = grpc.aio.server(
        options=[("grpc.so_reuseport", 0)], interceptors=server_interceptors((AsLocalUser(),))
    )
    watch_pb2_grpc.add_WatchServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}") as channel:
            yield watch_pb2_grpc.WatchServiceStub(channel)
    finally:
        await server.stop(None)


async def test_the_wire(database: Database, library: LibraryStore) -> None:
    workflows = WorkflowStore(database)
    servicer = WatchServicer(database, library, workflows, Forecaster(database, Timings(database), {}, {}))
    async with served(servicer) as stub:
        call = stub.WatchLibrary(watch_pb2.WatchLibraryRequest(), timeout=60)
        first = await call.read()
        assert (first.sequence, first.WhichOneof("change")) == (0, None)
        recording = await add(library, "회의", LOCAL)
        told = await call.read()
        assert told.recording.title == "회의"
        assert told.recording.access == 3
        await library.delete(recording.id)
        gone = await call.read()
        assert gone.recording_removed.recording_id == recording.id
        assert gone.sequence > told.sequence
        await trim_changes(database, older_than=timedelta(0))
        late = stub.WatchLibrary(watch_pb2.WatchLibraryRequest(after_sequence=0), timeout=60)
        reset = await late.read()
        assert (reset.WhichOneof("change"), reset.sequence) == ("reset", gone.sequence)
        await servicer.close()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await late.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
