"""Results on their way to a client that may read slowly."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """Items in order. Of those for which `replaceable` is true only the newest is kept, and none that is older than
    any other item: a reader that stalls misses them, and never gets a stale one. All others are kept."""

    def __init__(self, replaceable: Callable[[Item], bool]) -> None:
        self._replaceable = replaceable
        self._items: deque[Item] = deque()
        self._changed = asyncio.Event()
        self._closed = False
        self._error: BaseException | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Adds an item, in place of a replaceable one that nobody has read."""
        if self._items and self._replaceable(self._items[-1]):
            self._items.pop()
        self._items.append(item)
        self._changed.set()

    def close(self, error: BaseException | None = None) -> None:
        """Ends the reading after the last item, or with `error` at once."""
        self._closed, self._error = True, error
        self._changed.set()

    async def read(self) -> AsyncIterator[Item]:
        """Yields the items; raises the error of `close`."""
        while True:
            if self._error is not None:
                raise self._error
            if self._items:
                yield self._items.popleft()
            elif self._closed:
                return
            else:
                self._changed.clear()
                await self._changed.wait()
