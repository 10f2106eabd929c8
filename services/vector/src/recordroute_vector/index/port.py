"""The door to an index of passages: what the service needs of an engine, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recordroute_vector.domain import Passage, SparseVector

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Document:
    """What passages belong to. `recorded_at` is in seconds since 1970-01-01 UTC."""

    owner: str
    id: str
    language: str
    recorded_at: float


@dataclass(frozen=True)
class IndexedPassage:
    """A passage as it goes into the index; `dense` is float32 [dimensions] of length 1."""

    passage: Passage
    dense: Vector
    lexical: SparseVector


@dataclass(frozen=True)
class IndexQuery:
    """What to look for, and where. At least one of `dense` and `lexical` is set.

    Each search gives its best `limit` passages; the range is `recorded_from` <= t < `recorded_before`, in seconds
    since 1970-01-01 UTC; no `document_ids` means all of the owner's.
    """

    owner: str
    limit: int
    dense: Vector | None = None
    lexical: SparseVector | None = None
    document_ids: tuple[str, ...] = ()
    recorded_from: float | None = None
    recorded_before: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A passage that one of the searches found, with the scores of both.

    `dense_score` is the cosine, None where the query has no vector; `lexical_score` the BM25 score, None where no
    word matched.
    """

    document_id: str
    passage: Passage
    dense_score: float | None
    lexical_score: float | None


@dataclass(frozen=True)
class IndexStats:
    """Counts of one owner."""

    passage_count: int
    document_count: int


class PassageIndex(Protocol):
    """An index. What it acknowledged is on disk and found by every later search, and searches see a document as it
    was before or after a change, never in between.

    Raises UpstreamUnavailable where the engine is away for the moment, StorageFull where the disk has no room.
    """

    async def upsert(self, document: Document, passages: Sequence[IndexedPassage]) -> int:
        """Replaces all passages of a document, and returns how many it has now."""
        ...

    async def delete(self, owner: str, document_id: str) -> int:
        """Deletes a document, and returns how many passages it had."""
        ...

    async def search(self, query: IndexQuery) -> list[Candidate]:
        """Returns the union of what the searches find, in no particular order."""
        ...

    async def stats(self, owner: str, document_id: str | None = None) -> IndexStats:
        """Counts the owner's passages and documents, or those of one document."""
        ...
