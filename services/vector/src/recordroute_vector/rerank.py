"""Scores a few texts against a query more closely than their vectors can: by their tokens, or by a model that reads
both together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol

import numpy as np
import onnxruntime
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.inference import CancelToken, InferencePool
from recordroute_runtime.models import InstalledModel
from tokenizers import Tokenizer

from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import TextKind, Vectors, plan_batches

TASK = "rerank"
_DEFAULT_MAX_TOKENS = 512
_BATCH_TOKENS = 512


class RerankMethod(Enum):
    """How texts are scored."""

    NONE = "none"
    LATE_INTERACTION = "late interaction"
    CROSS_ENCODER = "cross-encoder"


class Reranker(Protocol):
    """Scores texts; `model` is the id of what it scores them with."""

    @property
    def method(self) -> RerankMethod: ...

    @property
    def model(self) -> str: ...

    async def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Returns one score a text, higher is better; the range is the method's."""
        ...


class Rerankers:
    """The rerankers that there are: late interaction always, a cross-encoder where one is configured."""

    def __init__(self, late_interaction: LateInteraction, cross_encoder: Reranker | None = None) -> None:
        self._rerankers: dict[RerankMethod, Reranker] = {RerankMethod.LATE_INTERACTION: late_interaction}
        if cross_encoder is not None:
            self._rerankers[RerankMethod.CROSS_ENCODER] = cross_encoder

    @property
    def best(self) -> Reranker:
        """The cross-encoder if there is one, and late interaction otherwise."""
        return self._rerankers.get(RerankMethod.CROSS_ENCODER, self._rerankers[RerankMethod.LATE_INTERACTION])

    def get(self, method: RerankMethod) -> Reranker:
        """Returns the reranker of a method. Raises PreconditionFailed (RERANKER_MISSING)."""
        reranker = self._rerankers.get(method)
        if reranker is None:
            raise PreconditionFailed(
                "RERANKER_MISSING",
                f"no {method.value} model is configured",
                metadata={"method": method.value},
            )
        return reranker


def max_sim(query: Vectors, text: Vectors) -> float:
    """Returns the mean over the query's tokens of each one's greatest cosine with a token of the text, -1..1
    (MaxSim of Khattab and Zaharia, "ColBERT", 2020, by the number of tokens). Rows are of length 1."""
    if not len(query) or not len(text):
        return -1.0
    return float((query @ text.T).max(axis=1).mean())


class LateInteraction:
    """MaxSim over token vectors of the embedding model: no other model, and good across languages."""

    method = RerankMethod.LATE_INTERACTION

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model(self) -> str:
        return self._embedder.encoder.model.id

    async def query_tokens(self, query: str) -> Vectors:
        """Returns float32 [tokens, dimensions] of a query. Raises PreconditionFailed (TOKEN_VECTORS_MISSING)."""
        return (await self._embedder.embed_tokens([query], TextKind.QUERY, pool=1))[0]

    async def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Returns -1..1; scores of one model crowd in a narrow band and are comparable for one query only."""
        return await self.score_tokens(await self.query_tokens(query), texts)

    async def score_tokens(self, query: Vectors, texts: Sequence[str]) -> list[float]:
        """Does the same with a query's token vectors."""
        if not texts:
            return []
        return [
            max_sim(query, tokens)
            for tokens in await self._embedder.embed_tokens(texts, TextKind.PASSAGE, pool=1)
        ]


class CrossEncoder:
    """A sequence classification model in ONNX that reads the query and one text together (Nogueira and Cho, "Passage
    Re-ranking with BERT", 2019). `model.parameters`: max_tokens (512)."""

    method = RerankMethod.CROSS_ENCODER

    def __init__(self, model: InstalledModel, pool: InferencePool, *, threads: int) -> None:
        """Raises ModelMissing where files are not there, PreconditionFailed (MODEL_INVALID) where they can't be
        used."""
        self._pool = pool
        self._id = model.id
        files = [model.path / name for name in ("tokenizer.json", "model.onnx")]
        if not all(file.is_file() for file in files):
            raise ModelMissing(model.id)
        try:
            self._tokenizer = _open_tokenizer(
                str(files[0]), int(model.parameters.get("max_tokens", _DEFAULT_MAX_TOKENS))
            )
            self._session = _open_session(str(files[1]), threads)
            self._inputs = {node.name for node in self._session.get_inputs()}
            if unknown := self._inputs - {"input_ids", "attention_mask", "token_type_ids"}:
                raise ValueError(f"it wants inputs that are not known: {', '.join(sorted(unknown))}")
            self._score("a", ["b"])
        except (KeyError, ValueError) as error:
            raise PreconditionFailed(
                "MODEL_INVALID", f"model {model.id} can't be used ({error})", metadata={"model": model.id}
            ) from error

    @property
    def model(self) -> str:
        return self._id

    async def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Returns 0..1: the logistic function of the model's logit, a probability as far as the model is
        calibrated."""
        return await self._pool.run(lambda token: self._score(query, texts, token), wait=True)

    def _score(self, query: str, texts: Sequence[str], token: CancelToken | None = None) -> list[float]:
        encodings = self._tokenizer.encode_batch([(query, text) for text in texts])
        scores = [0.0] * len(texts)
        for positions in plan_batches([len(encoding.ids) for encoding in encodings], _BATCH_TOKENS):
            if token is not None:
                token.raise_if_cancelled()
            for position, score in zip(
                positions, self._run([encodings[position] for position in positions]), strict=True
            ):
                scores[position] = score
        return scores

    def _run(self, batch: Sequence[Any]) -> list[float]:
        shape = (len(batch), max(len(encoding.ids) for encoding in batch))
        feeds = {name: np.zeros(shape, np.int64) for name in self._inputs}
        rows = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
        for number, encoding in enumerate(batch):
            for name, matrix in feeds.items():
                matrix[number, : len(encoding.ids)] = getattr(encoding, rows[name])
        logits = np.asarray(self._session.run(None, feeds)[0], np.float64).reshape(len(batch), -1)
        if logits.shape[1] > 2:
            raise ValueError(f"it gives {logits.shape[1]} values a text, not a score")
        # Of two classes the second one is "relevant".
        values = logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]
        return [1 / (1 + math.exp(-min(max(value, -500.0), 500.0))) for value in values]


def _open_tokenizer(path: str, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(path)
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"tokenizer.json can't be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer


def _open_session(path: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions share no base but this one
        raise ValueError(f"model.onnx can't be loaded: {error}") from error
