"""The embedded index: its worker process, what it keeps, and what it survives."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from recordroute_runtime.errors import PreconditionFailed, StorageFull, UpstreamUnavailable
from recordroute_vector.domain import SparseVector
from recordroute_vector.index import shard
from recordroute_vector.index.edge import EdgeIndex
from recordroute_vector.index.frames import IndexConfig, IndexTrouble, Trouble
from recordroute_vector.index.port import Candidate, Document, IndexedPassage, IndexQuery, IndexStats

DIMENSIONS = 8
DOCUMENT = Document("me", "d1", "en", 1_000.5)
TEXTS = ["one two three", "four fifteen", "six", "seven eight nine ten", "eleven"]


def config(folder: Path, **values: object) -> IndexConfig:
    return IndexConfig(
        **{  # type: ignore[arg-type]
            "directory": folder / "index",
            "model": "model-a",
            "dimensions": DIMENSIONS,
            "min_free_bytes": 0,
            **values,
        }
    )


@asynccontextmanager
async def opened(folder: Path, **values: object) -> AsyncIterator[EdgeIndex]:
    index = EdgeIndex(config(folder, **values))
    await index.open()
    try:
        yield index
    finally:
        await index.close()


async def ids(index: EdgeIndex, query: IndexQuery) -> set[tuple[str, int]]:
    return {(found.document_id, found.passage.index) for found in await index.search(query)}


def everything(owner: str = "me", **values: object) -> IndexQuery:
    vector = np.full(DIMENSIONS, DIMENSIONS**-0.5, np.float32)
    return IndexQuery(owner=owner, limit=100, dense=vector, **values)  # type: ignore[arg-type]


async def test_what_goes_in_comes_out(tmp_path: Path, made_up) -> None:
    passages = made_up(TEXTS)
    async with opened(tmp_path) as index:
        assert await index.upsert(DOCUMENT, passages) == 5
        (best,) = await index.search(IndexQuery("me", 1, dense=passages[3].dense))
        assert best.passage == passages[3].passage
        assert best.document_id == "d1"
        assert best.dense_score == pytest.approx(1.0, abs=1e-6)
        assert best.lexical_score is None
        for found in await index.search(everything()):
            expected = float(passages[found.passage.index].dense @ everything().dense)
            assert found.dense_score == pytest.approx(expected, abs=1e-6)


async def test_lexical_scores_are_bm25_and_rare_words_count_more(tmp_path: Path, made_up) -> None:
    passages = made_up(TEXTS)
    common, rare = SparseVector((5,), (1.0,)), SparseVector((7,), (1.0,))
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, passages)
        by_common = await index.search(IndexQuery("me", 10, lexical=common))
        (by_rare,) = await index.search(IndexQuery("me", 10, lexical=rare))
    holding = [item for item in passages if 5 in item.lexical.ids]
    assert {found.passage.index for found in by_common} == {item.passage.index for item in holding}

    def idf(count: int) -> float:
        return float(np.log(1 + (len(passages) - count + 0.5) / (count + 0.5)))

    assert by_rare.lexical_score == pytest.approx(idf(1), rel=1e-5)
    assert by_common[0].lexical_score == pytest.approx(idf(len(holding)), rel=1e-5)
    assert by_rare.dense_score is None


async def test_candidates_of_one_search_are_scored_by_the_other(tmp_path: Path, made_up) -> None:
    passages = made_up(TEXTS)
    query = IndexQuery("me", 1, dense=passages[0].dense, lexical=SparseVector((7,), (1.0,)))
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, passages)
        found = {candidate.passage.index: candidate for candidate in await index.search(query)}
    assert set(found) == {0, 1}
    assert found[0].lexical_score is None
    assert found[1].lexical_score is not None
    assert found[1].dense_score == pytest.approx(float(passages[1].dense @ passages[0].dense), abs=1e-6)


async def test_upsert_replaces_and_repeating_changes_nothing(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        await index.upsert(DOCUMENT, made_up(TEXTS))
        assert await index.stats("me") == IndexStats(5, 1)
        assert await index.upsert(DOCUMENT, made_up(["new", "text"], seed=1)) == 2
        found = await index.search(everything())
        assert sorted(candidate.passage.text for candidate in found) == ["new", "text"]
        assert await index.upsert(DOCUMENT, []) == 0
        assert await index.stats("me") == IndexStats(0, 0)


async def test_delete_counts_and_leaves_the_others(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        await index.upsert(Document("me", "d2", "", 0.0), made_up(["x"]))
        await index.upsert(Document("you", "d1", "", 0.0), made_up(["y"]))
        assert await index.delete("me", "d1") == 5
        assert await index.delete("me", "d1") == 0
        assert await ids(index, everything()) == {("d2", 0)}
        assert await ids(index, everything("you")) == {("d1", 0)}


async def test_filters(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        for number in range(4):
            await index.upsert(Document("me", f"d{number}", "", 100.0 * number), made_up(["a"]))
        assert await ids(index, everything(document_ids=("d1", "d3", "d9"))) == {("d1", 0), ("d3", 0)}
        assert await ids(index, everything(recorded_from=100.0)) == {("d1", 0), ("d2", 0), ("d3", 0)}
        assert await ids(index, everything(recorded_before=100.0)) == {("d0", 0)}
        assert await ids(index, everything(recorded_from=100.0, recorded_before=200.5)) == {
            ("d1", 0),
            ("d2", 0),
        }
        assert await ids(index, everything(document_ids=("d0",), recorded_from=1.0)) == set()


async def test_owners_neither_see_nor_influence_each_other(tmp_path: Path, made_up) -> None:
    query = IndexQuery("me", 10, lexical=SparseVector((3,), (1.0,)))

    async def scores(index: EdgeIndex) -> list[Candidate]:
        return sorted(await index.search(query), key=lambda candidate: candidate.passage.index)

    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        before = await scores(index)
        await index.upsert(Document("you", "d1", "", 0.0), made_up(["one two six"] * 50, seed=2))
        assert await scores(index) == before
        assert await index.stats("me") == IndexStats(5, 1)
        assert await index.stats("nobody") == IndexStats(0, 0)
        assert await ids(index, everything("nobody")) == set()


async def test_index_survives_a_restart(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        before = await ids(index, everything())
        pid = index.worker_pid
    assert not psutil.pid_exists(pid)
    async with opened(tmp_path) as index:
        assert await ids(index, everything()) == before
        assert len(before) == 5


async def eventually_stats(index: EdgeIndex) -> IndexStats:
    """Asks as a client does: again, for as long as it is told that it may."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await index.stats("me")
            except UpstreamUnavailable as error:
                await asyncio.sleep(error.retry_after.total_seconds() / 10)


