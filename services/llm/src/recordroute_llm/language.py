"""Tells Korean and English from each other and from the rest."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from recordroute_llm.lexicon import ENGLISH_FUNCTION_WORDS

UNKNOWN = "und"

_SCRIPTS = {"HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "LATIN": "en"}
ENGLISH_SHARE = 0.12
SAMPLE_CHARACTERS = 20_000


def script_counts(text: str) -> Counter[str]:
    """Counts the letters of each script, by the first word of their Unicode names."""
    return Counter(unicodedata.name(character, "?").split()[0] for character in text if character.isalpha())


def detect_language(text: str) -> str:
    """Returns "ko", "ja", "zh" or "en", or "und" for any other language.

    Scripts decide; Latin text is English where enough of its words are English function words.
    """
    text = text[:SAMPLE_CHARACTERS]
    counts = script_counts(text)
    letters = sum(counts.values())
    if not letters:
        return UNKNOWN
    if counts["HANGUL"] >= 0.2 * letters:
        return "ko"
    if counts["HIRAGANA"] + counts["KATAKANA"] >= 0.1 * letters:
        return "ja"
    script, count = counts.most_common(1)[0]
    language = _SCRIPTS.get(script, UNKNOWN)
    if count < 0.5 * letters or language == UNKNOWN:
        return UNKNOWN
    if language == "en":
        words = re.findall(r"[a-z']+", text.casefold())
        share = sum(word in ENGLISH_FUNCTION_WORDS for word in words) / max(len(words), 1)
        # Too few words have no share to speak of.
        return "en" if share >= ENGLISH_SHARE or (len(words) < 8 and text.isascii()) else UNKNOWN
    return language


def written_in(text: str, language: str) -> bool:
    """Says whether the text's script is that of `language`. Languages that aren't told apart by script pass."""
    counts = script_counts(text)
    letters = sum(counts.values())
    if language == "ko":
        return letters > 0 and counts["HANGUL"] >= 0.5 * letters
    if language == "en":
        return letters > 0 and counts["LATIN"] >= 0.9 * letters
    return letters > 0
