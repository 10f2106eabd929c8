"""The converter of multilingual-e5-small, on a small container with random weights and on the installed model."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from recordroute_models.convert_e5 import Container, Converter, Kind, convert
from recordroute_runtime.models import find_model
from tokenizers import Tokenizer

HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS = 64, 2, 2, 128, 96, 40
EPSILON = 1e-5
COSINE = {"int8": 0.998, "int4": 0.999}
TOKENS = np.array([[0, 11, 57, 90, 3, 2], [0, 44, 8, 2, 1, 1]])
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])


@dataclass(frozen=True)
class Toy:
    """A container on disk, its weights, and the greatest inputs of its linear layers."""

    path: Path
    weights: dict[str, Any]
    activations: dict[str, Any]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    random = np.random.default_rng(3)
    shapes: dict[str, tuple[int, ...]] = {"emb.word": (VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        shapes |= {f"l{layer}.{part}.w": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")}
        shapes |= {f"l{layer}.fi.w": (FEED_FORWARD, HIDDEN), f"l{layer}.fo.w": (HIDDEN, FEED_FORWARD)}
    weights: dict[str, Any] = {}
    blobs: dict[str, bytes] = {}
    for name, shape in shapes.items():
        values = random.integers(0, 16, (shape[0], shape[1] // 32, 32), np.uint8)
        scales = random.uniform(0.01, 0.03, values.shape[:2]).astype(np.float16)
        packed = values[..., :16] | (values[..., 16:] << 4)
        blobs[name] = np.concatenate([scales[..., None].view(np.uint8), packed], axis=-1).tobytes()
        weights[name] = ((values.astype(np.float32) - 8) * scales[..., None].astype(np.float32)).reshape(
            shape
        )
    vectors = {"emb.pos": POSITIONS * HIDDEN, "emb.type": 2 * HIDDEN}
    norms = ["emb.ln"] + [f"l{layer}.{part}" for layer in range(LAYERS) for part in ("aln", "oln")]
    vectors |= {f"{norm}.{part}": HIDDEN for norm in norms for part in "wb"}
    for layer in range(LAYERS):
        vectors |= {f"l{layer}.{part}.b": HIDDEN for part in ("q", "k", "v", "ao", "fo")}
        vectors[f"l{layer}.fi.b"] = FEED_FORWARD
    for name, count in vectors.items():
        offset = 1.0 if name.endswith("ln.w") else 0.0
        weights[name] = (offset + 0.1 * random.standard_normal(count)).astype(np.float32)
        blobs[name] = weights[name].tobytes()
    path = tmp_path_factory.mktemp("toy") / "toy.bin"
    path.write_bytes(container(blobs, {name: weights[name].size for name in blobs}))
    activations: dict[str, Any] = {}
    embed(weights, TOKENS, MASK, activations)
    return Toy(path, weights, activations)


def container(blobs: dict[str, bytes], counts: dict[str, int]) -> bytes:
    header = b"E5S1" + struct.pack("<i", 1)
    header += struct.pack("<7i", HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS, 2)
    header += struct.pack("<fi", EPSILON, 32)
    header += struct.pack("<5iQ", 2, 0, 2, 1, 3, 4) + bytes(4 * 3 + 4 * 2) + b"abcd"
    header += struct.pack("<iI", 0, 3) + b"xyz" + struct.pack("<i", len(blobs))
    size = len(header) + sum(2 + len(name) + 1 + 4 + 16 for name in blobs)
    position, table, data = size + -size % 64, b"", b""
    for name, blob in blobs.items():
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BI2Q", 0, counts[name], position + len(data), len(blob))
        data += blob + bytes(-len(blob) % 64)
    return header + table + bytes(-size % 64) + data


def embed(weights: dict[str, Any], tokens: Any, mask: Any, activations: dict[str, Any] | None = None) -> Any:
    """BERT in plain float32, as its paper has it; notes the greatest input of each linear layer."""

    def linear(values: Any, name: str, seen: str) -> Any:
        if activations is not None:
            largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0).astype(np.float32)
            activations[seen] = np.maximum(activations.get(seen, 0), largest)
        return values @ weights[f"{name}.w"].T + weights[f"{name}.b"]

    def norm(values: Any, name: str) -> Any:
        centred = values - values.mean(axis=-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON) * weights[f"{name}.w"]
            + weights[f"{name}.b"]
        )

    def heads(values: Any) -> Any:
        return values.reshape(*tokens.shape, HEADS, -1).transpose(0, 2, 1, 3)

    erf = np.vectorize(math.erf, otypes=[np.float32])
    positions = weights["emb.pos"].reshape(-1, HIDDEN)[: tokens.shape[1]]
    hidden = norm(weights["emb.word"][tokens] + positions + weights["emb.type"][:HIDDEN], "emb.ln")
    for layer in range(LAYERS):
        entry = "x0" if layer == 0 else f"l{layer - 1}_x2"
        queries, keys, values = (heads(linear(hidden, f"l{layer}.{part}", entry)) for part in "qkv")
        scores = queries @ keys.transpose(0, 1, 3, 2) / np.sqrt(HIDDEN / HEADS)
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        attended = (shares @ values).transpose(0, 2, 1, 3).reshape(*tokens.shape, HIDDEN)
        middle = norm(hidden + linear(attended, f"l{layer}.ao", f"l{layer}_att"), f"l{layer}.aln")
        wide = linear(middle, f"l{layer}.fi", f"l{layer}_x1")
        active = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
        hidden = norm(middle + linear(active, f"l{layer}.fo", f"l{layer}_g"), f"l{layer}.oln")
    pooled = (hidden * mask[..., None]).sum(axis=1)
    return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True)


def session(model: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run(model: onnxruntime.InferenceSession, tokens: Any, mask: Any) -> Any:
    inputs = {"input_ids": np.asarray(tokens, np.int64), "attention_mask": np.asarray(mask, np.int64)}
    states = model.run(["last_hidden_state"], inputs)[0]
    pooled = (states * inputs["attention_mask"][..., None]).sum(axis=1)
    return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True)


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_the_graph_computes_what_the_weights_mean(toy: Toy, kind: Kind) -> None:
    model = Converter(Container(toy.path), kind, toy.activations).model()
    onnx.checker.check_model(model)
    result = run(session(model), TOKENS, MASK)
    assert result.shape == (2, HIDDEN)
    cosines = (result * embed(toy.weights, TOKENS, MASK)).sum(axis=1)
    assert cosines.min() >= COSINE[kind]


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_the_same_weights_give_the_same_bytes(toy: Toy, kind: Kind) -> None:
    first, second = (
        Converter(Container(toy.path), kind, toy.activations).model().SerializeToString() for _ in range(2)
    )
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()


def test_a_cpu_with_other_vector_units_gives_the_same_bytes(toy: Toy, tmp_path: Path) -> None:
    """numpy picks other kernels for powers where it must not use AVX-512 and AVX2."""
    activations = tmp_path / "activations.npz"
    np.savez(activations, **toy.activations)
    code = (
        "import hashlib, pathlib, sys, numpy\n"
        "from recordroute_models.convert_e5 import Container, Converter\n"
        "container = Container(pathlib.Path(sys.argv[1]))\n"
        "model = Converter(container, 'int8', numpy.load(sys.argv[2])).model()\n"
        "print(hashlib.sha256(model.SerializeToString()).hexdigest())\n"
    )
    less = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX2 FMA3"
    digests = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(toy.path), str(activations)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for environment in ({}, {"NPY_DISABLE_CPU_FEATURES": less})
    }
    assert len(digests) == 1


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match=r"other\.bin is not an E5S1 container"):
        convert(tmp_path / "other.bin", tmp_path / "model.onnx", "int8")


@pytest.fixture(scope="module")
def installed(models_dir: Path) -> tuple[onnxruntime.InferenceSession, Tokenizer]:
    folder = find_model(models_dir, "multilingual-e5-small").path
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
    return session(folder / "model.onnx"), tokenizer


def embed_texts(installed: tuple[onnxruntime.InferenceSession, Tokenizer], texts: list[str]) -> Any:
    model, tokenizer = installed
    encoded = tokenizer.encode_batch(texts)
    return run(model, [item.ids for item in encoded], [item.attention_mask for item in encoded])


def test_an_embedding_does_not_depend_on_its_batch(installed: Any) -> None:
    texts = [
        "query: 1",
        "passage: We agreed to raise the budget for trade fairs by ten percent.",
        "passage: " + "서버 배포 일정과 남은 위험을 논의했다. " * 20,
    ]
    together = embed_texts(installed, texts)
    alone = np.concatenate([embed_texts(installed, [text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-6


def test_paraphrases_are_nearer_than_other_texts_in_and_across_languages(installed: Any) -> None:
    queries = [
        "query: When does the meeting start?",
        "query: 회의는 언제 시작하나요?",
        "query: 누가 예산을 승인했습니까?",
    ]
    passages = [
        "passage: The meeting begins at three in the afternoon.",
        "passage: 회의는 오후 세 시에 시작합니다.",
        "passage: 예산은 재무 이사가 승인했습니다.",
        "passage: Bananas grow in the tropics and are rich in potassium.",
        "passage: 바나나는 열대 지방에서 자라고 칼륨이 풍부하다.",
    ]
    scores = embed_texts(installed, queries) @ embed_texts(installed, passages).T
    for query, related in enumerate(([0, 1], [0, 1], [2])):
        unrelated = [passage for passage in (2, 3, 4) if passage not in related]
        assert scores[query, related].min() > scores[query, unrelated].max()