async def test_killed_worker_is_started_again_and_nothing_acknowledged_is_lost(
    tmp_path: Path, made_up
) -> None:
    async with opened(tmp_path) as index:
        for number in range(5):
            await index.upsert(Document("me", f"d{number}", "", 0.0), made_up(TEXTS, seed=number))
            os.kill(index.worker_pid, signal.SIGKILL)
            assert await eventually_stats(index) == IndexStats(5 * (number + 1), number + 1)


async def test_call_in_work_when_the_worker_is_killed_is_refused_and_can_be_repeated(
    tmp_path: Path, made_up
) -> None:
    passages = made_up(["word"] * 5000)
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        os.kill(index.worker_pid, signal.SIGSTOP)
        upsert = asyncio.create_task(index.upsert(DOCUMENT, passages))
        search = asyncio.create_task(index.search(everything()))
        await asyncio.sleep(0.05)
        os.kill(index.worker_pid, signal.SIGKILL)
        for call in (upsert, search):
            with pytest.raises(UpstreamUnavailable):
                await call
        assert await index.upsert(DOCUMENT, passages) == 5000
        assert await index.stats("me") == IndexStats(5000, 1)


async def test_upsert_that_was_cut_short_is_mended_by_the_next(tmp_path: Path, made_up) -> None:
    """Killed at any point of an upsert, the index opens, and the repeated upsert gives the document as sent."""
    old, new = made_up(["old"] * 3000), made_up(["new"] * 2000, seed=1)
    async with opened(tmp_path) as index:
        for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
            await index.upsert(DOCUMENT, old)
            upsert = asyncio.create_task(index.upsert(DOCUMENT, new))
            await asyncio.sleep(delay)
            os.kill(index.worker_pid, signal.SIGKILL)
            try:
                await upsert
            except UpstreamUnavailable:
                await index.upsert(DOCUMENT, new)
            assert await eventually_stats(index) == IndexStats(2000, 1)
            found = await index.search(everything())
            assert {candidate.passage.text for candidate in found} == {"new"}


