"""Sentences of passages as questions are compared with them: what is said in them, and whether a word stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from recordroute_llm.facts import Fact, FactKind
from recordroute_llm.reading import Reading, canonical
from recordroute_llm.rules import is_question
from recordroute_llm.terms import is_hangul

FIRST_PERSON = re.compile(
    r"\b(?:I|me|my|mine|we|our|us)\b|제가|저는|저희|우리|제\s|내가|나는|겠습니다|게요", re.IGNORECASE
)
# Endings that make one word of another: "inspect", "inspection".
_DERIVED = ("s", "ion", "ation", "ance", "al")
_SHORTEST_ROOT = 5
_SYLLABLES, _VOWELS, _FINALS = 0xAC00, 21, 28
_NIEUN, _RIEUL = 4, 8
# Vowels of Korean verbs that run together with their ending: ㅘ of ㅗ, ㅝ of ㅜ, ㅕ of ㅣ.
_CONTRACTED = {9: 8, 14: 13, 6: 20}


@dataclass(frozen=True)
class Line:
    """A sentence that was read: its place in code points of the passage, and who says it, where that is known."""

    start: int
    text: str
    speaker: str
    reading: Reading

    @property
    def asks(self) -> bool:
        """Whether it is a question."""
        return is_question(self.text)

    @property
    def said(self) -> Said:
        """What is said in it."""
        return Said(self.text, self.reading.terms, self.reading.facts)


@dataclass(frozen=True)
class Said:
    """Text that was read."""

    text: str = ""
    terms: frozenset[str] = frozenset()
    facts: tuple[Fact, ...] = ()

    def __add__(self, other: Said) -> Said:
        return Said(f"{self.text}\n{other.text}", self.terms | other.terms, self.facts + other.facts)

    def has(self, fact: Fact) -> bool:
        """Says whether a fact stands there. At the beginning of a sentence a name looks like any word."""
        if any(fact.agrees(other) for other in self.facts):
            return True
        return fact.kind is FactKind.NAME and self.names(fact.value)

    def names(self, name: str) -> bool:
        """Says whether a name stands there, however it is written."""
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?![a-z])", self.text, re.IGNORECASE))

    def says(self, term: str) -> bool:
        """Says whether a term stands there, in a form or as a part of a word that is known."""
        if term in self.terms or (is_hangul(term) and len(term) > 1 and term in self.text):
            return True
        if is_hangul(term) and canonical(f"{_uncontracted(term)}기") in self.terms:
            return True
        return any(_same_word(term, other) for other in self.terms)

    def says_verb(self, verb: str) -> bool:
        """Says whether a verb stands there; Korean ones change more than other words do."""
        return self.says(verb) or (is_hangul(verb) and _root(verb) in map(_root, self.terms))


def _same_word(left: str, right: str) -> bool:
    """Says whether one of two stems is made of the other ("inspect" and "inspection"), or in Korean is the same verb
    ("미루" and "미뤄", "오" and "오시")."""
    if is_hangul(left) and is_hangul(right):
        left, right = _uncontracted(left), _uncontracted(right)
        return left == right or f"{left}시" == right or left == f"{right}시"
    short, long = sorted((left, right), key=len)
    return len(short) >= _SHORTEST_ROOT and long.startswith(short) and long.removeprefix(short) in _DERIVED


def _final(syllable: str) -> int:
    return (ord(syllable) - _SYLLABLES) % _FINALS


def _uncontracted(verb: str) -> str:
    code = ord(verb[-1]) - _SYLLABLES
    vowel = code // _FINALS % _VOWELS
    if code % _FINALS or vowel not in _CONTRACTED:
        return verb
    initial = code // (_VOWELS * _FINALS)
    return verb[:-1] + chr(_SYLLABLES + (initial * _VOWELS + _CONTRACTED[vowel]) * _FINALS)


def _root(verb: str) -> str:
    """Returns the root of a Korean verb, without the ending of "오른", and "오르" of "올라"."""
    if not is_hangul(verb) or len(verb) < 2:
        return verb
    if verb[-1] in "아어":
        return verb[:-1]
    if verb[-1] in "라러" and _final(verb[-2]) == _RIEUL:
        return f"{verb[:-2]}{chr(ord(verb[-2]) - _RIEUL)}르"
    final = _final(verb[-1])
    return verb[:-1] + chr(ord(verb[-1]) - final) if final in (_NIEUN, _RIEUL) else verb
