"""Whose work is done next."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from recordroute_stt.workers import FairWorkers


@pytest.fixture
def one() -> Iterator[FairWorkers]:
    workers = FairWorkers(1, name="test-worker")
    yield workers
    workers.close()


def test_lanes_take_turns(one) -> None:
    held, done = threading.Event(), []
    blocker = one.lane()
    blocker.submit(held.wait)
    greedy, modest = one.lane(), one.lane()
    work = [greedy.submit(done.append, f"greedy {number}") for number in range(4)]
    work += [modest.submit(done.append, f"modest {number}") for number in range(2)]
    held.set()
    for future in work:
        future.result(timeout=60)
    assert done == ["greedy 0", "modest 0", "greedy 1", "modest 1", "greedy 2", "greedy 3"]


def test_lane_does_one_piece_at_a_time_where_asked() -> None:
    workers = FairWorkers(4, name="test-worker")
    lock, order = threading.Lock(), []

    def work(number: int) -> None:
        assert lock.acquire(blocking=False), "two pieces at once"
        order.append(number)
        lock.release()

    lane = workers.lane(at_once=1)
    for future in [lane.submit(work, number) for number in range(50)]:
        future.result(timeout=60)
    assert order == list(range(50))
    workers.close()


def test_errors_go_to_who_waits(one) -> None:
    lane = one.lane()
    with pytest.raises(ZeroDivisionError):
        lane.submit(lambda: 1 // 0).result(timeout=60)
    assert lane.submit(lambda: 2).result(timeout=60) == 2


def test_closed_lane_drops_what_waits_and_ends_what_runs(one) -> None:
    begun, held = threading.Event(), threading.Event()
    lane = one.lane()

    def running() -> str:
        begun.set()
        held.wait()
        return "done"

    first, second = lane.submit(running), lane.submit(str)
    dropped = threading.Event()
    second.add_done_callback(lambda _: dropped.set())
    assert begun.wait(60)
    closing = threading.Thread(target=lane.close)
    closing.start()
    assert dropped.wait(60)
    held.set()
    closing.join(60)
    assert not closing.is_alive()
    assert first.result(timeout=0) == "done"
    assert second.cancelled()
    assert one.lane().submit(str).result(timeout=60) == ""


def test_closed_workers_take_nothing() -> None:
    workers = FairWorkers(2, name="test-worker")
    workers.close()
    assert workers.lane().submit(str).cancelled()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-worker")]
