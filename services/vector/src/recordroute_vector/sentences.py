"""Finds the sentences of a text, in any language that ends them with a sign."""

from __future__ import annotations

import itertools
import re

# A closing sign ends a sentence where white space follows ("3.5" holds none); the full-width signs need no space.
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[”’」』）]*)\s*")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Returns the sentences as code-point ranges without the white space around them.

    Together they hold every character of `text` but white space, in order and without overlap.
    """
    edges = [0, *(match.end() for match in _END.finditer(text)), len(text)]
    spans = []
    for start, end in itertools.pairwise(edges):
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + piece.index(stripped[0])
            spans.append((first, first + len(stripped)))
    return spans


def ends_sentence(text: str) -> bool:
    """Says whether a sentence ends where `text` does."""
    return any(match.end() == len(text) for match in _END.finditer(text))
