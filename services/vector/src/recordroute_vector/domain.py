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
class TextBlock:
    """A stretch of a document: a paragraph, a line, or all of it. An empty line ends a paragraph. `page` and `line`
    are where it begins, from 1, and 0 where that is not known; `starts_paragraph`: no sentence runs over into it."""

    index: int
    text: str
    page: int = 0
    line: int = 0
    starts_paragraph: bool = False


@dataclass(frozen=True)
class Passage:
    """A stretch of a transcript or text that is embedded and found as one. Times as in `Segment`; `page` and `line`,
    from 1, say where a text that is not spoken has it, 0 where it has none. Passages with the same `content_hash` have
    the same vector, whatever the model."""

    index: int
    text: str
    start: float
    end: float
    first_segment_index: int
    last_segment_index: int
    speakers: tuple[str, ...] = ()
    page: int = 0
    line: int = 0
    content_hash: str = ""


@dataclass(frozen=True)
class SparseVector:
    """Term ids, ascending and unique, and their weights. Both are empty for a text without words."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]
