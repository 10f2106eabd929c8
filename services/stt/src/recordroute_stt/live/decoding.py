"""The threads that all live streams decode on, in order of urgency."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from recordroute_runtime.threads import in_thread, outlasted

Result = TypeVar("Result")
Stopped = Callable[[], bool]


class DecodeQueue:
    """`workers` decodes at once. A free place goes to the most urgent stream, of equally urgent ones to the one that
    has waited longest: each stream waits for one turn at a time, so none gets more than its share."""

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="stt-live")
        self._free = workers
        self._waiting: dict[asyncio.Future[None], Callable[[], int]] = {}

    @asynccontextmanager
    async def turn(self, urgency: Callable[[], int]) -> AsyncIterator[None]:
        """Holds a place. `urgency` is asked when one becomes free, the lowest number comes first."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(urgency)
        try:
            yield
        finally:
            self._pass_on()

    async def run(self, work: Callable[[Stopped], Result]) -> Result:
        """Runs `work` in a thread, within a turn. If the caller is cancelled, `work` is told to stop and this waits
        until it has: what it uses must not go away under it."""
        stop = threading.Event()
        running = asyncio.get_running_loop().run_in_executor(self._threads, work, stop.is_set)
        return await outlasted(running, stop.set)

    async def close(self) -> None:
        """Waits for running decodes and ends the threads."""
        await in_thread(partial(self._threads.shutdown, wait=True, cancel_futures=True))

    async def _wait(self, urgency: Callable[[], int]) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[granted] = urgency
        try:
            await granted
        except asyncio.CancelledError:
            if self._waiting.pop(granted, None) is None:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        # A waiter that is being cancelled takes itself out later.
        waiting = [granted for granted in self._waiting if not granted.done()]
        if not waiting:
            self._free += 1
            return
        first = min(waiting, key=lambda granted: self._waiting[granted]())
        del self._waiting[first]
        first.set_result(None)
