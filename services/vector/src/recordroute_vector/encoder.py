"""Texts to vectors: an ONNX embedding model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from recordroute_runtime.errors import InvalidInput, PreconditionFailed, ProcessingFailed
from recordroute_runtime.models import InstalledModel

from recordroute_vector.hardware import DeviceSetting, choose_devices, open_session
from recordroute_vector.model_files import ModelFiles, Pooling, read_model_files
from recordroute_vector.tokenizer import TextTokenizer, TokenIds, TokenizedText

Vectors = npt.NDArray[np.float32]

# Tokens of a batch, padding included: one batch keeps a core busy for a twentieth of a second, and larger ones are no
# faster; a GPU wants thousands.
_CPU_BATCH_TOKENS = 256
_ACCELERATOR_BATCH_TOKENS = 16_384
# A run of its own costs a core as much as so many tokens of padding.
_CPU_PADDING_TOKENS = 8
# Activations that are quantised by the batch's own greatest value move a vector by 1e-2, rounding by 1e-6.
_BATCH_TOLERANCE = 1e-3

_INPUTS = {
    "input_ids": lambda ids, mask: ids,
    "attention_mask": lambda ids, mask: mask,
    "token_type_ids": lambda ids, mask: np.zeros_like(mask),
    "position_ids": lambda ids, mask: np.maximum(mask.cumsum(axis=1) - 1, 0),
}
_INPUT_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_OUTPUT_TYPES = frozenset({"tensor(float)", "tensor(float16)", "tensor(double)"})
_TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings")
_TEXT_OUTPUTS = ("sentence_embedding",)


class TextKind(Enum):
    """What a text is used for: models treat questions and answers differently."""

    QUERY = "query"
    PASSAGE = "passage"


class Truncation(Enum):
    """What becomes of a text that is longer than the model reads."""

    END = "end"
    ERROR = "error"
    WINDOW_MEAN = "window_mean"


@dataclass(frozen=True)
class Embedding:
    """A float32 vector of length 1 unless it was asked for otherwise, the tokens that were read for it, and whether
    the text had more."""

    vector: Vectors
    token_count: int
    truncated: bool


def plan_batches(
    lengths: Sequence[int], token_budget: int, max_padding: int | None = None
) -> list[list[int]]:
    """Groups texts of like length so that longest x count stays within the budget and no text gets more than
    `max_padding` tokens of padding; a text that alone is over the budget is a batch of its own. Returns positions in
    `lengths`, each once.

    Padding and cache misses make mixed batches several times slower than these on a CPU.
    """
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[position]
        if (
            batches
            and length * (len(batches[-1]) + 1) <= token_budget
            and (max_padding is None or length - lengths[batches[-1][0]] <= max_padding)
        ):
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches


class Encoder:
    """One embedding model, used as `model_files` reads it.

    A vector does not depend on the texts that it is computed with: a model whose graph makes it so (activations that
    are quantised by the batch's greatest value) gets one text at a time. Any thread may call.
    """

    def __init__(
        self,
        model: InstalledModel,
        *,
        threads: int = 1,
        device: DeviceSetting = "auto",
        batch_token_budget: int | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """`threads` share one run on a CPU. `batch_token_budget`: tokens of a batch, padding included; None: what
        suits the device. `parameters` go before those of the model.

        Raises ModelMissing where files are not there, PreconditionFailed where they can't be used (MODEL_INVALID) or
        the device is not there (DEVICE_MISSING).
        """
        self.model = model
        try:
            files = read_model_files(model, parameters)
            devices = choose_devices(device)
            self.tokenizer = TextTokenizer(files.tokenizer)
            self._session, self.device = open_session(str(files.onnx), devices, threads)
            self._use(files)
        except (KeyError, TypeError, ValueError) as error:
            raise PreconditionFailed(
                "MODEL_INVALID",
                f"model {model.id} can't be used ({error}); check it with: recordroute models verify {model.id}",
                metadata={"model": model.id},
            ) from error
        accelerated = self.device.accelerated
        self.batch_token_budget = batch_token_budget or (
            _ACCELERATOR_BATCH_TOKENS if accelerated else _CPU_BATCH_TOKENS
        )
        self.max_padding = None if accelerated else _CPU_PADDING_TOKENS
        if not self._is_batch_invariant():
            self.batch_token_budget = 1

    @property
    def passage_room(self) -> int:
        """Tokens that a passage may have and be read in full: the limit less the prefix and the special tokens."""
        return self._room(TextKind.PASSAGE)

    def tokenize(
        self, texts: Sequence[str | TokenIds], kind: TextKind, truncation: Truncation = Truncation.END
    ) -> list[TokenizedText]:
        """Returns the texts as the model reads them, prefix and special tokens added.

        Raises InvalidInput: TEXT_TOO_LONG with `Truncation.ERROR`, TOKEN_OUT_OF_RANGE for ids that are none.
        """
        prefix, prefix_ids = self._prefixes[kind]
        written = {position: text for position, text in enumerate(texts) if isinstance(text, str)}
        whole = self.tokenizer.ids([self._cased(prefix + text) for text in written.values()])
        bodies: dict[int, Sequence[int]] = {}
        for position, ids in zip(written, whole, strict=True):
            # A prefix that runs into the text's first token can't be taken off again, and is read twice then.
            stands = tuple(ids[: len(prefix_ids)]) == prefix_ids
            bodies[position] = ids[len(prefix_ids) :] if stands else ids
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                self._check_ids(position, text)
                bodies[position] = text
        return [self._read(position, bodies[position], kind, truncation) for position in range(len(texts))]

    def batches(self, texts: Sequence[TokenIds]) -> list[list[int]]:
        """Returns the positions of the texts in the batches that are best run together."""
        return plan_batches([len(text) for text in texts], self.batch_token_budget, self.max_padding)

    def run(self, batch: Sequence[TokenIds]) -> list[Vectors]:
        """Runs the model once. Returns of each text the float32 states of its tokens, [tokens, dimensions], or, from a
        model that gives nothing else, its pooled vector, [dimensions].

        Raises ProcessingFailed (MODEL_OUTPUT_INVALID) where they are not finite.
        """
        shape = (len(batch), max(map(len, batch)))
        ids = np.full(shape, self._padding_id, np.int64)
        mask = np.zeros(shape, np.int64)
        for row, text in enumerate(batch):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        feeds = {name: _INPUTS[name](ids, mask).astype(kind, copy=False) for name, kind in self._inputs}
        output = np.asarray(self._session.run([self._output], feeds)[0])
        if output.ndim == 2:
            rows = [row.astype(np.float32) for row in output]
        else:
            rows = [
                row[: len(text)].astype(np.float32, copy=False)
                for row, text in zip(output, batch, strict=True)
            ]
        if not all(np.isfinite(row).all() for row in rows):
            raise ProcessingFailed(
                "MODEL_OUTPUT_INVALID", f"model {self.model.id} gave a vector with no number"
            )
        return rows

    def pool(self, states: Vectors) -> Vectors:
        """Returns the vector of a text, not normalised, from what `run` gave of it."""
        if states.ndim == 1:
            return states
        if self._pooling is Pooling.CLS:
            first: Vectors = states[0]
            return first
        if self._pooling is Pooling.LAST_TOKEN:
            last: Vectors = states[-1]
            return last
        mean: Vectors = states.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    def encode(self, batch: Sequence[TokenIds]) -> Vectors:
        """Runs the model once. Returns float32 [len(batch), dimensions], each row of length 1."""
        return normalized(np.stack([self.pool(states) for states in self.run(batch)]))

    def embed(self, texts: Sequence[str], kind: TextKind) -> list[Embedding]:
        """Embeds any number of texts at once, in their order; the end of those that are too long is left out."""
        tokenized = self.tokenize(texts, kind)
        windows = [text.windows[0] for text in tokenized]
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for positions in self.batches(windows):
            vectors[positions] = self.encode([windows[position] for position in positions])
        return [
            Embedding(vector, text.token_count, text.truncated)
            for vector, text in zip(vectors, tokenized, strict=True)
        ]

    def token_vectors(self, states: Vectors, body: tuple[int, int], pool: int) -> Vectors:
        """Returns float32 [tokens / pool rounded up, dimensions], each row of length 1: the means of `pool` tokens in
        a row of the text itself, for late interaction (Khattab and Zaharia, "ColBERT", 2020; pooling after Clavié et
        al., "Reducing the Footprint of Multi-Vector Retrieval", 2024)."""
        own = normalized(states[body[0] : body[1]])
        starts = range(0, len(own), pool)
        means = [own[start : start + pool].mean(axis=0) for start in starts]
        return normalized(np.stack(means)) if means else np.empty((0, self.dimensions), np.float32)

    def encode_tokens(self, texts: Sequence[str], kind: TextKind, pool: int = 3) -> list[Vectors]:
        """Returns each text's `token_vectors`. Raises PreconditionFailed (TOKEN_VECTORS_MISSING) where the model gives
        no token states."""
        self.check_token_vectors()
        tokenized = self.tokenize(texts, kind)
        windows = [text.windows[0] for text in tokenized]
        found: dict[int, Vectors] = {}
        for positions in self.batches(windows):
            rows = self.run([windows[position] for position in positions])
            for position, states in zip(positions, rows, strict=True):
                found[position] = self.token_vectors(states, tokenized[position].body, pool)
        return [found[position] for position in range(len(texts))]

    def check_token_vectors(self) -> None:
        """Raises PreconditionFailed (TOKEN_VECTORS_MISSING) where the model gives no token states."""
        if self._pooling is None:
            raise PreconditionFailed(
                "TOKEN_VECTORS_MISSING",
                f"model {self.model.id} gives one vector a text and none of its tokens",
                metadata={"model": self.model.id},
            )

    def _use(self, files: ModelFiles) -> None:
        self._inputs = [(node.name, _INPUT_TYPES.get(node.type)) for node in self._session.get_inputs()]
        if unknown := [name for name, kind in self._inputs if name not in _INPUTS or kind is None]:
            raise ValueError(f"it wants inputs that are not known: {', '.join(unknown)}")
        output, rank = self._choose_output(files)
        self._output = output
        self._pooling = files.pooling if rank == 3 else None
        if rank == 3 and self._pooling is None:
            raise ValueError("its files do not say how its tokens are pooled: set the parameter pooling")
        padding_id = self.tokenizer.padding_id if files.padding_id is None else files.padding_id
        if padding_id is None:
            raise ValueError("its files do not say what fills a batch up: set the parameter padding_id")
        self._padding_id = padding_id
        self._vocabulary_size = min(files.vocabulary_size or 1 << 31, self.tokenizer.vocabulary_size)
        self._lowercase = files.lowercase
        self._prefixes = {
            kind: (prefix, tuple(self.tokenizer.ids([self._cased(prefix.rstrip())])[0]))
            for kind, prefix in (
                (TextKind.QUERY, files.query_prefix),
                (TextKind.PASSAGE, files.passage_prefix),
            )
        }
        self.max_tokens = files.max_tokens
        if min(self._room(kind) for kind in TextKind) < 1:
            raise ValueError(f"max_tokens {self.max_tokens} leaves no room for a text")
        (states,) = self.run(
            [next(self.tokenizer.windows((), self.tokenizer.ids(["a"])[0], self.max_tokens))]
        )
        self.dimensions: int = states.shape[-1]
        if files.dimensions not in (None, self.dimensions):
            raise ValueError(f"its vectors have {self.dimensions} dimensions, not {files.dimensions}")

    def _choose_output(self, files: ModelFiles) -> tuple[str, int]:
        outputs = {node.name: node for node in self._session.get_outputs()}
        if files.output is not None:
            names = [files.output]
        else:
            # With a pooling that is stated, tokens come first: they serve late interaction as well.
            known = (*_TOKEN_OUTPUTS, *_TEXT_OUTPUTS) if files.pooling else (*_TEXT_OUTPUTS, *_TOKEN_OUTPUTS)
            names = [name for name in known if name in outputs] or (
                list(outputs) if len(outputs) == 1 else []
            )
        if not names or names[0] not in outputs:
            raise ValueError(f"parameter output must name one of its outputs: {', '.join(outputs)}")
        node = outputs[names[0]]
        rank = len(node.shape or ())
        if rank not in (2, 3) or node.type not in _OUTPUT_TYPES:
            raise ValueError(f"its output {node.name} is {node.type} {node.shape}")
        return node.name, rank

    def _is_batch_invariant(self) -> bool:
        short, long = (self.tokenizer.ids([text])[0] for text in ("a", "1, 2 and 3: " * 8))
        texts = [next(self.tokenizer.windows((), ids, self.max_tokens)) for ids in (short, long)]
        alone = np.concatenate([self.encode([text]) for text in texts])
        return bool(np.abs(self.encode(texts) - alone).max() < _BATCH_TOLERANCE)

    def _room(self, kind: TextKind) -> int:
        return self.max_tokens - len(self._prefixes[kind][1]) - self.tokenizer.special_token_count

    def _cased(self, text: str) -> str:
        return text.lower() if self._lowercase else text

    def _read(
        self, position: int, body: Sequence[int], kind: TextKind, truncation: Truncation
    ) -> TokenizedText:
        prefix, room = self._prefixes[kind][1], self._room(kind)
        too_long = len(body) > room
        if too_long and truncation is Truncation.ERROR:
            raise InvalidInput(
                "TEXT_TOO_LONG",
                f"text {position} has {len(body)} tokens, and model {self.model.id} reads {room}",
                metadata={"position": str(position), "tokens": str(len(body)), "max_tokens": str(room)},
            )
        windowed = truncation is Truncation.WINDOW_MEAN
        windows = tuple(self.tokenizer.windows(prefix, body if windowed else body[:room], self.max_tokens))
        return TokenizedText(windows, too_long and not windowed, self.tokenizer.body(prefix, windows[0]))

    def _check_ids(self, position: int, ids: TokenIds) -> None:
        if not ids or min(ids) < 0 or max(ids) >= self._vocabulary_size:
            raise InvalidInput(
                "TOKEN_OUT_OF_RANGE",
                f"token array {position} must hold ids below {self._vocabulary_size}",
                metadata={"position": str(position), "vocabulary_size": str(self._vocabulary_size)},
            )


def normalized(vectors: Vectors) -> Vectors:
    """Returns the rows with length 1; a row of nothing but zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled
