"""Whose turn it is: limits, fairness between users, priority within one, and how long it will be."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from recordroute_gateway.database import Database
from recordroute_gateway.workflow.gate import StageGate
from recordroute_gateway.workflow.records import Options, Priority, Stage, StageStatus, State, Workflow
from recordroute_gateway.workflow.timings import KEPT_RUNS, Timings, work_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def workflow(owner: str, number: int, priority: Priority = Priority.NORMAL, **options: object) -> Workflow:
    return Workflow(
        id=f"{owner}{number}",
        recording_id=str(uuid.uuid4()),
        owner=owner,
        state=State.QUEUED,
        attempt=1,
        options=Options(priority=priority, **options),  # type: ignore[arg-type]
        failure=None,
        created_at=BEGIN + timedelta(seconds=number),
        ended_at=None,
        last_sequence=1,
        stages=tuple(StageStatus(stage, State.QUEUED, 0.0, None, None) for stage in Stage),
    )


class Turns:
    """Sends workflows through a gate and notes the order in which they came in."""

    def __init__(self, gate: StageGate) -> None:
        self._gate = gate
        self.order: list[str] = []
        self.inside = 0
        self.most_inside = 0
        self._tasks: list[asyncio.Task[None]] = []
        # Nobody leaves while the line is looked at.
        self._may_leave = asyncio.Event()

    async def begin(self, workflows: Iterable[Workflow]) -> None:
        for each in workflows:
            self._tasks.append(asyncio.create_task(self._pass(each)))
            # Each is in the line before the next comes.
            await asyncio.sleep(0)

    async def _pass(self, each: Workflow) -> None:
        async with self._gate.enter(each):
            self.order.append(each.id)
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            await self._may_leave.wait()
            await asyncio.sleep(0)
            self.inside -= 1

    async def end(self) -> None:
        self._may_leave.set()
        await asyncio.gather(*self._tasks)


async def test_no_more_than_the_limit_are_inside() -> None:
    turns = Turns(StageGate(3))
    await turns.begin(workflow("a", number) for number in range(20))
    await turns.end()
    assert turns.most_inside == 3
    assert turns.order == [f"a{number}" for number in range(20)]


async def test_a_batch_does_not_keep_others_waiting() -> None:
    gate = StageGate(1)
    turns = Turns(gate)
    await turns.begin(workflow("batch", number) for number in range(50))
    await turns.begin([workflow("b", 100), workflow("c", 101), workflow("b", 102)])
    assert gate.ahead("c101") <= 2
    assert gate.ahead("b102") == 3
    assert gate.ahead("batch49") == 51
    await turns.end()
    assert set(turns.order[1:4]) == {"b100", "c101", "batch1"}
    assert turns.order.index("b102") <= 6


async def test_priority_counts_among_ones_own_only() -> None:
    gate = StageGate(1)
    turns = Turns(gate)
    await turns.begin([workflow("a", 0)])
    await turns.begin([workflow("a", 1, Priority.LOW), workflow("a", 2), workflow("a", 3, Priority.HIGH)])
    await turns.begin([workflow("b", 4, Priority.LOW)])
    assert [gate.ahead(name) for name in ("a3", "a2", "a1")] == [1, 2, 3]
    await turns.end()
    assert turns.order == ["a0", "b4", "a3", "a2", "a1"]


async def test_told_positions_are_the_order_that_comes() -> None:
    gate = StageGate(1)
    turns = Turns(gate)
    await turns.begin([workflow("z", 0)])
    waiting = [workflow(owner, number) for number, owner in enumerate("aaabbcaaadba", 1)]
    await turns.begin(waiting)
    told = {each.id: gate.ahead(each.id) for each in waiting}
    await turns.end()
    assert {name: place for place, name in enumerate(turns.order[1:])} == told


async def test_who_gives_up_leaves_no_gap() -> None:
    gate = StageGate(1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gate.enter(workflow("a", 0)))
        waiting = [asyncio.create_task(_enter(gate, workflow("a", number))) for number in (1, 2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        assert gate.waiting_count == 1
    # Cancelled in the very moment of its turn: the place is free for the next.
    waiting[1].cancel()
    await asyncio.wait([waiting[1]])
    await asyncio.wait_for(_enter(gate, workflow("a", 3)), 60)
    assert gate.waiting_count == 0


async def _enter(gate: StageGate, each: Workflow) -> None:
    async with gate.enter(each):
        pass


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.migrate()
    yield database
    await database.close()


async def test_times_are_learned_and_kept(database: Database) -> None:
    each = workflow("a", 1)
    timings = Timings(database)
    work = work_of(each, Stage.TRANSCRIBE, 600.0)
    assert timings.predict(work) is None
    assert timings.remaining(each, 600.0, {}) is None
    for seconds in (60.0, 70.0, 900.0):
        await timings.learn(work, seconds)
    # The one that shared its machine counts no more than the others.
    assert timings.predict(work) == 70.0
    assert timings.predict(work_of(each, Stage.TRANSCRIBE, 1200.0)) == 140.0
    # Another model has not run yet: about what the others took.
    assert timings.predict(work_of(workflow("a", 2, stt_model="other"), Stage.TRANSCRIBE, 600.0)) == 70.0
    for _ in range(KEPT_RUNS + 5):
        await timings.learn(work, 30.0)
    again = Timings(database)
    await again.load()
    assert again.predict(work) == 30.0


async def test_remaining_time_is_of_what_is_left(database: Database) -> None:
    timings = Timings(database)
    each = workflow("a", 1, skip_summary=True)
    for stage, seconds in ((Stage.TRANSCRIBE, 60.0), (Stage.EMBED, 6.0), (Stage.INDEX, 3.0)):
        await timings.learn(work_of(each, stage, 600.0), seconds)
    assert timings.remaining(each, 600.0, {}) == 69.0
    work = work_of(each, Stage.TRANSCRIBE, 600.0)
    assert timings.remaining_of_stage(work, 0.0, 20.0) == 40.0
    # Its own progress tells more: a quarter in 30 s.
    assert timings.remaining_of_stage(work, 25.0, 30.0) == 90.0
    assert timings.remaining(workflow("a", 2, first_stage=Stage.EMBED, skip_summary=True), 600.0, {}) == 9.0
