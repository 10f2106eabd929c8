"""The event log: numbers without gaps, no news dropped, nothing told twice."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from recordroute_gateway.database import Database
from recordroute_gateway.tables import recordings
from recordroute_gateway.workflow.records import Event, Failure, Options, Stage, State
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_runtime.errors import Conflict, NotFound, PreconditionFailed
from sqlalchemy import insert

RECORDING = str(uuid.uuid4())


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[WorkflowStore]:
    database = Database(database_url)
    await database.migrate()
    now = datetime.now(UTC)
    async with database.write() as connection:
        await connection.execute(
            insert(recordings).values(
                id=RECORDING,
                owner="local",
                request_id="r",
                title="t",
                file_name="f",
                language="",
                created_at=now,
                recorded_at=now,
            )
        )
    yield WorkflowStore(database)
    await database.close()


async def new(store: WorkflowStore) -> str:
    return (await store.create("local", RECORDING, str(uuid.uuid4()), Options(language="ko"))).id


async def all_events(store: WorkflowStore, workflow_id: str, after: int = 0) -> list[Event]:
    return [event async for event in store.watch(workflow_id, after)]


async def test_repeated_news_is_no_news(store: WorkflowStore) -> None:
    workflow = await new(store)
    assert await store.record(workflow, None, State.RUNNING)
    assert await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING)
    assert await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=40)
    # The process died here; the stage begins again and comes past the same places.
    assert not await store.record(workflow, None, State.RUNNING)
    assert not await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING)
    assert not await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=20)
    assert not await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=40)
    assert await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=60)
    assert await store.record(workflow, Stage.TRANSCRIBE, State.SUCCEEDED, percent=100)
    assert not await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=100)
    assert await store.record(workflow, None, State.SUCCEEDED)
    events = await all_events(store, workflow)
    assert [event.sequence for event in events] == list(range(1, 8))
    assert [event.percent for event in events if event.stage] == [0, 40, 60, 100]


async def test_what_has_ended_does_not_change(store: WorkflowStore) -> None:
    workflow = await new(store)
    await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=10)
    assert await store.cancel(workflow)
    assert not await store.cancel(workflow)
    assert not await store.record(workflow, Stage.TRANSCRIBE, State.SUCCEEDED, percent=100)
    assert not await store.record(workflow, None, State.FAILED, failure=Failure("X", "x"))
    found = await store.get("local", workflow)
    assert found.state is State.CANCELLED
    assert found.stages[0].state is State.CANCELLED


def read_to_the_end(store: WorkflowStore, monkeypatch: pytest.MonkeyPatch, *, times: int) -> asyncio.Event:
    """Returns what is set once so many watchers have read all there is, and wait for more."""
    reached, read, ends = asyncio.Event(), store._events, 0

    async def noted(workflow_id: str, after_sequence: int) -> list[Event]:
        nonlocal ends
        events = await read(workflow_id, after_sequence)
        ends += not events
        if ends == times:
            reached.set()
        return events

    monkeypatch.setattr(store, "_events", noted)
    return reached


async def test_watchers_miss_and_repeat_nothing(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = await new(store)
    waiting = read_to_the_end(store, monkeypatch, times=5)
    watchers = [asyncio.create_task(all_events(store, workflow)) for _ in range(5)]
    await asyncio.wait_for(waiting.wait(), 60)
    for percent in range(0, 100, 5):
        await store.record(workflow, Stage.TRANSCRIBE, State.RUNNING, percent=percent)
    late = asyncio.create_task(all_events(store, workflow, after=7))
    await store.record(workflow, None, State.SUCCEEDED)
    whole = await all_events(store, workflow)
    for watcher in watchers:
        assert await asyncio.wait_for(watcher, 60) == whole
    assert await asyncio.wait_for(late, 60) == whole[7:]
    assert store._watchers == {}


async def test_events_of_another_process_reach_the_watcher(
    store: WorkflowStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = await new(store)
    waiting = read_to_the_end(store, monkeypatch, times=1)
    watcher = asyncio.create_task(all_events(store, workflow))
    await asyncio.wait_for(waiting.wait(), 60)
    other_database = Database(database_url)
    await WorkflowStore(other_database).record(workflow, None, State.SUCCEEDED)
    await other_database.close()
    assert [event.state for event in await asyncio.wait_for(watcher, 60)] == [State.QUEUED, State.SUCCEEDED]


async def test_retry_goes_on_after_what_succeeded(store: WorkflowStore) -> None:
    workflow = await new(store)
    await store.record(workflow, Stage.TRANSCRIBE, State.SUCCEEDED, percent=100)
    failure = Failure("BAD", "it broke", {"model": "m"})
    await store.record(workflow, Stage.SUMMARISE, State.FAILED, failure=failure)
    await store.record(workflow, None, State.FAILED, failure=failure)
    before = await all_events(store, workflow)
    assert before[-1].failure == failure
    assert (await store.get("local", workflow)).failure == failure
    request = str(uuid.uuid4())
    again = await store.retry("local", workflow, request)
    assert (again.state, again.attempt, again.failure) == (State.QUEUED, 2, None)
    assert [status.state for status in again.stages][:2] == [State.SUCCEEDED, State.QUEUED]
    assert (await store.retry("local", workflow, request)).attempt == 2
    with pytest.raises(PreconditionFailed):
        await store.retry("local", workflow, str(uuid.uuid4()))
    await store.record(workflow, None, State.SUCCEEDED)
    # The old failure is history: a new watcher sees it and goes on to the real end.
    assert [event.sequence for event in await all_events(store, workflow)] == list(range(1, len(before) + 3))


async def test_one_workflow_a_recording_at_a_time(store: WorkflowStore) -> None:
    request = str(uuid.uuid4())
    first = await store.create("local", RECORDING, request, Options())
    assert (await store.create("local", RECORDING, request, Options())).id == first.id
    with pytest.raises(Conflict) as caught:
        await new(store)
    assert caught.value.metadata == {"workflow_id": first.id}
    await store.cancel(first.id)
    second = await new(store)
    page, token = await store.list_page("local", "", 1, "")
    assert [workflow.id for workflow in page] == [second]
    page, _ = await store.list_page("local", RECORDING, 1, token)
    assert [workflow.id for workflow in page] == [first.id]


async def test_unknown_workflow_is_not_found(store: WorkflowStore) -> None:
    with pytest.raises(NotFound):
        await store.get("local", str(uuid.uuid4()))
    workflow = await new(store)
    with pytest.raises(NotFound):
        await store.get("somebody else", workflow)
