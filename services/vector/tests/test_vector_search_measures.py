"""The measures and data of benchmarks/eval_search.py."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("eval_search", BENCHMARKS / "eval_search.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_measures(bench: ModuleType) -> None:
    relevant = {"a": 2, "b": 1, "c": 0}
    ideal = 2 + 1 / math.log2(3)
    assert bench.ndcg(["a", "b"], relevant) == 1.0
    assert bench.ndcg(["b", "x", "a"], relevant) == pytest.approx((1 + 2 / math.log2(4)) / ideal)
    assert bench.ndcg(["x"] * 10 + ["a"], relevant) == 0.0
    assert bench.ndcg(["c"], relevant) == 0.0
    assert bench.reciprocal_rank(["c", "x", "b"], relevant) == pytest.approx(1 / 3)
    assert bench.reciprocal_rank(["x"] * 10 + ["a"], relevant) == 0.0
    assert bench.recall(["x", "b"], relevant) == 0.5
    assert bench.recall([*["x"] * 100, "a", "b"], relevant) == 0.0


def test_recognition_errors_are_the_same_every_time_and_as_many_as_asked_for(bench: ModuleType) -> None:
    clean = bench.load_set("clean", "ko", "ko")
    for rate in (0.1, 0.2):
        noisy = bench.load_set("noisy", "ko", "ko", rate)
        assert noisy == bench.load_set("noisy", "ko", "ko", rate)
        found = bench.word_error_rate(list(clean.passages.values()), list(noisy.passages.values()))
        assert rate * 0.75 < found < rate * 1.25
    assert bench.word_error_rate(["a b c d"], ["a x d d"]) == 0.5
    assert bench.misrecognised("one", 1.0, "seed")


def test_the_data_is_whole(bench: ModuleType) -> None:
    passages, queries = (bench.read_jsonl(f"{name}.jsonl") for name in ("passages", "queries"))
    ids = {row["id"] for row in passages}
    assert len(ids) == len(passages) >= 300
    assert len({row["id"] for row in queries}) == len(queries) >= 100
    assert len({row["ko"] for row in passages}) == len(passages)
    for row in queries:
        assert row["ko"].strip()
        assert row["en"].strip()
        assert row["relevant"].keys() <= ids
        assert set(row["relevant"].values()) <= {1, 2}
    assert Counter(row["style"] for row in queries) == {"paraphrase": 114, "keywords": 38, "question": 38}
