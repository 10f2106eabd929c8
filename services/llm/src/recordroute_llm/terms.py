"""Reduces text to what can be compared: content terms, numbers, names and negation, in English and Korean."""

from __future__ import annotations

import re
from collections.abc import Iterable

from recordroute_llm.lexicon import (
    ENGLISH_STOPWORDS,
    KOREAN_PARTICLES,
    KOREAN_STOPWORDS,
    TENS_WORDS,
    UNIT_WORDS,
)

# Longest first, so that the whole ending goes.
_PARTICLES = sorted(KOREAN_PARTICLES, key=len, reverse=True)
_UNITS = {name: value for value, name in enumerate(UNIT_WORDS)}
_TENS = {name: 10 * value for value, name in enumerate(TENS_WORDS, start=2)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINALS = {
    "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine", "twelfth": "twelve",
}  # fmt: skip
_HANGUL_SCALES = {"십": 10, "백": 100, "천": 1_000, "만": 10_000, "억": 100_000_000, "조": 1_000_000_000_000}

_WORD = re.compile(r"[가-힣]+|[^\W_]+(?:['’][^\W\d_]+)*")
_DIGITS = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:[.:]\d+)*")
_HANGUL_AMOUNT = re.compile(r"\d[\d,.]*\s*[십백천만억조](?:\s*[\d,.]*\s*[십백천만억조])*")
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


def _base_number_word(word: str) -> str:
    folded = word.casefold()
    if folded in _ORDINALS:
        return _ORDINALS[folded]
    if folded.endswith("tieth"):
        return folded.removesuffix("ieth") + "y"
    cardinal = folded.removesuffix("th")
    return cardinal if cardinal in _UNITS or cardinal in _SCALES else folded


def is_number(word: str) -> bool:
    """Says whether a word is a number, in digits or spelt out in English."""
    if word[0].isdigit():
        return True
    base = _base_number_word(word)
    return base in _TENS or base in _SCALES or (base in _UNITS and word.casefold() != "second")


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _english_numbers(tokens: Iterable[str]) -> set[str]:
    found: set[str] = set()
    total = group = 0
    last = ""

    def finish() -> None:
        nonlocal total, group, last
        # "one" alone is mostly a pronoun.
        if last and not (last == "one" and total + group == 1):
            found.add(_plain(total + group))
        total = group = 0
        last = ""

    for token in tokens:
        base = _base_number_word(token)
        if base in _SCALES and last:
            scale = _SCALES[base]
            if scale == 100:
                group *= 100
            else:
                total, group = total + group * scale, 0
        elif base in _TENS:
            if last in _TENS or last in _UNITS:
                finish()
            group += _TENS[base]
        elif base in _UNITS and token.casefold() != "second":
            if last in _UNITS or (last in _TENS and _UNITS[base] > 9):
                finish()
            group += _UNITS[base]
        elif base == "and" and last in _SCALES:
            continue
        else:
            finish()
            continue
        last = base
    finish()
    return found


def _hangul_amount(text: str) -> str:
    total = section = 0.0
    digits = ""
    for character in text:
        if character.isdigit() or character == ".":
            digits += character
        elif character in _HANGUL_SCALES:
            scale = _HANGUL_SCALES[character]
            number = float(digits.rstrip(".") or 0)
            digits = ""
            if scale >= 10_000:
                total += (section + number or 1) * scale
                section = 0.0
            else:
                section += (number or 1) * scale
    return _plain(total + section + float(digits.rstrip(".") or 0))


def numbers(text: str) -> set[str]:
    """Returns the numbers of a text in digits: "1,200", "twelve hundred" and "fifteenth" as 1200 and 15, "5천만" as
    50000000."""
    found = {_hangul_amount(match) for match in _HANGUL_AMOUNT.findall(text)}
    rest = _HANGUL_AMOUNT.sub(" ", text)
    for match in _DIGITS.findall(rest):
        plain = match.replace(",", "")
        try:
            found.add(_plain(float(plain)))
        except ValueError:
            found.add(plain)
    return found | _english_numbers(re.findall(r"[A-Za-z]+|[.,;:!?]", rest))


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


def is_negated(text: str) -> bool:
    """Says whether a text denies something."""
    return bool(_ENGLISH_NEGATION.search(text) or _KOREAN_NEGATION.search(text))
