"""Models as a hub has them: what their files say is done, and what is not understood is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import find_model
from recordroute_vector.encoder import Encoder, TextKind
from recordroute_vector.model_files import Pooling, model_in_folder, read_model_files
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "query", "passage", ":", "the", "server", "is", "slow", "blue"]
HIDDEN = 4
POOLING = {
    "word_embedding_dimension": HIDDEN,
    "pooling_mode_cls_token": False,
    "pooling_mode_mean_tokens": True,
    "pooling_mode_max_tokens": False,
}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
FILES: dict[str, Any] = {
    "modules.json": MODULES,
    "1_Pooling/config.json": POOLING,
    "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False},
    "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
    "config.json": {"model_type": "bert", "max_position_embeddings": 32, "pad_token_id": 0, "vocab_size": 12},
    "tokenizer_config.json": {"model_max_length": 24},
}
TABLE = np.random.default_rng(5).standard_normal((len(WORDS), HIDDEN)).astype(np.float32)


def make_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


def make_graph(
    *,
    inputs: dict[str, int] | None = None,
    quantized: bool = False,
    outputs: tuple[str, ...] = ("last_hidden_state",),
    output_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A word's state is its row of a table and the half of its position; what else is fed must be zero."""
    inputs = inputs or {"input_ids": TensorProto.INT64, "attention_mask": TensorProto.INT64}
    constants = [
        numpy_helper.from_array(TABLE, "table"),
        numpy_helper.from_array(np.array([0.5] * HIDDEN, np.float32), "half"),
        numpy_helper.from_array(np.array([1]), "one"),
        numpy_helper.from_array(np.array([2]), "two"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("CumSum", ["mask", "axis"], ["places"]),
        helper.make_node("Unsqueeze", ["places", "two"], ["place"]),
        helper.make_node("Mul", ["place", "half"], ["moved"]),
        helper.make_node("Add", ["words", "moved"], ["states"]),
    ]
    constants.append(numpy_helper.from_array(np.array(1), "axis"))
    state = "states"
    for name in inputs.keys() - {"input_ids", "attention_mask"}:
        nodes += [
            helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", [f"{name}_float", "two"], [f"{name}_column"]),
            helper.make_node("Add", [state, f"{name}_column"], [f"{name}_added"]),
        ]
        state = f"{name}_added"
    if quantized:
        nodes += [
            helper.make_node("DynamicQuantizeLinear", [state], ["bytes", "scale", "zero"]),
            helper.make_node("DequantizeLinear", ["bytes", "scale", "zero"], ["rough"]),
        ]
        state = "rough"
    made = []
    for name in outputs:
        if name == "sentence_embedding":
            nodes.append(helper.make_node("ReduceSum", [state, "one"], [name], keepdims=0))
            made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", HIDDEN]))
        else:
            nodes.append(helper.make_node("Cast", [state], [name], to=output_type))
            made.append(helper.make_tensor_value_info(name, output_type, ["batch", "sequence", HIDDEN]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, ["batch", "sequence"]) for name, kind in inputs.items()],
        made,
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Writes the folder of a hub model; a file that is None is left out."""

    def make(*, at: str = "onnx/model.onnx", files: dict[str, Any] | None = None, **graph: Any) -> Path:
        folder = tmp_path / "tiny-model"
        for name, content in {**FILES, **(files or {})}.items():
            if content is None:
                (folder / name).unlink(missing_ok=True)
            else:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(json.dumps(content))
        (folder / at).parent.mkdir(parents=True, exist_ok=True)
        onnx.save(make_graph(**graph), folder / at)
        make_tokenizer().save(str(folder / "tokenizer.json"))
        return folder

    return make


def load(folder: Path, **parameters: Any) -> Encoder:
    return Encoder(model_in_folder(folder), parameters=parameters)


def refusal(folder: Path, **parameters: Any) -> str:
    with pytest.raises(PreconditionFailed) as caught:
        load(folder, **parameters)
    assert caught.value.reason == "MODEL_INVALID"
    return caught.value.message


def states(encoder: Encoder, words: str) -> np.ndarray:
    """What the graph is made to say of the text."""
    ids = [1, *(WORDS.index(word) for word in words.split()), 2]
    return TABLE[ids] + 0.5 * np.arange(1, len(ids) + 1, dtype=np.float32)[:, None]


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def vector(encoder: Encoder, text: str, kind: TextKind = TextKind.QUERY) -> np.ndarray:
    return encoder.embed([text, "the"], kind)[0].vector


def test_everything_is_read_from_the_models_own_files(make_model: Callable[..., Path]) -> None:
    encoder = load(make_model())
    assert (encoder.model.id, encoder.dimensions, encoder.max_tokens) == ("tiny-model", HIDDEN, 16)
    assert encoder.passage_room == 16 - 2 - 2
    wanted = unit(states(encoder, "query : server is slow").mean(axis=0))
    assert np.abs(vector(encoder, "server is slow") - wanted).max() < 1e-6
    wanted = unit(states(encoder, "passage : server").mean(axis=0))
    assert np.abs(vector(encoder, "server", TextKind.PASSAGE) - wanted).max() < 1e-6


@pytest.mark.parametrize(
    ("config", "row"),
    [
        ({**POOLING, "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, 0),
        ({"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}, -1),
        ({"pooling_mode": "cls"}, 0),
        ({"pooling_mode": "lasttoken"}, -1),
    ],
)
def test_pooling_of_the_first_and_last_token(
    make_model: Callable[..., Path], config: dict[str, Any], row: int
) -> None:
    encoder = load(make_model(files={"1_Pooling/config.json": config}))
    wanted = unit(states(encoder, "query : server is slow")[row])
    assert np.abs(vector(encoder, "server is slow") - wanted).max() < 1e-6


def test_parameters_go_before_the_files(make_model: Callable[..., Path]) -> None:
    encoder = load(make_model(), pooling="cls", query_prefix="", passage_prefix="the ", max_tokens=8)
    assert (encoder.max_tokens, encoder.passage_room) == (8, 5)
    assert np.abs(vector(encoder, "server") - unit(states(encoder, "server")[0])).max() < 1e-6


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, 16),
        ({"sentence_bert_config.json": None}, 24),
        ({"sentence_bert_config.json": None, "tokenizer_config.json": None}, 32),
        ({"sentence_bert_config.json": {"max_seq_length": 99}}, 32),
        # RoBERTa's positions begin behind the padding token's.
        (
            {
                "sentence_bert_config.json": None,
                "tokenizer_config.json": {"model_max_length": 1e30},
                "config.json": {
                    "model_type": "xlm-roberta",
                    "max_position_embeddings": 32,
                    "pad_token_id": 1,
                },
            },
            30,
        ),
    ],
)
def test_the_least_of_the_limits_counts(
    make_model: Callable[..., Path], files: dict[str, Any], limit: int
) -> None:
    assert load(make_model(files=files)).max_tokens == limit


def test_inputs_get_the_type_that_they_want(make_model: Callable[..., Path]) -> None:
    kinds = dict.fromkeys(["input_ids", "attention_mask", "token_type_ids"], TensorProto.INT32)
    encoder = load(make_model(inputs=kinds))
    wanted = unit(states(encoder, "query : slow").mean(axis=0))
    assert np.abs(vector(encoder, "slow") - wanted).max() < 1e-6
    encoder = load(make_model(inputs={**kinds, "position_ids": TensorProto.INT64}))
    placed = states(encoder, "query : slow") + np.arange(5, dtype=np.float32)[:, None]
    assert np.abs(vector(encoder, "slow") - unit(placed.mean(axis=0))).max() < 1e-6
    assert np.abs(vector(load(make_model(output_type=TensorProto.FLOAT16)), "slow") - wanted).max() < 1e-3


def test_a_pooled_output_is_taken_as_it_is(make_model: Callable[..., Path]) -> None:
    folder = make_model(outputs=("token_embeddings", "sentence_embedding"), files={"modules.json": None})
    encoder = load(folder)
    alone = encoder.encode([encoder.tokenize(["slow"], TextKind.QUERY)[0].windows[0]])[0]
    assert np.abs(alone - unit(states(encoder, "query : slow").sum(axis=0))).max() < 1e-6
    with pytest.raises(PreconditionFailed) as caught:
        encoder.encode_tokens(["slow"], TextKind.QUERY)
    assert caught.value.reason == "TOKEN_VECTORS_MISSING"
    # Where the pooling is stated, the tokens are there for late interaction too.
    assert len(load(folder, pooling="mean").encode_tokens(["slow blue"], TextKind.QUERY, pool=1)[0]) == 2


def test_a_model_whose_texts_disturb_one_another_gets_them_one_by_one(
    make_model: Callable[..., Path],
) -> None:
    encoder = load(make_model(quantized=True))
    assert encoder.batch_token_budget == 1
    texts = ["slow", "blue blue blue the server is slow", "is"]
    together = encoder.embed(texts, TextKind.QUERY)
    for text, embedding in zip(texts, together, strict=True):
        assert (encoder.embed([text], TextKind.QUERY)[0].vector == embedding.vector).all()
    assert load(make_model()).batch_token_budget > 1


def test_upper_case_goes_where_the_model_wants_none(make_model: Callable[..., Path]) -> None:
    folder = make_model(files={"sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": True}})
    encoder = load(folder)
    assert (vector(encoder, "SLOW Server") == vector(encoder, "slow server")).all()
    assert (vector(load(folder, lowercase=False), "SLOW") != vector(encoder, "slow")).any()


def test_what_is_not_understood_is_refused_by_name(make_model: Callable[..., Path]) -> None:
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    both = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}
    for files, words in [
        ({"modules.json": [*MODULES, dense]}, "Dense"),
        ({"1_Pooling/config.json": both}, "pooling_mode_mean_tokens + pooling_mode_cls_token"),
        ({"1_Pooling/config.json": {"pooling_mode": "max"}}, "pooling max is not supported"),
        ({"1_Pooling/config.json": {**POOLING, "include_prompt": False}}, "leaves the prompt out"),
        ({"modules.json": None}, "parameter pooling"),
        ({"config_sentence_transformers.json": None}, "query_prefix"),
        ({"config_sentence_transformers.json": {"prompts": {"clustering": "c: "}}}, "query_prefix"),
        (
            {
                "modules.json": MODULES[:2],
                "config_sentence_transformers.json": {"prompts": {}, "similarity_fn_name": "dot"},
            },
            "compared by dot",
        ),
        (
            dict.fromkeys(("sentence_bert_config.json", "config.json", "tokenizer_config.json")),
            "max_tokens",
        ),
        ({"modules.json": {}}, "modules.json does not hold what it should"),
    ]:
        assert words in refusal(make_model(files=files))
    folder = make_model()
    assert "leaves no room" in refusal(folder, max_tokens=4)
    assert "4 dimensions, not 5" in refusal(folder, dimensions=5)
    assert "parameters are not known: poling" in refusal(folder, poling="mean")
    assert "must name one of its outputs: last_hidden_state" in refusal(folder, output="pooler_output")
    assert "leaves the model's folder" in refusal(folder, file="../other.onnx")
    (folder / "modules.json").write_text("{")
    assert "modules.json can't be read" in refusal(folder)


def test_graphs_that_are_not_understood_are_refused(make_model: Callable[..., Path]) -> None:
    kinds = {"input_ids": TensorProto.INT64, "attention_mask": TensorProto.INT64}
    assert "pixel_values" in refusal(make_model(inputs={**kinds, "pixel_values": TensorProto.INT64}))
    assert "attention_mask" in refusal(make_model(inputs={**kinds, "attention_mask": TensorProto.FLOAT}))
    assert "tensor(int8)" in refusal(make_model(output_type=TensorProto.INT8))
    assert "must name one of its outputs: a, b" in refusal(make_model(outputs=("a", "b")))


def test_the_file_to_run_is_found_or_named(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model(at="onnx/model_quantized.onnx")
    assert "onnx/model_quantized.onnx" in refusal(folder)
    assert load(folder, file="onnx/model_quantized.onnx").dimensions == HIDDEN
    for name in ("onnx/model_quantized.onnx", "tokenizer.json"):
        (folder / name).unlink()
        with pytest.raises(ModelMissing):
            load(folder)
    with pytest.raises(ModelMissing):
        model_in_folder(tmp_path / "nowhere")


def test_catalogue_models_need_no_other_files(models_dir: Path) -> None:
    files = read_model_files(find_model(models_dir, "multilingual-e5-small"))
    assert (files.query_prefix, files.passage_prefix) == ("query: ", "passage: ")
    assert (files.max_tokens, files.pooling, files.dimensions) == (512, Pooling.MEAN, 384)


@pytest.mark.parametrize("device", ["cuda", "coreml"])
def test_a_device_that_is_not_there_is_an_error(make_model: Callable[..., Path], device: Any) -> None:
    import onnxruntime

    if any(device in name.lower() for name in onnxruntime.get_available_providers()):
        pytest.skip(f"this machine has {device}")
    with pytest.raises(PreconditionFailed) as caught:
        Encoder(model_in_folder(make_model()), device=device)
    assert caught.value.reason == "DEVICE_MISSING"
    assert caught.value.metadata == {"device": device}


def test_a_provider_that_onnx_runtime_leaves_out_is_an_error(
    make_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build with CUDA on a machine without: ONNX Runtime itself goes on with the CPU and says nothing."""
    import onnxruntime

    built = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built)
    real = onnxruntime.InferenceSession

    def without_cuda(path: str, options: Any, providers: list[Any]) -> Any:
        return real(path, options, providers=[p for p in providers if p[0] != "CUDAExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", without_cuda)
    folder = make_model()
    with pytest.raises(PreconditionFailed, match="driver or its libraries"):
        Encoder(model_in_folder(folder), device="cuda")
    assert Encoder(model_in_folder(folder), device="auto").device.name == "cpu"
