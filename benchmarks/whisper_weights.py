"""Writes the weights of an installed Whisper model (CTranslate2) in the formats of whisper.cpp and openai-whisper.

Both get the very numbers that the installed file holds (16-bit floats), so that engines are compared and not weights.
"""

from __future__ import annotations

import json
import struct
from io import BufferedReader
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

Weights = dict[str, np.ndarray]

# CTranslate2's DataType: FLOAT32, INT8, INT16, INT32, FLOAT16.
DATA_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
HEAD_SIZE = 64
TEXT_TOKENS = 50257
SINGLE_PRECISION = ("conv1.bias", "conv2.bias", "positional_embedding")


def read_ctranslate2(path: Path) -> Weights:
    """Returns the variables of a `model.bin` of format 6 by name."""

    def number(file: BufferedReader, code: str) -> int:
        return int(struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))[0])

    def text(file: BufferedReader) -> str:
        return file.read(number(file, "H"))[:-1].decode()

    variables: Weights = {}
    with path.open("rb") as file:
        version = number(file, "I")
        if version != 6:
            raise ValueError(f"{path} has format {version}, not 6")
        text(file), number(file, "I")
        for _ in range(number(file, "I")):
            name = text(file)
            shape = [number(file, "I") for _ in range(number(file, "B"))]
            dtype = DATA_TYPES[number(file, "B")]
            data = file.read(number(file, "I"))
            variables[name] = np.frombuffer(data, dtype).reshape(shape)
    return variables


def as_openai(variables: Weights) -> Weights:
    """Returns the weights under openai-whisper's names."""
    weights: Weights = {}

    def linear(to: str, name: str, part: slice = slice(None), parts: int = 1, *, bias: bool = True) -> None:
        weight, offset = variables[f"{name}/weight"], variables[f"{name}/bias"]
        if parts > 1:
            weight, offset = np.split(weight, parts)[part.start], np.split(offset, parts)[part.start]
        weights[f"{to}.weight"] = weight
        if bias:
            weights[f"{to}.bias"] = offset

    def norm(to: str, name: str) -> None:
        weights[f"{to}.weight"], weights[f"{to}.bias"] = variables[f"{name}/gamma"], variables[f"{name}/beta"]

    for side in ("encoder", "decoder"):
        weights[f"{side}.positional_embedding"] = variables[f"{side}/position_encodings/encodings"]
        layers = sum(name.startswith(side) and name.endswith("ffn/linear_0/weight") for name in variables)
        for index in range(layers):
            to, name = f"{side}.blocks.{index}", f"{side}/layer_{index}"
            norm(f"{to}.attn_ln", f"{name}/self_attention/layer_norm")
            for place, key in enumerate(("query", "key", "value")):
                linear(
                    f"{to}.attn.{key}",
                    f"{name}/self_attention/linear_0",
                    slice(place, None),
                    3,
                    bias=key != "key",
                )
            linear(f"{to}.attn.out", f"{name}/self_attention/linear_1")
            if side == "decoder":
                norm(f"{to}.cross_attn_ln", f"{name}/attention/layer_norm")
                linear(f"{to}.cross_attn.query", f"{name}/attention/linear_0")
                linear(f"{to}.cross_attn.key", f"{name}/attention/linear_1", slice(0, None), 2, bias=False)
                linear(f"{to}.cross_attn.value", f"{name}/attention/linear_1", slice(1, None), 2)
                linear(f"{to}.cross_attn.out", f"{name}/attention/linear_2")
            norm(f"{to}.mlp_ln", f"{name}/ffn/layer_norm")
            linear(f"{to}.mlp.0", f"{name}/ffn/linear_0")
            linear(f"{to}.mlp.2", f"{name}/ffn/linear_1")
    for conv in ("conv1", "conv2"):
        linear(f"encoder.{conv}", f"encoder/{conv}")
    norm("encoder.ln_post", "encoder/layer_norm")
    norm("decoder.ln", "decoder/layer_norm")
    weights["decoder.token_embedding.weight"] = variables["decoder/embeddings/weight"]
    return weights


def dimensions(weights: Weights) -> dict[str, int]:
    """Returns the model's sizes under openai-whisper's names."""

    def layers(side: str) -> int:
        return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith(f"{side}.blocks."))

    vocabulary, state = weights["decoder.token_embedding.weight"].shape
    return {
        "n_vocab": vocabulary,
        "n_audio_ctx": len(weights["encoder.positional_embedding"]),
        "n_audio_state": state,
        "n_audio_head": state // HEAD_SIZE,
        "n_audio_layer": layers("encoder"),
        "n_text_ctx": len(weights["decoder.positional_embedding"]),
        "n_text_state": state,
        "n_text_head": state // HEAD_SIZE,
        "n_text_layer": layers("decoder"),
        "n_mels": weights["encoder.conv1.weight"].shape[1],
    }


def byte_of_character() -> dict[str, int]:
    """Returns GPT-2's map from the printable characters of its vocabulary to bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


def write_ggml(model: Path, target: Path) -> None:
    """Writes the model in folder `model` as whisper.cpp's ggml file, 16-bit floats."""
    weights = as_openai(read_ctranslate2(model / "model.bin"))
    sizes = dimensions(weights)
    filters = FeatureExtractor(feature_size=sizes["n_mels"]).mel_filters.astype(np.float32)
    vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
    of_byte = byte_of_character()
    with target.open("wb") as file:
        file.write(struct.pack("<12i", 0x67676D6C, *sizes.values(), 1))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        texts = sorted(vocabulary, key=vocabulary.__getitem__)[:TEXT_TOKENS]
        file.write(struct.pack("<i", len(texts)))
        for text in texts:
            encoded = bytes(of_byte[character] for character in text)
            file.write(struct.pack("<i", len(encoded)) + encoded)
        for name, weight in weights.items():
            single = weight.ndim < 2 or name.endswith(SINGLE_PRECISION)
            values = weight.astype(np.float32 if single else np.float16)
            if name.endswith(("conv1.bias", "conv2.bias")):
                values = values[:, None]
            file.write(struct.pack("<3i", values.ndim, len(name), 0 if single else 1))
            file.write(struct.pack(f"<{values.ndim}i", *values.shape[::-1]))
            file.write(name.encode() + np.ascontiguousarray(values).tobytes())


def write_openai(model: Path, target: Path) -> None:
    """Writes the model in folder `model` as an npz of openai-whisper's state dict, 32-bit floats, and its sizes."""
    weights = as_openai(read_ctranslate2(model / "model.bin"))
    sizes = {f"dims.{name}": np.array(value) for name, value in dimensions(weights).items()}
    np.savez(target, **{name: weight.astype(np.float32) for name, weight in weights.items()}, **sizes)
