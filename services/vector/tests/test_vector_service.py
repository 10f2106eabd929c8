"""The service over real sockets, with the real model: the contract, restarts and kills."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import grpc.aio
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.common.v1 import transcript_pb2
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_duration, to_seconds, to_timestamp
from recordroute_vector.encoder import Encoder
from recordroute_vector.service import VectorService
from recordroute_vector.settings import VectorSettings

MODEL = "multilingual-e5-small"
RECORDED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
MEETING = [
    "The servers were slow on Friday because the database ran out of connections.",
    "The budget meeting is moved to Monday at nine in the large room. Everybody should bring the figures.",
    "We should hire two more engineers for the mobile team this year.",
    "The new logo is blue, and the old one will be gone by summer.",
    "Lunch is served on the third floor from noon until half past one.",
]
KOREAN = [
    "배포는 매주 목요일 오후에 합니다.",
    "신입 사원 교육은 삼월에 시작합니다. 서버가 느려서 교육이 늦어졌습니다.",
]


@dataclass(frozen=True)
class Client:
    channel: grpc.aio.Channel

    @property
    def embedding(self) -> embedding_pb2_grpc.EmbeddingServiceStub:
        return embedding_pb2_grpc.EmbeddingServiceStub(self.channel)

    @property
    def index(self) -> index_pb2_grpc.IndexServiceStub:
        return index_pb2_grpc.IndexServiceStub(self.channel)

    async def embed(self, texts: Sequence[str], kind: int = embedding_pb2.EMBEDDING_KIND_PASSAGE):
        request = embedding_pb2.EmbedRequest(texts=texts, kind=kind)
        return await self.embedding.Embed(request, timeout=60)

    async def upsert(self, document: str, texts: Sequence[str], owner: str = "me", **config: object):
        embedded = (await self.embed(texts)).embeddings if texts else []
        messages = [upsert_config(document, owner, **config)]
        messages += [
            index_pb2.UpsertRequest(
                batch=index_pb2.EmbeddedPassages(passages=[wire_passage(i, text, vector.values)])
            )
            for i, (text, vector) in enumerate(zip(texts, embedded, strict=True))
        ]
        return await self.index.Upsert(iter(messages), timeout=60)

    async def search(self, query: str, owner: str = "me", **values: object):
        request = index_pb2.SearchRequest(owner=owner, query=query, **values)
        return await self.index.Search(request, timeout=60)

    async def stats(self, owner: str = "me", document: str = ""):
        return await self.index.GetStats(
            index_pb2.GetStatsRequest(owner=owner, document_id=document), timeout=60, wait_for_ready=True
        )


def upsert_config(document: str = "d1", owner: str = "me", **values: object) -> index_pb2.UpsertRequest:
    fields = {"model": MODEL, "language": "en", "recorded_at": to_timestamp(RECORDED), **values}
    return index_pb2.UpsertRequest(config=index_pb2.UpsertConfig(owner=owner, document_id=document, **fields))


def wire_passage(index: int, text: str, vector: Sequence[float]) -> index_pb2.EmbeddedPassage:
    return index_pb2.EmbeddedPassage(
        passage=embedding_pb2.Passage(
            index=index,
            text=text,
            start=to_duration(index * 10),
            end=to_duration(index * 10 + 10),
            first_segment_index=index * 2,
            last_segment_index=index * 2 + 1,
            speakers=["Kim", "이"],
        ),
        vector=vector,
    )


@asynccontextmanager
async def running(data_dir: Path, **settings: object) -> AsyncIterator[Client]:
    values = {"listen": "127.0.0.1:0", "drain_grace_seconds": 1.0, "threads": 2, **settings}
    common = CommonSettings(data_dir=data_dir)
    server = RunningServer(VectorService(VectorSettings(**values), common), VectorSettings(**values))
    await server.start()
    try:
        async with asyncio.timeout(60):
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


def texts(response: index_pb2.SearchResponse) -> list[str]:
    return [hit.passage.text for hit in response.hits]


@pytest.fixture(autouse=True)
def loaded_model(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services of this process share one loaded model: reading it takes longer than most of these tests."""
    monkeypatch.setattr("recordroute_vector.service.Encoder", lambda model, **_: encoder)


