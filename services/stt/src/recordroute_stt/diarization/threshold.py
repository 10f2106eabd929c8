"""Measures in the recording itself how unlike two voices must be to be two people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.diarization.recording import VoiceWindow

# Windows that overlap share their sound: those two apart do not; up to four apart the person hardly ever changes.
SAME_LAGS = (2, 3, 4)
OTHER_LAGS = range(1, 12)
# The segmentation network tells people apart within ten seconds, in feature frames.
OTHER_REACH = 1000
# Where between the two kinds of distance the threshold lies; results are the same from 0.65 to 0.8.
POSITION = 0.7
# What is usual, and how many pairs of windows it takes to outweigh it.
USUAL_SAME, USUAL_SAME_PAIRS = 0.36, 5
USUAL_OTHER, USUAL_OTHER_PAIRS = 0.64, 10
MIN_THRESHOLD, MAX_THRESHOLD = 0.40, 0.53


def distance_threshold(windows: Sequence[VoiceWindow]) -> float:
    """Returns the mean cosine distance from which two clusters of this recording are two people.

    No fixed threshold fits: on the telephone everybody sounds alike, over a room's microphone nobody like themselves.
    The segmentation network knows, without any voice, pairs of windows of one person (in one stretch of speech) and
    of two people (in different slots of one chunk): the threshold lies between the medians of their distances.
    """
    embeddings = np.stack([window.embedding for window in windows])
    stretches = np.array([window.stretch for window in windows])
    slots = np.array([window.slot for window in windows])
    centres = np.array([window.centre for window in windows])

    def distances(lag: int, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
        return np.asarray(1 - (embeddings[lag:] * embeddings[:-lag]).sum(axis=1)[chosen], np.float32)

    same = [distances(lag, stretches[lag:] == stretches[:-lag]) for lag in SAME_LAGS]
    other = [
        distances(lag, (slots[lag:] != slots[:-lag]) & (centres[lag:] - centres[:-lag] < OTHER_REACH))
        for lag in OTHER_LAGS
    ]
    within = _shrunk_median(np.concatenate(same), USUAL_SAME, USUAL_SAME_PAIRS)
    between = _shrunk_median(np.concatenate(other), USUAL_OTHER, USUAL_OTHER_PAIRS)
    return float(np.clip(within + POSITION * (between - within), MIN_THRESHOLD, MAX_THRESHOLD))


def _shrunk_median(values: NDArray[np.float32], usual: float, pairs: int) -> float:
    median = float(np.median(values)) if len(values) else usual
    return (median * len(values) + usual * pairs) / (len(values) + pairs)
