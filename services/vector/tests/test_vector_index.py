"""The embedded index: its worker process, what it keeps, and what it survives."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from recordroute_runtime.errors import (
    InvalidInput,
    PreconditionFailed,
    StorageFull,
    UpstreamUnavailable,
)
from recordroute_vector.index import files
from recordroute_vector.index.edge import EdgeIndex, EmbeddedConfig
from recordroute_vector.index.frames import IndexTrouble, Trouble
from recordroute_vector.index.journal import Journal, Kind, Record, read_records
from recordroute_vector.index.port import Document, Filter, IndexQuery, IndexStats
from recordroute_vector.index.rows import Row, decode_rows, encode_rows

DIMENSIONS = 8
DOCUMENT = Document("me", "d1", "en", 1_000.5)
TEXTS = ["one two three", "four fifteen", "six", "seven eight nine ten", "eleven"]
KILL_ROUNDS = int(os.environ.get("RECORDROUTE_KILL_ROUNDS", "3"))


def config(folder: Path, **values: object) -> EmbeddedConfig:
    return EmbeddedConfig(
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


def everything(owner: str = "me", **values: object) -> IndexQuery:
    vector = np.full(DIMENSIONS, DIMENSIONS**-0.5, np.float32)
    return IndexQuery(Filter(owner, **values), 10_000, dense=vector)  # type: ignore[arg-type]


async def texts(index: EdgeIndex, owner: str = "me") -> list[str]:
    return sorted(found.passage.text for found in await index.search(everything(owner)))


async def eventually(call):
    """Asks as a client does: again, for as long as it is told that it may."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await call()
            except UpstreamUnavailable as error:
                await asyncio.sleep(error.retry_after.total_seconds() / 10)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 # other processes make it true
            await asyncio.sleep(0.01)


def worker_pids() -> set[int]:
    children = psutil.Process().children()
    return {child.pid for child in children if "recordroute_vector.index.worker" in child.cmdline()}


def traces(folder: Path, text: str) -> list[str]:
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            # Generations come and go while we look.
            with suppress(FileNotFoundError):
                if text.encode() in (Path(place) / name).read_bytes():
                    found.append(name)
    return found


async def test_index_survives_a_restart_and_has_its_journal_empty(index_folder: Path, made_up) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        pid = index.worker_pid
    assert not psutil.pid_exists(pid)
    assert (index_folder / "index/generations/1/journal").stat().st_size == 0
    async with opened(index_folder) as index:
        assert await texts(index) == sorted(TEXTS)


async def test_killed_worker_is_started_again_and_nothing_acknowledged_is_lost(
    index_folder: Path, made_up
) -> None:
    """Killed with a write under way, at random moments: the document is as it was or as it was to be."""
    chance = random.Random(1)
    async with opened(index_folder) as index:
        expected: dict[str, set[tuple[str, int]]] = {}
        for number in range(KILL_ROUNDS):
            await eventually(
                lambda n=number: index.upsert(replace(DOCUMENT, id=f"k{n}"), made_up([f"k{n}"] * 3))
            )
            expected[f"k{number}"] = {(f"k{number}", 3)}
            before = expected.get("big", {("", 0)})
            size = 300 + number
            write = asyncio.create_task(
                index.upsert(replace(DOCUMENT, id="big"), made_up([f"big{number}"] * size))
            )
            await asyncio.sleep(chance.uniform(0, 0.15))
            os.kill(index.worker_pid, signal.SIGKILL)
            try:
                await write
                allowed = {(f"big{number}", size)}
            except UpstreamUnavailable:
                allowed = before | {(f"big{number}", size)}
            found = await eventually(lambda: texts(index))
            big = [text for text in found if text.startswith("big")]
            seen = (big[0] if big else "", len(big))
            assert len(set(big)) <= 1
            assert seen in allowed
            expected["big"] = {seen}
            for name in list(expected):
                if name != "big":
                    assert found.count(name) == 3


async def test_killed_service_loses_nothing(index_folder: Path, made_up) -> None:
    """Without a clean end: the worker is killed and its service gone; the next service finds all of it."""
    for number in range(3):
        index = EdgeIndex(config(index_folder))
        await index.open()
        await index.upsert(replace(DOCUMENT, id=f"d{number}"), made_up(TEXTS))
        stats = await index.stats("me")
        assert stats == IndexStats(5 * (number + 1), number + 1)
        for process in psutil.Process().children(recursive=True):
            if process.pid == index.worker_pid:
                process.kill()
        await asyncio.wait_for(index._worker.ended, 60)
        index._worker = None
        await index.close()


