"""Finds the sentences of a text, in any language that ends them with a sign, and in Korean also without one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator


def _syllables_ending(consonant: int) -> str:
    """Returns all Hangul syllables with one final consonant, counted as Unicode does."""
    return "".join(chr(0xAC00 + 28 * number + consonant) for number in range(19 * 21))


# Those in front of the formal 니다 and 니까 end in ㅂ (the 니까 of "because" has none there), and those in front of
# the asking 가요 in ㄴ.
_BIEUP, _NIEUN = _syllables_ending(17), _syllables_ending(4)
_POLITE = "어아여해예에세네군지까나래데게워와려겨셔져켜봐돼줘춰"
# A closing sign ends a sentence where white space follows ("3.5" holds none); the full-width signs need no space.
# Speech that is written down without signs ends its Korean sentences with the endings of formal and polite verbs.
_END = re.compile(
    r"(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)"
    r"|[。！？]+[”’」』）]*"
    rf"|[{_BIEUP}]니[다까](?=\s|$)"
    rf"|(?<=[가-힣])(?:[{_POLITE}]요|[{_NIEUN}]가요|죠)(?=\s|$))\s*"
)
_TITLE = re.compile(r"(?:^|[\s(\"'“‘.])(?:Mr|Mrs|Ms|Dr|Prof|St|Fig|vs|cf|approx|e\.g|i\.e|[A-Z])\.$")
_NUMBER_SIGN = re.compile(r"\bNo\.$")
_LONGEST_TITLE = 8


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Returns the sentences as code-point ranges without the white space around them.

    Together they hold every character of `text` but white space, in order and without overlap.
    """
    edges = [0, *_ends(text), len(text)]
    spans = []
    for start, end in itertools.pairwise(edges):
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + piece.index(stripped[0])
            spans.append((first, first + len(stripped)))
    return spans


def ends_sentence(text: str) -> bool:
    """Says whether a sentence ends where `text` does."""
    return any(end == len(text) for end in _ends(text))


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        if not _is_abbreviation(text, match):
            yield match.end()


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    if match.group().rstrip() != "." or match.end() == len(text):
        return False
    before = text[max(0, match.start() - _LONGEST_TITLE) : match.start() + 1]
    return bool(_TITLE.search(before) or (_NUMBER_SIGN.search(before) and text[match.end()].isdigit()))
