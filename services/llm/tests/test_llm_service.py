"""The service over real sockets: the wire, streams, cancellation, health, the process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from pydantic import ValidationError
from recordroute.common.v1 import minutes_pb2, transcript_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_llm.service import LlmService
from recordroute_llm.settings import LlmSettings
from recordroute_llm.transcript import Segment
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import PreconditionFailed
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_duration

SMALL_MODEL = "smollm2-135m-instruct"


def settings(**values: object) -> LlmSettings:
    defaults = {
        "listen": "127.0.0.1:0",
        "model": SMALL_MODEL,
        "chunk_tokens": 200,
        "threads": 1,
        "drain_grace_seconds": 1.0,
    }
    return LlmSettings(**{**defaults, **values})  # type: ignore[arg-type]


@asynccontextmanager
async def serving(models_dir: Path, **values: object) -> AsyncIterator[llm_pb2_grpc.LlmServiceStub]:
    chosen = settings(**values)
    with tempfile.TemporaryDirectory() as data_dir:
        common = CommonSettings(models_dir=models_dir, data_dir=Path(data_dir))
        server = RunningServer(LlmService(chosen, common), chosen)
        await server.start()
        try:
            await server.loaded()
            async with open_channel(f"127.0.0.1:{server.port}") as channel:
                yield llm_pb2_grpc.LlmServiceStub(channel)
        finally:
            await server.stop()


def wire(segments: list[Segment]) -> list[transcript_pb2.Segment]:
    return [
        transcript_pb2.Segment(
            index=segment.index,
            start=to_duration(segment.start),
            end=to_duration(segment.end),
            text=segment.text,
            speaker=segment.speaker,
        )
        for segment in segments
    ]


def reason(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


async def test_summarize_streams_progress_and_text_and_ends_with_minutes(
    models_dir: Path, english_meeting: list[Segment]
) -> None:
    async with serving(models_dir) as stub:
        request = llm_pb2.SummarizeRequest(segments=wire(english_meeting))
        responses = [response async for response in stub.Summarize(request)]
    kinds = [response.WhichOneof("payload") for response in responses]
    assert kinds[0] == "progress"
    assert kinds[-1] == "result"
    assert kinds.count("result") == 1
    assert kinds.count("delta") > 3
    progress = [response.progress for response in responses if response.WhichOneof("payload") == "progress"]
    assert [step.completed_steps for step in progress] == list(range(progress[0].total_steps + 1))
    assert progress[0].total_steps >= 3
    result = responses[-1].result
    assert result.minutes.overview
    assert result.minutes.language == "en"
    assert result.minutes.model == SMALL_MODEL
    assert result.stats.prompt_tokens > 300
    assert result.stats.completion_tokens > 20
    assert result.stats.processing_time.ToTimedelta().total_seconds() > 0
    by_kind = {section.kind: section for section in result.minutes.sections}
    [first, *_] = by_kind[minutes_pb2.MINUTES_SECTION_KIND_ACTION_ITEMS].items
    assert first.text == "Ben: I will fix the upload crash by Thursday and send a new build to the testers."
    assert first.evidence[0].segment_index == 3
    assert first.evidence[0].speaker == "Ben"
    assert first.evidence[0].quote == english_meeting[3].text
    assert first.evidence[0].start.seconds == 15
    for section in result.minutes.sections:
        assert section.items
        assert all(item.evidence for item in section.items)


async def test_title_and_models(models_dir: Path, english_meeting: list[Segment]) -> None:
    async with serving(models_dir) as stub:
        answer = await stub.Title(llm_pb2.TitleRequest(segments=wire(english_meeting)), timeout=60)
        assert 1 <= len(answer.title) <= 60
        assert answer.model == SMALL_MODEL
        models = (await stub.ListModels(llm_pb2.ListModelsRequest(), timeout=60)).models
        [small] = [model for model in models if model.id == SMALL_MODEL]
        assert small.loaded
        assert small.is_default
        assert small.size_bytes > 90_000_000
        assert all(model.id.startswith(("smollm2", "qwen2.5")) for model in models)


async def test_errors_have_reasons(models_dir: Path, english_meeting: list[Segment]) -> None:
    async with serving(models_dir) as stub:
        silent = wire([Segment(0, 0.0, 1.0, "  ")])
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Title(llm_pb2.TitleRequest(segments=silent), timeout=60)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason(caught.value) == "EMPTY_TRANSCRIPT"
        for request in (
            llm_pb2.SummarizeRequest(segments=silent),
            llm_pb2.SummarizeRequest(segments=wire(english_meeting), model="no-such-model"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await anext(aiter(stub.Summarize(request)))
            assert reason(caught.value) == ("MODEL_MISSING" if request.model else "EMPTY_TRANSCRIPT")


async def test_cancelled_summary_frees_its_slot_and_full_queue_refuses(
    models_dir: Path, english_meeting: list[Segment]
) -> None:
    async with serving(models_dir, parallel=1, max_waiting=0, max_interactive=1) as stub:
        request = llm_pb2.SummarizeRequest(segments=wire(english_meeting * 20))
        call = stub.Summarize(request)
        while (await call.read()).WhichOneof("payload") != "delta":
            pass
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(stub.Summarize(request)))
        assert reason(caught.value) == "OVERLOADED"
        title = llm_pb2.TitleRequest(segments=request.segments[:8])
        waiting, refused = (asyncio.ensure_future(stub.Title(title, timeout=60)) for _ in range(2))
        (ended,), _ = await asyncio.wait([waiting, refused], return_when=asyncio.FIRST_COMPLETED)
        assert reason(ended.exception()) == "OVERLOADED"
        call.cancel()
        assert [(await other).title for other in (waiting, refused) if other is not ended] != [""]


async def test_broken_and_missing_models_are_told_apart(models_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / SMALL_MODEL
    service = LlmService(settings(), CommonSettings(models_dir=tmp_path, data_dir=tmp_path))
    with pytest.raises(PreconditionFailed) as caught:
        await service.load()
    assert caught.value.reason == "MODEL_MISSING"
    folder.mkdir()
    shutil.copy(models_dir / SMALL_MODEL / "model.json", folder)
    (folder / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(PreconditionFailed) as caught:
        await service.load()
    assert caught.value.reason == "MODEL_UNREADABLE"
    await service.close()


def test_chunks_have_to_fit_the_context() -> None:
    with pytest.raises(ValidationError, match="at least 640 less"):
        LlmSettings(chunk_tokens=4000, context_tokens=4096)


async def test_process_serves_on_a_unix_socket_and_ends_in_mid_generation(
    models_dir: Path, tmp_path: Path, english_meeting: list[Segment]
) -> None:
    address = f"unix:{tmp_path}/llm.sock"
    environment = os.environ | {
        "RECORDROUTE_LLM_LISTEN": address,
        "RECORDROUTE_LLM_MODEL": SMALL_MODEL,
        "RECORDROUTE_LLM_THREADS": "1",
        "RECORDROUTE_LLM_DRAIN_GRACE_SECONDS": "0.5",
        "RECORDROUTE_MODELS_DIR": str(models_dir),
        "TMPDIR": str(tmp_path),
    }
    log = tmp_path / "log"
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recordroute_llm", env=environment, stderr=output
        )
    try:
        async with open_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service="recordroute.llm.v1.LlmService")
            async with asyncio.timeout(60):
                async for answer in health.Watch(request, wait_for_ready=True):
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        break
            stub = llm_pb2_grpc.LlmServiceStub(channel)
            title = await stub.Title(llm_pb2.TitleRequest(segments=wire(english_meeting[:2])), timeout=60)
            assert title.title
            story = llm_pb2.ChatMessage(role=llm_pb2.ROLE_USER, content="Tell a long story.")
            call = stub.Generate(llm_pb2.GenerateRequest(messages=[story], max_tokens=3000))
            assert (await call.read()).delta
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "Traceback" not in log.read_text()
    assert not list(tmp_path.glob("recordroute-llm-*"))
    assert json.loads(log.read_text().splitlines()[0])["service"] == "llm"
