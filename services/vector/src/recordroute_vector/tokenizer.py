"""The embedding model's tokenizer: loaded once a process (it takes hundreds of megabytes), used for everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

# How SentencePiece and WordPiece mark a piece's place in its word.
_MARKS = ("▁", "##")
_PADDING = ("<pad>", "[PAD]")


@dataclass(frozen=True)
class TokenizedText:
    """What the model reads of a text: ids with the special tokens, cut at the model's limit."""

    ids: tuple[int, ...]
    truncated: bool


class TextTokenizer:
    """A `tokenizer.json`, never changed after loading, so that any thread may use it."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError where the file is no tokenizer."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more exact
            raise ValueError(f"{path.name} can't be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.special_token_count = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        ids = (self._tokenizer.token_to_id(name) for name in _PADDING)
        self.padding_id = next((number for number in ids if number is not None), 0)

    def tokenize(self, texts: Sequence[str], max_tokens: int) -> list[TokenizedText]:
        """Returns the texts as the model reads them, each at most `max_tokens` long, special tokens included."""
        room = max_tokens - self.special_token_count
        return [self._cut(encoding, room) for encoding in self._encode(texts)]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Returns the number of tokens of each text, special tokens not included."""
        return [len(encoding.ids) for encoding in self._encode(texts)]

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

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)

    def _cut(self, encoding: Encoding, room: int) -> TokenizedText:
        truncated = len(encoding.ids) > room
        if truncated:
            encoding.truncate(room)
        return TokenizedText(tuple(self._tokenizer.post_process(encoding).ids), truncated)


def _unmarked(piece: str) -> str:
    for mark in _MARKS:
        piece = piece.removeprefix(mark)
    return piece
