"""Turns a call that hands out text piece by piece into an iterator, a few pieces at a time."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recordroute_runtime.inference import CancelToken

Result = TypeVar("Result")

# Shorter than anybody reads, long enough that a message is worth its frame.
COALESCE_SECONDS = 0.03


def stream_text(
    work: Callable[[Callable[[str], None]], Result], token: CancelToken
) -> Iterator[str | Result]:
    """Runs `work` in a thread and yields the text that it hands to its argument, then what it returns.

    `token` is cancelled where the reader goes away, and whatever `work` raises is raised here.
    """
    pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with ThreadPoolExecutor(1, thread_name_prefix="generation") as thread:
        running = thread.submit(work, pieces.put)
        running.add_done_callback(lambda _: pieces.put(None))
        try:
            yield from _coalesced(pieces)
            yield running.result()
        except BaseException:
            # The reader has gone: nothing else stops the thread that is waited for here.
            token.cancel()
            raise


def _coalesced(pieces: queue.SimpleQueue[str | None]) -> Iterator[str]:
    while (piece := pieces.get()) is not None:
        waiting = [piece]
        until = time.monotonic() + COALESCE_SECONDS
        ended = False
        while not ended:
            try:
                more = pieces.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if more is None:
                ended = True
            else:
                waiting.append(more)
        yield "".join(waiting)
        if ended:
            return
