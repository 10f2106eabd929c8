"""The index over real sockets: documents, snapshots, and a change of the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from qdrant_test_server import serve_qdrant
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_duration, to_timestamp
from recordroute_vector.service import VectorService
from recordroute_vector.settings import VectorSettings

SMALL, LARGE = "all-minilm-l6-v2", "multilingual-e5-small"
RECORDED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
TEXTS = ["The database ran out of connections.", "Lunch is on the third floor.", "We hire two engineers."]


class Client:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.embedding = embedding_pb2_grpc.EmbeddingServiceStub(channel)
        self.index = index_pb2_grpc.IndexServiceStub(channel)

    async def vectors(self, texts: Sequence[str]) -> tuple[str, list[Sequence[float]]]:
        request = embedding_pb2.EmbedRequest(texts=texts, kind=embedding_pb2.EMBEDDING_KIND_PASSAGE)
        answer = await self.embedding.Embed(request, timeout=60)
        return answer.model, [embedding.values for embedding in answer.embeddings]

    async def upsert(
        self,
        document: str,
        texts: Sequence[str],
        model: str,
        vectors: Sequence[Sequence[float]],
        **fields: object,
    ) -> index_pb2.UpsertResponse:
        config = index_pb2.UpsertConfig(
            owner="me", document_id=document, model=model, recorded_at=to_timestamp(RECORDED), **fields
        )
        passages = [
            index_pb2.EmbeddedPassage(
                passage=embedding_pb2.Passage(
                    index=number, text=text, start=to_duration(number), end=to_duration(number + 1)
                ),
                vector=vector,
            )
            for number, (text, vector) in enumerate(zip(texts, vectors, strict=True))
        ]
        messages = [
            index_pb2.UpsertRequest(config=config),
            index_pb2.UpsertRequest(batch=index_pb2.EmbeddedPassages(passages=passages)),
        ]
        return await self.index.Upsert(iter(messages), timeout=60)

    async def document(self, document: str, **fields: object) -> index_pb2.GetDocumentResponse:
        request = index_pb2.GetDocumentRequest(owner="me", document_id=document, **fields)
        return await self.index.GetDocument(request, timeout=60)

    async def best(self, query: str) -> str:
        request = index_pb2.SearchRequest(owner="me", query=query, mode=index_pb2.SEARCH_MODE_DENSE, limit=1)
        answer = await self.index.Search(request, timeout=60)
        return answer.hits[0].passage.text

    async def stats(self) -> index_pb2.GetStatsResponse:
        return await self.index.GetStats(index_pb2.GetStatsRequest(owner="me"), timeout=60)


@asynccontextmanager
async def running(data_dir: Path, **settings: object) -> AsyncIterator[Client]:
    values = VectorSettings(
        **{"listen": "127.0.0.1:0", "drain_grace_seconds": 1.0, "threads": 2, "model": SMALL, **settings}
    )
    server = RunningServer(VectorService(values, CommonSettings(data_dir=data_dir)), values)
    await server.start()
    try:
        async with asyncio.timeout(120):
            await server.loaded()
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            yield Client(channel)
    finally:
        await server.stop()


async def refusal(call) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = read_error(caught.value)
    return error.code, error.reason


async def test_documents_come_back_and_unchanged_passages_need_no_vectors(
    index_folder: Path, models_dir: Path
) -> None:
    async with running(index_folder) as client:
        model, vectors = await client.vectors(TEXTS)
        await client.upsert("d1", TEXTS, model, vectors, kind="pdf", folder="work/plans", tags=["red"])
        page = await client.document("d1", page_size=2)
        assert (page.kind, page.folder, list(page.tags), page.passage_count) == (
            "pdf",
            "work/plans",
            ["red"],
            3,
        )
        assert page.recorded_at == to_timestamp(RECORDED)
        rest = await client.document("d1", page_size=2, page_token=page.next_page_token)
        passages = [*page.passages, *rest.passages]
        assert [passage.text for passage in passages] == TEXTS
        assert rest.next_page_token == ""
        assert len({passage.content_hash for passage in passages}) == 3
        invalid = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")
        for token in ("x", "-1", "3", "0", "1" * 64):
            assert await refusal(client.document("d1", page_token=token)) == invalid
        assert await refusal(client.document("d2")) == (grpc.StatusCode.NOT_FOUND, "DOCUMENT_NOT_FOUND")

        edited = ["The edited first passage.", TEXTS[2], TEXTS[1]]
        _, (fresh,) = await client.vectors(edited[:1])
        await client.upsert("d1", edited, model, [fresh, [], []])
        assert [passage.text for passage in (await client.document("d1")).passages] == edited
        assert await client.best("new colleagues") == TEXTS[2]
        missing = (grpc.StatusCode.FAILED_PRECONDITION, "VECTORS_MISSING")
        assert await refusal(client.upsert("d1", ["never seen"], model, [[]])) == missing
        assert await refusal(client.upsert("d1", edited, model, [fresh[:5], [], []])) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "DIMENSION_MISMATCH",
        )
        for fields in (
            {"tags": ["x"] * 2},
            {"tags": [f"t{n}" for n in range(100_000)]},
            {"tags": [""]},
            {"folder": "/a"},
            {"folder": "a//b"},
            {"kind": "A b"},
        ):
            assert await refusal(client.upsert("d1", edited, model, [fresh, [], []], **fields)) == invalid
        nan = [float("nan"), *fresh[1:]]
        assert await refusal(client.upsert("d1", edited, model, [nan, [], []])) == invalid
        assert (await client.stats()).passage_count == 3


async def test_snapshot_over_the_wire(index_folder: Path, models_dir: Path) -> None:
    async with running(index_folder) as client:
        model, vectors = await client.vectors(TEXTS)
        await client.upsert("d1", TEXTS, model, vectors)
        stream = client.index.Snapshot(index_pb2.SnapshotRequest(), timeout=60)
        snapshot = b"".join([message.chunk async for message in stream])
        await client.index.Delete(index_pb2.DeleteRequest(owner="me", document_id="d1"), timeout=60)
        await client.index.Optimize(index_pb2.OptimizeRequest(), timeout=60)
        assert (await client.stats()).passage_count == 0

        def upload(data: bytes):
            return iter(
                index_pb2.RestoreRequest(chunk=data[start : start + 999])
                for start in range(0, len(data), 999)
            )

        invalid = (grpc.StatusCode.INVALID_ARGUMENT, "SNAPSHOT_INVALID")
        assert await refusal(client.index.Restore(upload(snapshot[:-9]), timeout=60)) == invalid
        answer = await client.index.Restore(upload(snapshot), timeout=60)
        assert answer.passage_count == 3
        assert await client.best("new colleagues") == TEXTS[2]


async def test_change_of_the_model_takes_the_index_along_and_searches_go_on(
    index_folder: Path, models_dir: Path
) -> None:
    async with running(index_folder) as client:
        model, vectors = await client.vectors(TEXTS)
        assert model == SMALL
        for number in range(40):
            texts = [f"{text} {number}" for text in TEXTS]
            await client.upsert(f"d{number}", texts, model, vectors)
    async with running(index_folder, model=LARGE) as client:
        states = set()
        async with asyncio.timeout(120):
            while (stats := await client.stats()).model != LARGE:
                assert stats.passage_count == 120
                states.add(stats.activity)
                assert (await client.best("new colleagues")).startswith(TEXTS[2])
        assert index_pb2.INDEX_ACTIVITY_REEMBEDDING in states
        assert (stats.passage_count, stats.document_count) == (120, 40)
        assert (await client.best("엔지니어를 두 명 뽑습니다")).startswith(TEXTS[2])
        # What was embedded just before the change is not refused after it.
        await client.upsert("late", TEXTS, SMALL, vectors)
        assert (await client.stats()).passage_count == 123
        other = client.upsert("d1", TEXTS, "unknown-model", vectors)
        assert await refusal(other) == (grpc.StatusCode.INVALID_ARGUMENT, "MODEL_MISMATCH")


async def test_service_over_an_index_server(index_folder: Path, models_dir: Path) -> None:
    async with serve_qdrant(index_folder / "server") as server:
        async with running(index_folder / "data", index_url=server.url) as client:
            model, vectors = await client.vectors(TEXTS)
            await client.upsert("d1", TEXTS, model, vectors)
            assert await client.best("new colleagues") == TEXTS[2]
            server.failures = [grpc.StatusCode.UNAVAILABLE] * 3
            assert await refusal(client.stats()) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
            optimize = client.index.Optimize(index_pb2.OptimizeRequest(), timeout=60)
            assert await refusal(optimize) == (grpc.StatusCode.FAILED_PRECONDITION, "INDEX_SERVER")
        assert not (index_folder / "data").exists()
