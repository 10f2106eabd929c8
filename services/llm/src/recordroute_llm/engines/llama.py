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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xllamacpp
from recordroute_runtime.errors import InvalidInput, PreconditionFailed, ProcessingFailed
from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Generation, Prompt, Usage

GGUF_MAGIC = b"GGUF"
# The engine looks for a cancelled request between batches only: 64 tokens take well under a second on two cores,
# and larger batches are hardly faster there.
BATCH_TOKENS = 64
SLOT_CHECK_SECONDS = 0.05


@dataclass(frozen=True)
class LlamaOptions:
    """How to run a model: `context_tokens` for each of `parallel` slots; `threads` 0 takes every usable CPU."""

    context_tokens: int = 4096
    parallel: int = 2
    threads: int = 0
    gpu_layers: int = 0


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
        self._slots = threading.Semaphore(options.parallel)
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
        parameters.n_ctx = options.context_tokens * options.parallel
        parameters.n_parallel = options.parallel
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
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

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        connection = _UnixConnection(self._socket)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            counts = []
            for text in texts:
                body = json.dumps({"content": text, "add_special": False, "parse_special": False})
                connection.request("POST", "/tokenize", body, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status != http.HTTPStatus.OK:
                    raise ProcessingFailed("GENERATION_FAILED", "the text can't be split into tokens")
                counts.append(len(answer["tokens"]))
            return counts
        finally:
            connection.close()

    def generate(
        self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], bool] | None = None
    ) -> Generation:
        pieces: list[str] = []
        errors: list[Any] = []
        prompt_tokens = 0
        finish = ""

        def receive(line: str | dict[str, Any]) -> bool:
            nonlocal prompt_tokens, finish
            if token.cancelled:
                return True
            try:
                event = json.loads(line) if isinstance(line, str) else line
                if "choices" not in event:
                    errors.append(event.get("error", event))
                    return True
                for choice in event["choices"]:
                    finish = choice["finish_reason"] or finish
                    text = choice["delta"].get("content")
                    if text:
                        pieces.append(text)
                        if on_text is not None and on_text(text):
                            return True
                # The closing figures don't come where the answer is ended early.
                prompt_tokens = event.get("prompt_progress", {}).get("total", prompt_tokens)
            except Exception as error:  # noqa: BLE001 - raised again below: it must not cross the C++ frames
                errors.append(error)
                return True
            return False

        request = {
            "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "stop": list(prompt.stop),
            "stream": True,
            "return_progress": True,
        }
        with self._slot(token):
            self._server.handle_chat_completions(json.dumps(request), receive)
        token.raise_if_cancelled()
        if errors:
            raise _failure(errors[0])
        return Generation("".join(pieces), Usage(prompt_tokens, len(pieces)), complete=finish != "length")

    @contextmanager
    def _slot(self, token: CancelToken) -> Iterator[None]:
        # Requests that wait inside llama.cpp can't be cancelled, so they wait here.
        while not self._slots.acquire(timeout=SLOT_CHECK_SECONDS):
            token.raise_if_cancelled()
        try:
            token.raise_if_cancelled()
            yield
        finally:
            self._slots.release()

    def close(self) -> None:
        for _ in range(self._parallel):
            self._slots.acquire()
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _failure(error: Any) -> Exception:
    if isinstance(error, Exception):
        return error
    details = error if isinstance(error, dict) else {}
    if details.get("type") == "exceed_context_size_error":
        prompt, context = details.get("n_prompt_tokens"), details.get("n_ctx")
        return InvalidInput(
            "CONTEXT_OVERFLOW",
            f"the prompt has {prompt} tokens, but the model's context holds {context}",
            metadata={"prompt_tokens": str(prompt), "context_tokens": str(context)},
        )
    return ProcessingFailed("GENERATION_FAILED", "the model could not answer")
