"""What calls may ask of their embeddings, with the real model."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.inference import InferencePool
from recordroute_vector.batcher import Batcher
from recordroute_vector.embedder import Embedder, EmbedOptions
from recordroute_vector.encoder import Encoder, TextKind, Truncation

TEXTS = ["서버가 느려서 회의가 늦어졌습니다.", "ok", "The budget meeting is moved to Monday at nine. " * 5]


@pytest.fixture
async def embedder(encoder: Encoder) -> AsyncIterator[Embedder]:
    model, text = InferencePool("embedding", 2), InferencePool("tokenizer", 1)
    batcher = Batcher(encoder, model, workers=2, max_queued_tokens=1 << 16)
    yield Embedder(encoder, batcher, text, max_request_tokens=4096)
    await model.close()
    await text.close()


async def reason(call: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        await call  # type: ignore[misc]
    return caught.value.reason


async def test_vectors_are_the_encoders_own(embedder: Embedder) -> None:
    found = await embedder.embed(TEXTS, TextKind.PASSAGE)
    for embedding, wanted in zip(found, embedder.encoder.embed(TEXTS, TextKind.PASSAGE), strict=True):
        assert np.abs(embedding.vector - wanted.vector).max() < 1e-6
        assert (embedding.token_count, embedding.truncated) == (wanted.token_count, False)


async def test_fewer_dimensions_are_the_first_ones_with_length_one(embedder: Embedder) -> None:
    full = await embedder.embed(TEXTS, TextKind.QUERY)
    short = await embedder.embed(TEXTS, TextKind.QUERY, EmbedOptions(dimensions=64))
    for long, cut in zip(full, short, strict=True):
        assert cut.vector.shape == (64,)
        assert np.linalg.norm(cut.vector) == pytest.approx(1, abs=1e-6)
        head = long.vector[:64] / np.linalg.norm(long.vector[:64])
        assert np.abs(cut.vector - head).max() < 1e-6
    call = embedder.embed(TEXTS, TextKind.QUERY, EmbedOptions(dimensions=385))
    assert await reason(call) == "TOO_MANY_DIMENSIONS"


async def test_without_normalisation_vectors_are_the_means_of_the_tokens(embedder: Embedder) -> None:
    encoder = embedder.encoder
    (raw,) = await embedder.embed(TEXTS[:1], TextKind.QUERY, EmbedOptions(normalize=False))
    window = encoder.tokenize(TEXTS[:1], TextKind.QUERY)[0].windows[0]
    assert np.abs(raw.vector - encoder.run([window])[0].mean(axis=0)).max() < 1e-5
    assert abs(np.linalg.norm(raw.vector) - 1) > 0.1
    (unit,) = await embedder.embed(TEXTS[:1], TextKind.QUERY)
    assert np.abs(raw.vector / np.linalg.norm(raw.vector) - unit.vector).max() < 1e-6


async def test_token_arrays_are_read_like_their_text(embedder: Embedder) -> None:
    arrays = [tuple(ids) for ids in embedder.encoder.tokenizer.ids(TEXTS)]
    by_ids = await embedder.embed(arrays, TextKind.PASSAGE)
    by_text = await embedder.embed(TEXTS, TextKind.PASSAGE)
    for left, right in zip(by_ids, by_text, strict=True):
        assert left.token_count == right.token_count
        assert np.abs(left.vector - right.vector).max() < 1e-6
    for bad in ((250_002,), (5, 1 << 31), ()):
        assert await reason(embedder.embed([(5,), bad], TextKind.PASSAGE)) == "TOKEN_OUT_OF_RANGE"


async def test_long_texts_are_cut_refused_or_read_in_windows(embedder: Embedder) -> None:
    head, tail = "The servers were slow again today. ", "The new logo of our company is blue. "
    long = head * 70 + tail * 140
    (cut,) = await embedder.embed([long], TextKind.PASSAGE)
    assert (cut.token_count, cut.truncated) == (512, True)
    refused = EmbedOptions(truncation=Truncation.ERROR)
    assert await reason(embedder.embed(["ok", long], TextKind.PASSAGE, refused)) == "TEXT_TOO_LONG"
    assert len(await embedder.embed(TEXTS, TextKind.PASSAGE, refused)) == 3
    windows = EmbedOptions(truncation=Truncation.WINDOW_MEAN)
    (mean, short) = await embedder.embed([long, "ok"], TextKind.PASSAGE, windows)
    assert not mean.truncated
    assert mean.token_count > sum(embedder.encoder.tokenizer.count([long]))
    assert np.linalg.norm(mean.vector) == pytest.approx(1, abs=1e-6)
    assert np.abs(short.vector - (await embedder.embed(["ok"], TextKind.PASSAGE))[0].vector).max() < 1e-6
    (about_tail,) = await embedder.embed([tail], TextKind.PASSAGE)
    assert mean.vector @ about_tail.vector > cut.vector @ about_tail.vector + 0.01


async def test_too_many_tokens_are_refused_before_they_cost(embedder: Embedder) -> None:
    with pytest.raises(InvalidInput, match="a request may have 4096") as refused:
        await embedder.embed(["word " * 600] * 9, TextKind.PASSAGE)
    assert refused.value.metadata == {"tokens": str(9 * 512), "max_tokens": "4096"}


async def test_token_vectors_are_the_encoders_own(embedder: Embedder) -> None:
    found = await embedder.embed_tokens(TEXTS, TextKind.PASSAGE, pool=3)
    for rows, wanted in zip(found, embedder.encoder.encode_tokens(TEXTS, TextKind.PASSAGE, 3), strict=True):
        assert rows.shape == wanted.shape
        assert np.abs(rows - wanted).max() < 1e-6
