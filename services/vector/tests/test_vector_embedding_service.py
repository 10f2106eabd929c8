"""The embedding RPCs over a real socket with the real model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from recordroute.common.v1 import transcript_pb2
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.wire import to_duration, to_seconds
from recordroute_vector.batcher import Batcher
from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import Encoder, TextKind
from recordroute_vector.engines import EngineHolder
from recordroute_vector.passages import PassageLimits, PassageSplitter
from recordroute_vector.servicer_embedding import STREAM_BATCHES, EmbeddingServicer
from recordroute_vector.settings import VectorSettings

TEXTS = ["The servers were slow on Friday.", "예산 회의는 월요일로 미루었습니다.", "ok"]
QUERY, PASSAGE = embedding_pb2.EMBEDDING_KIND_QUERY, embedding_pb2.EMBEDDING_KIND_PASSAGE
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class EmbeddingOnly:
    """The embedding half of the service."""

    names = (embedding_pb2.DESCRIPTOR.services_by_name["EmbeddingService"].full_name,)

    def __init__(self, encoder: Encoder, settings: VectorSettings, models_dir: Path) -> None:
        self._pools = [InferencePool(name, 1) for name in ("embedding", "tokenizer", "text")]
        model, tokens, text = self._pools
        self.batcher = Batcher(encoder, model, workers=1, max_queued_tokens=settings.max_queued_tokens)
        embedder = Embedder(encoder, self.batcher, tokens, max_request_tokens=settings.max_request_tokens)
        splitter = PassageSplitter(encoder.tokenizer, PassageLimits(64, 16))
        self._engines: Any = SimpleNamespace(embedder=embedder, splitter=splitter, model=encoder.model.id)
        self._holder = EngineHolder()
        self._servicer = EmbeddingServicer(settings, models_dir, self._holder, text)

    def register(self, server: grpc.aio.Server) -> None:
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(self._servicer, server)

    async def load(self) -> None:
        self._holder.set(self._engines)

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()


@pytest.fixture
async def service(encoder: Encoder, models_dir: Path) -> AsyncIterator[Any]:
    settings = VectorSettings(
        listen="127.0.0.1:0", drain_grace_seconds=1.0, max_request_tokens=4096, max_queued_tokens=4096
    )
    made = EmbeddingOnly(encoder, settings, models_dir)
    server = RunningServer(made, settings)
    await server.start()
    try:
        await server.loaded()
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            yield SimpleNamespace(stub=embedding_pb2_grpc.EmbeddingServiceStub(channel), batcher=made.batcher)
    finally:
        await server.stop()


def embed(service: Any, timeout: float = 60, **fields: Any) -> Any:
    return service.stub.Embed(embedding_pb2.EmbedRequest(**fields), timeout=timeout)


def arrays(*ids: Sequence[int]) -> list[embedding_pb2.TokenArray]:
    return [embedding_pb2.TokenArray(ids=each) for each in ids]


def matrix(response: Any) -> np.ndarray:
    return np.array([embedding.values for embedding in response.embeddings], np.float32)


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = read_error(caught.value)
    return error.code, error.reason


async def test_options_of_a_request(service: Any, encoder: Encoder) -> None:
    plain = await embed(service, texts=TEXTS, kind=QUERY)
    assert np.abs(matrix(plain) - [e.vector for e in encoder.embed(TEXTS, TextKind.QUERY)]).max() < 1e-6
    assert plain.token_count == sum(embedding.token_count for embedding in plain.embeddings)
    raw = matrix(await embed(service, texts=TEXTS, kind=QUERY, normalize=False))
    assert np.abs(np.linalg.norm(raw, axis=1) - 1).min() > 0.1
    short = matrix(await embed(service, texts=TEXTS, kind=QUERY, dimensions=100))
    assert short.shape == (3, 100)
    assert np.abs(np.linalg.norm(short, axis=1) - 1).max() < 1e-6
    ids = encoder.tokenizer.ids(TEXTS)
    by_ids = await embed(service, token_arrays=arrays(*ids), kind=QUERY)
    assert np.abs(matrix(by_ids) - matrix(plain)).max() < 1e-6
    long = "word " * 700
    mode = embedding_pb2.TRUNCATION_MODE_WINDOW_MEAN
    (windows,) = (await embed(service, texts=[long], kind=QUERY, truncation=mode)).embeddings
    assert (windows.truncated, windows.token_count > 700) == (False, True)


async def test_bad_requests_name_their_reason(service: Any) -> None:
    mode = embedding_pb2.TRUNCATION_MODE_ERROR
    for fields, reason in [
        ({"texts": []}, "INVALID_FIELDS"),
        ({"texts": [""]}, "INVALID_FIELDS"),
        ({"texts": ["x"] * 257}, "INVALID_FIELDS"),
        ({"texts": ["x" * (1 << 20 | 1)]}, "INVALID_FIELDS"),
        ({"texts": ["x"], "kind": 0}, "INVALID_FIELDS"),
        ({"texts": ["x"], "kind": 9}, "INVALID_FIELDS"),
        ({"texts": ["x"], "dimensions": 0}, "INVALID_FIELDS"),
        ({"texts": ["x"], "truncation": 9}, "INVALID_FIELDS"),
        ({"texts": ["x"], "token_arrays": arrays([5])}, "INVALID_FIELDS"),
        ({"token_arrays": arrays([])}, "INVALID_FIELDS"),
        ({"token_arrays": arrays([5], [250_002])}, "TOKEN_OUT_OF_RANGE"),
        ({"token_arrays": arrays([2**32 - 1])}, "TOKEN_OUT_OF_RANGE"),
        ({"texts": ["x"], "dimensions": 385}, "TOO_MANY_DIMENSIONS"),
        ({"texts": ["word " * 700], "truncation": mode}, "TEXT_TOO_LONG"),
        ({"texts": ["word " * 600] * 9}, "TOO_MANY_TOKENS"),
    ]:
        request = {"kind": PASSAGE, **fields}
        assert await refusal(embed(service, **request)) == (INVALID, reason), fields
    # The transport refuses what no request may weigh, and the service goes on.
    heavy = await refusal(embed(service, texts=["x" * 10_000_000], kind=PASSAGE))
    assert heavy[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await refusal(embed(service, texts=["x"] * 100_000, kind=PASSAGE))) == (INVALID, "INVALID_FIELDS")
    assert len((await embed(service, texts=["x"], kind=PASSAGE)).embeddings) == 1


@pytest.fixture
async def held(service: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[threading.Event]:
    """The model is at work, and goes on when this is set."""
    compute, begun, go_on = service.batcher._compute, threading.Event(), threading.Event()

    def wait_and_compute(*arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return compute(*arguments)

    monkeypatch.setattr(service.batcher, "_compute", wait_and_compute)
    first = asyncio.ensure_future(embed(service, texts=["first"], kind=QUERY))
    assert await asyncio.to_thread(begun.wait, 60)
    yield go_on
    go_on.set()
    await first


async def test_a_full_queue_is_overloaded_and_says_when_to_come_again(
    service: Any, held: threading.Event
) -> None:
    calls = [
        asyncio.ensure_future(embed(service, texts=["word " * 200] * 10, kind=PASSAGE)) for _ in range(4)
    ]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    held.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [read_error(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert len(refused) < len(calls)
    assert {(error.code, error.reason, error.can_retry) for error in refused} == {
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", True)
    }


async def test_a_call_that_is_cancelled_or_late_leaves_the_queue(service: Any, held: threading.Event) -> None:
    async def until_queued(some: bool) -> None:
        async with asyncio.timeout(60):
            while bool(service.batcher.queued_tokens) is not some:  # noqa: ASYNC110 # it tells nobody
                await asyncio.sleep(0.01)

    late = embed(service, timeout=0.3, texts=["word " * 400] * 8, kind=PASSAGE)
    assert (await refusal(late))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    await until_queued(False)
    gone = embed(service, texts=["word " * 400] * 8, kind=PASSAGE)
    await until_queued(True)
    gone.cancel()
    await until_queued(False)
    held.set()
    assert len((await embed(service, texts=["ok"], kind=QUERY)).embeddings) == 1


def config(**fields: Any) -> embedding_pb2.StreamEmbedRequest:
    return embedding_pb2.StreamEmbedRequest(config=embedding_pb2.StreamEmbedConfig(kind=PASSAGE, **fields))


def batch(*texts: str) -> embedding_pb2.StreamEmbedRequest:
    return embedding_pb2.StreamEmbedRequest(batch=embedding_pb2.EmbedBatch(texts=texts))


async def test_stream_answers_each_batch_in_order(service: Any, encoder: Encoder) -> None:
    sent = [[f"{text} {number}" for text in TEXTS[: 1 + number % 3]] for number in range(12)]
    messages = [config(dimensions=64), *(batch(*texts) for texts in sent)]
    answers = [answer async for answer in service.stub.StreamEmbed(iter(messages))]
    assert len(answers) == len(sent)
    for texts, answer in zip(sent, answers, strict=True):
        wanted = matrix(await embed(service, texts=texts, kind=PASSAGE, dimensions=64))
        assert np.abs(matrix(answer) - wanted).max() < 1e-6
        assert answer.token_count == sum(embedding.token_count for embedding in answer.embeddings)


async def test_stream_answers_a_client_that_waits_for_each_answer(service: Any) -> None:
    call = service.stub.StreamEmbed()
    await call.write(config())
    for _ in range(3):
        await call.write(batch("ok"))
        assert len((await call.read()).embeddings) == 1
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_stream_reads_no_further_than_it_can_answer(service: Any) -> None:
    """The texts that wait are those of a few batches, however fast the client sends."""
    most = 0
    call = service.stub.StreamEmbed()

    async def write() -> None:
        await call.write(config())
        for _ in range(24):
            await call.write(batch("word " * 50))
        await call.done_writing()

    writer = asyncio.create_task(write())
    count = 0
    async for _ in call:
        count += 1
        most = max(most, service.batcher.queued_tokens)
    await writer
    assert count == 24
    assert 0 < most <= STREAM_BATCHES * 54


async def test_stream_that_breaks_the_rules_says_so_after_the_answers(service: Any) -> None:
    async def run(*messages: embedding_pb2.StreamEmbedRequest) -> list[Any]:
        return [answer async for answer in service.stub.StreamEmbed(iter(messages))]

    assert await refusal(run()) == (INVALID, "STREAM_PROTOCOL")
    assert await refusal(run(batch("ok"))) == (INVALID, "STREAM_PROTOCOL")
    assert await refusal(run(config(), batch("ok"), config())) == (INVALID, "STREAM_PROTOCOL")
    assert await refusal(run(config(), batch("ok"), batch(""))) == (INVALID, "INVALID_FIELDS")
    assert await refusal(run(config(dimensions=999), batch("ok"))) == (INVALID, "TOO_MANY_DIMENSIONS")
    assert await run(config()) == []


async def test_passages_of_a_transcript_and_of_a_document(service: Any, encoder: Encoder) -> None:
    sentences = [f"This is sentence number {number} of a long talk." for number in range(40)]
    segments = [
        transcript_pb2.Segment(index=i, start=to_duration(i * 4), end=to_duration(i * 4 + 4), text=text)
        for i, text in enumerate(sentences)
    ]

    async def split(**fields: Any) -> Any:
        request = embedding_pb2.SplitPassagesRequest(**fields)
        return await service.stub.SplitPassages(request, timeout=60)

    default = await split(segments=segments)
    assert default.model == encoder.model.id
    assert max(encoder.tokenizer.count([p.text for p in default.passages])) <= 64
    assert to_seconds(default.passages[-1].end) == 160
    small = (await split(segments=segments, max_tokens=24, overlap_tokens=0)).passages
    assert " ".join(passage.text for passage in small) == " ".join(sentences)
    assert max(encoder.tokenizer.count([p.text for p in small])) <= 24
    assert len({passage.content_hash for passage in small}) == len(small)

    blocks = [
        embedding_pb2.TextBlock(text="\n".join(sentences[:20]), page=1, line=1),
        embedding_pb2.TextBlock(text="\n".join(sentences[20:]), page=2, line=1),
    ]
    document = (await split(blocks=blocks, max_tokens=24, overlap_sentences=0)).passages
    assert [passage.page for passage in document] == [1] * 10 + [2] * 10
    assert [passage.line for passage in document] == [*range(1, 20, 2)] * 2
    assert {to_seconds(passage.end) for passage in document} == {0}

    for fields in (
        {"segments": segments, "blocks": blocks},
        {"max_tokens": 15},
        {"max_tokens": encoder.passage_room + 1},
        {"max_tokens": 32, "overlap_tokens": 32},
        {"blocks": [embedding_pb2.TextBlock(text="x" * (1 << 20 | 1))]},
    ):
        assert await refusal(split(**fields)) == (INVALID, "INVALID_FIELDS")
    assert list((await split()).passages) == []


async def test_models_say_what_they_run_on(service: Any, encoder: Encoder) -> None:
    answer = await service.stub.ListModels(embedding_pb2.ListModelsRequest(), timeout=60)
    devices = {model.id: model.device for model in answer.models}
    assert devices == {encoder.model.id: encoder.device.name, "all-minilm-l6-v2": ""}
