"""Runs blocking work in threads that cancellation waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


async def in_thread(
    work: Callable[[*Arguments], Result],
    *arguments: *Arguments,
    discard: Callable[[Result], object] | None = None,
) -> Result:
    """Runs `work` in a thread of the event loop's pool and returns its result.

    A thread can't be stopped. Where `asyncio.to_thread` leaves it alone when the caller is cancelled, this waits for
    its end: what the thread uses, above all a file's descriptor, is not taken away under it, and clean-up after it
    finds all that it made. `discard` is called, in a thread, with a result that a cancelled caller never gets.
    """
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(None, partial(copy_context().run, work, *arguments))
    try:
        return await outlasted(running)
    except asyncio.CancelledError:
        if discard is not None and not running.cancelled() and running.exception() is None:
            discarding = loop.run_in_executor(None, discard, running.result())
            await ended(discarding)
            discarding.result()
        raise


async def outlasted(running: asyncio.Future[Result], stop: Callable[[], object] | None = None) -> Result:
    """Returns the result of work that can't be cancelled. A cancelled call tells it to `stop`, where it can be told,
    and waits for its end."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if stop is not None:
            stop()
        await ended(running)
        raise


async def ended(running: asyncio.Future[Any]) -> None:
    """Waits for the end of work that can't be stopped. What the work raises is taken as seen.

    Cancelling it does not end the waiting: on the way out of a cancelled call further cancellations change nothing,
    and one that comes first here is raised when the work has ended.
    """
    task = asyncio.current_task()
    is_way_out = task is not None and task.cancelling() > 0
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if not running.cancelled():
        running.exception()
    if cancelled is not None and not is_way_out:
        raise cancelled
