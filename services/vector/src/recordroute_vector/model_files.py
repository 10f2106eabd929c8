"""Reads what an embedding model's own files say of its use.

A model's parameters (from `model.json` or the settings) come first, then its files as the hub has them: those of
sentence-transformers (`modules.json`, the pooling module's `config.json`, `sentence_bert_config.json`,
`config_sentence_transformers.json`; https://sbert.net/docs/sentence_transformer/usage/custom_models.html) and those of
transformers (`config.json`, `tokenizer_config.json`). Nothing is guessed: a model that neither describes is refused,
with the name of the parameter that is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from recordroute_runtime.errors import ModelMissing
from recordroute_runtime.models import InstalledModel

TASK = "embedding"
TOKENIZER_FILE = "tokenizer.json"
_ONNX_FILES = ("model.onnx", "onnx/model.onnx")
# Their positions begin behind the padding token's id.
_OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet"})
# What tokenizers without a limit say.
_NO_LIMIT = 1 << 20
_PASSAGE_PROMPTS = ("passage", "document")
_PARAMETERS = frozenset(
    {
        "dimensions",
        "file",
        "lowercase",
        "max_tokens",
        "output",
        "padding_id",
        "passage_prefix",
        "pooling",
        "query_prefix",
    }
)


class Pooling(Enum):
    """How the vectors of a text's tokens become one."""

    MEAN = "mean"
    CLS = "cls"
    LAST_TOKEN = "last_token"


_POOLING_FLAGS = {
    "pooling_mode_mean_tokens": Pooling.MEAN,
    "pooling_mode_cls_token": Pooling.CLS,
    "pooling_mode_lasttoken": Pooling.LAST_TOKEN,
}
_POOLING_NAMES = {"lasttoken": Pooling.LAST_TOKEN} | {pooling.value: pooling for pooling in Pooling}


@dataclass(frozen=True)
class ModelFiles:
    """How to use a model. `max_tokens` counts prefix and special tokens; `output`, `pooling`, `padding_id`,
    `vocabulary_size` and `dimensions` are None where the files say nothing."""

    onnx: Path
    tokenizer: Path
    max_tokens: int
    query_prefix: str
    passage_prefix: str
    pooling: Pooling | None
    output: str | None
    padding_id: int | None
    vocabulary_size: int | None
    dimensions: int | None
    lowercase: bool


def model_in_folder(folder: Path) -> InstalledModel:
    """Returns the model in a folder that no model manager made. Raises ModelMissing where there is no such folder."""
    if not folder.is_dir():
        raise ModelMissing(str(folder))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return InstalledModel(folder.resolve().name, TASK, folder, (), "", size, {})


def read_model_files(model: InstalledModel, overrides: Mapping[str, Any] | None = None) -> ModelFiles:
    """Returns how to use the model; `overrides` go before its own parameters.

    Raises ModelMissing where files are not there, ValueError for what is not understood.
    """
    parameters = {**model.parameters, **(overrides or {})}
    if unknown := parameters.keys() - _PARAMETERS:
        raise ValueError(f"parameters are not known: {', '.join(sorted(unknown))}")
    reader = _Reader(model, parameters)
    queries, passages = reader.prefixes()
    return ModelFiles(
        onnx=reader.onnx(),
        tokenizer=reader.file(TOKENIZER_FILE),
        max_tokens=reader.max_tokens(),
        query_prefix=queries,
        passage_prefix=passages,
        pooling=reader.pooling(),
        output=reader.text("output"),
        padding_id=reader.number("padding_id", reader.transformer_config.get("pad_token_id")),
        vocabulary_size=reader.transformer_config.get("vocab_size"),
        dimensions=reader.number("dimensions", None),
        lowercase=bool(parameters.get("lowercase", reader.sentence_config.get("do_lower_case", False))),
    )


