"""Bad input over real sockets: transcripts, models, schemas, tools and servers that are not as they should be."""

from __future__ import annotations

import asyncio
import json
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from recordroute.common.v1 import minutes_pb2, transcript_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_llm.engines.openai_server import estimated_tokens
from recordroute_llm.metering import next_month
from recordroute_llm.service import LlmService
from recordroute_llm.settings import LlmSettings
from recordroute_llm.transcript import Segment, sentences_of
from recordroute_runtime.channels import open_channel
from recordroute_runtime.models import find_model
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_duration

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL_MODEL = "smollm2-135m-instruct"
FAR = "far/m"
# The same server by another name: its failures must not keep the others from it.
DYING = "dying/m"
CHUNK_TOKENS = 1500


@dataclass
class FarServer:
    """A server with the OpenAI API whose model answers by a function of the prompt. A delta of None cuts the stream."""

    answer: Callable[[str], list[dict[str, object] | None]] = lambda prompt: []
    prompts: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture(scope="module")
def far_server() -> Iterator[FarServer]:
    far = FarServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if not content:
                # The client has gone.
                return
            body = json.loads(content)
            if self.path != "/v1/chat/completions" or not body.get("stream"):
                # It tells nothing of itself, and takes whatever it is asked to.
                choices = [
                    {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
                ]
                known = self.path == "/v1/chat/completions"
                self.reply(
                    200 if known else 404, json.dumps({"object": "chat.completion", "choices": choices})
                )
                return
            [prompt] = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
            far.prompts.append(prompt)
            lines = []
            deltas = far.answer(prompt)
            for place, delta in enumerate(deltas, 1):
                if delta is None:
                    break
                choice = {
                    "index": 0,
                    "delta": delta,
                    "finish_reason": "stop" if place == len(deltas) else None,
                }
                lines.append(f"data: {json.dumps({'id': '1', 'choices': [choice]})}\n\n")
            whole = None not in deltas
            self.reply(200, "".join(lines) + "data: [DONE]\n\n" * whole, cut=not whole)

        def reply(self, status: int, text: str, *, cut: bool = False) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header(
                "Content-Type", "application/json" if text.startswith("{") else "text/event-stream"
            )
            self.send_header("Content-Length", str(len(content) + cut))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = cut

        def log_message(self, *arguments: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        far.url = f"http://127.0.0.1:{http.server_port}/v1"
        yield far
        http.shutdown()


def broken_models(folder: Path, whole: bytes) -> dict[str, Path]:
    """Writes GGUF files that can't be loaded, each for another reason, from one that can."""
    architecture = whole.index(b"llama", whole.index(b"general.architecture"))
    contents = {
        "text": b"This is no model.\n" * 100,
        "cut": whole[:5_000_000],
        "strange": whole[:architecture] + b"lloma" + whole[architecture + 5 :],
        "version": whole[:4] + b"\xff\xff\xff\x7f" + whole[8:],
        "mangled": whole[:1000] + bytes(255 - byte for byte in whole[1000:3000]) + whole[3000:],
    }
    for name, content in contents.items():
        (folder / f"{name}.gguf").write_bytes(content)
    return {name: folder / f"{name}.gguf" for name in contents}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stub(
    models_dir: Path, far_server: FarServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[llm_pb2_grpc.LlmServiceStub]:
    folder = tmp_path_factory.mktemp("llm")
    whole = (find_model(models_dir, SMALL_MODEL).path / "model.gguf").read_bytes()
    files = broken_models(folder, whole)
    rules = folder / "models.toml"
    rules.write_text(
        "[budgets]\ntokens_per_month = 1000000\n"
        + "".join(
            f'[servers.{name}]\nurl = "{far_server.url}"\ncontext_tokens = 4096\n'
            for name in ("far", "dying")
        )
        + "".join(f'[files.{name}]\npath = "{path}"\n' for name, path in files.items())
    )
    settings = LlmSettings(
        listen="127.0.0.1:0",
        model=SMALL_MODEL,
        models_file=rules,
        chunk_tokens=CHUNK_TOKENS,
        threads=1,
        drain_grace_seconds=1.0,
    )
    common = CommonSettings(models_dir=models_dir, data_dir=folder)
    server = RunningServer(LlmService(settings, common), settings)
    await server.start()
    try:
        await server.loaded()
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            yield llm_pb2_grpc.LlmServiceStub(channel)
    finally:
        await server.stop()
        for path in files.values():
            path.unlink()


def said(*texts: str) -> list[transcript_pb2.Segment]:
    return [
        transcript_pb2.Segment(index=place, start=to_duration(place), end=to_duration(place + 1), text=text)
        for place, text in enumerate(texts)
    ]


def chat(text: str, **values: object) -> llm_pb2.GenerateRequest:
    message = llm_pb2.ChatMessage(role=llm_pb2.ROLE_USER, content=text)
    return llm_pb2.GenerateRequest(messages=[message], **values)  # type: ignore[arg-type]


async def failure(
    responses: AsyncIterator[object],
) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, list[object]]:
    """Returns the status and the reason of a stream that fails, and what came before."""
    read: list[object] = []
    try:
        async for response in responses:
            read.append(response)
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)
        assert status is not None
        info = error_details_pb2.ErrorInfo()
        assert status.details[0].Unpack(info)
        return error.code(), info, read
    pytest.fail("it went well")


async def minutes_of(
    stub: llm_pb2_grpc.LlmServiceStub, segments: list[transcript_pb2.Segment], **values: object
) -> llm_pb2.SummarizeResult:
    request = llm_pb2.SummarizeRequest(segments=segments, model=FAR, **values)  # type: ignore[arg-type]
    responses = [response async for response in stub.Summarize(request)]
    return responses[-1].result


def repeat_what_is_said(prompt: str) -> list[dict[str, object] | None]:
    """Answers as a model that copies: the first two lines between the marks."""
    lines = prompt.split('"""')[1].strip().splitlines()
    return [{"content": "\n".join(f"- {line[:200]}" for line in lines[:2])}]


WORDS = (
    "budget",
    "campaign",
    "launch",
    "contract",
    "supplier",
    "warehouse",
    "invoice",
    "delivery",
    "training",
    "plan",
)


def long_transcript() -> list[str]:
    """200,000 tokens and more: sentences that are told apart by their number."""
    return [
        f"Point {number} is about the {WORDS[number % 10]} and the {WORDS[number // 10 % 10]} of team {number % 97}."
        for number in range(12_000)
    ]


async def test_200_000_tokens_are_read_to_the_last_sentence(
    stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer
) -> None:
    far_server.answer = repeat_what_is_said
    far_server.prompts.clear()
    texts = [*long_transcript(), "We decided to close the office in Helsinki."]
    result = await minutes_of(stub, said(*texts), owner="reader")
    asked = " ".join(prompt.split('"""')[1] for prompt in far_server.prompts)
    assert [text for text in texts if text not in asked] == []
    decisions = minutes_pb2.MINUTES_SECTION_KIND_DECISIONS
    assert [
        item.text for part in result.minutes.sections if part.kind == decisions for item in part.items
    ] == [texts[-1]]
    assert result.minutes.overview
    # Minutes grow with what is found, not with the transcript.
    assert result.ByteSize() < 100_000


async def test_200_000_tokens_can_be_cancelled_in_the_middle(stub: llm_pb2_grpc.LlmServiceStub) -> None:
    texts = long_transcript()
    counted = await stub.CountTokens(llm_pb2.CountTokensRequest(texts=[" ".join(texts)]), timeout=60)
    assert counted.token_counts[0] > 200_000
    call = stub.Summarize(llm_pb2.SummarizeRequest(segments=said(*texts), owner="reader"))
    first = await call.read()
    assert first.progress.total_steps > counted.token_counts[0] / CHUNK_TOKENS
    call.cancel()
    title = await stub.Title(llm_pb2.TitleRequest(segments=said("We plan the garden party.")), timeout=60)
    assert title.title


async def test_nothing_and_nothing_but_silence(stub: llm_pb2_grpc.LlmServiceStub) -> None:
    for segments, reason in (
        (said(), "INVALID_FIELDS"),
        (said(""), "EMPTY_TRANSCRIPT"),
        (said(" \t\n", "\x00\x1b\x7f", "\u200b", "...", "?!"), "EMPTY_TRANSCRIPT"),
    ):
        summary = stub.Summarize(llm_pb2.SummarizeRequest(segments=segments))
        code, info, read = await failure(aiter(summary))
        assert (code, info.reason, read) == (grpc.StatusCode.INVALID_ARGUMENT, reason, [])
        code, info, read = await failure(aiter(stub.Correct(llm_pb2.CorrectRequest(segments=segments))))
        assert (code, info.reason, read) == (grpc.StatusCode.INVALID_ARGUMENT, reason, [])


@pytest.mark.parametrize("text", ["Hello dear world.", "yes", "네, 좋습니다, 그렇게 하죠."])
async def test_three_words_are_their_own_minutes(stub: llm_pb2_grpc.LlmServiceStub, text: str) -> None:
    request = llm_pb2.SummarizeRequest(segments=said(text))
    responses = [response async for response in stub.Summarize(request)]
    result = responses[-1].result
    assert result.minutes.overview == text
    assert not result.minutes.sections
    assert result.stats.prompt_tokens == 0
    title = await stub.Title(llm_pb2.TitleRequest(segments=said(text)), timeout=60)
    assert 1 <= len(title.title) <= 60


async def test_endless_lines(stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer) -> None:
    far_server.answer = repeat_what_is_said
    far_server.prompts.clear()
    spoken = " ".join(f"and then {number} people came to the {WORDS[number % 10]}" for number in range(1600))
    unbroken = "라이브회의기록" * 3000
    result = await minutes_of(stub, said(*[spoken[:65_000]] * 2, unbroken), owner="endless")
    asked = "".join("".join(prompt.split('"""')[1].split()) for prompt in far_server.prompts)
    for sentence in sentences_of([Segment(0, 0, 1, spoken[:65_000]), Segment(1, 1, 2, unbroken)]):
        assert "".join(sentence.text.split()) in asked
    assert result.minutes.overview
    # Segments as long as the contract allows must not make an answer that is longer than it allows.
    assert result.ByteSize() < 100_000
    for part in result.minutes.sections:
        for item in part.items:
            assert len(item.text) <= 260
            assert all(0 < len(evidence.quote) <= 1000 for evidence in item.evidence)


async def test_mixed_scripts_and_control_characters(
    stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer
) -> None:
    far_server.answer = repeat_what_is_said
    turns = [
        "We decided to ship the \x1b[31mred\x1b[0m box on Friday.\x00\x07",
        "예산은 5천만 원입니다. The rest is 未定です。",
        "مرحبا بالجميع، الاجتماع يوم الثلاثاء. שלום לכולם.",
        "👩‍👩‍👧‍👦 e\u0301tude \u202egnp.exe\u202c \u2028 next \u0085 line \x9b31m",
        "Привет всем, встреча в среду в десять часов утра в большом зале.",
        "I will call the suppliers in Busan (부산) by Monday.",
    ]
    result = await minutes_of(stub, said(*turns * 2), owner="mixed")
    minutes = result.minutes
    assert minutes.overview
    shown = [minutes.overview, *minutes.unsupported]
    shown += [item.text for part in minutes.sections for item in part.items]
    assert any("red" in text for text in shown)
    assert any("Busan" in text for text in shown)
    for text in shown:
        assert not any(unicodedata.category(character) == "Cc" for character in text), text
    small = llm_pb2.SummarizeRequest(segments=said(*turns), owner="mixed")
    assert [response async for response in stub.Summarize(small)][-1].result.minutes.overview


async def test_prompt_that_overflows_the_context_is_refused_with_the_numbers(
    stub: llm_pb2_grpc.LlmServiceStub,
) -> None:
    code, info, read = await failure(aiter(stub.Generate(chat("word " * 6000, owner="wordy"))))
    assert (code, info.reason, read) == (grpc.StatusCode.INVALID_ARGUMENT, "CONTEXT_OVERFLOW", [])
    assert int(info.metadata["prompt_tokens"]) > 6000
    assert info.metadata["context_tokens"] == "4096"


@pytest.mark.parametrize("model", ["text", "cut", "strange", "version", "mangled"])
async def test_model_files_that_are_none(stub: llm_pb2_grpc.LlmServiceStub, model: str) -> None:
    for call in (
        stub.Generate(chat("Hi", model=model)),
        stub.Summarize(llm_pb2.SummarizeRequest(segments=said("We plan the garden party."), model=model)),
    ):
        code, info, read = await failure(aiter(call))
        assert (code, info.reason, read) == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_UNREADABLE", [])
        assert info.metadata["model"] == model
    alive = [response async for response in stub.Generate(chat("Hi", max_tokens=2))]
    assert alive[-1].HasField("result")


async def test_server_gone_in_mid_stream_leaves_only_the_bill(
    stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer
) -> None:
    far_server.answer = lambda prompt: [{"content": "Half an "}, {"content": "ans"}, None]
    far_server.prompts.clear()
    request = chat("What is the answer?", model=DYING, owner="cut off")
    code, info, read = await failure(aiter(stub.Generate(request)))
    assert (code, info.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
    assert "".join(response.delta for response in read) == "Half an ans"  # type: ignore[attr-defined]
    assert not any(response.HasField("result") for response in read)  # type: ignore[attr-defined]
    # What was half written is not tried again behind the reader's back, and not kept for the next time.
    assert len(far_server.prompts) == 1
    # It was read and written all the same; the server did not come to tell how much.
    (usage,) = (await stub.GetUsage(llm_pb2.GetUsageRequest(owner="cut off"), timeout=60)).usages
    assert (usage.request_count, usage.prompt_tokens, usage.completion_tokens) == (
        1,
        estimated_tokens("What is the answer?"),
        estimated_tokens("Half an ans"),
    )
    far_server.answer = lambda prompt: [{"content": "Half an answer "}, {"content": "and the rest."}]
    whole = [response async for response in stub.Generate(request)]
    assert "".join(response.delta for response in whole) == "Half an answer and the rest."
    assert not whole[-1].result.usage.cached
    assert [response async for response in stub.Generate(request)][-1].result.usage.cached


async def test_server_gone_in_the_middle_of_minutes(
    stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer
) -> None:
    chunks = [0]

    def answer(prompt: str) -> list[dict[str, object] | None]:
        chunks[0] += 1
        return repeat_what_is_said(prompt) if chunks[0] < 3 else [{"content": "- The"}, None]

    far_server.answer = answer
    request = llm_pb2.SummarizeRequest(segments=said(*long_transcript()[:1000]), model=DYING, owner="cut off")
    code, info, read = await failure(aiter(stub.Summarize(request)))
    assert (code, info.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
    assert not any(response.HasField("result") for response in read)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ('{"properties": {"a": {"type": "string", "minLength": 9, "maxLength": 2}}}', "#/properties/a"),
        ('{"type": "array", "items": {"not": {"type": "null"}}}', "#/items"),
        ("{", "#"),
    ],
)
async def test_schema_that_no_grammar_can_express(
    stub: llm_pb2_grpc.LlmServiceStub, schema: str, place: str
) -> None:
    tool = llm_pb2.Tool(name="note", parameters_json_schema=schema.ljust(2))
    for request in (chat("Hi", json_schema=schema.ljust(2)), chat("Hi", tools=[tool])):
        code, info, read = await failure(aiter(stub.Generate(request)))
        assert (code, info.reason, read) == (grpc.StatusCode.INVALID_ARGUMENT, "UNSUPPORTED_SCHEMA", [])
        assert info.metadata["place"] == place


async def test_tool_call_with_malformed_arguments(
    stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer
) -> None:
    def calling(name: str, arguments: str) -> list[dict[str, object] | None]:
        function = {"name": name, "arguments": arguments}
        return [{"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}]

    schema = {"type": "object", "properties": {"day": {"type": "integer"}}, "required": ["day"]}
    tool = llm_pb2.Tool(name="meet", parameters_json_schema=json.dumps(schema))
    request = chat("Meet on the fifth.", model=FAR, tools=[tool], owner="caller")
    for name, arguments in (("meet", '{"day": '), ("meet", "[5]"), ("meet", '{"day": "5th"}'), ("fly", "{}")):
        far_server.answer = lambda prompt, name=name, arguments=arguments: calling(name, arguments)  # type: ignore[misc]
        code, info, read = await failure(aiter(stub.Generate(request)))
        assert (code, info.reason, read) == (grpc.StatusCode.INTERNAL, "GENERATION_FAILED", [])
        assert info.metadata["tool"] == name
    far_server.answer = lambda prompt: calling("meet", '{"day": 5}')
    responses = [response async for response in stub.Generate(request)]
    assert [
        json.loads(part.tool_call.arguments_json) for part in responses if part.HasField("tool_call")
    ] == [{"day": 5}]
    assert responses[-1].result.finish_reason == llm_pb2.FINISH_REASON_TOOL_CALLS


async def test_exhausted_budget_says_what_and_until_when(
    stub: llm_pb2_grpc.LlmServiceStub, far_server: FarServer
) -> None:
    far_server.answer = lambda prompt: [{"content": "word " * 700_000}]
    await asyncio.wait_for(anext(aiter(stub.Generate(chat("Hi", model=FAR, owner="spender")))), 60)
    [budget] = (await stub.GetUsage(llm_pb2.GetUsageRequest(owner="spender"), timeout=60)).budgets
    while budget.used < budget.limit:
        [budget] = (await stub.GetUsage(llm_pb2.GetUsageRequest(owner="spender"), timeout=60)).budgets
    segments = said(*long_transcript()[:200])
    for call in (
        stub.Generate(chat("Hi again", owner="spender")),
        stub.Summarize(llm_pb2.SummarizeRequest(segments=segments, owner="spender")),
    ):
        code, info, _ = await failure(aiter(call))
        assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUDGET_EXHAUSTED")
        assert info.metadata["kind"] == "tokens"
        assert info.metadata["limit"] == "1000000"
        assert int(info.metadata["used"]) == budget.used >= 1_000_000
        assert datetime.fromisoformat(info.metadata["renews_at"]) == next_month()
    assert [response async for response in stub.Generate(chat("Hi", owner="saver", max_tokens=2))]
