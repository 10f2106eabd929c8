"""GGUF models by llama.cpp inside this process (xllamacpp), with continuous batching over parallel slots."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xllamacpp
from recordroute_runtime.errors import InvalidInput, PreconditionFailed, ProcessingFailed
from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import (
    Finish,
    Generation,
    Priority,
    Prompt,
    TokenCounts,
    ToolCall,
    Usage,
)
from recordroute_llm.engines.chat import chat_request, check_answer, checked_tool_calls
from recordroute_llm.engines.schemas import check_grammar, read_schema

GGUF_MAGIC = b"GGUF"
# The engine looks for cancelled and for short requests between batches only: 64 tokens take well under a second on two
# cores. Twice as many are read a tenth faster, but are waited for twice as long. A GPU is mostly idle with so few.
BATCH_TOKENS = 64
GPU_BATCH_TOKENS = 512
SLOT_CHECK_SECONDS = 0.05
# A request for each text would cost more than the tokenising. No token has the number that ends a text.
TEXTS_A_REQUEST = 256
END_OF_TEXT = -1


@dataclass(frozen=True)
class LlamaOptions:
    """How to run a model: `context_tokens` for each of `parallel` slots, and for one more that only interactive
    requests use; `threads` 0 takes every usable CPU. `batch_tokens` are read at a time, 0 chooses."""

    context_tokens: int = 4096
    parallel: int = 2
    threads: int = 0
    gpu_layers: int = 0
    batch_tokens: int = 0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def _unreadable(model_id: str, why: str) -> PreconditionFailed:
    return PreconditionFailed(
        "MODEL_UNREADABLE",
        f"model {model_id} can't be loaded: {why}; check it with: recordroute models verify {model_id}",
        metadata={"model": model_id},
    )


class LlamaEngine:
    """A GGUF model in memory. Raises PreconditionFailed (MODEL_UNREADABLE) where the file is none, is cut off, or
    holds an architecture that llama.cpp does not know."""

    def __init__(self, model_id: str, path: Path, options: LlamaOptions) -> None:
        self._model_id = model_id
        self._parallel = options.parallel
        self._context_tokens = options.context_tokens
        self._slots = _Slots(options.parallel)
        self._server: Any = None
        try:
            with path.open("rb") as file:
                magic = file.read(len(GGUF_MAGIC))
        except OSError as error:
            raise _unreadable(model_id, f"{path.name} can't be read") from error
        if magic != GGUF_MAGIC:
            raise _unreadable(model_id, f"{path.name} is no GGUF file")
        # llama.cpp's own HTTP server can't be switched off: a socket in a folder that only this user can enter, and
        # a key that nobody knows, keep everybody else out. Its tokeniser is reachable by no other way.
        self._folder = Path(tempfile.mkdtemp(prefix="recordroute-llm-"))
        self._socket = str(self._folder / "http.sock")
        self._key = secrets.token_urlsafe(32)
        try:
            self._server = xllamacpp.Server(self._parameters(path, options))
        except RuntimeError as error:
            shutil.rmtree(self._folder)
            raise _unreadable(model_id, f"llama.cpp refuses {path.name}") from error

    def _parameters(self, path: Path, options: LlamaOptions) -> Any:
        threads = options.threads or len(os.sched_getaffinity(0))
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_parallel = options.parallel + 1
        parameters.n_ctx = options.context_tokens * parameters.n_parallel
        parameters.n_batch = parameters.n_ubatch = options.batch_tokens or (
            GPU_BATCH_TOKENS if options.gpu_layers else BATCH_TOKENS
        )
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.n_gpu_layers = options.gpu_layers
        parameters.fit_params = False
        parameters.cache_ram_mib = 0
        parameters.hostnames = [self._socket]
        parameters.api_keys = [self._key]
        parameters.n_threads_http = 1
        parameters.ui = False
        parameters.endpoint_slots = False
        parameters.offline = True
        parameters.verbosity = -1
        return parameters

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def parallel(self) -> int:
        return self._parallel

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        connection = _UnixConnection(self._socket)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        counts: list[int] = []
        try:
            for start in range(0, len(texts), TEXTS_A_REQUEST):
                content = [
                    part for text in texts[start : start + TEXTS_A_REQUEST] for part in (text, END_OF_TEXT)
                ]
                body = json.dumps({"content": content, "add_special": False, "parse_special": False})
                connection.request("POST", "/tokenize", body, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status != http.HTTPStatus.OK:
                    raise ProcessingFailed("GENERATION_FAILED", "the text can't be split into tokens")
                size = 0
                for token in answer["tokens"]:
                    if token == END_OF_TEXT:
                        counts.append(size)
                        size = 0
                    else:
                        size += 1
        finally:
            connection.close()
        return TokenCounts(tuple(counts), exact=True)

    def generate(
        self,
        prompt: Prompt,
        token: CancelToken,
        on_text: Callable[[str], bool] | None = None,
        on_usage: Callable[[Usage], None] | None = None,
    ) -> Generation:
        request = {**chat_request(prompt), "stream": True, "return_progress": True}
        for schema in filter(None, (prompt.json_schema, *(tool.parameters for tool in prompt.tools))):
            check_grammar(read_schema(schema))
        answer = _Answer(prompt, token, on_text)
        text = "".join(message.content for message in prompt.messages)
        with self._slots.hold(prompt.priority, token, text) as slot:
            begun = time.monotonic()
            try:
                self._server.handle_chat_completions(json.dumps(request | {"id_slot": slot}), answer.receive)
            except ValueError as error:
                # What it can't make a grammar of.
                if prompt.json_schema or prompt.tools:
                    raise _no_grammar(str(error)) from error
                raise
            usage = answer.usage(time.monotonic() - begun)
        if on_usage is not None and usage.prompt_tokens:
            on_usage(usage)
        token.raise_if_cancelled()
        if answer.errors:
            raise _failure(answer.errors[0])
        return answer.generation(usage)

    def close(self) -> None:
        self._slots.close()
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)


class _Answer:
    """What the engine has written so far."""

    def __init__(self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], bool] | None) -> None:
        self._prompt = prompt
        self._token = token
        self._on_text = on_text
        self._pieces: list[str] = []
        self._calls: dict[int, _PartialCall] = {}
        # The closing figures don't come where the answer is ended early.
        self._read_tokens = 0
        self._completion_tokens = 0
        self._finish = ""
        self.errors: list[Any] = []

    def receive(self, line: str | dict[str, Any]) -> bool:
        """Takes the next event; returns whether the answer shall end."""
        if self._token.cancelled:
            return True
        try:
            event = json.loads(line) if isinstance(line, str) else line
            if "choices" not in event:
                self.errors.append(event.get("error", event))
                return True
            self._read_tokens = event.get("prompt_progress", {}).get("processed", self._read_tokens)
            ended = [self._take(choice) for choice in event["choices"]]
            return any(ended)
        except Exception as error:  # noqa: BLE001 - raised again by generate: it must not cross the C++ frames
            self.errors.append(error)
            return True

    def _take(self, choice: dict[str, Any]) -> bool:
        self._finish = choice["finish_reason"] or self._finish
        delta = choice["delta"]
        for call in delta.get("tool_calls") or ():
            self._calls.setdefault(call["index"], _PartialCall()).add(call)
            self._completion_tokens += 1
        text = delta.get("content")
        if not text:
            return False
        self._pieces.append(text)
        self._completion_tokens += 1
        return self._on_text is not None and self._on_text(text)

    def usage(self, seconds: float) -> Usage:
        """Returns what has been read and written."""
        return Usage(self._read_tokens, self._completion_tokens, seconds)

    def generation(self, usage: Usage) -> Generation:
        """Returns the answer. Raises ProcessingFailed where it does not fit what it should."""
        text = "".join(self._pieces)
        finish = Finish.LENGTH if self._finish == "length" else Finish.STOP
        # An answer that was cut off fits no schema, nor one that its reader ended, which has no finish.
        if self._finish == "stop":
            check_answer(self._prompt, text)
        calls = checked_tool_calls(self._prompt, (call.whole() for call in self._calls.values()))
        return Generation(
            text,
            usage,
            Finish.TOOL_CALLS if calls else finish,
            calls,
        )


@dataclass
class _PartialCall:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, delta: dict[str, Any]) -> None:
        function = delta.get("function", {})
        self.id = delta.get("id") or self.id
        self.name = function.get("name") or self.name
        self.arguments.append(function.get("arguments") or "")

    def whole(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.arguments))


class _Slots:
    """The slots of llama.cpp: number 0 for interactive requests only, the others for whoever comes, interactive
    requests first.

    llama.cpp fills its batches with prompts in the order of the slots, so that a short prompt in slot 0 waits for one
    batch, and not for the long prompts of the others. Requests that wait inside llama.cpp can't be cancelled, so they
    wait here. A prompt goes to the slot that has read most of it already, if that one is free.
    """

    def __init__(self, parallel: int) -> None:
        # What each free slot has read last, the slot that was given back longest ago first.
        self._free = dict.fromkeys(range(parallel + 1), "")
        self._all = parallel + 1
        self._changed = threading.Condition()
        self._interactive_waiting = 0

    @contextmanager
    def hold(self, priority: Priority, token: CancelToken, text: str = "") -> Iterator[int]:
        """Holds a slot for a prompt of this text."""
        slot = self._take(priority, token, text)
        try:
            yield slot
        finally:
            with self._changed:
                self._free[slot] = text
                self._changed.notify_all()

    def _take(self, priority: Priority, token: CancelToken, text: str) -> int:
        interactive = priority is Priority.INTERACTIVE
        with self._changed:
            self._interactive_waiting += interactive
            try:
                while True:
                    token.raise_if_cancelled()
                    slot = min(self._free, default=-1) if interactive else self._batch_slot(text)
                    if slot >= 0:
                        del self._free[slot]
                        return slot
                    self._changed.wait(SLOT_CHECK_SECONDS)
            finally:
                self._interactive_waiting -= interactive

    def _batch_slot(self, text: str) -> int:
        if self._interactive_waiting and 0 not in self._free:
            return -1
        slots = [slot for slot in self._free if slot]
        for slot in slots:
            # Another question on the same text: the slot has it in its cache.
            if self._free[slot].startswith(text[: len(text) // 2 + 1]):
                return slot
        return slots[0] if slots else -1

    def close(self) -> None:
        """Waits until every slot is free."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._free) == self._all)


def _no_grammar(why: str) -> InvalidInput:
    return InvalidInput("UNSUPPORTED_SCHEMA", f"the schema can't be followed: {why}"[:500])


def _failure(error: Any) -> Exception:
    if isinstance(error, Exception):
        return error
    details = error if isinstance(error, dict) else {}
    if "grammar" in str(details.get("message", "")):
        return _no_grammar("its grammar would be too large")
    if details.get("type") == "exceed_context_size_error":
        prompt, context = details.get("n_prompt_tokens"), details.get("n_ctx")
        return InvalidInput(
            "CONTEXT_OVERFLOW",
            f"the prompt has {prompt} tokens, but the model's context holds {context}",
            metadata={"prompt_tokens": str(prompt), "context_tokens": str(context)},
        )
    return ProcessingFailed("GENERATION_FAILED", "the model could not answer")
