"""What every engine of the index does: the same tests for each of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from qdrant_test_server import serve_qdrant
from recordroute_vector.domain import SparseVector
from recordroute_vector.index.edge import EdgeIndex, EmbeddedConfig
from recordroute_vector.index.errors import VectorsMissing
from recordroute_vector.index.port import (
    Candidate,
    Document,
    Facet,
    Filter,
    IndexedPassage,
    IndexQuery,
    IndexStats,
    PassageIndex,
)
from recordroute_vector.passages import content_hash
from recordroute_vector.qdrant_server import QdrantIndex, ServerConfig

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIMENSIONS = 8
TEXTS = ["one two three", "four fifteen", "six", "seven eight nine ten", "eleven"]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["edge", "qdrant"])
async def index(request: pytest.FixtureRequest, module_index_folder: Path) -> AsyncIterator[PassageIndex]:
    async with AsyncExitStack() as stack:
        folder = module_index_folder / request.param
        folder.mkdir()
        if request.param == "edge":
            index = EdgeIndex(EmbeddedConfig(folder / "index", "model-a", DIMENSIONS, 0, token_vectors=True))
            await index.open()
            stack.push_async_callback(index.close)
            yield index
        else:
            server = await stack.enter_async_context(serve_qdrant(folder))
            index = QdrantIndex(
                ServerConfig(server.url, "passages", "model-a", DIMENSIONS, token_vectors=True)
            )
            await index.open()
            stack.push_async_callback(index.close)
            yield index


@pytest.fixture
def owner() -> str:
    return uuid.uuid4().hex


def query(
    owner: str, limit: int = 100, *, lexical: SparseVector | None = None, **where: object
) -> IndexQuery:
    vector = np.full(DIMENSIONS, DIMENSIONS**-0.5, np.float32)
    return IndexQuery(Filter(owner, **where), limit, dense=vector, lexical=lexical)  # type: ignore[arg-type]


def document(owner: str, name: str = "d1", **values: object) -> Document:
    fields: dict[str, object] = {"language": "en", "recorded_at": 1_000.5, **values}
    return Document(owner, name, **fields)  # type: ignore[arg-type]


async def ids(index: PassageIndex, asked: IndexQuery) -> set[tuple[str, int]]:
    return {(found.document_id, found.passage.index) for found in await index.search(asked)}


async def test_what_goes_in_comes_out(index: PassageIndex, owner: str, made_up) -> None:
    passages = made_up(TEXTS, page=3, line=7, content_hash="")
    stored = document(owner, kind="pdf", folder="work/plans", tags=("red", "파랑"))
    assert await index.upsert(stored, passages) == 5
    best = IndexQuery(Filter(owner), 1, dense=passages[3].dense, with_vectors=True)
    (found,) = await index.search(best)
    assert (found.document, found.passage) == (stored, passages[3].passage)
    assert found.dense_score == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found.dense, passages[3].dense, atol=1e-6)
    assert (found.lexical_score, found.late_score) == (None, None)
    for candidate in await index.search(query(owner)):
        expected = float(passages[candidate.passage.index].dense @ query(owner).dense)
        assert candidate.dense_score == pytest.approx(expected, abs=1e-6)


async def test_lexical_scores_are_bm25_and_rare_words_count_more(
    index: PassageIndex, owner: str, made_up
) -> None:
    passages = made_up(TEXTS)
    await index.upsert(document(owner), passages)
    common, rare = SparseVector((5,), (1.0,)), SparseVector((7,), (1.0,))
    by_common = await index.search(IndexQuery(Filter(owner), 10, lexical=common))
    (by_rare,) = await index.search(IndexQuery(Filter(owner), 10, lexical=rare))
    holding = [item for item in passages if 5 in item.lexical.ids]
    assert {found.passage.index for found in by_common} == {item.passage.index for item in holding}

    def idf(count: int) -> float:
        return float(np.log(1 + (len(passages) - count + 0.5) / (count + 0.5)))

    assert by_rare.lexical_score == pytest.approx(idf(1), rel=1e-5)
    assert by_common[0].lexical_score == pytest.approx(idf(len(holding)), rel=1e-5)
    assert by_rare.dense_score is None


async def test_candidates_of_one_search_are_scored_by_the_other(
    index: PassageIndex, owner: str, made_up
) -> None:
    passages = made_up(TEXTS)
    await index.upsert(document(owner), passages)
    asked = IndexQuery(Filter(owner), 1, dense=passages[0].dense, lexical=SparseVector((7,), (1.0,)))
    found = {candidate.passage.index: candidate for candidate in await index.search(asked)}
    assert set(found) == {0, 1}
    assert found[0].lexical_score is None
    assert found[1].lexical_score is not None
    assert found[1].dense_score == pytest.approx(float(passages[1].dense @ passages[0].dense), abs=1e-6)


async def test_late_interaction_is_the_sum_of_the_best_matches(
    index: PassageIndex, owner: str, made_up
) -> None:
    random = np.random.default_rng(3)
    plain = made_up(TEXTS)
    tokens = [unit(random.standard_normal((4 + number, DIMENSIONS))) for number in range(4)]
    passages = [
        IndexedPassage(item.passage, item.dense, item.lexical, matrix)
        for item, matrix in zip(plain, [*tokens, None], strict=True)
    ]
    await index.upsert(document(owner), passages)
    asked = unit(random.standard_normal((3, DIMENSIONS)))
    found = await index.search(IndexQuery(Filter(owner), 10, dense=plain[0].dense, tokens=asked))
    scores = {candidate.passage.index: candidate.late_score for candidate in found}
    expected = {number: float((asked @ matrix.T).max(axis=1).sum()) for number, matrix in enumerate(tokens)}
    assert scores == {
        **{number: pytest.approx(value, abs=5e-3) for number, value in expected.items()},
        4: None,
    }


def unit(matrix: np.ndarray) -> np.ndarray:
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


async def test_upsert_replaces_and_repeating_changes_nothing(
    index: PassageIndex, owner: str, made_up
) -> None:
    await index.upsert(document(owner), made_up(TEXTS))
    await index.upsert(document(owner), made_up(TEXTS))
    assert await index.stats(owner) == IndexStats(5, 1)
    assert await index.upsert(document(owner), made_up(["new", "text"], seed=1)) == 2
    found = await index.search(query(owner))
    assert sorted(candidate.passage.text for candidate in found) == ["new", "text"]
    assert await index.upsert(document(owner), []) == 0
    assert await index.stats(owner) == IndexStats(0, 0)


async def test_delete_counts_and_leaves_the_others(index: PassageIndex, owner: str, made_up) -> None:
    other = f"{owner}-other"
    await index.upsert(document(owner), made_up(TEXTS))
    await index.upsert(document(owner, "d2"), made_up(["x"]))
    await index.upsert(document(other), made_up(["y"]))
    assert await index.delete(owner, "d1") == 5
    assert await index.delete(owner, "d1") == 0
    assert await ids(index, query(owner)) == {("d2", 0)}
    assert await ids(index, query(other)) == {("d1", 0)}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "abcd"),
        ({"document_ids": ("a", "c", "z")}, "ac"),
        ({"excluded_document_ids": ("a", "c")}, "bd"),
        ({"recorded_from": 100.0}, "bcd"),
        ({"recorded_before": 100.0}, "a"),
        ({"recorded_from": 100.0, "recorded_before": 200.5}, "bc"),
        ({"tags": ("red",)}, "ab"),
        ({"tags": ("red", "blue")}, "b"),
        ({"folder": "work"}, "bc"),
        ({"folder": "work/plans"}, "c"),
        ({"folder": "wor"}, ""),
        ({"languages": ("ko", "de")}, "cd"),
        ({"kinds": ("pdf",)}, "d"),
        ({"speakers": ("Kim",)}, "ab"),
        ({"speakers": ("Kim", "이")}, "abc"),
        ({"required_words": ("SERVER", "slow")}, "a"),
        ({"required_words": ("서버",)}, "c"),
        ({"required_words": ("abs",)}, ""),
        ({"speakers": ("Kim",), "tags": ("blue",), "recorded_from": 1.0}, "b"),
    ],
)
async def test_filters(index: PassageIndex, made_up, where: dict[str, object], expected: str) -> None:
    if not (await index.stats("filters")).passage_count:
        for name, text, speakers, values in (
            ("a", "the server is slow", ("Kim",), {"tags": ("red",)}),
            ("b", "lunch", ("Lee", "Kim"), {"tags": ("red", "blue"), "folder": "work"}),
            ("c", "서버가 느립니다", ("이",), {"folder": "work/plans", "language": "ko"}),
            ("d", "page", (), {"kind": "pdf", "language": "de"}),
        ):
            recorded = {"recorded_at": 100.0 * "abcd".index(name)}
            await index.upsert(
                document("filters", name, **recorded, **values), made_up([text], speakers=speakers)
            )
    assert {name for name, _ in await ids(index, query("filters", **where))} == set(expected)


async def test_owners_neither_see_nor_influence_each_other(index: PassageIndex, owner: str, made_up) -> None:
    other = f"{owner}-other"
    asked = IndexQuery(Filter(owner), 10, lexical=SparseVector((3,), (1.0,)))

    async def scores() -> list[Candidate]:
        return sorted(await index.search(asked), key=lambda candidate: candidate.passage.index)

    await index.upsert(document(owner, tags=("mine",)), made_up(TEXTS))
    before = await scores()
    revision = await index.revision(owner)
    await index.upsert(document(other, tags=("theirs",)), made_up(["one two six"] * 50, seed=2))
    assert await scores() == before
    assert await index.stats(owner) == IndexStats(5, 1)
    assert await index.facet(Filter(owner), Facet.TAG, 10) == [("mine", 5)]
    assert await index.document(owner, "nothing") is None
    assert await index.revision(owner) == revision
    assert await index.stats("nobody") == IndexStats(0, 0)
    assert await ids(index, query("nobody")) == set()
    assert await index.facet(Filter("nobody"), Facet.TAG, 10) == []


async def test_document_comes_back_in_order(index: PassageIndex, owner: str, made_up) -> None:
    passages = made_up([f"text {number}" for number in range(600)])
    await index.upsert(document(owner), passages)
    stored = await index.document(owner, "d1", with_vectors=True)
    assert stored is not None
    assert stored.document == document(owner)
    assert [item.passage for item in stored.passages] == [item.passage for item in passages]
    np.testing.assert_allclose(
        [item.dense for item in stored.passages], [item.dense for item in passages], atol=1e-6
    )
    without = await index.document(owner, "d1")
    assert without is not None
    assert {item.dense is None for item in without.passages} == {True}


async def test_facets_count_passages(index: PassageIndex, owner: str, made_up) -> None:
    await index.upsert(document(owner, "a"), made_up(["x", "y"], speakers=("Kim",)))
    await index.upsert(document(owner, "b"), made_up(["z"], speakers=("Lee",)))
    assert await index.facet(Filter(owner), Facet.SPEAKER, 10) == [("Kim", 2), ("Lee", 1)]
    assert await index.facet(Filter(owner), Facet.SPEAKER, 1) == [("Kim", 2)]
    assert await index.facet(Filter(owner, document_ids=("b",)), Facet.SPEAKER, 9) == [("Lee", 1)]


def hashed(passages: Sequence[IndexedPassage], *, without: Sequence[int] = ()) -> list[IndexedPassage]:
    return [
        IndexedPassage(
            replace(item.passage, content_hash=content_hash(item.passage.text)),
            None if number in without else item.dense,
            item.lexical,
        )
        for number, item in enumerate(passages)
    ]


async def test_unchanged_passages_keep_their_vectors(index: PassageIndex, owner: str, made_up) -> None:
    old = hashed(made_up(["keep", "change", "also keep"]))
    await index.upsert(document(owner), old)
    new = hashed(made_up(["new first", "keep", "also keep"], seed=9), without=[1, 2])
    assert await index.upsert(document(owner), new) == 3
    stored = await index.document(owner, "d1", with_vectors=True)
    assert stored is not None
    vectors = [item.dense for item in stored.passages]
    np.testing.assert_allclose(vectors, [new[0].dense, old[0].dense, old[2].dense], atol=1e-6)


async def test_texts_that_are_not_held_are_named(index: PassageIndex, owner: str, made_up) -> None:
    await index.upsert(document(owner), hashed(made_up(["keep"])))
    await index.upsert(document(owner, "d2"), hashed(made_up(["of another document"])))
    wanted = hashed(made_up(["keep", "of another document", "nobody's"]), without=[0, 1, 2])
    with pytest.raises(VectorsMissing) as caught:
        await index.upsert(document(owner), wanted)
    assert caught.value.metadata == {"passages": "1,2"}
    assert await index.stats(owner, "d1") == IndexStats(1, 1)


async def test_revision_changes_with_every_write(index: PassageIndex, owner: str, made_up) -> None:
    seen = [await index.revision(owner)]
    await index.upsert(document(owner), made_up(TEXTS))
    seen.append(await index.revision(owner))
    await index.search(query(owner))
    assert await index.revision(owner) == seen[-1]
    await index.delete(owner, "d1")
    seen.append(await index.revision(owner))
    assert len(set(seen)) == 3


async def test_many_queries_are_answered_each(index: PassageIndex, owner: str, made_up) -> None:
    passages = made_up(TEXTS)
    await index.upsert(document(owner), passages)
    asked = [IndexQuery(Filter(owner), 1, dense=item.dense) for item in passages]
    found = await index.search_many(asked)
    assert [[candidate.passage.index for candidate in each] for each in found] == [[0], [1], [2], [3], [4]]
    assert await index.search_many([]) == []


async def test_passage_without_words_is_found_by_meaning(index: PassageIndex, owner: str, made_up) -> None:
    (item,) = made_up(["..."])
    silent = IndexedPassage(item.passage, item.dense, SparseVector((), ()))
    await index.upsert(document(owner), [silent])
    assert await ids(index, query(owner)) == {("d1", 0)}
    assert await index.search(IndexQuery(Filter(owner), 10, lexical=SparseVector((), ()))) == []


async def test_readers_beside_a_writer_see_whole_documents(index: PassageIndex, owner: str, made_up) -> None:
    versions = [made_up([f"version{number}"] * (150 + number)) for number in range(2)]
    everything = query(owner, 1000)
    await index.upsert(document(owner), versions[0])
    done = asyncio.Event()

    async def write() -> None:
        for number in range(12):
            await index.upsert(document(owner), versions[number % 2])
        done.set()

    async def read() -> int:
        count = 0
        while not done.is_set():
            found = await index.search(everything)
            seen = {(candidate.passage.text, len(found)) for candidate in found}
            assert seen in ({("version0", 150)}, {("version1", 151)})
            count += 1
        return count

    _, *counts = await asyncio.gather(write(), *(read() for _ in range(16)))
    assert min(counts) > 0
