"""Runs texts of many calls through one encoder in batches of like length.

Every text has a time at which it is due, and the batch is built around the text that is due first. A call's texts are
due one after another, `STRETCH` times as far apart as the encoder needs for them, and none after the call's deadline.
So a query overtakes a long call within one batch, two long calls share the encoder, a near deadline goes first, and
nobody waits for ever: the rule bounds each call's stretch, its time over the time that it would take alone (Bender,
Chakrabarti and Muthukrishnan, "Flow and Stretch Metrics for Scheduling Continuous Job Streams", 1998).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from recordroute_runtime.errors import DeadlineExceeded, Overloaded
from recordroute_runtime.inference import CancelToken, InferencePool

from recordroute_vector.encoder import Encoder, Vectors
from recordroute_vector.tokenizer import TokenIds

STRETCH = 8.0
# Until the first batches have been timed.
_FIRST_SECONDS_PER_TOKEN = 2e-4
_NEW_SHARE = 0.1

# Makes what a call wants of a text from what `Encoder.run` gives of it.
Finish = Callable[[int, Vectors], Vectors]


@dataclass(eq=False)
class _Call:
    future: asyncio.Future[None]
    deadline: float
    finish: Finish
    results: list[Vectors | None]
    missing: int

    @property
    def wanted(self) -> bool:
        return not self.future.done()


@dataclass(order=True)
class _Text:
    """Ordered by when it is due; `number` keeps equals apart."""

    due: float
    number: int
    ids: TokenIds = field(compare=False)
    position: int = field(compare=False)
    call: _Call = field(compare=False)
    waiting: bool = field(default=True, compare=False)


_Sorted = tuple[int, int, _Text]


class Batcher:
    """Shares an encoder between calls on one event loop; `workers` batches run at a time in `pool`."""

    def __init__(
        self,
        encoder: Encoder,
        pool: InferencePool,
        *,
        workers: int,
        window_seconds: float = 0.0,
        max_queued_tokens: int,
    ) -> None:
        """`window_seconds`: how long an idle encoder waits for more texts before it runs a batch that is not full."""
        self._encoder = encoder
        self._pool = pool
        self._workers = workers
        self._idle = workers
        self._window_seconds = window_seconds
        self._window: asyncio.TimerHandle | None = None
        self._window_over = False
        self._max_queued_tokens = max_queued_tokens
        self._queued_tokens = 0
        self._by_due: list[_Text] = []
        self._by_length: list[_Sorted] = []
        self._calls: set[_Call] = set()
        self._numbers = itertools.count()
        self._senders: deque[asyncio.Future[None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._seconds_per_token = _FIRST_SECONDS_PER_TOKEN

    @property
    def queued_tokens(self) -> int:
        """Tokens that wait for a batch."""
        return self._queued_tokens

    async def run(
        self, texts: Sequence[TokenIds], finish: Finish, *, deadline: float | None = None, wait: bool = False
    ) -> list[Vectors]:
        """Returns `finish(position, states)` of each text, in order; `finish` runs in a worker's thread. `deadline` is
        on the clock of `time.monotonic`. A caller that is cancelled takes its waiting texts with it.

        Raises Overloaded where the queue is full and `wait` is false, DeadlineExceeded where the time runs out first.
        """
        if not texts:
            return []
        await self._admit(sum(map(len, texts)), wait=wait)
        call = _Call(
            future=asyncio.get_running_loop().create_future(),
            deadline=float("inf") if deadline is None else deadline,
            finish=finish,
            results=[None] * len(texts),
            missing=len(texts),
        )
        self._calls.add(call)
        self._enqueue(texts, call)
        self._start_batches()
        try:
            await call.future
        finally:
            self._calls.discard(call)
            if call.missing:
                # Of a call that failed or was cancelled: marks it as unwanted before its texts go.
                call.future.cancel()
                self._drop_unwanted()
        return [result for result in call.results if result is not None]

    async def _admit(self, tokens: int, *, wait: bool) -> None:
        while self._queued_tokens and self._queued_tokens + tokens > self._max_queued_tokens:
            if not wait:
                seconds = self._queued_tokens * self._seconds_per_token / self._workers
                raise Overloaded(
                    f"{self._queued_tokens} tokens wait for the embedding model already",
                    retry_after=timedelta(seconds=max(0.1, round(seconds, 1))),
                )
            room = asyncio.get_running_loop().create_future()
            self._senders.append(room)
            await room

    def _enqueue(self, texts: Sequence[TokenIds], call: _Call) -> None:
        now, tokens = monotonic(), 0
        for position, ids in enumerate(texts):
            tokens += len(ids)
            due = min(call.deadline, now + STRETCH * self._seconds_per_token * tokens)
            text = _Text(due, next(self._numbers), ids, position, call)
            heapq.heappush(self._by_due, text)
            self._by_length.append((len(ids), text.number, text))
        # Two runs that are sorted each, which is what Python's sort is best at.
        self._by_length.sort(key=_length_and_number)
        self._queued_tokens += tokens

    def _start_batches(self) -> None:
        while self._idle and self._by_length:
            if not self._window_is_over():
                return
            batch = self._take()
            if not batch:
                return
            self._idle -= 1
            task = asyncio.create_task(self._run(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _window_is_over(self) -> bool:
        if not self._window_seconds or self._idle < self._workers:
            return True
        if self._queued_tokens >= self._encoder.batch_token_budget:
            return True
        if self._window is None and not self._window_over:
            self._window = asyncio.get_running_loop().call_later(self._window_seconds, self._end_window)
        return self._window_over

    def _end_window(self) -> None:
        # By the clock a timer may be early: that it has come is what counts.
        self._window, self._window_over = None, True
        self._start_batches()
        self._window_over = False

    def _take(self) -> list[_Text]:
        """Returns the text that is due first with the texts nearest to it in length, and removes them."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        self._expire()
        while self._by_due and not self._by_due[0].waiting:
            heapq.heappop(self._by_due)
        if not self._by_due:
            return []
        urgent = self._by_due[0]
        low = bisect_left(self._by_length, (len(urgent.ids), urgent.number), key=_length_and_number)
        high = low + 1
        while True:
            grown = self._grow(low, high, len(urgent.ids))
            if grown is None:
                break
            low, high = grown
        batch = [text for _, _, text in self._by_length[low:high]]
        del self._by_length[low:high]
        for text in batch:
            text.waiting = False
            self._queued_tokens -= len(text.ids)
        # The first of these only go by themselves: what is due late would be kept for long.
        if len(self._by_due) > 2 * len(self._by_length):
            self._forget_taken()
        self._wake_senders()
        return batch

    def _grow(self, low: int, high: int, centre: int) -> tuple[int, int] | None:
        """Returns the range with one text more, the one that is nearest to `centre` in length; None: it is full."""
        ways = []
        if low > 0:
            ways.append((centre - self._by_length[low - 1][0], (low - 1, high)))
        if high < len(self._by_length):
            ways.append((self._by_length[high][0] - centre, (low, high + 1)))
        for _, (first, end) in sorted(ways):
            shortest, longest = self._by_length[first][0], self._by_length[end - 1][0]
            padding = self._encoder.max_padding
            if (end - first) * longest <= self._encoder.batch_token_budget and (
                padding is None or longest - shortest <= padding
            ):
                return first, end
        return None

    async def _run(self, batch: Sequence[_Text]) -> None:
        started = monotonic()
        try:
            results = await self._pool.run(lambda token: self._compute(batch, token), wait=True)
        except BaseException as error:
            for text in batch:
                if text.call.wanted:
                    if isinstance(error, asyncio.CancelledError):
                        text.call.future.cancel()
                    else:
                        text.call.future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            seconds = (monotonic() - started) / sum(len(text.ids) for text in batch)
            self._seconds_per_token += _NEW_SHARE * (seconds - self._seconds_per_token)
            for text, result in zip(batch, results, strict=True):
                call = text.call
                call.results[text.position] = result
                call.missing -= 1
                if not call.missing and call.wanted:
                    call.future.set_result(None)
        finally:
            self._idle += 1
            self._start_batches()

    def _compute(self, batch: Sequence[_Text], token: CancelToken) -> list[Vectors]:
        token.raise_if_cancelled()
        states = self._encoder.run([text.ids for text in batch])
        return [text.call.finish(text.position, row) for text, row in zip(batch, states, strict=True)]

    def _expire(self) -> None:
        """Fails the calls whose deadline has passed, before their texts cost anything."""
        now = monotonic()
        expired = [call for call in self._calls if call.deadline <= now and call.wanted]
        for call in expired:
            call.future.set_exception(DeadlineExceeded())
        if expired:
            self._drop_unwanted()

    def _drop_unwanted(self) -> None:
        kept = []
        for item in self._by_length:
            text = item[2]
            if text.call.wanted:
                kept.append(item)
            else:
                text.waiting = False
                self._queued_tokens -= len(text.ids)
        self._by_length = kept
        self._forget_taken()
        self._wake_senders()

    def _forget_taken(self) -> None:
        self._by_due = [text for text in self._by_due if text.waiting]
        heapq.heapify(self._by_due)

    def _wake_senders(self) -> None:
        while self._senders:
            sender = self._senders.popleft()
            if not sender.done():
                sender.set_result(None)


def _length_and_number(item: _Sorted) -> tuple[int, int]:
    return item[0], item[1]
