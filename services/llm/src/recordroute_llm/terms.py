"""Reduces text to what can be compared: content terms, numbers, names and negation, in English and Korean."""

from __future__ import annotations

import re
from collections.abc import Iterable

from recordroute_llm.lexicon import ENGLISH_STOPWORDS, KOREAN_PARTICLES, KOREAN_STOPWORDS
from recordroute_llm.numerals import find_numbers, is_number

# Longest first, so that the whole ending goes.
_PARTICLES = sorted(KOREAN_PARTICLES, key=len, reverse=True)

_WORD = re.compile(r"[가-힣]+|[^\W_]+(?:['’][^\W\d_]+)*")
_ENGLISH_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without)\b|n['’]t\b", re.IGNORECASE
)
_KOREAN_NEGATION = re.compile(r"않|못|없|아니|(?:^|\s)안\s|말(?:자|아|고|죠|기로)")
_HANGUL_STEM = 2
_ENGLISH_ENDINGS = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ies",
    "ied",
    "es",
    "ed",
    "s",
    "e",
    "y",
    "ly",
)


def words(text: str) -> list[str]:
    """Returns the words of a text, Hangul apart from the Latin letters and digits that it touches."""
    return _WORD.findall(text)


def strip_particle(word: str) -> str:
    """Returns a Korean word without its particle, at least two syllables of it."""
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= _HANGUL_STEM:
            return word.removesuffix(particle)
    return word


def is_hangul(word: str) -> bool:
    """Says whether a word begins with a Hangul syllable."""
    return "가" <= word[:1] <= "힣"


def is_stopword(word: str) -> bool:
    """Says whether a word carries no content of its own."""
    folded = word.casefold().replace("’", "'")
    return folded in ENGLISH_STOPWORDS or folded in KOREAN_STOPWORDS


def stem(word: str) -> str:
    """Returns a key that is the same for the usual forms of a word.

    English loses its commonest endings. Korean keeps two syllables: its endings are many, its stems short.
    """
    if is_hangul(word):
        return strip_particle(word)[:_HANGUL_STEM]
    folded = word.casefold().replace("’", "'").removesuffix("'s")
    for ending in _ENGLISH_ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            folded = folded.removesuffix(ending)
            break
    if len(folded) > 3 and folded[-1] == folded[-2] and folded[-1] not in "aeiouls":
        folded = folded[:-1]
    return folded


def terms(text: str) -> set[str]:
    """Returns the stems of a text's content words; numbers are left to `numbers`."""
    return {
        stem(word)
        for word in words(text)
        if not is_stopword(word) and (len(word) > 1 or is_hangul(word)) and not is_number(word)
    }


def numbers(text: str) -> set[str]:
    """Returns the values of a text's numbers in digits, see `find_numbers`."""
    return {number.value for number in find_numbers(text)}


def names(text: str, speakers: Iterable[str] = ()) -> set[str]:
    """Returns what a text writes like a name, casefolded: capitalised words and acronyms that don't begin a sentence,
    and the speakers' names wherever they stand."""
    found = {
        match.group(1).casefold()
        for match in re.finditer(r"(?<![.!?…:]\s)(?<=[\s\"'“(/-])([A-Z][\w-]*)", text)
        if match.group(1) != "I" and not is_stopword(match.group(1)) and not is_number(match.group(1))
    }
    for speaker in speakers:
        for part in words(speaker):
            if len(part) > 1 and re.search(rf"(?<!\w){re.escape(part)}", text):
                found.add(part.casefold())
    return found


def count_negations(text: str) -> int:
    """Counts the words by which a text denies something."""
    return len(_ENGLISH_NEGATION.findall(text)) + len(_KOREAN_NEGATION.findall(text))