async def test_call_in_work_when_the_worker_is_killed_is_refused_and_can_be_repeated(
    index_folder: Path, made_up
) -> None:
    passages = made_up(["word"] * 500)
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        os.kill(index.worker_pid, signal.SIGSTOP)
        upsert = asyncio.create_task(index.upsert(DOCUMENT, passages))
        search = asyncio.create_task(index.search(everything()))
        await until(lambda: len(index._worker._calls) == 2)
        os.kill(index.worker_pid, signal.SIGKILL)
        for call in (upsert, search):
            with pytest.raises(UpstreamUnavailable):
                await call
        assert await eventually(lambda: index.upsert(DOCUMENT, passages)) == 500
        assert await index.stats("me") == IndexStats(500, 1)


async def test_optimising_keeps_what_is_written_meanwhile_and_serves_all_the_time(
    index_folder: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(index_folder) as index:
        for number in range(20):
            await index.upsert(replace(DOCUMENT, id=f"d{number}"), made_up([f"t{number}"] * 100))
        before = index.worker_pid
        enough = asyncio.Event()
        catch_up = index._catch_up

        async def catch_up_with_some(*arguments: Any) -> int:
            await enough.wait()
            return await catch_up(*arguments)

        monkeypatch.setattr(index, "_catch_up", catch_up_with_some)
        work = asyncio.create_task(index.optimize())
        latest: dict[str, str] = {f"d{number}": f"t{number}" for number in range(20)}
        rounds = 0
        while not work.done():
            rounds += 1
            name = f"d{rounds % 20}"
            if rounds % 3:
                await index.upsert(replace(DOCUMENT, id=name), made_up([f"new{rounds}"] * 40))
                latest[name] = f"new{rounds}"
            else:
                await index.delete("me", name)
                latest.pop(name, None)
            assert set(await texts(index)) == set(latest.values())
            if rounds == 6:
                enough.set()
        await work
        assert rounds >= 6
        assert index.worker_pid != before
        assert set(await texts(index)) == set(latest.values())
        assert [path.name for path in (index_folder / "index/generations").iterdir()] == ["2"]
    async with opened(index_folder) as index:
        assert set(await texts(index)) == set(latest.values())


async def test_worn_index_is_optimised_by_itself(index_folder: Path, made_up) -> None:
    async with opened(index_folder, graph_from=300) as index:
        await index.upsert(DOCUMENT, made_up(["word"] * 320))
        await until(lambda: index._number > 1)
        state = await index.state()
        assert (state.passage_count, state.indexed_count) == (320, 320)
        await asyncio.sleep(1.5)
        assert index._number == 2


async def test_deleted_text_is_gone_from_the_disk(index_folder: Path, made_up) -> None:
    secret, kept = "geheimnis-4711", "stays-4712"
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up([f"{secret} one", kept]))
        await index.upsert(replace(DOCUMENT, id="d2"), made_up([f"{secret} two"]))
        assert traces(index_folder, secret)
        await index.upsert(DOCUMENT, made_up([kept]))
        await index.delete("me", "d2")
        assert (await index.state()).erase_since == pytest.approx(time.time(), abs=60)
        await index.optimize()
        assert traces(index_folder, secret) == []
        assert traces(index_folder, kept)
        assert (await index.state()).erase_since is None
    assert traces(index_folder, secret) == []


async def test_deleted_text_goes_by_itself_when_its_time_has_come(index_folder: Path, made_up) -> None:
    async with opened(index_folder, erase_after_seconds=0.0) as index:
        await index.upsert(DOCUMENT, made_up(["geheimnis-4711"]))
        await index.delete("me", "d1")
        await until(lambda: not traces(index_folder, "geheimnis-4711"))


@pytest.mark.parametrize("moment", ["builder", "worker"])
async def test_death_while_optimising_leaves_the_index_as_it_was(
    index_folder: Path, made_up, moment: str
) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(["word"] * 3000))
        work = asyncio.create_task(index.optimize())
        await until(lambda: len(worker_pids()) == 2)
        (builder,) = worker_pids() - {index.worker_pid}
        os.kill(index.worker_pid if moment == "worker" else builder, signal.SIGKILL)
        # A worker that is started again goes on with the copy; a builder's work is lost.
        (outcome,) = await asyncio.gather(work, return_exceptions=True)
        assert isinstance(outcome, UpstreamUnavailable) or (moment == "worker" and outcome is None)
        assert await eventually(lambda: index.stats("me")) == IndexStats(3000, 1)
        await index.optimize()
        assert await index.stats("me") == IndexStats(3000, 1)


