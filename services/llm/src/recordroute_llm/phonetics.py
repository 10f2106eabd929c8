"""How alike words sound: what recognisers confuse."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import jellyfish
from rapidfuzz.distance import Levenshtein

_NOT_SOUND = re.compile(r"[\W_]+")
# Korean consonants that differ by breath or tension only, and vowels that have become one sound.
_JAMO = str.maketrans(
    {
        "ᄁ": "ᄀ", "ᄏ": "ᄀ", "ᄄ": "ᄃ", "ᄐ": "ᄃ", "ᄈ": "ᄇ", "ᄑ": "ᄇ", "ᄊ": "ᄉ", "ᄍ": "ᄌ", "ᄎ": "ᄌ",
        "ᅢ": "ᅦ", "ᅤ": "ᅨ", "ᅬ": "ᅫ", "ᅰ": "ᅫ",
        "ᆩ": "ᆨ", "ᆿ": "ᆨ", "ᇀ": "ᆮ", "ᆺ": "ᆮ", "ᆻ": "ᆮ", "ᆽ": "ᆮ", "ᆾ": "ᆮ", "ᇁ": "ᆸ",
    }
)  # fmt: skip


@lru_cache(maxsize=65536)
def _sound(text: str) -> tuple[str, str]:
    """Returns the letters of a text, Hangul taken apart into sounds, and its Metaphone key (Philips 1990), empty where
    it is not written in Latin letters."""
    folded = _NOT_SOUND.sub("", text.casefold())
    letters = unicodedata.normalize("NFD", folded).translate(_JAMO)
    return letters, jellyfish.metaphone(folded) if folded.isascii() and folded.isalpha() else ""


def alikeness(left: str, right: str) -> float:
    """Returns how alike two texts sound, 0 to 1: the mean of how alike they are in letters and in sounds."""
    (first, first_key), (second, second_key) = _sound(left), _sound(right)
    if not first or not second:
        return 0.0
    written = Levenshtein.normalized_similarity(first, second)
    if not first_key or not second_key:
        return written
    return (written + Levenshtein.normalized_similarity(first_key, second_key)) / 2
