"""Finds out the language of a text."""

from __future__ import annotations

import re

# So much of a text tells its language.
SAMPLE_CHARACTERS = 20_000
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")


def detect_language(text: str) -> tuple[str, float]:
    """Returns the language (BCP 47 primary subtag) with its probability; empty where the text has no letters.

    Other than by their script, languages are told apart by langid (Lui and Baldwin 2012).
    """
    sample = text[:SAMPLE_CHARACTERS]
    letters = len(_LETTER.findall(sample))
    if not letters:
        return "", 0.0
    # Scripts of one language need no guess, and Korean texts are full of English names.
    if len(_HANGUL.findall(sample)) > 0.2 * letters:
        return "ko", 1.0
    if len(_KANA.findall(sample)) > 0.1 * letters:
        return "ja", 1.0
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    language, probability = identifier.classify(sample)
    return str(language), float(probability)