async def test_reindex_makes_new_vectors_of_old_texts_and_of_new_ones(index_folder: Path, made_up) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    seen: list[str] = []
    async with opened(index_folder, model="model-b", dimensions=4, analyzer="other") as index:
        assert not index.is_as_configured
        assert index.manifest.model == "model-a"

        async def transform(rows: Sequence[Row]) -> list[Row]:
            seen.extend(row.passage.text for row in rows)
            if len(seen) == len(rows):
                # While the first rows are embedded, the old model goes on.
                assert await texts(index) == sorted(TEXTS)
                await index.upsert(replace(DOCUMENT, id="late"), made_up(["came late"]))
            return [replace(row, dense=np.eye(4, dtype=np.float32)[1]) for row in rows]

        switched: list[str] = []
        await index.reindex(transform, lambda: switched.append(index.manifest.model))
        assert switched == ["model-b"]
        for call in (
            lambda: index.search(replace(everything(), model="model-a")),
            lambda: index.upsert(DOCUMENT, made_up(["late"]), model="model-a"),
        ):
            with pytest.raises(UpstreamUnavailable):
                await call()
        assert index.is_as_configured
        assert "came late" in seen
        query = IndexQuery(Filter("me"), 10, dense=np.eye(4, dtype=np.float32)[1])
        found = {hit.passage.text: hit.dense_score for hit in await index.search(query)}
        assert found == {text: pytest.approx(1.0) for text in [*TEXTS, "came late"]}


