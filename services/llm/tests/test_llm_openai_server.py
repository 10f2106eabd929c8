"""The engine for servers with the OpenAI API: against a real llama-server, and against servers that fail."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import xllamacpp
from recordroute_llm.engine import Finish, Message, Prompt, Tool, Usage
from recordroute_llm.engines.openai_server import (
    Capabilities,
    OpenAIServerEngine,
    ServerOptions,
    estimated_tokens,
)
from recordroute_runtime.errors import (
    Cancelled,
    DomainError,
    InvalidInput,
    Overloaded,
    PreconditionFailed,
    ProcessingFailed,
    UpstreamUnavailable,
)
from recordroute_runtime.inference import CancelToken
from recordroute_runtime.models import find_model

KEY = "a key"


def prompt(text: str = "Say hello.", tokens: int = 8, **values: Any) -> Prompt:
    return Prompt((Message("user", text),), tokens, **values)


@pytest.fixture(scope="module")
def llama_server(models_dir: Path) -> Iterator[OpenAIServerEngine]:
    """llama.cpp's own server: real inference behind the API."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(find_model(models_dir, "smollm2-135m-instruct").path / "model.gguf")
    parameters.n_ctx, parameters.n_parallel = 2048, 2
    parameters.fit_params = False
    parameters.port = 0
    parameters.api_keys = [KEY]
    parameters.model_alias = {"small"}
    parameters.ui = False
    parameters.verbosity = -1
    server = xllamacpp.Server(parameters)
    engine = OpenAIServerEngine(ServerOptions("llama", f"{server.listening_address}/v1", KEY), "small")
    yield engine
    engine.close()
    del server


def test_generates_in_pieces_and_counts(llama_server: OpenAIServerEngine) -> None:
    pieces: list[str] = []
    answer = llama_server.generate(prompt(), CancelToken(), lambda text: pieces.append(text) is not None)
    assert answer.text == "".join(pieces)
    assert len(pieces) > 1
    assert answer.finish is Finish.LENGTH
    assert answer.usage.completion_tokens == 8
    assert answer.usage.prompt_tokens > 5


def test_listener_ends_the_answer(llama_server: OpenAIServerEngine) -> None:
    answer = llama_server.generate(prompt(tokens=200), CancelToken(), lambda text: len(text) > 0)
    assert answer.usage.completion_tokens < 20


def test_finds_out_what_the_server_can_do(llama_server: OpenAIServerEngine) -> None:
    capabilities = llama_server.capabilities()
    assert capabilities.json_schema
    assert capabilities.context_tokens >= 1024
    assert llama_server.list_models() == ["small"]


def test_answer_fits_the_schema(llama_server: OpenAIServerEngine) -> None:
    schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}'
    answer = llama_server.generate(prompt("A number.", 32, json_schema=schema), CancelToken())
    assert isinstance(json.loads(answer.text)["n"], int)


def test_counts_with_the_servers_tokeniser(llama_server: OpenAIServerEngine) -> None:
    counted = llama_server.count_tokens(["hello", "", "hello " * 500])
    assert counted.exact
    assert counted.counts[:2] == (1, 0)
    assert counted.counts[2] >= 500


def test_prompt_longer_than_the_context(llama_server: OpenAIServerEngine) -> None:
    with pytest.raises(InvalidInput) as caught:
        llama_server.generate(prompt("word " * 5000), CancelToken())
    assert caught.value.reason == "CONTEXT_OVERFLOW"


def test_cancel_ends_it_at_once(llama_server: OpenAIServerEngine) -> None:
    token = CancelToken()

    pieces: list[str] = []

    def cancel(text: str) -> bool:
        pieces.append(text)
        token.cancel()
        return False

    with pytest.raises(Cancelled):
        llama_server.generate(prompt("Tell a long story.", 900), token, cancel)
    assert len(pieces) == 1


def test_wrong_key(llama_server: OpenAIServerEngine) -> None:
    engine = OpenAIServerEngine(ServerOptions("llama", llama_server._options.url, "another"), "small")
    with pytest.raises(PreconditionFailed) as caught:
        engine.generate(prompt(), CancelToken())
    assert caught.value.reason == "UPSTREAM_CREDENTIALS"
    assert "another" not in caught.value.message
    engine.close()


Answer = Callable[[BaseHTTPRequestHandler], None]


