"""The door to an index of passages: what the service needs of an engine, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recordroute_vector.domain import Passage, SparseVector

Vector = npt.NDArray[np.float32]
"""float32 [dimensions], of length 1."""
Matrix = npt.NDArray[np.float32]
"""float32 [tokens, dimensions], rows of length 1."""
PREFIX_LETTERS = 4


@dataclass(frozen=True)
class Document:
    """What passages belong to. `recorded_at` is in seconds since 1970-01-01 UTC; `kind` says what it is made of
    (transcript, minutes, pdf, ...); `folder` is a path of names joined by "/"."""

    owner: str
    id: str
    language: str
    recorded_at: float
    kind: str = ""
    folder: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexedPassage:
    """A passage as it goes into the index.

    Without `dense`, the index keeps the vectors that it holds for this `content_hash` in this document. `tokens` are
    vectors of the text's tokens for late interaction, where the index is to rerank by them.
    """

    passage: Passage
    dense: Vector | None
    lexical: SparseVector
    tokens: Matrix | None = None


@dataclass(frozen=True)
class Filter:
    """Which passages: those of the owner's documents that fit every field that is set.

    Of several document ids, speakers, languages or kinds one must fit, of several tags all; a folder holds what is
    below it; the range is `recorded_from` <= t < `recorded_before`, in seconds since 1970-01-01 UTC. For each of the
    required words the text has one that begins with the same `PREFIX_LETTERS`, in capitals or not: those that have
    the words themselves are among them.
    """

    owner: str
    document_ids: tuple[str, ...] = ()
    excluded_document_ids: tuple[str, ...] = ()
    recorded_from: float | None = None
    recorded_before: float | None = None
    tags: tuple[str, ...] = ()
    folder: str = ""
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    required_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexQuery:
    """What to look for, and where. At least one of `dense` and `lexical` is set.

    Each of the two gives its best `limit` passages; `tokens`, the query's token vectors, scores those again. `ef` is
    the breadth of the search in the graph; unset, the engine chooses it by the filter. `with_vectors` asks for the
    candidates' `dense`. `model` made the query's vectors: UpstreamUnavailable where the index has another by now.
    """

    where: Filter
    limit: int
    dense: Vector | None = None
    lexical: SparseVector | None = None
    tokens: Matrix | None = None
    ef: int | None = None
    with_vectors: bool = False
    model: str = ""


@dataclass(frozen=True)
class Candidate:
    """A passage that one of the searches found, with the scores of all.

    `dense_score` is the cosine, None where the query has no vector; `lexical_score` the BM25 score, None where no
    word matched; `late_score` the sum over the query's tokens of each one's greatest cosine with a token of the
    passage (MaxSim, Khattab and Zaharia, "ColBERT", 2020), None where either has no token vectors.
    """

    document: Document
    passage: Passage
    dense_score: float | None
    lexical_score: float | None
    late_score: float | None = None
    dense: Vector | None = None

    @property
    def document_id(self) -> str:
        return self.document.id


@dataclass(frozen=True)
class StoredPassage:
    """A passage as the index holds it; `dense` only where it was asked for."""

    passage: Passage
    dense: Vector | None = None


@dataclass(frozen=True)
class StoredDocument:
    """A document and its passages in their order."""

    document: Document
    passages: tuple[StoredPassage, ...]


class Facet(Enum):
    """A field whose values can be counted."""

    DOCUMENT = "document"
    SPEAKER = "speakers"
    TAG = "tags"
    FOLDER = "folder"
    LANGUAGE = "language"
    KIND = "kind"


@dataclass(frozen=True)
class IndexStats:
    """Counts of one owner."""

    passage_count: int
    document_count: int


class Activity(Enum):
    """What the index does beside serving."""

    IDLE = "idle"
    OPTIMIZING = "optimizing"
    REEMBEDDING = "reembedding"


@dataclass(frozen=True)
class IndexState:
    """The index as a whole. `model` made the vectors that are searched; `progress`, 0..1, is that of the activity;
    `indexed_count` of `passage_count` are in the search graph. `erase_since` is when the oldest deleted text that is
    still on the disk was deleted, in seconds since 1970-01-01 UTC; None where there is none."""

    model: str
    dimensions: int
    passage_count: int
    indexed_count: int = 0
    erase_since: float | None = None
    activity: Activity = Activity.IDLE
    progress: float = 0.0


class PassageIndex(Protocol):
    """An index. What it acknowledged is on disk and found by every later search, and searches see a document as it
    was before or after a change, never in between.

    Raises UpstreamUnavailable where the engine is away for the moment, StorageFull where the disk has no room.
    """

    async def upsert(self, document: Document, passages: Sequence[IndexedPassage], *, model: str = "") -> int:
        """Replaces all passages of a document, and returns how many it has now. `model` made the vectors:
        UpstreamUnavailable where the index has another by now. Raises VectorsMissing."""
        ...

    async def delete(self, owner: str, document_id: str) -> int:
        """Deletes a document, and returns how many passages it had."""
        ...

    async def search(self, query: IndexQuery) -> list[Candidate]:
        """Returns the union of what the searches find, in no particular order."""
        ...

    async def search_many(self, queries: Sequence[IndexQuery]) -> list[list[Candidate]]:
        """Returns what `search` does for each, in one round."""
        ...

    async def document(
        self, owner: str, document_id: str, *, with_vectors: bool = False
    ) -> StoredDocument | None:
        """Returns a document, or None."""
        ...

    async def facet(self, where: Filter, facet: Facet, limit: int) -> list[tuple[str, int]]:
        """Returns the most frequent values and the number of passages of each, the most frequent first."""
        ...

    async def stats(self, owner: str, document_id: str | None = None) -> IndexStats:
        """Counts the owner's passages and documents, or those of one document."""
        ...

    async def revision(self, owner: str) -> str:
        """Returns a mark that changes with every write of the owner: read before a search, it names what the search
        can see at least, so that a result kept under it is never stale."""
        ...

    async def state(self) -> IndexState:
        """Tells about the whole index, all owners together: for operators, not for users."""
        ...

    async def close(self) -> None:
        """Ends what is begun and gives the engine back."""
        ...
