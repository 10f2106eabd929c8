"""Runs blocking inference beside the event loop: a pool of threads with as many slots, and a way to stop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, nullcontext
from functools import partial
from typing import TypeVar

from recordroute_runtime.errors import Cancelled, Overloaded
from recordroute_runtime.threads import ended, in_thread, outlasted

Item = TypeVar("Item")
Result = TypeVar("Result")

# Enough to keep the engine busy while the client reads, little enough to stop it when the client does not.
STREAM_BUFFER_ITEMS = 64
STALL_CHECK_SECONDS = 0.25


class CancelToken:
    """Tells a running inference to stop. A cancelled RPC does not stop its thread: the engine has to look."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raises Cancelled after `cancel`."""
        if self._event.is_set():
            raise Cancelled


class InferencePool:
    """`slots` threads for blocking work. Unary work is refused while all are taken; streams wait their turn."""

    def __init__(self, name: str, slots: int) -> None:
        self._name = name
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix=name)
        self._slots = asyncio.Semaphore(slots)
        self._tokens: set[CancelToken] = set()

    @asynccontextmanager
    async def slot(self, *, wait: bool) -> AsyncIterator[None]:
        """Holds a slot. Raises Overloaded where none is free and `wait` is false."""
        if not wait and self._slots.locked():
            raise Overloaded(f"{self._name} is busy with other requests")
        async with self._slots:
            yield

    async def run(self, work: Callable[[CancelToken], Result], *, wait: bool = False) -> Result:
        """Runs `work` in a thread. If the caller is cancelled, the token is, and the slot is held until the work
        really ends."""
        async with self.slot(wait=wait), self._token() as token:
            running = asyncio.get_running_loop().run_in_executor(self._threads, work, token)
            return await outlasted(running, token.cancel)

    async def stream(self, work: Callable[[CancelToken], Iterator[Item]]) -> AsyncGenerator[Item, None]:
        """Runs the iterator that `work` returns in a thread and yields its items.

        The thread stops when the reader falls `STREAM_BUFFER_ITEMS` behind, and for good when the reader goes away.
        """
        loop = asyncio.get_running_loop()
        items: queue.Queue[Item] = queue.Queue(STREAM_BUFFER_ITEMS)
        ready = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(ready.set)

        def put(item: Item, token: CancelToken) -> None:
            while True:
                token.raise_if_cancelled()
                try:
                    items.put(item, timeout=STALL_CHECK_SECONDS)
                except queue.Full:
                    continue
                wake()
                return

        def pump(token: CancelToken) -> None:
            try:
                source = work(token)
                with closing(source) if isinstance(source, Generator) else nullcontext():
                    for item in source:
                        put(item, token)
            finally:
                wake()

        async with self.slot(wait=True), self._token() as token:
            running = loop.run_in_executor(self._threads, pump, token)
            running.add_done_callback(lambda _: ready.set())
            try:
                while True:
                    ready.clear()
                    while not items.empty():
                        yield items.get_nowait()
                    if running.done() and items.empty():
                        await running
                        return
                    await ready.wait()
            finally:
                token.cancel()
                await ended(running)

    @asynccontextmanager
    async def _token(self) -> AsyncIterator[CancelToken]:
        token = CancelToken()
        self._tokens.add(token)
        try:
            yield token
        finally:
            self._tokens.discard(token)

    async def close(self) -> None:
        """Tells running work to stop, waits until it has, and ends the threads."""
        for token in self._tokens:
            token.cancel()
        # Off the event loop, which the callers of running work need to see its end.
        await in_thread(partial(self._threads.shutdown, wait=True, cancel_futures=True))
