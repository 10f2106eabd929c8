"""Texts to vectors: an ONNX embedding model on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import InstalledModel

from recordroute_vector.tokenizer import TextTokenizer, TokenizedText

TASK = "embedding"
Vectors = npt.NDArray[np.float32]


class TextKind(Enum):
    """What a text is used for: models treat questions and answers differently."""

    QUERY = "query"
    PASSAGE = "passage"


@dataclass(frozen=True)
class Embedding:
    """A float32 vector of length 1, the tokens that were read for it, and whether the text had more."""

    vector: Vectors
    token_count: int
    truncated: bool


def plan_batches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Groups texts of like length so that longest x count stays within the budget; a text that alone is over it is
    a batch of its own. Returns positions in `lengths`, each once.

    Padding and cache misses make mixed batches several times slower than these on a CPU.
    """
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and lengths[position] * (len(batches[-1]) + 1) <= token_budget:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches


class Encoder:
    """One embedding model. `model.parameters`: dimensions, max_tokens, query_prefix, passage_prefix, output
    ("sentence_embedding", or "last_hidden_state" with pooling "mean" or "cls").

    A vector does not depend on the texts that it is computed with. Any thread may call.
    """

    def __init__(self, model: InstalledModel, *, threads: int, batch_token_budget: int) -> None:
        """Raises ModelMissing where files are not there, PreconditionFailed (MODEL_INVALID) where they can't be
        used."""
        self.model = model
        self.batch_token_budget = batch_token_budget
        files = [model.path / name for name in ("tokenizer.json", "model.onnx")]
        if not all(file.is_file() for file in files):
            raise ModelMissing(model.id)
        try:
            parameters = model.parameters
            self.dimensions = int(parameters["dimensions"])
            self.max_tokens = int(parameters["max_tokens"])
            self._prefixes = {
                TextKind.QUERY: str(parameters["query_prefix"]),
                TextKind.PASSAGE: str(parameters["passage_prefix"]),
            }
            self._output = str(parameters["output"])
            self._pooling = str(parameters["pooling"]) if self._output == "last_hidden_state" else ""
            self.tokenizer = TextTokenizer(files[0])
            self._session = _open_session(str(files[1]), threads)
            self._inputs = {node.name for node in self._session.get_inputs()}
            self._check()
        except (KeyError, ValueError) as error:
            raise PreconditionFailed(
                "MODEL_INVALID",
                f"model {model.id} can't be used ({error}); check it with: recordroute models verify {model.id}",
                metadata={"model": model.id},
            ) from error

    @property
    def passage_room(self) -> int:
        """Tokens that a passage may have and be read in full: the limit less the prefix and the special tokens."""
        prefix = self.tokenizer.count([self._prefixes[TextKind.PASSAGE].strip()])[0]
        return self.max_tokens - prefix - self.tokenizer.special_token_count

    def tokenize(self, texts: Sequence[str], kind: TextKind) -> list[TokenizedText]:
        """Returns the texts with their prefix as the model reads them."""
        prefix = self._prefixes[kind]
        return self.tokenizer.tokenize([prefix + text for text in texts], self.max_tokens)

    def batches(self, texts: Sequence[TokenizedText]) -> list[list[int]]:
        """Returns the positions of the texts in the batches that are best run together."""
        return plan_batches([len(text.ids) for text in texts], self.batch_token_budget)

    def encode(self, batch: Sequence[TokenizedText]) -> Vectors:
        """Runs the model once. Returns float32 [len(batch), dimensions], each row of length 1."""
        shape = (len(batch), max(len(text.ids) for text in batch))
        ids = np.full(shape, self.tokenizer.padding_id, np.int64)
        mask = np.zeros(shape, np.int64)
        for row, text in enumerate(batch):
            ids[row, : len(text.ids)] = text.ids
            mask[row, : len(text.ids)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros(shape, np.int64)}
        output: Any = self._session.run(
            [self._output], {name: feeds[name] for name in feeds.keys() & self._inputs}
        )[0]
        vectors = np.asarray(output, np.float32)
        if self._pooling == "cls":
            vectors = vectors[:, 0]
        elif self._pooling == "mean":
            weights = mask[..., None].astype(np.float32)
            vectors = (vectors * weights).sum(axis=1) / weights.sum(axis=1)
        normalised: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return normalised

    def embed(self, texts: Sequence[str], kind: TextKind) -> list[Embedding]:
        """Embeds any number of texts at once, in their order."""
        tokenized = self.tokenize(texts, kind)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for positions in self.batches(tokenized):
            vectors[positions] = self.encode([tokenized[position] for position in positions])
        return [
            Embedding(vector, len(text.ids), text.truncated)
            for vector, text in zip(vectors, tokenized, strict=True)
        ]

    def _check(self) -> None:
        if self._pooling not in ("", "mean", "cls"):
            raise ValueError(f"pooling {self._pooling} is not known")
        outputs = {node.name for node in self._session.get_outputs()}
        if self._output not in outputs:
            raise ValueError(f"it has no output {self._output}")
        if unknown := self._inputs - {"input_ids", "attention_mask", "token_type_ids"}:
            raise ValueError(f"it wants inputs that are not known: {', '.join(sorted(unknown))}")
        found = self.encode(self.tokenize(["."], TextKind.QUERY)).shape[1]
        if found != self.dimensions:
            raise ValueError(f"its vectors have {found} dimensions, not {self.dimensions}")


def _open_session(path: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between calls take the cores from the speech and language models beside us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions share no base but this one
        raise ValueError(f"model.onnx can't be loaded: {error}") from error
