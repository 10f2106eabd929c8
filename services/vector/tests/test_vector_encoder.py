"""The encoder with the real models."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordroute_runtime.errors import ModelMissing, Overloaded, PreconditionFailed
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import find_model
from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import Encoder, TextKind, plan_batches

TEXTS = [
    "ok",
    "The servers were slow on Friday because the database ran out of connections.",
    "예산 회의는 다음 주 월요일로 연기되었습니다.",
    " ".join(["The deployment pipeline is broken again, and nobody knows why."] * 12),
    "배포 파이프라인",
    "x" * 300,
]


def vectors(encoder: Encoder, texts: list[str], kind: TextKind) -> np.ndarray:
    return np.stack([embedding.vector for embedding in encoder.embed(texts, kind)])


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 600))
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan_batches(lengths, budget)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= budget
    tops = [max(lengths[position] for position in batch) for batch in batches]
    assert tops == sorted(tops)


def test_a_vector_does_not_depend_on_the_batch(encoder: Encoder) -> None:
    together = encoder.encode(encoder.tokenize(TEXTS, TextKind.PASSAGE))
    for text, vector in zip(TEXTS, together, strict=True):
        alone = vectors(encoder, [text], TextKind.PASSAGE)[0]
        assert np.abs(alone - vector).max() < 1e-6
    again = vectors(encoder, TEXTS[::-1], TextKind.PASSAGE)[::-1]
    assert np.abs(again - together).max() < 1e-6


def test_vectors_have_length_one_and_the_models_dimension(encoder: Encoder) -> None:
    found = vectors(encoder, TEXTS, TextKind.QUERY)
    assert found.shape == (len(TEXTS), 384)
    assert found.dtype == np.float32
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5


def test_prefixes_are_the_models(encoder: Encoder) -> None:
    plain = dataclasses.replace(
        encoder.model, parameters={**encoder.model.parameters, "query_prefix": "", "passage_prefix": ""}
    )
    bare = Encoder(plain, threads=2, batch_token_budget=512)
    text = "When is the budget meeting?"
    query = vectors(encoder, [text], TextKind.QUERY)
    assert np.abs(query - vectors(bare, [f"query: {text}"], TextKind.QUERY)).max() < 1e-6
    passage = vectors(encoder, [text], TextKind.PASSAGE)
    assert np.abs(passage - vectors(bare, [f"passage: {text}"], TextKind.QUERY)).max() < 1e-6
    assert np.abs(query - passage).max() > 1e-3


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("When does the budget meeting take place?", 1),
        ("예산 회의는 언제인가요?", 1),
        ("서버가 왜 느렸나요?", 0),
        ("How many people do we want to hire?", 2),
        ("채용은 몇 명 하나요?", 2),
    ],
)
def test_queries_of_both_languages_find_english_passages(encoder: Encoder, query: str, wanted: int) -> None:
    passages = [
        "The servers were slow on Friday because the database ran out of connections.",
        "The budget meeting is moved to Monday at nine in the large room.",
        "We should hire two more engineers for the mobile team this year.",
        "The new logo is blue, and the old one will be gone by summer.",
        "Lunch is served on the third floor from noon until half past one.",
    ]
    scores = vectors(encoder, passages, TextKind.PASSAGE) @ vectors(encoder, [query], TextKind.QUERY)[0]
    assert int(np.argmax(scores)) == wanted


def test_a_text_that_is_too_long_is_cut_and_says_so(encoder: Encoder) -> None:
    long, cut = "word " * 2000, "word " * 600
    first, second, short = encoder.embed([long, cut, "word"], TextKind.PASSAGE)
    assert (first.token_count, first.truncated) == (512, True)
    assert (short.truncated, short.token_count) == (False, 5)
    assert np.abs(first.vector - second.vector).max() < 1e-6


def test_passage_room_is_what_a_passage_may_have(encoder: Encoder) -> None:
    text = " ".join(["word"] * encoder.passage_room)
    full, more = encoder.embed([text, f"{text} word"], TextKind.PASSAGE)
    assert (full.token_count, full.truncated) == (512, False)
    assert more.truncated


def test_model_with_token_output_is_pooled_and_normalised(models_dir: Path) -> None:
    small = Encoder(find_model(models_dir, "all-minilm-l6-v2"), threads=2, batch_token_budget=512)
    found = vectors(small, ["a cat", "a kitten", "the stock market"], TextKind.PASSAGE)
    assert found.shape == (3, 384)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2


def test_missing_and_broken_models_are_named(models_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all-minilm-l6-v2"
    shutil.copytree(models_dir / "all-minilm-l6-v2", folder)

    def load() -> Encoder:
        return Encoder(find_model(tmp_path, folder.name), threads=1, batch_token_budget=512)

    manifest = json.loads((folder / "model.json").read_text())
    manifest["parameters"]["dimensions"] = 512
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(PreconditionFailed, match="384 dimensions, not 512") as wrong:
        load()
    assert wrong.value.reason == "MODEL_INVALID"
    (folder / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(PreconditionFailed, match="can't be loaded"):
        load()
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelMissing):
        load()


async def test_a_query_overtakes_a_long_call_and_too_many_calls_are_refused(encoder: Encoder) -> None:
    pool = InferencePool("embedding", 1)
    embedder = Embedder(encoder, pool, max_waiting=1)
    order: list[str] = []

    async def embed(name: str, texts: list[str]) -> None:
        await embedder.embed(texts, TextKind.PASSAGE)
        order.append(name)

    long = asyncio.create_task(embed("long", ["word " * 200] * 12))
    await asyncio.sleep(0)
    short = asyncio.create_task(embed("short", ["ok"]))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await embedder.embed(["one too many"], TextKind.QUERY)
    await asyncio.gather(long, short)
    assert order == ["short", "long"]
    await embed("later", ["ok"])
    await pool.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("embedding")]