async def test_embedding_service(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        answer = await client.embed([*MEETING, "word " * 3000])
        assert answer.model == MODEL
        assert [len(embedding.values) for embedding in answer.embeddings] == [384] * 6
        assert [embedding.truncated for embedding in answer.embeddings] == [False] * 5 + [True]
        assert answer.embeddings[5].token_count == 512
        query = await client.embed([MEETING[0]], embedding_pb2.EMBEDDING_KIND_QUERY)
        assert list(query.embeddings[0].values) != list(answer.embeddings[0].values)
        models = await client.embedding.ListModels(embedding_pb2.ListModelsRequest(), timeout=60)
        (default,) = [model for model in models.models if model.is_default]
        assert (default.id, default.loaded, default.license) == (MODEL, True, "MIT")
        assert default.size_bytes > 1_000_000
        for bad in ([], [""], ["x"] * 257):
            assert await refusal(client.embed(bad)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")
        assert (await refusal(client.embed(["x"], 0)))[1] == "INVALID_FIELDS"


async def test_split_passages(tmp_path: Path) -> None:
    segments = [
        transcript_pb2.Segment(
            index=i, start=to_duration(i * 4), end=to_duration(i * 4 + 4), text=text, speaker="Kim"
        )
        for i, text in enumerate([*MEETING, "", *KOREAN] * 10)
    ]
    async with running(tmp_path, passage_tokens=64, passage_overlap_tokens=0) as client:
        request = embedding_pb2.SplitPassagesRequest(segments=segments)
        passages = (await client.embedding.SplitPassages(request, timeout=60)).passages
        spoken = " ".join(segment.text for segment in segments if segment.text)
        assert " ".join(passage.text for passage in passages) == spoken
        assert [passage.index for passage in passages] == list(range(len(passages)))
        assert len(passages) > 5
        assert to_seconds(passages[-1].end) == 4 * len(segments)
        assert passages[0].speakers == ["Kim"]
        answer = await client.embed([passage.text for passage in passages])
        assert max(embedding.token_count for embedding in answer.embeddings) <= 64 + 4


async def test_search_in_all_modes_and_across_languages(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        assert (await client.upsert("meeting", MEETING)).passage_count == 5
        assert (await client.upsert("korean", KOREAN, language="ko")).passage_count == 2

        across = await client.search("예산 회의는 언제 열리나요?", document_ids=["meeting"])
        assert across.mode == index_pb2.SEARCH_MODE_HYBRID
        best = across.hits[0]
        assert best.passage.text == MEETING[1]
        assert best.document_id == "meeting"
        assert best.passage.speakers == ["Kim", "이"]
        assert (best.passage.first_segment_index, best.passage.last_segment_index) == (2, 3)
        assert (to_seconds(best.passage.start), to_seconds(best.passage.end)) == (10, 20)
        assert "budget meeting is moved" in best.snippet
        assert to_seconds(best.snippet_start) == 10
        assert [hit.score for hit in across.hits] == sorted((hit.score for hit in across.hits), reverse=True)
        assert all(0 <= hit.score <= 1 and hit.HasField("dense_score") for hit in across.hits)

        words = await client.search("서버", mode=index_pb2.SEARCH_MODE_LEXICAL)
        assert words.mode == index_pb2.SEARCH_MODE_LEXICAL
        (hit,) = words.hits
        assert hit.passage.text == KOREAN[1]
        assert not hit.HasField("dense_score")
        assert hit.score == hit.lexical_score > 0
        marked = [hit.snippet[found.start : found.end] for found in hit.highlights]
        assert marked == ["서버"]

        dense = await client.search("Are we hiring engineers?", mode=index_pb2.SEARCH_MODE_DENSE, limit=3)
        assert texts(dense)[0] == MEETING[2]
        assert len(dense.hits) == 3
        assert all(hit.score == hit.dense_score and not hit.HasField("lexical_score") for hit in dense.hits)

        assert (await client.search("...", mode=index_pb2.SEARCH_MODE_LEXICAL)).hits == []
        assert len((await client.search("...")).hits) == 7


async def test_filters_owners_and_stats(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        later = datetime(2026, 4, 1, tzinfo=UTC)
        await client.upsert("march", MEETING[:3])
        await client.upsert("april", MEETING[2:], recorded_at=to_timestamp(later))
        await client.upsert("march", ["My secret budget is large."], owner="you")

        found = await client.search("budget", recorded_from=to_timestamp(later))
        assert {hit.document_id for hit in found.hits} == {"april"}
        found = await client.search("budget", recorded_before=to_timestamp(later))
        assert {hit.document_id for hit in found.hits} == {"march"}
        assert "secret" not in " ".join(texts(found))
        assert texts(await client.search("budget", owner="you")) == ["My secret budget is large."]
        assert (await client.search("budget", owner="them")).hits == []

        stats = await client.stats()
        assert (stats.passage_count, stats.document_count) == (6, 2)
        assert (stats.model, stats.dimensions) == (MODEL, 384)
        assert (await client.stats(document="april")).passage_count == 3
        request = index_pb2.DeleteRequest(owner="me", document_id="march")
        assert (await client.index.Delete(request, timeout=60)).deleted_passage_count == 3
        assert (await client.index.Delete(request, timeout=60)).deleted_passage_count == 0
        assert (await client.stats("you")).passage_count == 1


async def test_bad_input_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    async with running(tmp_path) as client:
        await client.upsert("d1", MEETING)
        vector = list((await client.embed(["x"])).embeddings[0].values)

        async def upsert(*messages: index_pb2.UpsertRequest) -> tuple[grpc.StatusCode, str]:
            return await refusal(client.index.Upsert(iter(messages), timeout=60))

        def batch(*passages: index_pb2.EmbeddedPassage) -> index_pb2.UpsertRequest:
            return index_pb2.UpsertRequest(batch=index_pb2.EmbeddedPassages(passages=passages))

        good = wire_passage(0, "x", vector)
        assert await upsert() == (invalid, "STREAM_PROTOCOL")
        assert await upsert(batch(good)) == (invalid, "STREAM_PROTOCOL")
        assert await upsert(upsert_config(), upsert_config()) == (invalid, "STREAM_PROTOCOL")
        assert await upsert(upsert_config(model="other")) == (invalid, "MODEL_MISMATCH")
        assert await upsert(upsert_config(owner="")) == (invalid, "INVALID_FIELDS")
        config = upsert_config()
        assert await upsert(config, batch(wire_passage(0, "x", vector[:-1]))) == (
            invalid,
            "DIMENSION_MISMATCH",
        )
        nan = wire_passage(0, "x", [float("nan"), *vector[1:]])
        assert await upsert(config, batch(nan)) == (invalid, "INVALID_FIELDS")
        assert await upsert(config, batch(wire_passage(0, "x", [0.0] * 384))) == (
            invalid,
            "VECTOR_NOT_NORMALISED",
        )
        assert await upsert(config, batch(good, good)) == (invalid, "INVALID_FIELDS")
        assert await upsert(config, batch(wire_passage(1, "x", vector))) == (invalid, "INVALID_FIELDS")
        assert await upsert(config, batch(wire_passage(0, "", vector))) == (invalid, "INVALID_FIELDS")
        backwards = wire_passage(0, "x", vector)
        backwards.passage.end.CopyFrom(to_duration(-1))
        assert await upsert(config, batch(backwards)) == (invalid, "INVALID_FIELDS")
        assert await refusal(client.search("")) == (invalid, "INVALID_FIELDS")
        assert await refusal(client.search("x", owner="")) == (invalid, "INVALID_FIELDS")
        assert await refusal(client.search("x", limit=101)) == (invalid, "INVALID_FIELDS")
        assert (await client.stats()).passage_count == 5


async def test_missing_model_is_said_by_name_until_it_is_there(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordroute_runtime.server.LOAD_RETRY_SECONDS", 0.05)
    empty = tmp_path / "models"
    empty.mkdir()
    settings = VectorSettings(listen="127.0.0.1:0", drain_grace_seconds=1.0)
    service = VectorService(settings, CommonSettings(data_dir=tmp_path, models_dir=empty))
    server = RunningServer(service, settings)
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            client = Client(channel)
            health = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=60)
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
            code, reason = await refusal(client.embed(["x"]))
            while reason == "UPSTREAM_UNAVAILABLE":
                code, reason = await refusal(client.embed(["x"]))
            assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_MISSING")
            assert (await refusal(client.search("x")))[1] == "MODEL_MISSING"
            (empty / MODEL).symlink_to(models_dir / MODEL)
            async with asyncio.timeout(60):
                await server.loaded()
            assert (await client.embed(["x"])).model == MODEL
    finally:
        await server.stop()


async def test_close_gives_threads_and_the_worker_back(tmp_path: Path) -> None:
    before = {process.pid for process in psutil.Process().children()}
    async with running(tmp_path) as client:
        await client.upsert("d1", MEETING)
        await client.search("budget")
        assert len({process.pid for process in psutil.Process().children()} - before) == 1
    assert {process.pid for process in psutil.Process().children()} <= before
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(("embedding", "text"))]
    assert left == []


@dataclass
class ServiceProcess:
    """`python -m recordroute_vector` on a unix socket."""

    folder: Path

    @property
    def address(self) -> str:
        return f"unix:{self.folder}/vector.sock"

    def start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "RECORDROUTE_DATA_DIR": str(self.folder / "data"),
            "RECORDROUTE_VECTOR_LISTEN": self.address,
            "RECORDROUTE_LOG_FORMAT": "json",
        }
        log = (self.folder / "log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "recordroute_vector"], env=environment, stderr=log, stdout=log
            )

    async def ready(self, channel: grpc.aio.Channel) -> None:
        health = health_pb2_grpc.HealthStub(channel)
        call = health.Watch(health_pb2.HealthCheckRequest(), timeout=60, wait_for_ready=True)
        async for answer in call:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                call.cancel()
                return


async def stats_after_a_refusal(client: Client) -> index_pb2.GetStatsResponse:
    async with asyncio.timeout(60):
        while True:
            try:
                return await client.stats()
            except grpc.aio.AioRpcError as error:
                if not read_error(error).can_retry:
                    raise
                await asyncio.sleep(0.1)


async def ended(pid: int) -> None:
    """Waits for the end of a process that need not be a child of ours."""
    try:
        await asyncio.to_thread(psutil.Process(pid).wait, 60)
    except psutil.NoSuchProcess:
        return


async def test_process_is_killed_in_every_way_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    service = ServiceProcess(tmp_path)
    process = service.start()
    try:
        async with open_channel(service.address) as channel:
            await service.ready(channel)
            client = Client(channel)
            await client.upsert("meeting", MEETING)
            (worker,) = psutil.Process(process.pid).children()

            worker.kill()
            assert (await stats_after_a_refusal(client)).passage_count == 5
            (worker,) = psutil.Process(process.pid).children()

            process.kill()
            process.wait(60)
            await ended(worker.pid)

        process = service.start()
        async with open_channel(service.address) as channel:
            await service.ready(channel)
            client = Client(channel)
            found = await client.search("예산 회의는 언제인가요?")
            assert texts(found)[0] == MEETING[1]
            (worker,) = psutil.Process(process.pid).children()
            process.terminate()
            assert await asyncio.to_thread(process.wait, 60) == 0
            await ended(worker.pid)
    finally:
        process.kill()
        process.wait(60)
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "index worker died" in log


async def test_second_process_on_an_index_says_why_it_does_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as client:
        await client.upsert("d1", MEETING)
        settings = VectorSettings(listen="127.0.0.1:0", drain_grace_seconds=1.0)
        second = VectorService(settings, CommonSettings(data_dir=tmp_path))
        with pytest.raises(Exception, match="another process has the index open") as caught:
            await second.load()
        assert caught.value.reason == "INDEX_IN_USE"
        await second.close()
        assert (await client.stats()).passage_count == 5


async def test_sigterm_to_the_whole_group_is_a_clean_stop(tmp_path: Path) -> None:
    """Service managers signal every process of the group: the worker must outlive the drain."""
    service = ServiceProcess(tmp_path)
    process = service.start()
    try:
        async with open_channel(service.address) as channel:
            await service.ready(channel)
            (worker,) = psutil.Process(process.pid).children()
            worker.send_signal(signal.SIGTERM)
            worker.send_signal(signal.SIGINT)
            assert (await Client(channel).stats()).passage_count == 0
            process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(process.wait, 60) == 0
            await ended(worker.pid)
    finally:
        process.kill()
        process.wait(60)
    assert "index worker died" not in (tmp_path / "log").read_text()
