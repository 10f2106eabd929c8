"""The values that all parts of the service speak of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """A stretch of speech. Times are seconds from the start of the recording."""

    index: int
    start: float
    end: float
    text: str
    speaker: str = ""


@dataclass(frozen=True)
class Passage:
    """A stretch of a transcript that is embedded and found as one. Times as in `Segment`."""

    index: int
    text: str
    start: float
    end: float
    first_segment_index: int
    last_segment_index: int
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SparseVector:
    """Term ids, ascending and unique, and their weights. Both are empty for a text without words."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]
