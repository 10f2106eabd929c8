"""Fuses the scores of two searches into one ranking."""

from __future__ import annotations

from collections.abc import Sequence


def min_max(scores: Sequence[float | None], *, floor: float | None = None) -> list[float]:
    """Maps scores to 0..1 by their least (or `floor`) and their greatest; None, which is "not found", to 0.

    Scores that are all the same say that each is the best there is: 1.
    """
    known = [score for score in scores if score is not None]
    if not known:
        return [0.0] * len(scores)
    low = min(known) if floor is None else floor
    width = max(known) - low
    return [0.0 if score is None else (score - low) / width if width > 0 else 1.0 for score in scores]


def fuse(
    dense: Sequence[float | None], lexical: Sequence[float | None], *, dense_weight: float
) -> list[float]:
    """Returns `dense_weight` x dense + (1 - `dense_weight`) x lexical of the same candidates, each mapped to 0..1.

    The least of the lexical scores is the theoretical one, 0, and of the dense ones the least of the candidates,
    because cosines of one model crowd in a narrow band (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
    Hybrid Retrieval", 2023). Unlike ranks, values keep a sure winner of one search ahead of chance finds of the
    other.
    """
    return [
        dense_weight * meaning + (1 - dense_weight) * words
        for meaning, words in zip(min_max(dense), min_max(lexical, floor=0.0), strict=True)
    ]
