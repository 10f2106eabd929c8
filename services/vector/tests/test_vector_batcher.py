"""The batcher: its rules with an encoder whose speed and answers are known, and the real one under random calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_runtime.errors import DeadlineExceeded, Overloaded
from recordroute_runtime.inference import InferencePool
from recordroute_vector.batcher import Batcher
from recordroute_vector.encoder import Encoder, TextKind
from recordroute_vector.tokenizer import TokenIds


class KnownEncoder:
    """Answers with the ids themselves, notes its batches, and stands still until it may go on."""

    def __init__(self, *, budget: int = 64, max_padding: int | None = 8) -> None:
        self.batch_token_budget = budget
        self.max_padding = max_padding
        self.batches: list[list[TokenIds]] = []
        self.gate = threading.Event()
        self.gate.set()

    def run(self, batch: Sequence[TokenIds]) -> list[np.ndarray]:
        assert self.gate.wait(60)
        self.batches.append(list(batch))
        return [np.asarray(ids, np.float32) for ids in batch]


@asynccontextmanager
async def batching(
    encoder: KnownEncoder | Encoder,
    *,
    workers: int = 1,
    window_seconds: float = 0.0,
    max_queued_tokens: int = 1 << 20,
) -> AsyncIterator[Batcher]:
    pool = InferencePool("batcher", workers)
    try:
        yield Batcher(
            encoder,  # type: ignore[arg-type]
            pool,
            workers=workers,
            window_seconds=window_seconds,
            max_queued_tokens=max_queued_tokens,
        )
    finally:
        await pool.close()


def same(_: int, states: np.ndarray) -> np.ndarray:
    return states


def texts(count: int, length: int, first: int = 0) -> list[TokenIds]:
    return [tuple(range(first + number, first + number + length)) for number in range(count)]


async def held(encoder: KnownEncoder, batcher: Batcher) -> asyncio.Task[object]:
    """Starts a call that keeps the one worker until the gate opens."""
    encoder.gate.clear()
    first = asyncio.create_task(batcher.run([(0,)], same))
    await asyncio.sleep(0)
    assert batcher.queued_tokens == 0
    return first


@settings(max_examples=60, deadline=None)
@given(
    calls=st.lists(st.lists(st.integers(1, 80), min_size=1, max_size=30), min_size=1, max_size=6),
    budget=st.integers(1, 200),
    padding=st.sampled_from([None, 0, 8]),
    workers=st.integers(1, 3),
)
def test_every_call_gets_its_own_answers_in_order(
    calls: list[list[int]], budget: int, padding: int | None, workers: int
) -> None:
    encoder = KnownEncoder(budget=budget, max_padding=padding)
    sent = [
        [(call, position, *range(length)) for position, length in enumerate(lengths)]
        for call, lengths in enumerate(calls)
    ]

    async def run() -> list[list[np.ndarray]]:
        async with batching(encoder, workers=workers) as batcher:
            answers = await asyncio.gather(*(batcher.run(texts, same) for texts in sent))
            assert batcher.queued_tokens == 0
            return answers

    for wanted, found in zip(sent, asyncio.run(run()), strict=True):
        assert [tuple(row.astype(int)) for row in found] == wanted
    assert sorted(ids for batch in encoder.batches for ids in batch) == sorted(
        ids for call in sent for ids in call
    )
    for batch in encoder.batches:
        lengths = [len(ids) for ids in batch]
        assert len(batch) == 1 or max(lengths) * len(batch) <= budget
        assert padding is None or max(lengths) - min(lengths) <= padding


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_vectors_of_random_calls_are_those_of_each_text_alone(encoder: Encoder, data: st.DataObject) -> None:
    words = ["서버가", "느려요.", "the", "budget", "3.5", "😀", "ok"]
    drawn = data.draw(
        st.lists(
            st.lists(
                st.lists(st.sampled_from(words), min_size=1, max_size=40).map(" ".join),
                min_size=1,
                max_size=6,
            ),
            min_size=1,
            max_size=3,
        )
    )
    calls = [[text.windows[0] for text in encoder.tokenize(call, TextKind.PASSAGE)] for call in drawn]

    async def run() -> list[list[np.ndarray]]:
        async with batching(encoder, workers=2) as batcher:
            return await asyncio.gather(
                *(batcher.run(call, lambda _, states: encoder.pool(states)) for call in calls)
            )

    for call, vectors in zip(calls, asyncio.run(run()), strict=True):
        for ids, vector in zip(call, vectors, strict=True):
            alone = encoder.pool(encoder.run([ids])[0])
            assert np.abs(alone - vector).max() < 1e-6 * np.linalg.norm(alone)


async def test_calls_that_come_while_it_works_share_the_next_batch() -> None:
    encoder = KnownEncoder(budget=64)
    async with batching(encoder) as batcher:
        first = await held(encoder, batcher)
        calls = [asyncio.create_task(batcher.run(texts(1, 4, first=10 * n), same)) for n in range(1, 9)]
        await asyncio.sleep(0)
        encoder.gate.set()
        await asyncio.gather(first, *calls)
    assert [len(batch) for batch in encoder.batches] == [1, 8]


async def test_a_query_overtakes_a_long_call_and_two_long_calls_take_turns() -> None:
    encoder = KnownEncoder(budget=32)
    async with batching(encoder) as batcher:
        ended: list[str] = []

        async def call(name: str, sent: list[TokenIds]) -> None:
            await batcher.run(sent, same)
            ended.append(name)

        # Beside what it takes to encode, the time between the calls is nothing.
        batcher._seconds_per_token = 1.0
        first = await held(encoder, batcher)
        calls = [asyncio.create_task(call("long", texts(40, 30)))]
        await asyncio.sleep(0)
        calls.append(asyncio.create_task(call("other", texts(40, 30, first=1000))))
        await asyncio.sleep(0)
        calls.append(asyncio.create_task(call("query", [(9, 9, 9)])))
        await asyncio.sleep(0)
        encoder.gate.set()
        await asyncio.gather(first, *calls)
    assert ended[0] == "query"
    owners = ["long" if batch[0][0] < 1000 else "other" for batch in encoder.batches if len(batch[0]) == 30]
    assert {"long", "other"} == set(owners[: len(owners) // 4])


async def test_the_nearer_deadline_goes_first() -> None:
    encoder = KnownEncoder(budget=10)
    async with batching(encoder) as batcher:
        # So slow that every text is due at its call's deadline.
        batcher._seconds_per_token = 1e6
        first = await held(encoder, batcher)
        later = monotonic() + 100
        calls = [
            asyncio.create_task(batcher.run([(number,) * 10], same, deadline=later - number))
            for number in (1, 3, 2)
        ]
        await asyncio.sleep(0)
        encoder.gate.set()
        await asyncio.gather(first, *calls)
    assert [batch[0][0] for batch in encoder.batches] == [0, 3, 2, 1]


async def test_a_call_whose_deadline_has_passed_costs_nothing() -> None:
    encoder = KnownEncoder(budget=64)
    async with batching(encoder) as batcher:
        first = await held(encoder, batcher)
        late = asyncio.create_task(batcher.run(texts(5, 10), same, deadline=monotonic() - 1))
        # Would take the late ones along: they are of its length.
        other = asyncio.create_task(batcher.run(texts(1, 10, first=500), same, deadline=monotonic() + 60))
        await asyncio.sleep(0)
        encoder.gate.set()
        with pytest.raises(DeadlineExceeded):
            await late
        assert len(await other) == 1
        await first
        assert batcher.queued_tokens == 0
    assert encoder.batches == [[(0,)], texts(1, 10, first=500)]


async def test_nothing_is_kept_of_calls_that_have_ended() -> None:
    encoder = KnownEncoder()
    later = monotonic() + 3600
    async with batching(encoder) as batcher:
        for number in range(50):
            # So slow that every text is due at its call's deadline: each one before those that have been.
            batcher._seconds_per_token = 1e6
            await batcher.run([(number,)], same, deadline=later - number)
        assert not batcher._calls
        assert (batcher._by_due, batcher._by_length, batcher.queued_tokens) == ([], [], 0)


async def test_a_cancelled_call_takes_its_texts_out_of_the_queue() -> None:
    encoder = KnownEncoder(budget=64)
    async with batching(encoder) as batcher:
        first = await held(encoder, batcher)
        gone = asyncio.create_task(batcher.run(texts(100, 10), same))
        stays = asyncio.create_task(batcher.run(texts(2, 10, first=500), same))
        await asyncio.sleep(0)
        assert batcher.queued_tokens == 1020
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert batcher.queued_tokens == 20
        encoder.gate.set()
        await asyncio.gather(first, stays)
    assert encoder.batches == [[(0,)], texts(2, 10, first=500)]


async def test_a_full_queue_refuses_calls_and_lets_streams_wait() -> None:
    encoder = KnownEncoder(budget=64)
    async with batching(encoder, max_queued_tokens=100) as batcher:
        first = await held(encoder, batcher)
        # An empty queue takes a call of any size: it would never fit.
        large = asyncio.create_task(batcher.run(texts(30, 10), same))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await batcher.run([(1,)], same)
        assert refused.value.retry_after is not None
        assert refused.value.retry_after.total_seconds() >= 0.1
        stream = asyncio.create_task(batcher.run([(7, 7)], same, wait=True))
        given_up = asyncio.create_task(batcher.run([(8, 8)], same, wait=True))
        await asyncio.sleep(0)
        given_up.cancel()
        encoder.gate.set()
        assert [tuple(row) for row in await stream] == [(7, 7)]
        await asyncio.gather(first, large)
    assert [(8, 8)] not in encoder.batches


async def test_a_window_gathers_calls_for_an_idle_model() -> None:
    encoder = KnownEncoder(budget=64)
    async with batching(encoder, window_seconds=0.05) as batcher:
        await asyncio.gather(*(batcher.run([(number,) * 4], same) for number in range(4)))
    assert [len(batch) for batch in encoder.batches] == [4]
    async with batching(encoder, window_seconds=600) as batcher:
        # A batch that is full need not wait.
        assert len(await batcher.run(texts(8, 8), same)) == 8


async def test_a_timer_that_comes_early_by_the_clock_ends_the_window_all_the_same() -> None:
    encoder = KnownEncoder(budget=64)
    async with batching(encoder, window_seconds=600) as batcher:
        for number in range(2):
            call = asyncio.create_task(batcher.run([(number,) * 4], same))
            await asyncio.sleep(0)
            assert not call.done()
            batcher._end_window()
            assert len(await call) == 1


async def test_an_error_of_the_model_reaches_the_call_and_the_next_one_works() -> None:
    encoder = KnownEncoder()

    def fail(_: int, states: np.ndarray) -> np.ndarray:
        raise ValueError("no")

    async with batching(encoder) as batcher:
        with pytest.raises(ValueError, match="no"):
            await batcher.run(texts(3, 4), fail)
        assert len(await batcher.run(texts(3, 4), same)) == 3
        assert await batcher.run([], same) == []


async def test_a_hundred_thousand_texts() -> None:
    encoder = KnownEncoder(budget=4096)
    lengths = np.random.default_rng(0).integers(1, 40, 100_000)
    sent = [(number, *([0] * int(length))) for number, length in enumerate(lengths)]
    async with batching(encoder, workers=2) as batcher:
        found = await batcher.run(sent, same)
    assert [int(row[0]) for row in found] == list(range(len(sent)))
