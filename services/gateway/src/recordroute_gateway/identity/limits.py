"""How often and how much at once each user may call.

A token bucket a user (https://www.rfc-editor.org/rfc/rfc2697 has the idea): it holds `burst` calls and fills by `rate`
a second. Each replica counts for itself.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from recordroute_runtime.errors import RateLimited

# Full buckets say nothing: they are dropped when there are this many.
MAX_BUCKETS = 10_000
BUSY_RETRY = timedelta(seconds=1)


@dataclass
class _Bucket:
    calls: float
    filled_at: float


class CallLimits:
    """Counts calls by user. A rate, or a number of calls, of 0 is without limit."""

    def __init__(
        self,
        *,
        rate: float,
        burst: int,
        unary_calls: int,
        streams: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = float(max(burst, 1))
        self._most = {False: unary_calls, True: streams}
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._running: Counter[tuple[str, bool]] = Counter()

    def take(self, user: str) -> None:
        """Counts a call. Raises RateLimited (RATE_LIMITED) with the time until the next one may come."""
        if not self._rate:
            return
        now = self._clock()
        if len(self._buckets) > MAX_BUCKETS:
            self._drop_full(now)
        bucket = self._buckets.setdefault(user, _Bucket(self._burst, now))
        bucket.calls = min(self._burst, bucket.calls + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now
        if bucket.calls < 1:
            raise RateLimited(
                "RATE_LIMITED",
                f"more than {self._rate:g} calls a second",
                retry_after=timedelta(seconds=(1 - bucket.calls) / self._rate),
            )
        bucket.calls -= 1

    @contextmanager
    def running(self, user: str, *, stream: bool) -> Iterator[None]:
        """Counts a call for as long as it runs. Raises RateLimited (TOO_MANY_CALLS, TOO_MANY_STREAMS)."""
        place, most = (user, stream), self._most[stream]
        if most and self._running[place] >= most:
            raise RateLimited(
                "TOO_MANY_STREAMS" if stream else "TOO_MANY_CALLS",
                f"{most} {'streams' if stream else 'calls'} of yours are running already",
                retry_after=BUSY_RETRY,
            )
        self._running[place] += 1
        try:
            yield
        finally:
            self._running[place] -= 1
            if not self._running[place]:
                del self._running[place]

    def _drop_full(self, now: float) -> None:
        for user, bucket in list(self._buckets.items()):
            if bucket.calls + (now - bucket.filled_at) * self._rate >= self._burst:
                del self._buckets[user]
