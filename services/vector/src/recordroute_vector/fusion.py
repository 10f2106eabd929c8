"""Fuses the scores of several searches into one ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = Sequence[float | None]


def min_max(scores: Scores, *, floor: float | None = None) -> list[float]:
    """Maps scores to 0..1 by their least (or `floor`) and their greatest; None, which is "not found", to 0.

    Scores that are all the same say that each is the best there is: 1.
    """
    known = [score for score in scores if score is not None]
    if not known:
        return [0.0] * len(scores)
    low = min(known) if floor is None else floor
    width = max(known) - low
    return [0.0 if score is None else (score - low) / width if width > 0 else 1.0 for score in scores]


def fuse(dense: Scores, lexical: Scores, *, dense_weight: float, coverage: float = 1.0) -> list[float]:
    """Returns `dense_weight` x dense + (1 - `dense_weight`) x `coverage` x lexical of the same candidates, each mapped
    to 0..1.

    The least of the lexical scores is the theoretical one, 0, and of the dense ones the least of the candidates,
    because cosines of one model crowd in a narrow band (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
    Hybrid Retrieval", 2023). Unlike ranks, values keep a sure winner of one search ahead of chance finds of the
    other. `coverage`, the part of the query that the best passage by words has, 0..1, tells how much words have to
    say at all: nothing across languages, little where a question is put in words of its own.
    """
    return [
        dense_weight * meaning + (1 - dense_weight) * coverage * words
        for meaning, words in zip(min_max(dense), min_max(lexical, floor=0.0), strict=True)
    ]


@dataclass(frozen=True)
class RerankWeights:
    """Weights of the standard scores that a reranked passage is ranked by."""

    rerank: float = 1.0
    dense: float = 0.5
    lexical: float = 0.25


def fuse_reranked(
    rerank: Sequence[float], dense: Scores, lexical: Scores, *, weights: RerankWeights, coverage: float = 1.0
) -> list[float]:
    """Returns the logistic function, 0..1, of the weighted sum of the standard scores (z) of the same candidates.

    Unlike their ranges, the deviations of cosines, MaxSim and BM25 scores are alike in meaning from query to query.
    """
    total = (
        weights.rerank * _standardized(rerank)
        + weights.dense * _standardized(dense)
        + weights.lexical * coverage * _standardized([score or 0.0 for score in lexical])
    )
    return [float(value) for value in 1 / (1 + np.exp(-total))]


def _standardized(scores: Scores) -> npt.NDArray[np.float64]:
    known = [score for score in scores if score is not None]
    least = min(known, default=0.0)
    values = np.array([least if score is None else score for score in scores], np.float64)
    deviation = values.std() if len(values) else 0.0
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros(len(values))
