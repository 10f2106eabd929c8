"""Models of a server that speaks the OpenAI API: Ollama, vLLM, llama-server, OpenAI itself."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import openai
import stamina
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from recordroute_runtime.errors import (
    DomainError,
    InvalidInput,
    Overloaded,
    PreconditionFailed,
    UpstreamUnavailable,
)
from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Finish, Generation, Prompt, TokenCounts, ToolCall, Usage
from recordroute_llm.engines.chat import chat_request, check_answer, checked_tool_calls

Result = TypeVar("Result")

ATTEMPTS = 3
CONNECT_SECONDS = 5.0
# After so many failures in a row nobody waits for the server any more, for so long.
BREAKER_FAILURES = 5
BREAKER_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 60.0
CANCEL_POLL_SECONDS = 0.05
PROBE_SECONDS = 30.0
COUNTS_AT_ONCE = 16
# Where the server can't count: more tokens than most tokenisers make of a text, so that nothing overflows.
LATIN_CHARACTERS_A_TOKEN = 3
CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})


@dataclass(frozen=True)
class ServerOptions:
    """A server: `url` ends with the API's version (".../v1"). `timeout_seconds` is the longest silence that is waited
    through; `context_tokens` 0 asks the server."""

    name: str
    url: str
    api_key: str = ""
    parallel: int = 4
    timeout_seconds: float = 120.0
    context_tokens: int = 0


@dataclass(frozen=True)
class Capabilities:
    """What a model of a server can do; `context_tokens` is 0 where it does not tell."""

    json_schema: bool
    tools: bool
    context_tokens: int


@dataclass(frozen=True)
class _Closing:
    """The end of a stream: how it went."""

    finish: Finish
    usage: Usage
    tool_calls: tuple[ToolCall, ...]


class OpenAIServerEngine:
    """One model of a server. Calls run on an event loop of their own, so that a cancelled one ends at once."""

    def __init__(self, options: ServerOptions, model: str) -> None:
        self._options = options
        self._model = model
        self._slots = threading.Semaphore(options.parallel)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"llm-{options.name}", daemon=True
        )
        self._thread.start()
        self._client: AsyncOpenAI = self._run(self._connect())
        self._breakers = AsyncCircuitBreakerFactory(BREAKER_FAILURES, BREAKER_SECONDS, exclude=[InvalidInput])
        self._capabilities: Capabilities | None = None
        self._capabilities_lock = threading.Lock()

    async def _connect(self) -> AsyncOpenAI:
        timeout = openai.Timeout(self._options.timeout_seconds, connect=CONNECT_SECONDS)
        # Servers of one's own ask for no key, but the client does. It must not take one from the environment.
        key = self._options.api_key or "none"
        return AsyncOpenAI(base_url=self._options.url, api_key=key, timeout=timeout, max_retries=0)

    @property
    def model_id(self) -> str:
        return f"{self._options.name}/{self._model}"

    @property
    def parallel(self) -> int:
        return self._options.parallel

    @property
    def context_tokens(self) -> int:
        return self.capabilities().context_tokens

    def capabilities(self) -> Capabilities:
        """Returns what the model can do, found out by asking once. Raises as `generate` does."""
        with self._capabilities_lock:
            if self._capabilities is None:
                self._capabilities = self._run(self._probe())
            return self._capabilities

    def list_models(self) -> list[str]:
        """Returns the names of the server's models. Raises UpstreamUnavailable."""
        return self._run(self._list_models())

    async def _list_models(self) -> list[str]:
        async with self._guarded():
            return [
                model.id async for model in self._client.with_options(timeout=CONNECT_SECONDS).models.list()
            ]

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        counts = self._run(self._count(texts))
        if counts is not None:
            return TokenCounts(tuple(counts), exact=True)
        return TokenCounts(tuple(map(estimated_tokens, texts)), exact=False)

    def generate(
        self,
        prompt: Prompt,
        token: CancelToken,
        on_text: Callable[[str], bool] | None = None,
        on_usage: Callable[[Usage], None] | None = None,
    ) -> Generation:
        if prompt.json_schema and not self.capabilities().json_schema:
            raise self._unsupported("JSON schemas")
        if prompt.tools and not self.capabilities().tools:
            raise self._unsupported("tools")
        while not self._slots.acquire(timeout=CANCEL_POLL_SECONDS):
            token.raise_if_cancelled()
        spent = _Spent(prompt)
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        running = asyncio.run_coroutine_threadsafe(self._stream(prompt, pieces), self._loop)
        running.add_done_callback(lambda _: pieces.put(None))
        try:
            while True:
                token.raise_if_cancelled()
                try:
                    piece = pieces.get(timeout=CANCEL_POLL_SECONDS)
                except queue.Empty:
                    continue
                if piece is None:
                    closing = running.result()
                    spent.told = closing.usage
                    if closing.finish is Finish.STOP:
                        check_answer(prompt, spent.text)
                    return Generation(spent.text, spent.usage(), closing.finish, closing.tool_calls)
                spent.taken = True
                if not piece:
                    continue
                spent.text += piece
                if on_text is not None and on_text(piece):
                    return Generation(spent.text, spent.usage())
        finally:
            self._end(running)
            self._slots.release()
            if on_usage is not None and spent.taken:
                on_usage(spent.usage())

    def close(self) -> None:
        for _ in range(self._options.parallel):
            self._slots.acquire()
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @staticmethod
    def _end(running: Future[Any]) -> None:
        if running.cancel():
            return
        try:
            running.result()
        except (CancelledError, Exception):  # noqa: BLE001 - the caller has it already, or does not want it any more
            return

    async def _stream(self, prompt: Prompt, pieces: queue.SimpleQueue[str | None]) -> _Closing:
        request = {
            **chat_request(prompt),
            "model": self._model,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async for attempt in stamina.retry_context(on=_wait_before_retry, attempts=ATTEMPTS, timeout=None):
            with attempt:
                async with self._guarded(schema=bool(prompt.json_schema), tools=bool(prompt.tools)):
                    chunks = await self._client.chat.completions.create(**request)
        # From here on a second try would write the same text twice, and the prompt is paid for.
        pieces.put("")
        finish, usage, calls = "", Usage(), dict[int, _PartialCall]()
        async with chunks, self._guarded():
            async for chunk in chunks:
                usage = _usage(chunk) or usage
                for choice in chunk.choices:
                    if choice.delta.content:
                        pieces.put(choice.delta.content)
                    for call in choice.delta.tool_calls or ():
                        calls.setdefault(call.index, _PartialCall()).add(call)
                    finish = choice.finish_reason or finish
            if not finish:
                # A server that ends may still close its streams in good order.
                raise UpstreamUnavailable(self._options.name)
        checked = checked_tool_calls(prompt, (call.whole() for call in calls.values()))
        how = Finish.TOOL_CALLS if checked else Finish.LENGTH if finish == "length" else Finish.STOP
        return _Closing(how, usage, checked)

    @asynccontextmanager
    async def _guarded(self, *, schema: bool = False, tools: bool = False) -> AsyncIterator[None]:
        """Turns the client's errors into ours, and asks no more of a server that keeps failing."""
        name = self._options.name
        try:
            async with await self._breakers.get_breaker(name):
                try:
                    yield
                except openai.BadRequestError as error:
                    # Ours to mend, so that it does not count against the server.
                    raise self._refused(error, schema=schema, tools=tools) from error
        except OpenedState as error:
            raise UpstreamUnavailable(name, retry_after=timedelta(seconds=BREAKER_SECONDS)) from error
        except openai.RateLimitError as error:
            raise Overloaded(
                f"{name} takes no more requests now", retry_after=timedelta(seconds=_retry_after(error))
            ) from error
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise PreconditionFailed("UPSTREAM_CREDENTIALS", f"{name} refuses the configured key") from error
        except openai.NotFoundError as error:
            raise PreconditionFailed(
                "MODEL_MISSING",
                f"{name} has no model {self._model}",
                metadata={"server": name, "model": self._model},
            ) from error
        except (openai.APIConnectionError, openai.InternalServerError, openai.APIError) as error:
            raise UpstreamUnavailable(name) from error

    def _refused(self, error: openai.BadRequestError, *, schema: bool, tools: bool) -> DomainError:
        body = error.body if isinstance(error.body, dict) else {}
        kinds = {body.get("code"), body.get("type")}
        message = str(body.get("message") or "no reason given")[:300]
        if kinds & CONTEXT_CODES or ("context" in message.lower() and "token" in message.lower()):
            return InvalidInput("CONTEXT_OVERFLOW", f"{self.model_id} refuses the prompt: {message}")
        if schema or tools:
            return InvalidInput("UNSUPPORTED_SCHEMA", f"{self.model_id} refuses the schema: {message}")
        return InvalidInput("UPSTREAM_REFUSED", f"{self.model_id} refuses the request: {message}")

    def _unsupported(self, what: str) -> PreconditionFailed:
        return PreconditionFailed(
            "UNSUPPORTED_OPTION",
            f"model {self.model_id} does not take {what}",
            metadata={"model": self.model_id},
        )

    async def _count(self, texts: Sequence[str]) -> list[int] | None:
        """Counts with the server's tokeniser; None where it offers none (as of vLLM and llama-server)."""
        counts: list[int] = []
        for start in range(0, len(texts), COUNTS_AT_ONCE):
            sizes = await asyncio.gather(*map(self._count_one, texts[start : start + COUNTS_AT_ONCE]))
            counts += [size for size in sizes if size is not None]
            if None in sizes:
                return None
        return counts

    async def _count_one(self, text: str) -> int | None:
        root = self._options.url.rstrip("/").removesuffix("/v1")
        try:
            answer = await self._client.post(
                f"{root}/tokenize",
                body={"model": self._model, "prompt": text, "content": text, "add_special_tokens": False},
                cast_to=dict[str, Any],
                options={"timeout": CONNECT_SECONDS, "max_retries": ATTEMPTS - 1},
            )
        except openai.APIStatusError:
            return None
        except openai.APIConnectionError as error:
            raise UpstreamUnavailable(self._options.name) from error
        tokens = answer.get("tokens") if isinstance(answer, dict) else None
        return len(tokens) if isinstance(tokens, list) else None

    async def _probe(self) -> Capabilities:
        schema = {
            "type": "object",
            "properties": {"ok": {"type": "boolean"}},
            "required": ["ok"],
            "additionalProperties": False,
        }
        asked = [{"role": "user", "content": 'Answer with the JSON object {"ok": true}.'}]
        tool = {
            "type": "function",
            "function": {"name": "note", "description": "Notes.", "parameters": schema},
        }
        strict = {"name": "answer", "strict": True, "schema": schema}
        text = await self._try(
            messages=asked, max_tokens=32, response_format={"type": "json_schema", "json_schema": strict}
        )
        return Capabilities(
            json_schema=text is not None and _fits_probe(text),
            tools=await self._try(messages=asked, max_tokens=1, tools=[tool]) is not None,
            context_tokens=self._options.context_tokens or await self._context(),
        )

    async def _try(self, **request: Any) -> str | None:
        """Returns what a short answer says; None where the server refuses the request."""
        try:
            async with self._guarded():
                client = self._client.with_options(timeout=PROBE_SECONDS)
                answer = await client.chat.completions.create(model=self._model, temperature=0, **request)
        except InvalidInput:
            return None
        # The client takes whatever comes with status 200, a web page too.
        if not isinstance(answer, ChatCompletion):
            raise UpstreamUnavailable(self._options.name)
        return (answer.choices[0].message.content or "") if answer.choices else ""

    async def _context(self) -> int:
        """Returns the context that the server tells of; there is no standard, so each server's own field is read."""
        try:
            models = [model async for model in self._client.models.list()]
        except openai.APIStatusError:
            models = []
        except openai.APIConnectionError as error:
            raise UpstreamUnavailable(self._options.name) from error
        for told in (model.model_dump() for model in models if model.id == self._model):
            meta = told.get("meta") or {}
            for value in (
                told.get("max_model_len"),
                told.get("context_length"),
                told.get("context_window"),
                meta.get("n_ctx"),
                meta.get("n_ctx_train"),
            ):
                if isinstance(value, int) and value > 0:
                    return value
        return await self._ollama_context()

    async def _ollama_context(self) -> int:
        root = self._options.url.rstrip("/").removesuffix("/v1")
        try:
            told = await self._client.post(
                f"{root}/api/show", body={"model": self._model}, cast_to=dict[str, Any]
            )
        except openai.APIStatusError:
            return 0
        except openai.APIConnectionError as error:
            raise UpstreamUnavailable(self._options.name) from error
        facts = (told.get("model_info") if isinstance(told, dict) else None) or {}
        return next((int(value) for key, value in facts.items() if key.endswith(".context_length")), 0)


class _Spent:
    """What a generation has used so far: estimated, until the server tells at the end. `taken` says whether the server
    has begun with it."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._begun = time.monotonic()
        self.text = ""
        self.taken = False
        self.told = Usage()

    def usage(self) -> Usage:
        return Usage(
            self.told.prompt_tokens
            or sum(estimated_tokens(message.content) for message in self._prompt.messages),
            self.told.completion_tokens or estimated_tokens(self.text),
            time.monotonic() - self._begun,
        )


class _PartialCall:
    def __init__(self) -> None:
        self._id = ""
        self._name = ""
        self._arguments: list[str] = []

    def add(self, delta: Any) -> None:
        self._id = delta.id or self._id
        if delta.function is not None:
            self._name = delta.function.name or self._name
            self._arguments.append(delta.function.arguments or "")

    def whole(self) -> ToolCall:
        return ToolCall(self._id, self._name, "".join(self._arguments))


def estimated_tokens(text: str) -> int:
    """Returns about how many tokens a text has, rather too many than too few."""
    latin = sum(character.isascii() for character in text)
    return -(-latin // LATIN_CHARACTERS_A_TOKEN) + len(text) - latin


def _usage(chunk: ChatCompletionChunk) -> Usage | None:
    if chunk.usage is None:
        return None
    return Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)


def _fits_probe(text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and isinstance(answer.get("ok"), bool) and len(answer) == 1


def _retry_after(error: openai.RateLimitError) -> float:
    try:
        seconds = float(error.response.headers.get("retry-after", "1"))
    except ValueError:
        # The other form, a date, is rare enough.
        seconds = 1.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _wait_before_retry(error: Exception) -> bool | timedelta:
    if isinstance(error, Overloaded):
        return error.retry_after or True
    # An open breaker will not close while we wait.
    return isinstance(error, UpstreamUnavailable) and not isinstance(error.__cause__, OpenedState)
