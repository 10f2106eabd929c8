"""Reads a stream one item ahead of whoever works on it, so that the next one comes in meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

Item = TypeVar("Item")
# What an item that is being waited for gets to come before the source is broken off.
LAST_ITEM_SECONDS = 0.2


async def one_ahead(source: AsyncIterator[Item]) -> AsyncGenerator[Item, None]:
    """Yields what the source does. Once it is closed nothing reads any more, so that others can go on with the source;
    of what was not asked for, one item may be gone."""
    coming = asyncio.create_task(_next(source))
    try:
        while (item := await coming) is not None:
            coming = asyncio.create_task(_next(source))
            # It begins to read now, and not when this task waits for the next time.
            await asyncio.sleep(0)
            yield item[0]
    finally:
        # A source that is cancelled while it reads may be at its end by that.
        await asyncio.wait([coming], timeout=LAST_ITEM_SECONDS)
        if coming.cancel():
            await asyncio.wait([coming])
        if not coming.cancelled():
            # Nobody asks for this item any more, whether it came or failed.
            coming.exception()


async def _next(source: AsyncIterator[Item]) -> tuple[Item] | None:
    try:
        return (await anext(source),)
    except StopAsyncIteration:
        return None
