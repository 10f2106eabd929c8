"""Late interaction, and a cross-encoder in ONNX."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import pytest_asyncio
from onnx import TensorProto, helper, numpy_helper
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import InstalledModel
from recordroute_vector.batcher import Batcher
from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import Encoder
from recordroute_vector.rerank import CrossEncoder, LateInteraction, Rerankers, RerankMethod, max_sim
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "budget", "meeting", "server", "lunch"]


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[InferencePool]:
    pool = InferencePool("test", 1)
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def embedder(encoder: Encoder, pool: InferencePool) -> Embedder:
    batcher = Batcher(encoder, pool, workers=1, window_seconds=0.0, max_queued_tokens=100_000)
    return Embedder(encoder, batcher, pool, max_request_tokens=100_000)


def test_max_sim_is_the_mean_of_the_best_matches() -> None:
    query = np.array([[1, 0], [0, 1]], np.float32)
    text = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert max_sim(query, text) == pytest.approx((1 + 0.8) / 2)
    assert max_sim(query, text[:0]) == -1.0


async def test_late_interaction_across_languages(embedder: Embedder) -> None:
    reranker = LateInteraction(embedder)
    texts = [
        "Lunch is served on the third floor.",
        "The budget meeting is moved to Monday at nine.",
        "서버가 느려졌습니다.",
    ]
    for query in ("예산 회의는 언제인가요?", "When is the budget meeting?"):
        scores = await reranker.score(query, texts)
        assert int(np.argmax(scores)) == 1
        assert all(-1 <= score <= 1 for score in scores)
    assert await reranker.score("x", []) == []
    alone = (await reranker.score("When is the budget meeting?", texts[1:2]))[0]
    assert alone == pytest.approx(scores[1], abs=1e-5)


def cross_encoder_model(folder: Path, outputs: int = 1, **parameters: object) -> InstalledModel:
    """A model whose logit is the sum of its words' numbers: rises with "budget", falls with "lunch"."""
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.zeros((len(WORDS), outputs), np.float32)
    table[WORDS.index("budget"), -1], table[WORDS.index("lunch"), -1] = 2.0, -2.0
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["values"]),
            helper.make_node("Cast", ["token_type_ids"], ["second"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["second", "last"], ["part"]),
            helper.make_node("Mul", ["values", "part"], ["own"]),
            helper.make_node("ReduceSum", ["own", "tokens"], ["logits"], keepdims=0),
        ],
        "cross",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "token_type_ids")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", outputs])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "tokens"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    (folder / "model.json").write_text(json.dumps({"task": "rerank", "parameters": parameters}))
    return InstalledModel("tiny-cross", "rerank", folder, (), "Apache-2.0", 0, parameters)


@pytest.mark.parametrize("outputs", [1, 2])
async def test_a_cross_encoder_reads_both_texts(tmp_path: Path, pool: InferencePool, outputs: int) -> None:
    reranker = CrossEncoder(cross_encoder_model(tmp_path / "m", outputs), pool, threads=1)
    texts = ["lunch", "budget meeting", "server", "budget " * 2, "server " * 300]
    scores = await reranker.score("budget lunch", texts)
    expected = [1 / (1 + np.exp(-logit)) for logit in (-2, 2, 0, 4, 0)]
    assert scores == pytest.approx(expected, abs=1e-6)
    assert await reranker.score("budget", []) == []
    assert (reranker.method, reranker.model) == (RerankMethod.CROSS_ENCODER, "tiny-cross")


async def test_long_texts_are_cut_at_the_models_limit(tmp_path: Path, pool: InferencePool) -> None:
    reranker = CrossEncoder(cross_encoder_model(tmp_path / "m", max_tokens=16), pool, threads=1)
    (cut,) = await reranker.score("server", ["budget " + "server " * 1000 + "budget"])
    assert cut == pytest.approx(1 / (1 + np.exp(-2)))


async def test_a_model_that_can_not_be_used_says_why(tmp_path: Path, pool: InferencePool) -> None:
    good = cross_encoder_model(tmp_path / "m")
    with pytest.raises(PreconditionFailed, match="3 values a text") as caught:
        CrossEncoder(cross_encoder_model(tmp_path / "three", outputs=3), pool, threads=1)
    assert caught.value.reason == "MODEL_INVALID"
    (good.path / "tokenizer.json").write_text("{}")
    with pytest.raises(PreconditionFailed, match=r"tokenizer\.json can't be read"):
        CrossEncoder(good, pool, threads=1)
    (good.path / "model.onnx").unlink()
    with pytest.raises(ModelMissing):
        CrossEncoder(good, pool, threads=1)


async def test_what_is_not_configured_is_not_replaced(
    tmp_path: Path, embedder: Embedder, pool: InferencePool
) -> None:
    late = LateInteraction(embedder)
    assert Rerankers(late).best is late
    with pytest.raises(PreconditionFailed) as caught:
        Rerankers(late).get(RerankMethod.CROSS_ENCODER)
    assert caught.value.reason == "RERANKER_MISSING"
    cross = CrossEncoder(cross_encoder_model(tmp_path / "m"), pool, threads=1)
    both = Rerankers(late, cross)
    assert both.best is cross is both.get(RerankMethod.CROSS_ENCODER)
    assert both.get(RerankMethod.LATE_INTERACTION) is late