class _Reader:
    def __init__(self, model: InstalledModel, parameters: Mapping[str, Any]) -> None:
        self._model = model
        self._parameters = parameters
        modules = self._json("modules.json", [])
        self._modules = {str(module["type"]).rpartition(".")[2]: str(module["path"]) for module in modules}
        if unknown := self._modules.keys() - {"Transformer", "Pooling", "Normalize"}:
            raise ValueError(f"modules.json has modules that can't be run: {', '.join(sorted(unknown))}")
        # Models of the first years keep the transformer in a folder of its own.
        transformer = self._modules.get("Transformer", "")
        self.transformer_config = self._json(f"{transformer}/config.json", self._json("config.json", {}))
        self.sentence_config = self._json(
            f"{transformer}/sentence_bert_config.json", self._json("sentence_bert_config.json", {})
        )
        self._prompt_config = self._json("config_sentence_transformers.json", {})
        similarity = self._prompt_config.get("similarity_fn_name") or "cosine"
        if similarity != "cosine" and "Normalize" not in self._modules:
            raise ValueError(f"its vectors are compared by {similarity}, where RecordRoute takes the cosine")

    def text(self, name: str) -> str | None:
        value = self._parameters.get(name)
        return None if value is None else str(value)

    def number(self, name: str, stated: Any) -> int | None:
        value = self._parameters.get(name, stated)
        return None if value is None else int(value)

    def file(self, *names: str) -> Path:
        for name in names:
            if (self._model.path / name).is_file():
                return self._model.path / name
        raise ModelMissing(self._model.id)

    def onnx(self) -> Path:
        named = self.text("file")
        if named is not None:
            path = (self._model.path / named).resolve()
            if not path.is_relative_to(self._model.path.resolve()):
                raise ValueError(f"parameter file leaves the model's folder: {named}")
            return self.file(named)
        if any((self._model.path / name).is_file() for name in _ONNX_FILES):
            return self.file(*_ONNX_FILES)
        found = sorted(str(path.relative_to(self._model.path)) for path in self._model.path.rglob("*.onnx"))
        if not found:
            raise ModelMissing(self._model.id)
        raise ValueError(f"parameter file must say which of these to run: {', '.join(found)}")

    def pooling(self) -> Pooling | None:
        named = self.text("pooling")
        if named is not None:
            return _pooling(named)
        if "Pooling" not in self._modules:
            return None
        config = self._json(f"{self._modules['Pooling']}/config.json", {})
        if config.get("include_prompt") is False and any(self.prefixes()):
            raise ValueError("its pooling leaves the prompt out, which is not supported")
        if isinstance(config.get("pooling_mode"), str):
            return _pooling(config["pooling_mode"])
        modes = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
        if len(modes) != 1 or modes[0] not in _POOLING_FLAGS:
            raise ValueError(f"pooling {' + '.join(modes) or 'by nothing'} is not supported")
        return _POOLING_FLAGS[modes[0]]

    def prefixes(self) -> tuple[str, str]:
        """Returns the prefix of queries and that of passages."""
        queries, passages = self.text("query_prefix"), self.text("passage_prefix")
        prompts = self._prompt_config.get("prompts")
        if prompts:
            queries = prompts.get("query") if queries is None else queries
            named = next((prompts[name] for name in _PASSAGE_PROMPTS if name in prompts), None)
            passages = named if passages is None else passages
        elif prompts is not None:
            queries, passages = queries or "", passages or ""
        if queries is None or passages is None:
            raise ValueError(
                "its files do not say which prefixes it wants: set the parameters query_prefix and passage_prefix, "
                "to nothing where it wants none"
            )
        return queries, passages

    def max_tokens(self) -> int:
        config = self.transformer_config
        positions = config.get("max_position_embeddings")
        if positions is not None and config.get("model_type") in _OFFSET_POSITIONS:
            positions -= config.get("pad_token_id", 1) + 1
        stated = self.number("max_tokens", self.sentence_config.get("max_seq_length"))
        if stated is None:
            limit = self._json("tokenizer_config.json", {}).get("model_max_length")
            stated = int(limit) if limit is not None and limit < _NO_LIMIT else None
        limits = [limit for limit in (stated, positions) if limit is not None]
        if not limits:
            raise ValueError("its files do not say how many tokens it reads: set the parameter max_tokens")
        return min(limits)

    def _json(self, name: str, otherwise: Any) -> Any:
        path = self._model.path / name
        if not path.is_file():
            return otherwise
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{name} can't be read: {error}") from error
        if not isinstance(value, type(otherwise)):
            raise ValueError(f"{name} does not hold what it should")
        return value


def _pooling(name: str) -> Pooling:
    if name not in _POOLING_NAMES:
        raise ValueError(f"pooling {name} is not supported")
    return _POOLING_NAMES[name]
