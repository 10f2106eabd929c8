"""Finds the people in a recording from the voices in its short windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

Vectors = NDArray[np.float32]
Labels = NDArray[np.intp]

# Who speaks for less than this is not told apart: 3 % of the speech, within these bounds, in windows; of hours of
# speech a thousandth, since outliers become more.
MIN_SHARE, MIN_WINDOWS, MAX_WINDOWS, LONG_SHARE = 0.03, 2, 3.4, 0.001
# Linkage takes memory and time by the square of the voices: above this many they are reduced, block by block.
MAX_VOICES = 2000
BLOCK = 1000
TIGHT_DISTANCE, TIGHT_STEP = 0.25, 0.05


def find_voices(windows: Vectors, *, threshold: float, count: int | None) -> Vectors:
    """Returns the voices of the people in `windows`, shape (people, size), unit length.

    `windows` holds voices of 1 to 1.5 s of speech in the order of time, shape (n, size), unit length, n at least 1.
    Agglomerative clustering by average linkage on the cosine distance: until no two clusters are closer than
    `threshold`, or to `count` people; fewer come back where there are not as many voices.
    """
    if len(windows) == 1 or count == 1:
        return _unit(windows.mean(axis=0, keepdims=True))
    voices, sizes = _reduced(windows)
    if len(voices) == 1:
        return _unit(voices)
    tree = linkage(squareform(_distances(voices), checks=False), "average")
    least = max(float(np.clip(MIN_SHARE * len(windows), MIN_WINDOWS, MAX_WINDOWS)), LONG_SHARE * len(windows))
    if count is None:
        labels = fcluster(tree, threshold, "distance") - 1
        weights = np.bincount(labels, sizes)
        kept = np.flatnonzero(weights >= min(least, weights.max()))
    else:
        labels = _cut_into(tree, sizes, count, least)
        kept = np.argsort(-np.bincount(labels, sizes), kind="stable")[:count]
    return _unit(_means(voices, sizes, labels)[kept])


def assign(
    windows: Vectors,
    reliability: NDArray[np.float32],
    continues: NDArray[np.bool_],
    voices: Vectors,
    change_cost: float,
) -> Labels:
    """Returns the index in `voices` for each window, shape (n,): the path of greatest similarity (Viterbi).

    `reliability`, 0 to 1, weighs a window's similarity; `continues` tells whether a window is of the same stretch as
    the one before, where a change of person costs `change_cost`; elsewhere it costs a quarter.
    """
    scores = (windows @ voices.T) * reliability[:, None]
    costs = np.where(continues, change_cost, change_cost / 4)
    total = scores[0]
    origins = []
    stay = np.arange(len(voices))
    for score, cost in zip(scores[1:], costs[1:], strict=True):
        best = int(total.argmax())
        changed = total[best] - cost > total
        origins.append(np.where(changed, best, stay))
        total = np.where(changed, total[best] - cost, total) + score
    path = np.empty(len(windows), np.intp)
    path[-1] = total.argmax()
    for index in range(len(origins) - 1, -1, -1):
        path[index] = origins[index][path[index + 1]]
    return path


def _reduced(windows: Vectors) -> tuple[Vectors, NDArray[np.float64]]:
    """Returns at most MAX_VOICES means of windows that are alike, and how many windows each stands for.

    The dot product of two such means is the mean similarity of their windows, which is what average linkage needs.
    """
    voices, sizes = windows, np.ones(len(windows))
    distance = TIGHT_DISTANCE
    while len(voices) > MAX_VOICES:
        blocks = []
        for start in range(0, len(voices), BLOCK):
            block, weights = voices[start : start + BLOCK], sizes[start : start + BLOCK]
            if len(block) == 1:
                blocks.append((block, weights))
                continue
            tree = linkage(squareform(_distances(block), checks=False), "average")
            labels = fcluster(tree, distance, "distance") - 1
            blocks.append((_means(block, weights, labels), np.bincount(labels, weights).astype(np.float64)))
        voices = np.concatenate([means for means, _ in blocks])
        sizes = np.concatenate([weights for _, weights in blocks])
        distance += TIGHT_STEP
    return voices, sizes


def _cut_into(tree: NDArray[np.float64], sizes: NDArray[np.float64], count: int, least: float) -> Labels:
    """Cuts the tree where `count` clusters are of some size: outliers split off before the last two people do."""

    for number in range(count, min(len(sizes), 4 * count) + 1):
        labels = fcluster(tree, number, "maxclust") - 1
        if (np.bincount(labels, sizes) >= least).sum() >= count:
            return np.asarray(labels, np.intp)
    return np.asarray(fcluster(tree, count, "maxclust") - 1, np.intp)


def _distances(voices: Vectors) -> NDArray[np.float64]:
    distances = 1 - (voices @ voices.T).astype(np.float64)
    np.fill_diagonal(distances, 0)
    return np.asarray(distances.clip(min=0), np.float64)


def _means(voices: Vectors, sizes: NDArray[np.float64], labels: Labels) -> Vectors:
    """Returns the mean of each cluster's voices, shape (clusters, size)."""
    sums = np.zeros((labels.max() + 1, voices.shape[1]))
    np.add.at(sums, labels, voices * sizes[:, None])
    return np.asarray(sums / np.bincount(labels, sizes)[:, None], np.float32)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
