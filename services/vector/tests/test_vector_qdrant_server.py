"""The index on a Qdrant server: what only a server can do to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from qdrant_client import models
from qdrant_client.local.qdrant_local import QdrantLocal
from qdrant_test_server import TestServer, serve_qdrant
from recordroute_runtime.errors import PreconditionFailed, UpstreamUnavailable
from recordroute_vector import qdrant_server
from recordroute_vector.index.port import Document, Filter, IndexQuery, IndexStats
from recordroute_vector.qdrant_server import QdrantIndex, ServerConfig

DOCUMENT = Document("me", "d1", "en", 1_000.5)


@asynccontextmanager
async def opened(server: TestServer, **values: object) -> AsyncIterator[QdrantIndex]:
    fields: dict[str, object] = {"model": "model-a", "dimensions": 8, **values}
    index = QdrantIndex(ServerConfig(server.url, "passages", **fields))  # type: ignore[arg-type]
    try:
        await index.open()
        yield index
    finally:
        await index.close()


async def test_server_that_is_away_for_a_moment_is_asked_again(index_folder: Path, made_up) -> None:
    async with serve_qdrant(index_folder) as server, opened(server) as index:
        await index.upsert(DOCUMENT, made_up(["one", "two"]))
        server.failures = [grpc.StatusCode.UNAVAILABLE] * 2
        assert await index.stats("me") == IndexStats(2, 1)
        assert server.failures == []


async def test_server_that_stays_away_is_unavailable(index_folder: Path, made_up) -> None:
    async with serve_qdrant(index_folder) as server, opened(server) as index:
        server.failures = [grpc.StatusCode.UNAVAILABLE] * 3
        with pytest.raises(UpstreamUnavailable) as caught:
            await index.stats("me")
        assert caught.value.metadata == {"service": "index server"}
        server.failures = [grpc.StatusCode.INVALID_ARGUMENT]
        with pytest.raises(grpc.aio.AioRpcError):
            await index.stats("me")
    nobody = TestServer(index_folder, url="http://127.0.0.1:1")
    with pytest.raises(UpstreamUnavailable):
        async with opened(nobody):
            pass


async def test_collection_of_another_model_is_refused(index_folder: Path, made_up) -> None:
    async with serve_qdrant(index_folder) as server:
        async with opened(server) as index:
            await index.upsert(DOCUMENT, made_up(["one"]))
        with pytest.raises(PreconditionFailed) as caught:
            async with opened(server, model="model-b"):
                pass
        assert caught.value.reason == "INDEX_MODEL_MISMATCH"
        assert "model-a" in caught.value.message


async def test_upsert_that_fails_halfway_shows_nothing_of_itself(
    index_folder: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant_server, "PUT_ROWS", 2)
    async with serve_qdrant(index_folder) as server, opened(server) as index:
        await index.upsert(DOCUMENT, made_up(["old"]))
        put = index._client.upsert
        calls = 0

        async def upsert(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == 3:
                # The process is cut off: it can neither go on nor undo.
                server.failures = [grpc.StatusCode.UNAVAILABLE] * 6
            return await put(*arguments, **options)

        monkeypatch.setattr(index._client, "upsert", upsert)
        with pytest.raises(UpstreamUnavailable):
            await index.upsert(DOCUMENT, made_up(["new"] * 6))
        server.failures = []
        query = IndexQuery(Filter("me"), 10, dense=made_up(["x"])[0].dense)
        assert [found.passage.text for found in await index.search(query)] == ["old"]
        assert server.shard("passages").info().points_count > 3
        monkeypatch.setattr(qdrant_server, "ABANDONED_SECONDS", -1.0)
        async with opened(server) as mended:
            assert await mended.stats("me") == IndexStats(1, 1)
        left = server.shard("passages").info().points_count
        assert left == 2, "the old passage and the owner's revision"


async def test_hidden_passages_are_deleted_at_last(
    index_folder: Path, made_up, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant_server, "CLEAN_AFTER_SECONDS", 0.0)
    async with serve_qdrant(index_folder) as server, opened(server) as index:
        await index.upsert(DOCUMENT, made_up(["one", "two"]))
        await index.delete("me", "d1")
        async with asyncio.timeout(60):
            while index._cleaning:
                await asyncio.wait(set(index._cleaning))
        assert server.shard("passages").info().points_count == 1


@pytest.mark.filterwarnings("ignore:Local mode performs exact")
async def test_requests_mean_the_same_to_the_client_s_own_engine(made_up) -> None:
    """qdrant-client's local mode knows the semantics of filters and queries: it must read ours as Edge does."""
    local = QdrantLocal(":memory:")
    local.create_collection(
        "passages",
        vectors_config={"dense": models.VectorParams(size=8, distance=models.Distance.COSINE)},
        sparse_vectors_config={"lexical": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    passages = made_up(["one two", "three", "five fifteen"])
    for number, name in enumerate(("a", "b")):
        stored = Document("me", name, "en", 100.0 * number, folder="work/plans", tags=("red", name))
        points = [qdrant_server._point(stored, item, None, False) for item in passages]
        for point in points:
            point.payload = {**(point.payload or {}), "number": number + 1}
        local.upsert("passages", points)
    hidden = [
        qdrant_server._Change("1", "me", "a", before=2),
        qdrant_server._Change("2", "me", "b", staged=9),
    ]

    def count(where: Filter, changes: list[qdrant_server._Change]) -> int:
        return local.count("passages", qdrant_server._matching(where, changes)).count

    assert count(Filter("me"), []) == 6
    assert count(Filter("me"), hidden) == 3
    assert count(Filter("you"), []) == 0
    assert count(Filter("me", tags=("red", "b")), []) == 3
    assert count(Filter("me", folder="work"), []) == 6
    assert count(Filter("me", folder="work/plan"), []) == 0
    assert count(Filter("me", recorded_from=100.0), []) == 3
    assert count(Filter("me", recorded_before=100.0), []) == 3
    assert count(Filter("me", excluded_document_ids=("a",)), []) == 3
    assert count(Filter("me", speakers=("Lee", "Nobody")), []) == 6
    (search,) = qdrant_server._searches(IndexQuery(Filter("me"), 1, dense=passages[1].dense), []).values()
    found = local.query_points(
        "passages", **{**search, "search_params": search.pop("params")}, query_filter=None, limit=1
    )
    assert found.points[0].score == pytest.approx(1.0, abs=1e-5)
    assert found.points[0].payload["text"] == "three"
    assert np.isfinite(found.points[0].score)
