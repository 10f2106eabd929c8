"""The llama.cpp engine, on the small real model."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from recordroute_llm.engine import Message, Priority, Prompt, Tool, ToolCall, Usage
from recordroute_llm.engines.chat import checked_tool_calls
from recordroute_llm.engines.llama import LlamaEngine, LlamaOptions, _Slots
from recordroute_llm.engines.registry import EngineRegistry
from recordroute_runtime.errors import (
    Cancelled,
    InvalidInput,
    Overloaded,
    PreconditionFailed,
    ProcessingFailed,
)
from recordroute_runtime.inference import CancelToken
from recordroute_runtime.models import find_model

SMALL_MODEL = "smollm2-135m-instruct"
LONG_TEXT = "The quick brown fox jumps over the lazy dog. " * 300


def prompt(text: str, tokens: int = 16) -> Prompt:
    return Prompt((Message("user", text),), tokens)


def test_generates_in_pieces_and_counts(small_engine: LlamaEngine) -> None:
    pieces: list[str] = []
    answer = small_engine.generate(
        prompt("Say hello."), CancelToken(), lambda text: pieces.append(text) or False
    )  # type: ignore[func-returns-value]
    assert answer.text
    assert answer.text == "".join(pieces)
    assert len(pieces) > 1
    assert answer.usage.prompt_tokens > 5
    assert 1 <= answer.usage.completion_tokens <= 16
    assert small_engine.generate(prompt("Say hello."), CancelToken()).text == answer.text


def test_answer_that_is_cut_off_says_so(small_engine: LlamaEngine) -> None:
    assert not small_engine.generate(prompt("Tell a long story.", 4), CancelToken()).complete


def test_answer_goes_on_from_its_beginning_and_ends_when_told(small_engine: LlamaEngine) -> None:
    messages = (Message("user", "Count from one to nine."), Message("assistant", "one, two, three,"))
    answer = small_engine.generate(Prompt(messages, 30), CancelToken(), lambda text: "five" in text)
    assert answer.text.startswith(" four")
    assert answer.text.endswith("five")
    assert small_engine.generate(Prompt(messages, 30, stop=("six",)), CancelToken()).text.count("six") == 0


def test_counts_tokens_of_each_text(small_engine: LlamaEngine) -> None:
    counted = small_engine.count_tokens(["hello", "", "안녕하세요", "<|im_start|>", "hello " * 500])
    assert counted.exact
    counts = counted.counts
    assert counts[0] == 1
    assert counts[1] == 0
    assert counts[2] > 3
    assert counts[3] > 1, "special tokens in a transcript are plain text"
    assert counts[4] >= 500


def test_prompt_longer_than_the_context_is_refused_with_the_numbers(small_engine: LlamaEngine) -> None:
    with pytest.raises(InvalidInput) as caught:
        small_engine.generate(prompt(LONG_TEXT * 3), CancelToken())
    assert caught.value.reason == "CONTEXT_OVERFLOW"
    assert int(caught.value.metadata["prompt_tokens"]) > int(caught.value.metadata["context_tokens"]) == 4096


class CountingLooks(CancelToken):
    """The engine looks once for each batch of a prompt, and for each token that it writes."""

    def __init__(self, *, cancelled_at: int | None = None) -> None:
        super().__init__()
        self.looks = 0
        self._cancelled_at = cancelled_at

    @property
    def cancelled(self) -> bool:
        self.looks += 1
        if self.looks == self._cancelled_at:
            self.cancel()
        return super().cancelled


def test_cancel_ends_the_prompt_phase_and_frees_the_slot(small_engine: LlamaEngine) -> None:
    token = CountingLooks(cancelled_at=3)
    pieces: list[str] = []
    used: list[Usage] = []
    with pytest.raises(Cancelled):
        # The prompt has some fifty batches.
        small_engine.generate(
            prompt(LONG_TEXT), token, lambda text: pieces.append(text) is not None, used.append
        )
    assert token.looks <= 5
    assert not pieces
    # Some batches of the three thousand tokens have been read by then.
    assert all(0 < usage.prompt_tokens < 1000 and not usage.completion_tokens for usage in used)
    assert len(used) == 1
    assert small_engine.generate(prompt("Hi", 2), CancelToken()).usage.completion_tokens > 0


def test_cancel_ends_decoding_at_the_next_token(small_engine: LlamaEngine) -> None:
    token = CancelToken()
    pieces: list[str] = []

    def receive(text: str) -> bool:
        pieces.append(text)
        if len(pieces) == 3:
            token.cancel()
        return False

    used: list[Usage] = []
    with pytest.raises(Cancelled):
        small_engine.generate(prompt("Tell a long story.", 400), token, receive, used.append)
    assert len(pieces) == 3
    assert [usage.completion_tokens for usage in used] == [3]
    assert used[0].prompt_tokens > 5
    assert used[0].seconds > 0


def test_cancel_ends_the_wait_for_a_slot(small_engine: LlamaEngine) -> None:
    stop = CancelToken()
    with ThreadPoolExecutor(3) as threads:
        busy, go_on = threading.Semaphore(0), threading.Event()

        def receive(_: str) -> bool:
            busy.release()
            # However short its story is, it keeps its slot.
            return not go_on.wait(60)

        running = [
            threads.submit(small_engine.generate, prompt("Tell a long story.", 1000), stop, receive)
            for _ in range(small_engine.parallel)
        ]
        for _ in running:
            assert busy.acquire(timeout=60)
        waiting = CancelToken()
        blocked = threads.submit(small_engine.generate, prompt("Hi", 2), waiting)
        waiting.cancel()
        assert isinstance(blocked.exception(timeout=60), Cancelled)
        stop.cancel()
        go_on.set()
        assert all(isinstance(future.exception(timeout=60), Cancelled) for future in running)


def test_interactive_request_goes_past_the_long_prompts(small_engine: LlamaEngine) -> None:
    stops = [CancelToken() for _ in range(small_engine.parallel + 1)]
    with ThreadPoolExecutor(len(stops)) as threads:
        try:
            others = [
                threads.submit(small_engine.generate, prompt(f"{number} {LONG_TEXT}", 400), stop)
                for number, stop in enumerate(stops[1:])
            ]
            deadline = time.monotonic() + 60
            while set(small_engine._slots._free) != {0}:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            others.append(threads.submit(small_engine.generate, prompt("Hi", 2), stops[0]))
            answer = small_engine.generate(
                Prompt((Message("user", "Say hello."),), 4, priority=Priority.INTERACTIVE), CancelToken()
            )
            assert answer.usage.completion_tokens == 4
            assert not any(other.done() for other in others)
        finally:
            for stop in stops:
                stop.cancel()
    assert all(isinstance(other.exception(), Cancelled) for other in others)


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        (LlamaOptions(), 64),
        (LlamaOptions(gpu_layers=-1), 512),
        (LlamaOptions(gpu_layers=-1, batch_tokens=128), 128),
    ],
)
def test_batches_are_larger_on_a_gpu(
    small_engine: LlamaEngine, options: LlamaOptions, tokens: int, tmp_path: Path
) -> None:
    parameters = small_engine._parameters(tmp_path, options)
    assert (parameters.n_batch, parameters.n_ubatch) == (tokens, tokens)


def test_next_question_on_a_text_goes_to_the_slot_that_has_read_it() -> None:
    slots, token = _Slots(3), CancelToken()
    read: dict[int, str] = {}
    with ExitStack() as held:
        for text in ("first " * 50, "second " * 50, "third " * 50):
            read[held.enter_context(slots.hold(Priority.BATCH, token, text))] = text
        assert set(read) == {1, 2, 3}
    for slot, text in reversed(read.items()):
        with slots.hold(Priority.BATCH, token, f"{text} another question") as taken:
            assert taken == slot
    # What nobody has read displaces what was not asked for longest.
    with slots.hold(Priority.BATCH, token, "fourth " * 50) as taken:
        assert read[taken].startswith("third")
    with slots.hold(Priority.INTERACTIVE, token, read[2]) as taken:
        assert taken == 0


def test_second_question_on_a_text_costs_a_fraction(small_engine: LlamaEngine) -> None:
    def looks(question: str) -> int:
        token = CountingLooks()
        small_engine.generate(prompt(f"{LONG_TEXT[:3600]}\n{question}", 1), token)
        return token.looks

    # Some eight hundred tokens in batches of 64, and then just those of the question.
    assert looks("What jumps?") >= looks("Who is lazy?") + 10


def test_answer_fits_the_schema(small_engine: LlamaEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    asked = Prompt((Message("user", "Invent a person."),), 64, json_schema=json.dumps(schema))
    answer = json.loads(small_engine.generate(asked, CancelToken()).text)
    assert set(answer) == {"name", "age"}
    assert isinstance(answer["age"], int)


# The first three never let llama.cpp end; it leaves out what the others ask for.
UNSUPPORTED = {
    "minLength is more than maxLength": '{"type": "string", "minLength": 5, "maxLength": 2}',
    "minItems is more than maxItems": '{"type": "array", "items": {}, "minItems": 5, "maxItems": 2}',
    "#/pattern": '{"type": "string", "pattern": "^a{5,2}$"}',
    "#/type": '{"type": "wish"}',
    "no JSON: ": "no json",
    "no JSON object": "[1]",
    "express not": '{"not": {"type": "string"}}',
    "#/properties/a: no grammar can express uniqueItems": '{"properties": {"a": {"uniqueItems": true}}}',
    "lookaround": '{"type": "string", "pattern": "^(?!a)b$"}',
    "begin with": '{"type": "string", "pattern": "abc"}',
    "no integers": '{"type": "number", "minimum": 1}',
    "leaves the document": '{"$ref": "https://example.org/schema.json"}',
    "does not exist": '{"$ref": "#/$defs/nowhere"}',
    "unsupported": '{"type": "object", "properties": {"child": {"$ref": "#"}}}',
    "too large": '{"type": "string", "pattern": "^[0-9]{9000}$"}',
    "more than 512": json.dumps({"enum": list(range(600))}),
    "64 deep": '{"items": ' * 5000,
}


@pytest.mark.parametrize("why", UNSUPPORTED)
def test_schema_that_no_grammar_can_express(small_engine: LlamaEngine, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        small_engine.generate(
            Prompt((Message("user", "Hi"),), 8, json_schema=UNSUPPORTED[why]), CancelToken()
        )
    assert caught.value.reason == "UNSUPPORTED_SCHEMA"
    assert why in caught.value.message
    assert small_engine.generate(prompt("Hi", 2), CancelToken()).text


def test_tools_schema_is_checked_like_any_other(small_engine: LlamaEngine) -> None:
    tool = Tool("note", "", UNSUPPORTED["minLength is more than maxLength"])
    with pytest.raises(InvalidInput, match="minLength"):
        small_engine.generate(Prompt((Message("user", "Hi"),), 8, tools=(tool,)), CancelToken())


def test_answer_that_does_not_fit_after_all_is_an_error(small_engine: LlamaEngine) -> None:
    # A grammar joins the alternatives of `oneOf`, of which a schema allows one only.
    schema = '{"oneOf": [{"type": "integer"}, {"type": "integer"}]}'
    with pytest.raises(ProcessingFailed, match="does not fit"):
        small_engine.generate(Prompt((Message("user", "1 + 1?"),), 24, json_schema=schema), CancelToken())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [("{", "no JSON object"), ("[]", "no JSON object"), ("null", "no JSON object"), ('{"a": "x"}', "#/a: ")],
)
def test_tool_call_with_malformed_arguments(arguments: str, why: str) -> None:
    tool = Tool("note", "", '{"type": "object", "properties": {"a": {"type": "integer"}}}')
    asked = Prompt((Message("user", "Hi"),), 8, tools=(tool,))
    assert checked_tool_calls(asked, [ToolCall("1", "note", '{"a": 1}'), ToolCall("2", "note", "")])
    with pytest.raises(ProcessingFailed, match=why) as caught:
        checked_tool_calls(asked, [ToolCall("1", "note", arguments)])
    assert caught.value.metadata == {"tool": "note"}
    with pytest.raises(ProcessingFailed, match="not offered"):
        checked_tool_calls(asked, [ToolCall("1", "other", "{}")])


def test_error_in_the_receiver_comes_back(small_engine: LlamaEngine) -> None:
    def receive(_: str) -> bool:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        small_engine.generate(prompt("Hi"), CancelToken(), receive)


def test_opens_no_port_and_nobody_else_may_use_its_socket(models_dir: Path) -> None:
    path = find_model(models_dir, SMALL_MODEL).path / "model.gguf"
    process = psutil.Process()
    ports = {connection.laddr.port for connection in process.net_connections("inet")}
    threads = process.num_threads()

    def mappings() -> int:
        return sum(mapping.path == str(path.resolve()) for mapping in process.memory_maps(grouped=False))

    others = mappings()
    engine = LlamaEngine(SMALL_MODEL, path, LlamaOptions(context_tokens=1024, parallel=1, threads=1))
    folder = engine._folder
    assert {connection.laddr.port for connection in process.net_connections("inet")} <= ports
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "http.sock"))
        client.sendall(b"POST /tokenize HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert b" 401 " in client.recv(100)
    assert mappings() == others + 1
    engine.close()
    assert not folder.exists()
    assert mappings() == others
    # A thread that has been joined may still be counted for a moment.
    deadline = time.monotonic() + 60
    while process.num_threads() > threads:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("content", [b"", b"no model at all", b"GGUF\x03\x00\x00\x00rubbish" * 9])
def test_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(PreconditionFailed) as caught:
        LlamaEngine("broken", path, LlamaOptions())
    assert caught.value.reason == "MODEL_UNREADABLE"


def test_truncated_model_is_refused(models_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with (find_model(models_dir, SMALL_MODEL).path / "model.gguf").open("rb") as whole:
        path.write_bytes(whole.read(5_000_000))
    with pytest.raises(PreconditionFailed) as caught:
        LlamaEngine("broken", path, LlamaOptions())
    assert caught.value.reason == "MODEL_UNREADABLE"
    assert list(tmp_path.iterdir()) == [path]


class NamedEngine:
    parallel = 1

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_registry_keeps_the_default_and_what_is_in_use() -> None:
    made: dict[str, NamedEngine] = {}

    def load(name: str) -> NamedEngine:
        made[name] = NamedEngine(name)
        return made[name]

    registry = EngineRegistry("a", 2, load)  # type: ignore[arg-type]
    with registry.use() as first, registry.use("b"):
        assert first.model_id == "a"
        with pytest.raises(Overloaded), registry.use("c"):
            pass
    with registry.use("c"):
        assert registry.loaded == {"a", "c"}
    assert made["b"].closed
    registry.close()
    assert made["a"].closed
    assert made["c"].closed