async def test_snapshot_comes_back_and_is_of_one_moment(index_folder: Path, made_up) -> None:
    async with opened(index_folder / "a") as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        await index.upsert(replace(DOCUMENT, owner="you"), made_up(["yours"]))
        await index.delete("me", "nothing")
        chunks = [chunk async for chunk in index.snapshot()]
    snapshot = b"".join(chunks)
    async with opened(index_folder / "b") as index:
        await index.upsert(replace(DOCUMENT, id="other"), made_up(["is replaced"]))
        revision = await index.revision("me")
        assert await index.restore(pieces(snapshot)) == 6
        assert await index.revision("me") != revision
        assert await texts(index) == sorted(TEXTS)
        assert await texts(index, "you") == ["yours"]
        for broken in (
            b"",
            snapshot[:-1],
            snapshot[:100],
            snapshot + b"x",
            flip(snapshot, len(snapshot) // 2),
        ):
            with pytest.raises(InvalidInput) as caught:
                await index.restore(pieces(broken))
            assert caught.value.reason == "SNAPSHOT_INVALID"
        assert await texts(index) == sorted(TEXTS)
    async with opened(index_folder / "c", model="model-b") as index:
        with pytest.raises(PreconditionFailed) as caught:
            await index.restore(pieces(snapshot))
        assert caught.value.reason == "INDEX_MODEL_MISMATCH"
        assert "model-a" in caught.value.message


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


async def test_second_service_on_a_folder_is_refused(
    index_folder: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        monkeypatch.setattr(files, "LOCK_WAIT_SECONDS", 0.1)
        with pytest.raises(IndexTrouble) as trouble:
            await asyncio.to_thread(files.IndexFiles(index_folder / "index").lock)
        assert trouble.value.trouble is Trouble.IN_USE
        with pytest.raises(PreconditionFailed) as caught:
            await EdgeIndex(config(index_folder)).open()
        assert caught.value.reason == "INDEX_IN_USE"
        assert await index.stats("me") == IndexStats(5, 1)


async def test_index_that_cannot_be_read_is_left_as_it_is(index_folder: Path, made_up) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    manifest = index_folder / "index/generations/1/index.json"
    content = manifest.read_text()
    for broken in ("{", json.dumps({**json.loads(content), "format": 99})):
        manifest.write_text(broken)
        with pytest.raises(PreconditionFailed) as caught:
            async with opened(index_folder):
                pass
        assert caught.value.reason == "INDEX_UNREADABLE"
    manifest.write_text(content)
    async with opened(index_folder) as index:
        assert await index.stats("me") == IndexStats(5, 1)


async def test_what_a_crash_left_half_made_is_swept_away(index_folder: Path, made_up) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    for name in ("2.draft", "3"):
        (index_folder / "index/generations" / name / "shard").mkdir(parents=True)
    async with opened(index_folder) as index:
        assert await texts(index) == sorted(TEXTS)
        assert [path.name for path in (index_folder / "index/generations").iterdir()] == ["1"]


async def test_full_disk_refuses_writes_and_serves_searches(index_folder: Path, made_up) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
    async with opened(index_folder, min_free_bytes=1 << 60) as index:
        with pytest.raises(StorageFull):
            await index.upsert(DOCUMENT, made_up(["more"]))
        with pytest.raises(StorageFull):
            await index.optimize()
        assert await texts(index) == sorted(TEXTS)
        assert await index.delete("me", "d1") == 5
    with pytest.raises(StorageFull):
        async with opened(index_folder / "other", min_free_bytes=1 << 60):
            pass


async def test_cancelled_call_is_done_to_its_end(index_folder: Path, made_up) -> None:
    async with opened(index_folder) as index:
        os.kill(index.worker_pid, signal.SIGSTOP)
        call = asyncio.create_task(index.upsert(DOCUMENT, made_up(["word"] * 300)))
        await until(lambda: len(index._worker._calls) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        os.kill(index.worker_pid, signal.SIGCONT)
        await until(lambda: not index._writes)
        assert await texts(index) == ["word"] * 300
        assert await index.upsert(DOCUMENT, made_up(TEXTS)) == 5
        assert await texts(index) == sorted(TEXTS)


async def test_optimising_that_is_cancelled_as_it_is_put_in_use_loses_nothing(
    index_folder: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        reached, go_on = threading.Event(), threading.Event()
        publish = index._files.publish

        def publish_later(number: int) -> None:
            reached.set()
            assert go_on.wait(60)
            publish(number)

        monkeypatch.setattr(index._files, "publish", publish_later)
        work = asyncio.create_task(index.optimize())
        assert await asyncio.to_thread(reached.wait, 60)
        work.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await work
        await index.upsert(replace(DOCUMENT, id="d2"), made_up(["written afterwards"]))
    async with opened(index_folder) as index:
        assert await texts(index) == sorted([*TEXTS, "written afterwards"])


async def test_optimising_that_failed_at_its_end_can_be_done_again(
    index_folder: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> int:
        raise UpstreamUnavailable("index")

    async with opened(index_folder) as index:
        await index.upsert(DOCUMENT, made_up(TEXTS))
        with monkeypatch.context() as broken:
            broken.setattr(index, "_catch_up", die)
            with pytest.raises(UpstreamUnavailable):
                await index.optimize()
        await index.optimize()
        assert await texts(index) == sorted(TEXTS)
        assert [path.name for path in (index_folder / "index/generations").iterdir()] == ["2"]


def test_journal_ends_where_it_is_torn(index_folder: Path) -> None:
    path = index_folder / "journal"
    journal = Journal(path)
    ends = []
    for number in range(3):
        journal.append(Record(Kind.DELETE, {"owner": "나", "document": f"d{number}"}, b"x" * number))
        ends.append(journal.position)
    journal.sync()
    journal.close()
    whole = path.read_bytes()
    assert [record.header["document"] for record, _ in read_records(path)] == ["d0", "d1", "d2"]
    for cut in range(ends[1], ends[2]):
        path.write_bytes(whole[:cut])
        assert [end for _, end in read_records(path)] == ends[:2]
    for place in range(ends[1], ends[2]):
        path.write_bytes(flip(whole, place))
        assert [end for _, end in read_records(path)] == ends[:2]


def test_full_disk_leaves_the_journal_at_its_last_whole_record(index_folder: Path) -> None:
    import resource

    journal = Journal(index_folder / "journal")
    journal.append(Record(Kind.DELETE, {"owner": "me", "document": "d1"}))
    before = journal.position
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + 100, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.append(Record(Kind.PART, {"version": "v"}, b"x" * 1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert (journal.position, journal.path.stat().st_size) == (before, before)
    journal.append(Record(Kind.DELETE, {"owner": "me", "document": "d2"}))
    journal.close()
    assert [record.header["document"] for record, _ in read_records(index_folder / "journal")] == ["d1", "d2"]


def test_rows_are_the_same_after_a_journey(made_up) -> None:
    passages = made_up(["하나", "two", ""])
    tokens = np.ones((3, 8), np.float32) / np.sqrt(8)
    rows = [
        Row(DOCUMENT, "v", item.passage, item.dense, item.lexical, matrix)
        for item, matrix in zip(passages, [tokens, None, tokens[:0]], strict=True)
    ]
    block = encode_rows(rows)
    for sent, came in zip(rows, decode_rows(block), strict=True):
        assert (came.document, came.version, came.passage, came.lexical) == (
            sent.document,
            sent.version,
            sent.passage,
            sent.lexical,
        )
        np.testing.assert_array_equal(came.dense, sent.dense)
        assert (came.tokens is None) == (sent.tokens is None)
    assert decode_rows(encode_rows([])) == []
    for broken in (b"", block[:3], block[:-1], block + b"x", b"\x02\x00\x00\x00{}"):
        with pytest.raises(ValueError, match="rows"):
            decode_rows(broken)
