"""Turns what a thread writes into an asynchronous stream of bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import BinaryIO, cast

from recordroute_runtime.threads import in_thread

CHUNK_BYTES = 1 << 20
CHUNKS_AHEAD = 4


class _Pipe(io.RawIOBase):
    """Holds the thread up where nobody reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[bytes | None]) -> None:
        self._loop = loop
        self._queue = queue

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        chunk = bytes(data)  # type: ignore[call-overload]
        asyncio.run_coroutine_threadsafe(self._queue.put(chunk), self._loop).result()
        return len(chunk)


async def written_by(write: Callable[[BinaryIO], None]) -> AsyncGenerator[bytes]:
    """Runs `write` in a thread with a file that can't seek, and yields what it writes, in chunks of about
    `CHUNK_BYTES`. Its exceptions come out of here."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS_AHEAD)

    def work() -> None:
        with io.BufferedWriter(_Pipe(loop, queue), CHUNK_BYTES) as file:
            write(cast(BinaryIO, file))

    async def run() -> None:
        try:
            await in_thread(work)
        finally:
            await queue.put(None)

    task = asyncio.create_task(run())
    try:
        while (chunk := await queue.get()) is not None:
            yield chunk
        await task
    finally:
        # A reader that went away: the thread is let run against an open end.
        while not task.done():
            with suppress(asyncio.QueueEmpty):
                queue.get_nowait()
            await asyncio.wait([task], timeout=0.01)
        if not task.cancelled():
            task.exception()
