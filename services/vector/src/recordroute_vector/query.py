"""What a query asks for: its words, "exact phrases", and beginnings of words (wor*)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from recordroute_vector.lexical import fold, words

_PHRASE = re.compile(r'["“”„‟]([^"“”„‟]*)["“”„‟]')
_PREFIX = re.compile(r"(?<![^\s])([^\W_]+)\*(?![^\s])")
_HANGUL_END = re.compile(r"[가-힣]$")


@dataclass(frozen=True)
class ParsedQuery:
    """A query without its signs in `text`, and what a passage must hold to be found at all.

    A phrase stands in a text at a word's beginning, its words in their order with nothing but white space and signs
    between them. It ends with a word, but for a Korean one, which may have a particle after it: "예산 회의" is in
    "예산 회의는". A prefix begins a word.
    """

    text: str
    phrases: tuple[tuple[str, ...], ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def required_words(self) -> tuple[str, ...]:
        """Beginnings of words that a passage has if it matches; others may have them, too."""
        return tuple(dict.fromkeys([*(word for phrase in self.phrases for word in phrase), *self.prefixes]))

    def matches(self, text: str) -> bool:
        """Says whether a passage holds every phrase and a word for every prefix."""
        if not self._required:
            return True
        folded = fold(text)
        return all(pattern.search(folded) for pattern in self._required)

    def prefix_counts(self, text: str) -> list[int]:
        """Returns how many words of `text` begin with each prefix."""
        if not self.prefixes:
            return []
        own = words(text)
        return [sum(word.startswith(prefix) for word in own) for prefix in self.prefixes]

    @cached_property
    def _required(self) -> list[re.Pattern[str]]:
        return [
            *(re.compile(_phrase_pattern(phrase)) for phrase in self.phrases),
            *(re.compile(rf"(?<![^\W_]){re.escape(prefix)}") for prefix in self.prefixes),
        ]


def parse(query: str) -> ParsedQuery:
    """Reads a query. Quotes that are not closed and stars elsewhere are signs like any other."""
    phrases = [tuple(words(inside)) for inside in _PHRASE.findall(query)]
    plain = _PHRASE.sub(lambda match: f" {match.group(1)} ", query)
    outside = _PHRASE.sub(" ", query)
    prefixes = [fold(prefix) for prefix in _PREFIX.findall(outside)]
    text = " ".join(_PREFIX.sub(r"\1", plain).split())
    return ParsedQuery(
        text=text,
        phrases=tuple(dict.fromkeys(phrase for phrase in phrases if phrase)),
        prefixes=tuple(dict.fromkeys(prefixes)),
    )


def _phrase_pattern(phrase: tuple[str, ...]) -> str:
    body = r"[\W_]+".join(map(re.escape, phrase))
    end = "" if _HANGUL_END.search(phrase[-1]) else r"(?![^\W_])"
    return rf"(?<![^\W_]){body}{end}"
