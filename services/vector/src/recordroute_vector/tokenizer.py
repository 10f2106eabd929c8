"""The embedding model's tokenizer: loaded once a process (it takes hundreds of megabytes), used for everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

# How SentencePiece and WordPiece mark a piece's place in its word.
_MARKS = ("▁", "##")
_PADDING = ("<pad>", "[PAD]")
# Texts that are tokenized at once: an encoding takes hundreds of bytes a token.
_SLICE_CHARACTERS = 1 << 18

TokenIds = tuple[int, ...]


@dataclass(frozen=True)
class TokenizedText:
    """What the model reads of a text: ids with prefix and special tokens, in one window or several, each within the
    model's limit. `body` is where the text's own tokens stand in a window: from its first to its last excluded."""

    windows: tuple[TokenIds, ...]
    truncated: bool
    body: tuple[int, int]

    @property
    def token_count(self) -> int:
        """Tokens that are read, special tokens included."""
        return sum(map(len, self.windows))


class TextTokenizer:
    """A `tokenizer.json`, never changed after loading, so that any thread may use it."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError where the file is no tokenizer."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more exact
            raise ValueError(f"{path.name} can't be read: {error}") from error
        padding = self._tokenizer.padding
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._head, self._tail = self._special_tokens()
        self.special_token_count = len(self._head) + len(self._tail)
        self.vocabulary_size = self._tokenizer.get_vocab_size()
        ids = (self._tokenizer.token_to_id(name) for name in _PADDING)
        # None where the tokenizer does not say what fills a batch up.
        self.padding_id: int | None = (
            padding["pad_id"] if padding else next((number for number in ids if number is not None), None)
        )

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the tokens of each text, special tokens not included."""
        return [
            encoding.ids
            for part in _slices(texts)
            for encoding in self._tokenizer.encode_batch_fast(part, add_special_tokens=False)
        ]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Returns the number of tokens of each text, special tokens not included."""
        return [
            len(encoding)
            for part in _slices(texts)
            for encoding in self._tokenizer.encode_batch_fast(part, add_special_tokens=False)
        ]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Returns the code-point range of each token of the text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def word_pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of the texts' subwords that hold a letter or a digit, in order."""
        return [
            [
                number
                for number, piece in zip(encoding.ids, encoding.tokens, strict=True)
                if any(sign.isalnum() for sign in _unmarked(piece))
            ]
            for encoding in self._encode(texts)
        ]

    def windows(self, prefix: Sequence[int], body: Sequence[int], max_tokens: int) -> Iterator[TokenIds]:
        """Yields the windows that a text is read in: each begins with the prefix and repeats the last quarter of the
        one before it. One that fits is one window."""
        room = max_tokens - self.special_token_count - len(prefix)
        stride = room - room // 4
        for start in range(0, max(1, len(body) - (room - stride)), stride):
            yield (*self._head, *prefix, *body[start : start + room], *self._tail)

    def body(self, prefix: Sequence[int], window: TokenIds) -> tuple[int, int]:
        """Returns where the text's own tokens stand in its window."""
        return len(self._head) + len(prefix), len(window) - len(self._tail)

    def _encode(self, texts: Sequence[str]) -> Iterator[Encoding]:
        for part in _slices(texts):
            yield from self._tokenizer.encode_batch(part, add_special_tokens=False)

    def _special_tokens(self) -> tuple[TokenIds, TokenIds]:
        plain = self._tokenizer.encode("a", add_special_tokens=False).ids
        full = self._tokenizer.encode("a").ids
        for start in range(len(full) - len(plain) + 1):
            if plain and full[start : start + len(plain)] == plain:
                return tuple(full[:start]), tuple(full[start + len(plain) :])
        raise ValueError("its special tokens can't be told from the text's")


def _slices(texts: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _SLICE_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part


def _unmarked(piece: str) -> str:
    for mark in _MARKS:
        piece = piece.removeprefix(mark)
    return piece
