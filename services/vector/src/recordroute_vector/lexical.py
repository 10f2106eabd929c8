"""Words as sparse vectors for BM25: stems of Latin words, syllable bigrams of Korean (and Chinese, Japanese) ones.

No analyser of words sees 서버 in 서버가 without a dictionary; the bigrams of the one are among those of the other,
whatever follows. The first syllable is a term of its own, so that nouns of one syllable are found in front of a
particle. English words are stemmed (Porter, "An algorithm for suffix stripping", 1980, in its Snowball revision).
Terms are known by a hash: there is no vocabulary to keep, and another embedding model changes none.
docs/decisions/0006-lexical-search.md has the figures.

The index multiplies with the inverse document frequency when it searches; here stands BM25's other half, the saturated
term frequency (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, eq. 3.15).
"""

from __future__ import annotations

import re
import threading
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import Stemmer

from recordroute_vector.domain import SparseVector

# Name of this way to make terms: an index that is made with another one is made anew.
ANALYZER = "bigrams-stems-1"
SATURATION = 1.2
LENGTH_NORMALIZATION = 0.75

_WORD = re.compile(r"[^\W_]+")
# Hangul, kana and Han: scripts whose words run together or carry endings without a space.
_SYLLABLES = re.compile(r"[가-힣ぁ-ゖァ-ヺ一-鿿]+")


def fold(text: str) -> str:
    """Returns the text as it is compared: compatibility forms and cases made one."""
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """Returns the words of a text, folded, in their order."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=65_536)
def terms(word: str) -> tuple[str, ...]:
    """Returns the terms of a folded word."""
    found: list[str] = []
    rest = 0
    for match in _SYLLABLES.finditer(word):
        if match.start() > rest:
            found.append(_stem(word[rest : match.start()]))
        found += _syllable_terms(match.group())
        rest = match.end()
    if rest < len(word):
        found.append(_stem(word[rest:]))
    return tuple(found)


def saturated(frequency: float, length: float) -> float:
    """Returns BM25's weight of a term that stands `frequency` times in a passage of `length` times the usual one."""
    normalized = 1 - LENGTH_NORMALIZATION + LENGTH_NORMALIZATION * length
    return frequency * (SATURATION + 1) / (frequency + SATURATION * normalized)


class LexicalEncoder:
    """Makes sparse vectors. `average_length` is the usual number of terms of a passage: a constant, because a weight
    that moved with the collection would have to be written anew with every document."""

    def __init__(self, *, average_length: int) -> None:
        self._average_length = average_length

    def encode_passages(self, texts: Sequence[str]) -> list[SparseVector]:
        """Returns the passages' terms, weighted by their saturated frequency."""
        return [self._weigh(list(_ids(text))) for text in texts]

    def encode_query(self, text: str) -> SparseVector:
        """Returns the query's terms, each of weight 1."""
        numbers = sorted(set(_ids(text)))
        return SparseVector(tuple(numbers), (1.0,) * len(numbers))

    def coverage(self, query: str, text: str) -> float:
        """Returns which part of the query's terms stands in `text`, 0..1."""
        wanted = set(_ids(query))
        return len(wanted.intersection(_ids(text))) / len(wanted) if wanted else 0.0

    def _weigh(self, numbers: Sequence[int]) -> SparseVector:
        length = len(numbers) / self._average_length
        counts = sorted(Counter(numbers).items())
        return SparseVector(
            tuple(number for number, _ in counts), tuple(saturated(count, length) for _, count in counts)
        )


def _syllable_terms(word: str) -> list[str]:
    return [f"^{word[0]}", *(word[place : place + 2] for place in range(len(word) - 1))]


_own = threading.local()


def _stem(word: str) -> str:
    # A stemmer keeps the word that it works on: one for each thread.
    if not hasattr(_own, "english"):
        _own.english = Stemmer.Stemmer("english", 0)
    stem: str = _own.english.stemWord(word)
    return stem


@lru_cache(maxsize=262_144)
def _id(term: str) -> int:
    return zlib.crc32(term.encode())


def _ids(text: str) -> Iterator[int]:
    for word in words(text):
        for term in terms(word):
            yield _id(term)
