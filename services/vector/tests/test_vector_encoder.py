"""The encoder with the real models."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import find_model
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


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 600), st.sampled_from([None, 0, 5]))
def test_batches_hold_every_text_once_within_the_budget(
    lengths: list[int], budget: int, padding: int | None
) -> None:
    batches = plan_batches(lengths, budget, padding)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        longest, shortest = (edge(lengths[position] for position in batch) for edge in (max, min))
        assert len(batch) == 1 or len(batch) * longest <= budget
        assert padding is None or longest - shortest <= padding
    tops = [max(lengths[position] for position in batch) for batch in batches]
    assert tops == sorted(tops)


def test_a_vector_does_not_depend_on_the_batch(encoder: Encoder) -> None:
    together = encoder.encode([text.windows[0] for text in encoder.tokenize(TEXTS, TextKind.PASSAGE)])
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
    bare = Encoder(plain)
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
    small = Encoder(find_model(models_dir, "all-minilm-l6-v2"))
    found = vectors(small, ["a cat", "a kitten", "the stock market"], TextKind.PASSAGE)
    assert found.shape == (3, 384)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2


def test_missing_and_broken_models_are_named(models_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all-minilm-l6-v2"
    shutil.copytree(models_dir / "all-minilm-l6-v2", folder)

    def load() -> Encoder:
        return Encoder(find_model(tmp_path, folder.name))

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


def test_token_vectors_are_of_the_text_alone(encoder: Encoder) -> None:
    texts = ["서버가 느려요", TEXTS[1], "word " * 3000]
    single = encoder.encode_tokens(texts, TextKind.PASSAGE, pool=1)
    counts = [min(count, encoder.passage_room) for count in encoder.tokenizer.count(texts)]
    assert [len(rows) for rows in single] == counts
    pooled = encoder.encode_tokens(texts, TextKind.PASSAGE, pool=3)
    assert [len(rows) for rows in pooled] == [-(-count // 3) for count in counts]
    for rows in [*single, *pooled]:
        assert rows.dtype == np.float32
        assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-5
    assert pooled[1][0] @ single[1][:3].mean(axis=0) > 0.9
    # MaxSim of a query prefers the passage that answers it, across languages.
    query = encoder.encode_tokens(["왜 서버가 느렸나요?"], TextKind.QUERY, pool=1)[0]
    passages = encoder.encode_tokens([TEXTS[1], "Lunch is served on the third floor."], TextKind.PASSAGE)
    scores = [float((query @ rows.T).max(axis=1).sum()) for rows in passages]
    assert scores[0] > scores[1]


def test_odd_texts_have_finite_vectors(encoder: Encoder) -> None:
    odd = [
        "",
        " ",
        "\x00",
        "\ufeff",
        "😀" * 700,
        "\u200b",
        "<s></s><pad>",
        "a" * 100_000,
        "\U00010348" * 5000,
    ]
    found = vectors(encoder, odd, TextKind.PASSAGE)
    assert np.isfinite(found).all()
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5


def test_ten_megabytes_are_cut_like_any_text(encoder: Encoder) -> None:
    (long, short) = encoder.embed(["budget 서버 " * 700_000, "budget 서버 " * 700], TextKind.PASSAGE)
    assert (long.token_count, long.truncated) == (512, True)
    assert np.abs(long.vector - short.vector).max() < 1e-6
