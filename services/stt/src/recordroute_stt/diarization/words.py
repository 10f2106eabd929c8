"""Gives the words of a transcript to the people who said them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.domain import Segment, Turn, Word

# Word times are off by a few tenths of a second: a change of speaker that explains less than this is not believed
# inside a sentence. At a pause or the end of a sentence it is likelier.
CHANGE_SECONDS = 0.3
CHANGE_AT_BOUNDARY_SECONDS = 0.05
PAUSE_SECONDS = 0.5
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
MIN_WORD_SECONDS = 0.05
# A word that no turn covers belongs to the nearest, up to this far from it.
REACH_SECONDS = 1.0


def label_segments(segments: Sequence[Segment], turns: Sequence[Turn]) -> list[Segment]:
    """Returns the segments with their speakers, each cut where the speaker changes.

    The speakers of a segment's words are the path of least cost (Viterbi): seconds of words that the speaker's turns
    don't cover, and a price for each change, so that single stray words stay with their neighbours. A segment
    without words goes to the speaker who talks most in it. No word is lost, moved or altered, and the pieces keep the
    scores of the segment, which belong to the text decoded together. A segment that is further than a second from
    every turn keeps an empty speaker.
    """
    labels = sorted({turn.speaker for turn in turns})
    owners = np.array([labels.index(turn.speaker) for turn in turns], np.intp)
    times = np.array([(turn.start, turn.end) for turn in turns], np.float64).reshape(-1, 2)
    labelled: list[Segment] = []
    for segment in segments:
        units = [(word.start, word.end) for word in segment.words] or [(segment.start, segment.end)]
        spans = np.array(units, np.float64)
        near = (times[:, 1] > spans.min() - REACH_SECONDS) & (times[:, 0] < spans.max() + REACH_SECONDS)
        if not near.any():
            labelled.append(replace(segment, speaker=""))
            continue
        present = np.unique(owners[near])
        costs = np.stack([_costs(spans, times[near & (owners == owner)]) for owner in present], axis=1)
        path = _cheapest_path(costs, _change_costs(segment.words))
        labelled += _cut(segment, [labels[present[index]] for index in path])
    return labelled


def _costs(spans: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the seconds of each span that one speaker's `times` don't cover, more where they are far away."""
    starts, ends = spans[:, :1], spans[:, 1:]
    covered = (np.minimum(ends, times[:, 1]) - np.maximum(starts, times[:, 0])).clip(min=0).sum(axis=1)
    distance = np.maximum(times[:, 0] - ends, starts - times[:, 1]).clip(min=0).min(axis=1)
    seconds = np.maximum(spans[:, 1] - spans[:, 0], MIN_WORD_SECONDS)
    return np.asarray((seconds - covered).clip(min=0) + distance, np.float64)


def _change_costs(words: Sequence[Word]) -> list[float]:
    """Returns the price of a change of speaker before each word but the first."""
    prices = []
    for word, following in pairwise(words):
        boundary = following.start - word.end >= PAUSE_SECONDS or word.text.rstrip().endswith(SENTENCE_ENDS)
        prices.append(CHANGE_AT_BOUNDARY_SECONDS if boundary else CHANGE_SECONDS)
    return prices


def _cheapest_path(costs: NDArray[np.float64], change_costs: Sequence[float]) -> list[int]:
    """Returns a column of `costs`, shape (words, speakers), for each word."""
    total = costs[0]
    origins = []
    for cost, price in zip(costs[1:], change_costs, strict=True):
        cheapest = int(total.argmin())
        changed = total[cheapest] + price < total
        origins.append(np.where(changed, cheapest, np.arange(len(total))))
        total = np.where(changed, total[cheapest] + price, total) + cost
    path = [int(total.argmin())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]


def _cut(segment: Segment, speakers: Sequence[str]) -> list[Segment]:
    """Returns the segment as pieces of one speaker each; `speakers` has one for each word, or one for them all."""
    if len(set(speakers)) == 1:
        return [replace(segment, speaker=speakers[0])]
    pieces = []
    for speaker, group in groupby(zip(speakers, segment.words, strict=True), key=lambda pair: pair[0]):
        words = tuple(word for _, word in group)
        text = "".join(word.text for word in words).strip()
        pieces.append(
            replace(segment, start=words[0].start, end=words[-1].end, text=text, words=words, speaker=speaker)
        )
    pieces[0] = replace(pieces[0], start=segment.start)
    pieces[-1] = replace(pieces[-1], end=segment.end)
    return pieces