async def test_second_service_on_a_folder_is_refused(
    tmp_path: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        monkeypatch.setattr(shard, "LOCK_WAIT_SECONDS", 0.1)
        with pytest.raises(IndexTrouble) as caught:
            await asyncio.to_thread(shard.Shard, config(tmp_path))
        assert caught.value.trouble is Trouble.IN_USE
        assert await index.stats("me") == IndexStats(5, 1)


@pytest.mark.parametrize("values", [{"model": "model-b"}, {"dimensions": 16}])
async def test_index_of_another_model_is_refused_by_both_names(
    tmp_path: Path, made_up, values: dict[str, object]
) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    with pytest.raises(PreconditionFailed) as caught:
        async with opened(tmp_path, **values):
            pass
    assert caught.value.reason == "INDEX_MODEL_MISMATCH"
    wanted = config(tmp_path, **values)
    assert "model-a (8 dimensions)" in caught.value.message
    assert f"{wanted.model} ({wanted.dimensions} dimensions)" in caught.value.message
    async with opened(tmp_path) as index:
        assert await index.stats("me") == IndexStats(5, 1)


async def test_index_that_cannot_be_read_is_left_as_it_is(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    manifest = tmp_path / "index/current/index.json"
    content = manifest.read_text()
    for broken in ("{", json.dumps({**json.loads(content), "format": 99})):
        manifest.write_text(broken)
        with pytest.raises(PreconditionFailed) as caught:
            async with opened(tmp_path):
                pass
        assert caught.value.reason == "INDEX_UNREADABLE"
    manifest.write_text(content)
    async with opened(tmp_path) as index:
        assert await index.stats("me") == IndexStats(5, 1)


async def test_creation_that_was_cut_short_begins_anew(tmp_path: Path, made_up) -> None:
    draft = tmp_path / "index/draft/shard/segments"
    draft.mkdir(parents=True)
    (draft / "junk").write_text("half")
    async with opened(tmp_path) as index:
        assert await index.upsert(DOCUMENT, made_up(TEXTS)) == 5
    assert not (tmp_path / "index/draft").exists()


async def test_full_disk_refuses_writes_and_serves_searches(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    async with opened(tmp_path, min_free_bytes=1 << 60) as index:
        with pytest.raises(StorageFull):
            await index.upsert(DOCUMENT, made_up(["more"]))
        assert len(await ids(index, everything())) == 5
        assert await index.delete("me", "d1") == 5
    with pytest.raises(StorageFull):
        async with opened(tmp_path / "other", min_free_bytes=1 << 60):
            pass


async def test_readers_beside_a_writer_see_whole_documents(tmp_path: Path, made_up) -> None:
    versions = [made_up([f"version{number}"] * (20 + number)) for number in range(2)]
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, versions[0])
        done = asyncio.Event()

        async def write() -> None:
            for number in range(20):
                await index.upsert(DOCUMENT, versions[number % 2])
            done.set()

        async def read() -> int:
            count = 0
            while not done.is_set():
                found = await index.search(everything())
                assert {(c.passage.text, len(found)) for c in found} in (
                    {("version0", 20)},
                    {("version1", 21)},
                )
                count += 1
            return count

        _, *counts = await asyncio.gather(write(), *(read() for _ in range(8)))
    assert min(counts) > 0


async def test_cancelled_call_leaves_the_index_usable(tmp_path: Path, made_up) -> None:
    async with opened(tmp_path) as index:
        call = asyncio.create_task(index.upsert(DOCUMENT, made_up(TEXTS)))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await index.upsert(DOCUMENT, made_up(TEXTS)) == 5


async def test_passage_without_words_is_found_by_meaning(tmp_path: Path, made_up) -> None:
    (item,) = made_up(["..."])
    silent = IndexedPassage(item.passage, item.dense, SparseVector((), ()))
    async with opened(tmp_path) as index:
        await index.upsert(DOCUMENT, [silent])
        assert await ids(index, everything()) == {("d1", 0)}
        assert await index.search(IndexQuery("me", 10, lexical=SparseVector((), ()))) == []
