"""Chats, answers, corrections and accounts over real sockets, with the small real model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from recordroute.common.v1 import transcript_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_llm.service import LlmService
from recordroute_llm.settings import LlmSettings
from recordroute_llm.transcript import Segment
from recordroute_runtime.channels import open_channel
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_duration

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL_MODEL = "smollm2-135m-instruct"
RULES = """
[budgets]
tokens_per_month = 300
[tiers]
small = "smollm2-135m-instruct"
[servers.away]
url = "http://127.0.0.1:9/v1"
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stub(
    models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[llm_pb2_grpc.LlmServiceStub]:
    folder = tmp_path_factory.mktemp("llm")
    rules = folder / "models.toml"
    rules.write_text(RULES)
    settings = LlmSettings(
        listen="127.0.0.1:0",
        model=SMALL_MODEL,
        models_file=rules,
        chunk_tokens=200,
        threads=1,
        drain_grace_seconds=1.0,
    )
    server = RunningServer(
        LlmService(settings, CommonSettings(models_dir=models_dir, data_dir=folder)), settings
    )
    await server.start()
    try:
        await server.loaded()
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            yield llm_pb2_grpc.LlmServiceStub(channel)
    finally:
        await server.stop()


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


def chat(*turns: tuple[int, str], **values: object) -> llm_pb2.GenerateRequest:
    messages = [llm_pb2.ChatMessage(role=role, content=content) for role, content in turns]
    return llm_pb2.GenerateRequest(messages=messages, **values)  # type: ignore[arg-type]


async def generate(
    stub: llm_pb2_grpc.LlmServiceStub, request: llm_pb2.GenerateRequest
) -> tuple[str, llm_pb2.GenerateResult]:
    responses = [response async for response in stub.Generate(request)]
    assert responses[-1].HasField("result")
    return "".join(response.delta for response in responses), responses[-1].result


async def test_generate_streams_and_the_second_time_comes_from_the_cache(
    stub: llm_pb2_grpc.LlmServiceStub,
) -> None:
    request = chat((llm_pb2.ROLE_USER, "Say hello."), owner="anna", max_tokens=12)
    text, result = await generate(stub, request)
    assert text
    assert result.model == SMALL_MODEL
    assert result.finish_reason in (llm_pb2.FINISH_REASON_STOP, llm_pb2.FINISH_REASON_LENGTH)
    assert result.usage.prompt_tokens > 5
    assert not result.usage.cached
    again, cached = await generate(stub, request)
    assert (again, cached.usage.cached, cached.usage.prompt_tokens) == (text, True, 0)
    request.use_cache = False
    assert not (await generate(stub, request))[1].usage.cached
    request.owner = "berta"
    request.use_cache = True
    assert not (await generate(stub, request))[1].usage.cached


async def test_budget_is_told_and_kept(stub: llm_pb2_grpc.LlmServiceStub) -> None:
    for number in range(20):
        try:
            await generate(
                stub, chat((llm_pb2.ROLE_USER, f"Say {number}. " * 10), owner="carla", max_tokens=4)
            )
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017
            assert error_info(error).reason == "BUDGET_EXHAUSTED"  # noqa: PT017
            break
    else:
        pytest.fail("the budget was never used up")
    usage = await stub.GetUsage(llm_pb2.GetUsageRequest(owner="carla"), timeout=60)
    assert [(used.task, used.model) for used in usage.usages] == [("generate", SMALL_MODEL)]
    assert usage.usages[0].prompt_tokens + usage.usages[0].completion_tokens == usage.budgets[0].used >= 300
    assert usage.budgets[0].limit == 300
    assert usage.budgets[0].renews_at.seconds > 0
    nobody = await stub.GetUsage(llm_pb2.GetUsageRequest(owner="nobody"), timeout=60)
    assert not nobody.usages
    assert nobody.budgets[0].used == 0


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([(llm_pb2.ROLE_USER, "Hi"), (llm_pb2.ROLE_SYSTEM, "Be kind.")], "instructions come first"),
        ([(llm_pb2.ROLE_USER, "")], "says nothing"),
        ([(llm_pb2.ROLE_TOOL, "42")], "names the call"),
    ],
)
async def test_turns_that_make_no_chat(
    stub: llm_pb2_grpc.LlmServiceStub, turns: list[tuple[int, str]], message: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=message) as caught:
        await generate(stub, chat(*turns))
    assert error_info(caught.value).reason == "BAD_CHAT"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"json_schema": '{"type": "wish"}'}, "UNSUPPORTED_SCHEMA"),
        ({"model": "no-such-model"}, "MODEL_MISSING"),
        ({"model": "away/m"}, "UPSTREAM_UNAVAILABLE"),
    ],
)
async def test_what_can_t_be_done_is_said(
    stub: llm_pb2_grpc.LlmServiceStub, values: dict[str, str], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await generate(stub, chat((llm_pb2.ROLE_USER, "Hi"), owner="dora", **values))
    assert error_info(caught.value).reason == reason


async def test_count_tokens(stub: llm_pb2_grpc.LlmServiceStub) -> None:
    counted = await stub.CountTokens(
        llm_pb2.CountTokensRequest(texts=["hello", "", "안녕하세요"]), timeout=60
    )
    assert list(counted.token_counts[:2]) == [1, 0]
    assert counted.token_counts[2] > 3
    assert counted.model == SMALL_MODEL
    assert counted.context_tokens >= 1024
    assert not counted.estimated


async def test_models_are_listed_also_while_a_server_is_away(stub: llm_pb2_grpc.LlmServiceStub) -> None:
    listed = await stub.ListModels(llm_pb2.ListModelsRequest(), timeout=60)
    assert [model.id for model in listed.models if model.loaded] == [SMALL_MODEL]
    assert not any(model.server for model in listed.models)


async def test_answer_cites_or_says_that_it_is_not_there(
    stub: llm_pb2_grpc.LlmServiceStub, english_meeting: list[Segment]
) -> None:
    passages = [
        llm_pb2.AnswerPassage(id=str(turn.index), text=turn.text, speakers=[turn.speaker])
        for turn in english_meeting
    ]
    request = llm_pb2.AnswerRequest(
        question="When is the next meeting?", passages=passages, owner="emil", model=SMALL_MODEL
    )
    responses = [response async for response in stub.Answer(request)]
    sentences = [response.sentence for response in responses if response.HasField("sentence")]
    assert responses[-1].result.found
    assert sentences
    texts = {passage.id: passage.text for passage in passages}
    cited = [texts[place.passage_id][place.start : place.end] for place in sentences[0].citations]
    assert any("Wednesday" in text for text in cited)
    request.question = "Who won the football match?"
    responses = [response async for response in stub.Answer(request)]
    assert [response.WhichOneof("payload") for response in responses] == ["result"]
    assert not responses[0].result.found


async def test_correct_proposes_towards_the_vocabulary(stub: llm_pb2_grpc.LlmServiceStub) -> None:
    text = "We store it in quadrant."
    request = llm_pb2.CorrectRequest(
        segments=[transcript_pb2.Segment(index=4, start=to_duration(0), end=to_duration(2), text=text)],
        vocabulary=["Qdrant"],
        owner="frida",
    )
    responses = [response async for response in stub.Correct(request)]
    made = [response.correction for response in responses if response.HasField("correction")]
    assert [(edit.segment_index, text[edit.start : edit.end], edit.replacement) for edit in made] == [
        (4, "quadrant", "Qdrant")
    ]
    assert made[0].reason == llm_pb2.CORRECTION_REASON_VOCABULARY
    assert responses[-1].usage.prompt_tokens > 0
