"""Texts to vectors for calls: options, limits and the way through the batcher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from time import monotonic

import numpy as np
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.interceptors.deadline import time_remaining

from recordroute_vector.batcher import Batcher, Finish
from recordroute_vector.encoder import Embedding, Encoder, TextKind, Truncation, Vectors, normalized
from recordroute_vector.tokenizer import TokenIds, TokenizedText

# Texts up to this size are tokenized at once, in less time than a thread takes to answer.
_SMALL_CHARACTERS = 1024


@dataclass(frozen=True)
class EmbedOptions:
    """What to make of the texts: length 1 or the model's own, only the first `dimensions`, and what becomes of texts
    that are too long."""

    normalize: bool = True
    dimensions: int | None = None
    truncation: Truncation = Truncation.END


_DEFAULTS = EmbedOptions()


class Embedder:
    """Embeds texts of any call with one encoder. Times out with the running call (`time_remaining`)."""

    def __init__(
        self, encoder: Encoder, batcher: Batcher, text_pool: InferencePool, *, max_request_tokens: int
    ) -> None:
        self.encoder = encoder
        self._batcher = batcher
        self._text_pool = text_pool
        self._max_request_tokens = max_request_tokens

    async def embed(
        self,
        texts: Sequence[str | TokenIds],
        kind: TextKind,
        options: EmbedOptions = _DEFAULTS,
        *,
        wait: bool = False,
    ) -> list[Embedding]:
        """Embeds texts, in their order; `wait`: for room in the queue, however long it takes.

        Raises InvalidInput (TEXT_TOO_LONG, TOO_MANY_TOKENS, TOO_MANY_DIMENSIONS, TOKEN_OUT_OF_RANGE), Overloaded where
        too many texts wait already, DeadlineExceeded.
        """
        dimensions = self.encoder.dimensions
        if options.dimensions is not None and options.dimensions > dimensions:
            raise InvalidInput(
                "TOO_MANY_DIMENSIONS",
                f"model {self.encoder.model.id} has {dimensions} dimensions, not {options.dimensions}",
                metadata={"dimensions": str(options.dimensions), "max_dimensions": str(dimensions)},
            )
        tokenized = await self._tokenize(texts, kind, options.truncation)
        pooled = await self._run(tokenized, lambda _, states: self.encoder.pool(states), wait=wait)
        edges = pairwise(accumulate((len(text.windows) for text in tokenized), initial=0))
        return [
            Embedding(
                _finished(pooled[first:end], [len(ids) for ids in text.windows], options),
                text.token_count,
                text.truncated,
            )
            for text, (first, end) in zip(tokenized, edges, strict=True)
        ]

    async def embed_tokens(self, texts: Sequence[str], kind: TextKind, pool: int = 3) -> list[Vectors]:
        """Returns the texts' token vectors, as `Encoder.encode_tokens` does; raises what that and `embed` raise."""
        self.encoder.check_token_vectors()
        tokenized = await self._tokenize(texts, kind, Truncation.END)
        bodies = [text.body for text in tokenized]
        return await self._run(
            tokenized, lambda position, states: self.encoder.token_vectors(states, bodies[position], pool)
        )

    async def _tokenize(
        self, texts: Sequence[str | TokenIds], kind: TextKind, truncation: Truncation
    ) -> list[TokenizedText]:
        tokenize = partial(self.encoder.tokenize, texts, kind, truncation)
        if sum(map(len, texts)) <= _SMALL_CHARACTERS:
            tokenized = tokenize()
        else:
            tokenized = await self._text_pool.run(lambda _: tokenize(), wait=True)
        tokens = sum(text.token_count for text in tokenized)
        if tokens > self._max_request_tokens:
            raise InvalidInput(
                "TOO_MANY_TOKENS",
                f"the texts have {tokens} tokens, and a request may have {self._max_request_tokens}: send fewer texts "
                "at a time, or a stream",
                metadata={"tokens": str(tokens), "max_tokens": str(self._max_request_tokens)},
            )
        return tokenized

    async def _run(
        self, tokenized: Sequence[TokenizedText], finish: Finish, *, wait: bool = False
    ) -> list[Vectors]:
        remaining = time_remaining()
        return await self._batcher.run(
            [window for text in tokenized for window in text.windows],
            finish,
            deadline=None if remaining is None else monotonic() + remaining,
            wait=wait,
        )


def _finished(windows: Sequence[Vectors], tokens: Sequence[int], options: EmbedOptions) -> Vectors:
    vector = windows[0] if len(windows) == 1 else np.average(windows, axis=0, weights=tokens)
    vector = np.asarray(vector[: options.dimensions], np.float32)
    return normalized(vector) if options.normalize else vector