def refuse(status: int, body: dict[str, Any] | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = json.dumps({"error": body or {"message": "no"}}).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def stream(*deltas: dict[str, Any], cut: bool = False) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        events = [
            {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            }
            for delta, finish in [*((delta, None) for delta in deltas), *[({}, "stop")] * (not cut)]
        ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"] * (not cut)
        for line in lines:
            handler.wfile.write(f"{len(line):x}\r\n{line}\r\n".encode())
        if cut:
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            handler.wfile.write(b"0\r\n\r\n")

    return answer


@contextmanager
def server(*answers: Answer) -> Iterator[tuple[OpenAIServerEngine, list[str]]]:
    """A server that gives these answers one after the other, the last one again and again, and notes the paths."""
    asked: list[str] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            (left.pop(0) if len(left) > 1 else left[0])(self)

        def log_message(self, *arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        engine = OpenAIServerEngine(ServerOptions("far", f"http://127.0.0.1:{http.server_port}/v1"), "m")
        yield engine, asked
        engine.close()
        http.shutdown()


def failure(engine: OpenAIServerEngine, **values: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        engine.generate(prompt(**values), CancelToken())
    return caught.value


def test_goes_on_after_refusals_that_pass() -> None:
    hello = stream({"content": "Hello"})
    with server(refuse(503), refuse(429, retry_after="0.1"), hello) as (engine, asked):
        assert engine.generate(prompt(), CancelToken()).text == "Hello"
        assert len(asked) == 3


def test_gives_up_after_three_tries() -> None:
    with server(refuse(503)) as (engine, asked):
        assert isinstance(failure(engine), UpstreamUnavailable)
        assert len(asked) == 3
    with server(refuse(429, retry_after="0.1")) as (engine, _):
        error = failure(engine)
        assert isinstance(error, Overloaded)
        assert error.retry_after is not None
        assert error.retry_after.total_seconds() == pytest.approx(0.1)


def test_asks_no_more_of_a_server_that_keeps_failing() -> None:
    with server(refuse(500)) as (engine, asked):
        for _ in range(4):
            failure(engine)
        count = len(asked)
        error = failure(engine)
        assert isinstance(error, UpstreamUnavailable)
        assert error.retry_after is not None
        assert error.retry_after.total_seconds() > 10
        assert len(asked) == count


def test_connection_cut_in_the_middle_is_not_tried_again() -> None:
    with server(stream({"content": "Hel"}, cut=True)) as (engine, asked):
        assert isinstance(failure(engine), UpstreamUnavailable)
        assert len(asked) == 1


def test_what_a_broken_answer_used_is_told_by_estimate() -> None:
    used: list[Usage] = []
    with server(refuse(400), stream({"content": "Hel"}, cut=True)) as (engine, _):
        with pytest.raises(InvalidInput):
            engine.generate(prompt(), CancelToken(), None, used.append)
        assert not used
        with pytest.raises(UpstreamUnavailable):
            engine.generate(prompt("Say hello."), CancelToken(), None, used.append)
    assert [(usage.prompt_tokens, usage.completion_tokens) for usage in used] == [
        (estimated_tokens("Say hello."), 1)
    ]


def test_nobody_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        engine = OpenAIServerEngine(
            ServerOptions("far", f"http://127.0.0.1:{unused.getsockname()[1]}/v1"), "m"
        )
        error = failure(engine)
        assert isinstance(error, UpstreamUnavailable)
        assert "far" in error.message
        engine.close()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, None, "MODEL_MISSING"),
        (401, None, "UPSTREAM_CREDENTIALS"),
        (400, {"message": "bad", "code": "context_length_exceeded"}, "CONTEXT_OVERFLOW"),
        (400, {"message": "what is that"}, "UPSTREAM_REFUSED"),
    ],
)
def test_refusals_that_stay(status: int, body: dict[str, Any] | None, reason: str) -> None:
    with server(refuse(status, body)) as (engine, asked):
        assert failure(engine).reason == reason
        assert len(asked) == 1


def test_server_without_schemas_and_tools() -> None:
    with server(refuse(400)) as (engine, asked):
        assert failure(engine, json_schema="{}").reason == "UNSUPPORTED_OPTION"
        assert failure(engine, tools=(Tool("note", "", "{}"),)).reason == "UNSUPPORTED_OPTION"
        # Asked once, known from then on.
        count = len(asked)
        failure(engine, json_schema="{}")
        assert len(asked) == count


def test_tool_calls_come_whole() -> None:
    def call(**function: str) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}

    tools = (Tool("note", "", '{"type": "object", "properties": {"a": {"type": "integer"}}}'),)
    with server(stream(call(name="note", arguments='{"a"'), call(arguments=": 1}"))) as (engine, _):
        engine._capabilities = Capabilities(json_schema=True, tools=True, context_tokens=0)
        answer = engine.generate(prompt(tools=tools), CancelToken())
        assert answer.finish is Finish.TOOL_CALLS
        assert [(made.name, made.arguments) for made in answer.tool_calls] == [("note", '{"a": 1}')]
    for malformed in (
        call(name="note", arguments="{oops"),
        call(name="note", arguments='{"a": "x"}'),
        call(name="other"),
    ):
        with server(stream(malformed)) as (engine, _):
            engine._capabilities = Capabilities(json_schema=True, tools=True, context_tokens=0)
            with pytest.raises(ProcessingFailed, match="called tool"):
                engine.generate(prompt(tools=tools), CancelToken())


def test_answer_that_ends_without_an_end_is_none() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": None}]}
        handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    with server(answer) as (engine, _):
        assert isinstance(failure(engine), UpstreamUnavailable)


def test_answer_that_breaks_the_schema_is_an_error() -> None:
    schema = '{"type": "object", "required": ["n"]}'
    for text in ('{"m": 1}', "Sure! Here is the JSON:"):
        with server(stream({"content": text})) as (engine, _):
            engine._capabilities = Capabilities(json_schema=True, tools=True, context_tokens=0)
            with pytest.raises(ProcessingFailed, match="does not fit"):
                engine.generate(prompt(json_schema=schema), CancelToken())


def test_web_page_in_the_place_of_the_api() -> None:
    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"<h1>")

    with server(page) as (engine, _):
        assert isinstance(failure(engine), UpstreamUnavailable)
        assert isinstance(failure(engine, json_schema="{}"), UpstreamUnavailable)
        assert not engine.count_tokens(["abc"]).exact


def test_estimates_are_rather_too_high() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("Hello, how are you today?") >= 7
    assert estimated_tokens("안녕하세요") == 5
    with server(refuse(404)) as (engine, _):
        counted = engine.count_tokens(["abc"])
        assert not counted.exact
        assert counted.counts == (1,)
