"""Shares one encoder between calls, fairly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
from recordroute_runtime.errors import Overloaded
from recordroute_runtime.inference import CancelToken, InferencePool

from recordroute_vector.encoder import Embedding, Encoder, TextKind, Vectors
from recordroute_vector.tokenizer import TokenizedText


class Embedder:
    """Runs an encoder beside the event loop, one batch at a time.

    A call takes its turn anew for every batch, so that a query waits for one batch of a long call (some tens of
    milliseconds), not for the call. That is why calls wait instead of being refused when the model is busy; how
    long is bounded by their deadlines, and how many by `max_waiting`.
    """

    def __init__(self, encoder: Encoder, pool: InferencePool, *, max_waiting: int) -> None:
        self.encoder = encoder
        self._pool = pool
        self._max_calls = 1 + max_waiting
        self._calls = 0

    async def embed(self, texts: Sequence[str], kind: TextKind) -> list[Embedding]:
        """Embeds texts, in their order. Raises Overloaded where too many calls wait already."""
        with self._admission():
            tokenized = await self._pool.run(lambda _: self.encoder.tokenize(texts, kind), wait=True)
            vectors = np.empty((len(texts), self.encoder.dimensions), np.float32)
            for positions in self.encoder.batches(tokenized):
                batch = [tokenized[position] for position in positions]
                vectors[positions] = await self._pool.run(partial(self._encode, batch), wait=True)
        return [
            Embedding(vector, len(text.ids), text.truncated)
            for vector, text in zip(vectors, tokenized, strict=True)
        ]

    def _encode(self, batch: Sequence[TokenizedText], _: CancelToken) -> Vectors:
        return self.encoder.encode(batch)

    @contextmanager
    def _admission(self) -> Iterator[None]:
        if self._calls >= self._max_calls:
            raise Overloaded(f"{self._calls} calls wait for the embedding model already")
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
