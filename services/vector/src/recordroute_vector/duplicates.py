"""Recognises texts that say the same thing in nearly the same words: overlapping passages, repeated recordings."""

from __future__ import annotations

from collections import Counter, defaultdict

from recordroute_vector.lexical import words

# Words in a row that are compared (Broder, "On the resemblance and containment of documents", 1997).
SHINGLE_WORDS = 3
# From so much of all that either text has, both have: then two texts are one.
RESEMBLANCE = 0.8


class DuplicateFinder:
    """Takes texts one after another and knows which earlier one each repeats."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)

    def add(self, text: str) -> int | None:
        """Returns the number, from 0, of the first kept text that this one repeats; keeps it where there is none."""
        shingles = _shingles(text)
        shared = Counter(number for shingle in shingles for number in self._holders.get(shingle, ()))
        for number, count in sorted(shared.items()):
            if count >= RESEMBLANCE * (len(shingles) + self._sizes[number] - count):
                return number
        for shingle in shingles:
            self._holders[shingle].append(len(self._sizes))
        self._sizes.append(len(shingles))
        return None


def _shingles(text: str) -> set[tuple[str, ...]]:
    own = words(text)
    last = max(1, len(own) - SHINGLE_WORDS + 1)
    return {tuple(own[start : start + SHINGLE_WORDS]) for start in range(last)} if own else set()
