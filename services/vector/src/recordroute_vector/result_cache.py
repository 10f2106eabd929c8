"""Keeps rankings for a while, so that the next page and the same query again cost nothing.

An entry is named by its owner, that owner's revision of the index, and the whole request: it is never found by another
owner, and never after a write of its owner.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from prometheus_client import Counter, Gauge

LOOKUPS = Counter(
    "recordroute_search_cache_total", "Searches that were answered from the cache, or not.", ["result"]
)
BYTES = Gauge("recordroute_search_cache_bytes", "Estimated size of the cached results.")

Value = TypeVar("Value")


@dataclass(frozen=True)
class _Entry(Generic[Value]):
    value: Value
    size_bytes: int
    expires: float


class ResultCache(Generic[Value]):
    """Holds at most `max_bytes`, each entry for at most `ttl_seconds`; the longest unused goes first. One event loop
    uses it."""

    def __init__(
        self,
        *,
        max_bytes: int,
        ttl_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._entries: OrderedDict[tuple[str, Hashable], tuple[str, _Entry[Value]]] = OrderedDict()
        self.size_bytes = 0

    def get(self, owner: str, revision: str, request: Hashable) -> Value | None:
        """Returns what `put` kept under the same three, or None."""
        found = self._entries.get((owner, request))
        if found is not None:
            kept, entry = found
            if kept == revision and self._clock() < entry.expires:
                self._entries.move_to_end((owner, request))
                LOOKUPS.labels("hit").inc()
                return entry.value
            self._drop((owner, request))
        LOOKUPS.labels("miss").inc()
        return None

    def put(self, owner: str, revision: str, request: Hashable, value: Value, *, size_bytes: int) -> None:
        """Keeps a value that was computed after `revision` was read; one that is too large alone is not kept.
        `size_bytes` is about what it takes together with its request."""
        key = (owner, request)
        if key in self._entries:
            self._drop(key)
        if size_bytes > self._max_bytes or self._ttl_seconds <= 0:
            return
        self._entries[key] = (revision, _Entry(value, size_bytes, self._clock() + self._ttl_seconds))
        self._resize(size_bytes)
        while self.size_bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[str, Hashable]) -> None:
        _, entry = self._entries.pop(key)
        self._resize(-entry.size_bytes)

    def _resize(self, change: int) -> None:
        self.size_bytes += change
        BYTES.inc(change)
