"""Shows where a passage answers a query: its best sentence, and the query's words in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from recordroute_vector.domain import Passage
from recordroute_vector.sentences import sentence_spans

MAX_CHARACTERS = 240
ELLIPSIS = "…"
# The longest ending that may follow a word of a European language: "servers", "planning".
_MAX_ENDING = 3
_MIN_STEM = 4

_WORD = re.compile(r"\w+")
_HANGUL = re.compile(r"[가-힣]+")
_STOPWORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by did do does for from had has have how i in is it its of on or our that the "
        "their they this to was we were what when where which who why will with you your"
    )
)
# Particles and endings that stand at nouns; the longest that fits is taken off.
_PARTICLES = sorted(
    _WORD.findall(
        "은 는 이 가 을 를 에 의 로 와 과 도 만 야 요 에서 에게 한테 께서 으로 부터 까지 처럼 보다 마다 이나 라고 "
        "이라고 에는 에도 에서는 으로는 인가 이란 하고 들이 들은 들을 들의 입니다 이에요 예요 했나 하나 하나요 했나요"
    ),
    key=len,
    reverse=True,
)


@dataclass(frozen=True)
class TextRange:
    """A stretch of a text in code points, `end` not included."""

    start: int
    end: int


@dataclass(frozen=True)
class Snippet:
    """A sentence with what fits around it. `sentence` is where it stands in `text`, as far as it is shown; `start` and
    `end` are when that is said, in seconds from the recording's start, estimated by its place in the passage."""

    text: str
    highlights: tuple[TextRange, ...]
    sentence: TextRange
    start: float
    end: float


class QueryWords:
    """The words of a query that say something, ready to be found in texts.

    A Korean word is found in front of any particle, with its own taken off (서버가 finds 서버를); another one with
    the short endings of its language (server finds servers). `prefixes`, folded, find every word that begins so.
    """

    def __init__(self, query: str, prefixes: Sequence[str] = ()) -> None:
        self._prefixes = tuple(prefixes)
        words = {_fold(word) for word in _WORD.findall(unicodedata.normalize("NFC", query))}
        telling = words - _STOPWORDS or words
        self._stems = sorted({_stem(word) for word in telling}, key=lambda word: (-len(word), word))

    def matches(self, text: str) -> list[tuple[TextRange, str]]:
        """Returns where the words stand in `text`, in order, and which word it is."""
        found = []
        for match in _WORD.finditer(text):
            word = _fold(match.group())
            prefix = next((prefix for prefix in self._prefixes if word.startswith(prefix)), None)
            if prefix is not None:
                found.append((TextRange(match.start(), match.end()), prefix))
                continue
            for stem in self._stems:
                length = _matched_length(stem, word)
                if length:
                    # Folding may change a word's length (decomposed Hangul, ß): then all of it is marked.
                    end = match.start() + length if len(word) == len(match.group()) else match.end()
                    found.append((TextRange(match.start(), end), stem))
                    break
        return found

    def weight(self, text: str) -> int:
        """Returns the letters of all different query words in `text`: long words say more than short ones."""
        return sum(len(stem) for stem in {stem for _, stem in self.matches(text)})


def sentences(passage: Passage) -> list[TextRange]:
    """Returns the passage's sentences."""
    return [TextRange(*span) for span in sentence_spans(passage.text)]


def best_by_words(text: str, choices: Sequence[TextRange], words: QueryWords) -> TextRange | None:
    """Returns the sentence that holds most of the query's words, the first of equals; None where none holds any."""
    weights = [words.weight(text[choice.start : choice.end]) for choice in choices]
    best = max(range(len(choices)), key=weights.__getitem__, default=None)
    return choices[best] if best is not None and weights[best] else None


def make_snippet(passage: Passage, sentence: TextRange, words: QueryWords) -> Snippet:
    """Returns the sentence, with its neighbourhood where it is short, and cut around its first match where it is
    long: at most MAX_CHARACTERS of the passage, in whole words, and an ellipsis where text is left out."""
    text = passage.text
    first, last = sentence.start, sentence.end
    if last - first > MAX_CHARACTERS:
        matched = words.matches(text[first:last])
        centre = first + matched[0][0].start if matched else first
        start = max(first, min(centre - MAX_CHARACTERS // 4, last - MAX_CHARACTERS))
        window = TextRange(start, start + MAX_CHARACTERS)
    else:
        around = (MAX_CHARACTERS - (last - first)) // 2
        window = TextRange(max(0, first - around), min(len(text), last + around))
    window = _whole_words(text, window, keep=sentence)
    shown = text[window.start : window.end]
    before = ELLIPSIS if window.start > 0 else ""
    after = ELLIPSIS if window.end < len(text) else ""
    offset = len(before)
    said = TextRange(max(window.start, first), max(window.start, first, min(window.end, last)))
    seconds = (passage.end - passage.start) / max(1, len(text))
    return Snippet(
        text=f"{before}{shown}{after}",
        highlights=tuple(
            TextRange(found.start + offset, found.end + offset) for found, _ in words.matches(shown)
        ),
        sentence=TextRange(said.start - window.start + offset, said.end - window.start + offset),
        start=passage.start + seconds * said.start,
        end=min(passage.end, passage.start + seconds * said.end),
    )


def _whole_words(text: str, window: TextRange, keep: TextRange) -> TextRange:
    start, end = window.start, window.end
    if start > 0 and start != keep.start and not text[start - 1].isspace():
        space = text.find(" ", start, end)
        # Text without spaces is cut where the window is.
        start = space + 1 if space >= 0 else start
    if end < len(text) and end != keep.end and not text[end].isspace():
        space = text.rfind(" ", start, end)
        end = space if space >= 0 else end
    shown = text[start:end]
    return TextRange(start + len(shown) - len(shown.lstrip()), end - (len(shown) - len(shown.rstrip())))


def _fold(word: str) -> str:
    return unicodedata.normalize("NFC", word).lower()


def _stem(word: str) -> str:
    if _HANGUL.fullmatch(word):
        for particle in _PARTICLES:
            if word.endswith(particle) and len(word) - len(particle) >= 2:
                return word.removesuffix(particle)
    return word


def _matched_length(stem: str, word: str) -> int:
    if word == stem:
        return len(word)
    if not word.startswith(stem):
        return 0
    if _HANGUL.fullmatch(stem):
        return len(stem) if len(stem) >= 2 else 0
    ending = word[len(stem) :]
    if _HANGUL.fullmatch(ending):
        return len(stem)
    return len(word) if len(stem) >= _MIN_STEM and len(ending) <= _MAX_ENDING and ending.isalpha() else 0
