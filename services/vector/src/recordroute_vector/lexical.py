"""Words as sparse vectors: BM25 over the subwords of the embedding model.

Subwords need no analyser a language: 서버 is a piece of 서버가, where a tokenizer of words sees two strangers. The
index multiplies with the inverse document frequency when it searches; here stands BM25's other half, the saturated
term frequency (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, eq. 3.15).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from recordroute_vector.domain import SparseVector
from recordroute_vector.tokenizer import TextTokenizer

SATURATION = 1.2
LENGTH_NORMALIZATION = 0.75


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


class LexicalEncoder:
    """Makes sparse vectors. `average_length` is the usual number of subwords of a passage: a constant, because a
    weight that moved with the collection would have to be written anew with every document."""

    def __init__(self, tokenizer: TextTokenizer, *, average_length: int) -> None:
        self._tokenizer = tokenizer
        self._average_length = average_length

    def encode_passages(self, texts: Sequence[str]) -> list[SparseVector]:
        """Returns the passages' terms, weighted by their saturated frequency."""
        pieces = self._tokenizer.word_pieces([_fold(text) for text in texts])
        return [self._weigh(numbers) for numbers in pieces]

    def encode_query(self, text: str) -> SparseVector:
        """Returns the query's terms, each of weight 1."""
        numbers = sorted(set(self._tokenizer.word_pieces([_fold(text)])[0]))
        return SparseVector(tuple(numbers), (1.0,) * len(numbers))

    def _weigh(self, numbers: Sequence[int]) -> SparseVector:
        length = 1 - LENGTH_NORMALIZATION + LENGTH_NORMALIZATION * len(numbers) / self._average_length
        counts = sorted(Counter(numbers).items())
        return SparseVector(
            tuple(number for number, _ in counts),
            tuple(count * (SATURATION + 1) / (count + SATURATION * length) for _, count in counts),
        )
