"""How the votes of passages make documents similar, on a made-up index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from recordroute_runtime.errors import NotFound
from recordroute_vector.domain import Passage
from recordroute_vector.index.port import (
    Candidate,
    Document,
    Filter,
    IndexQuery,
    StoredDocument,
    StoredPassage,
)
from recordroute_vector.similar import CANDIDATES_PER_SOURCE, MAX_SOURCES, find_similar


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def document(name: str) -> Document:
    return Document("me", name, "en", 0.0)


class Shelf:
    """Documents in memory, compared one by one."""

    def __init__(self, documents: dict[str, Sequence[np.ndarray]]) -> None:
        self._documents = documents
        self.asked: list[IndexQuery] = []

    async def document(self, owner: str, name: str, *, with_vectors: bool) -> StoredDocument | None:
        assert with_vectors
        if owner != "me" or name not in self._documents:
            return None
        return StoredDocument(
            document(name),
            tuple(
                StoredPassage(Passage(number, f"{name} {number}", 0, 1, 0, 0), vector)
                for number, vector in enumerate(self._documents[name])
            ),
        )

    async def search_many(self, queries: Sequence[IndexQuery]) -> list[list[Candidate]]:
        self.asked += queries
        found = []
        for query in queries:
            assert query.dense is not None
            candidates = [
                Candidate(document(name), Passage(number, "", 0, 1, 0, 0), float(query.dense @ vector), None)
                for name, vectors in self._documents.items()
                if name not in query.where.excluded_document_ids
                for number, vector in enumerate(vectors)
            ]
            found.append(sorted(candidates, key=lambda item: -(item.dense_score or 0))[: query.limit])
        return found


async def similar(shelf: Shelf, passage: int | None = None, limit: int = 10):
    return await find_similar(shelf, Filter("me"), "source", passage, limit)  # type: ignore[arg-type]


async def test_two_subjects_are_not_what_lies_between_them() -> None:
    shelf = Shelf(
        {
            "source": [unit(1, 0, 0.2), unit(0, 1, 0.2)],
            "both": [unit(1, 0, 0.3), unit(0, 1, 0.3)],
            "between": [unit(1, 1, 0.2), unit(1, 1, 0.3)],
            "neither": [unit(0, 0, 1)],
        }
    )
    found = await similar(shelf)
    assert [item.document.id for item in found] == ["both", "between", "neither"]
    assert found[0].score > found[1].score > found[2].score == 0
    assert {match.source_index for match in found[0].matches} == {0, 1}
    scores = [match.score for match in found[0].matches]
    assert scores == sorted(scores, reverse=True)


async def test_a_single_passage_and_the_source_itself() -> None:
    shelf = Shelf({"source": [unit(1, 0), unit(0, 1)], "a": [unit(1, 0.1)], "b": [unit(0.1, 1)]})
    found = await similar(shelf, passage=1, limit=1)
    assert [item.document.id for item in found] == ["b"]
    assert [query.where.excluded_document_ids for query in shelf.asked] == [("source",)]
    assert shelf.asked[0].limit == CANDIDATES_PER_SOURCE


async def test_a_long_recording_is_looked_at_over_its_whole_length() -> None:
    vectors = [unit(np.cos(angle), np.sin(angle)) for angle in np.linspace(0, 1.5, 1000)]
    shelf = Shelf({"source": vectors, "end": [vectors[-1]], "start": [vectors[0]]})
    await similar(shelf)
    assert len(shelf.asked) == MAX_SOURCES
    first, last = shelf.asked[0].dense, shelf.asked[-1].dense
    assert first is not None
    assert last is not None
    assert first @ vectors[0] == pytest.approx(1)
    assert last @ vectors[-1] > 0.99


async def test_the_only_other_document_still_has_a_score() -> None:
    (only,) = await similar(Shelf({"source": [unit(1, 0)], "other": [unit(1, 0.1)]}))
    assert 0.9 < only.score <= 1


async def test_nothing_else_nothing_similar_and_what_is_missing() -> None:
    assert await similar(Shelf({"source": [unit(1, 0)]})) == []
    for passage, shelf in ((None, Shelf({})), (1, Shelf({"source": [unit(1, 0)]}))):
        with pytest.raises(NotFound):
            await similar(shelf, passage)
