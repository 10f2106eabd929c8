import asyncio
import threading
from contextvars import ContextVar

import pytest
from recordroute_runtime.threads import ended, in_thread


class Work:
    """Blocks until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.is_done = False

    def __call__(self, result: str = "done") -> str:
        self.begun.set()
        assert self.let_go.wait(60)
        self.is_done = True
        return result

    async def wait_for_begin(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 60)


async def test_result_error_and_context_pass_through() -> None:
    variable = ContextVar("variable", default=0)
    variable.set(7)
    assert await in_thread(variable.get) == 7
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 1, 0)


async def test_cancelled_call_returns_when_the_thread_has_ended() -> None:
    work = Work()
    task = asyncio.create_task(in_thread(work))
    await work.wait_for_begin()
    # A second cancellation, as of a loop that shuts down, changes nothing.
    for _ in range(3):
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=0.05)
        assert not done
    work.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.is_done


async def test_deadline_is_told_when_the_thread_has_ended() -> None:
    work = Work()

    async def limited() -> None:
        async with asyncio.timeout(0.01):
            await in_thread(work)

    task = asyncio.create_task(limited())
    await work.wait_for_begin()
    assert not (await asyncio.wait([task], timeout=0.1))[0]
    work.let_go.set()
    with pytest.raises(TimeoutError):
        await task
    assert work.is_done


async def test_only_what_a_cancelled_call_never_gets_is_discarded() -> None:
    discarded: list[str] = []
    work = Work()
    work.let_go.set()
    assert await in_thread(work, "kept", discard=discarded.append) == "kept"
    assert discarded == []
    work = Work()
    task = asyncio.create_task(in_thread(work, "left", discard=discarded.append))
    await work.wait_for_begin()
    task.cancel()
    work.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert discarded == ["left"]


async def test_failure_after_cancellation_discards_nothing() -> None:
    begun, let_go = threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        assert let_go.wait(60)
        raise OSError("no room")

    discarded: list[str] = []
    task = asyncio.create_task(in_thread(fail, discard=discarded.append))
    assert await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert discarded == []


async def test_first_cancellation_while_waiting_for_an_end_is_raised_after_it() -> None:
    failing = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(ended(failing))
    for _ in range(3):
        assert not (await asyncio.wait([waiting], timeout=0.01))[0]
        waiting.cancel()
    failing.set_exception(ValueError("seen"))
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_on_the_way_out_further_cancellations_change_nothing() -> None:
    running = asyncio.get_running_loop().create_future()
    cleaned: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await ended(running)
            cleaned.append(running.done())
            raise

    task = asyncio.create_task(work())
    for _ in range(3):
        assert not (await asyncio.wait([task], timeout=0.01))[0]
        task.cancel()
    running.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]


async def test_end_of_what_was_cancelled_itself_is_no_cancellation() -> None:
    cancelled = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    await ended(cancelled)
