"""What the tasks need of a language model, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Literal, Protocol

from recordroute_runtime.inference import CancelToken


class Task(Enum):
    """What a generation is for: routing, accounting and metrics go by it."""

    GENERATE = "generate"
    SUMMARIZE = "summarize"
    TITLE = "title"
    CORRECT = "correct"
    ANSWER = "answer"


class Priority(IntEnum):
    """Who goes first where generations wait for the model."""

    INTERACTIVE = 0
    BATCH = 1


class Finish(Enum):
    """Why an answer ended."""

    STOP = auto()
    LENGTH = auto()
    TOOL_CALLS = auto()


@dataclass(frozen=True)
class ToolCall:
    """The model's wish to have a tool called; `arguments` is a JSON object."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Tool:
    """A tool that the model may have called; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True)
class Message:
    """One turn of a chat. A last turn of the assistant is the beginning of the answer: the model goes on from it.

    `tool_calls` are the assistant's wishes, `tool_call_id` names the one that a turn of a tool answers.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True)
class Prompt:
    """What to generate: at most `max_tokens` tokens, up to the first of the `stop` strings.

    Temperature 0 always takes the likeliest token. The answer fits `json_schema` where one is given.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    json_schema: str = ""
    tools: tuple[Tool, ...] = ()
    priority: Priority = Priority.BATCH


@dataclass(frozen=True)
class Usage:
    """Tokens read and written, seconds of the model without waiting for a slot, money in millionths."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost_micros: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
            self.cost_micros + other.cost_micros,
        )


@dataclass(frozen=True)
class Generation:
    """A finished answer. `complete` is false where `max_tokens` cut it off; `cached` says that no model ran."""

    text: str
    usage: Usage
    finish: Finish = Finish.STOP
    tool_calls: tuple[ToolCall, ...] = ()
    cached: bool = False

    @property
    def complete(self) -> bool:
        return self.finish is not Finish.LENGTH


@dataclass(frozen=True)
class TokenCounts:
    """Tokens of each text without special tokens; `exact` is false where they could only be estimated."""

    counts: tuple[int, ...]
    exact: bool


class Engine(Protocol):
    """A model that can be used. Every method may be called from several threads at once."""

    @property
    def model_id(self) -> str:
        """Id of the model."""
        ...

    @property
    def parallel(self) -> int:
        """Generations of Priority.BATCH that run at the same time; more wait."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that one generation can hold, prompt and answer together; 0 where it is not known."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        """Counts the tokens of each text."""
        ...

    def generate(
        self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], bool] | None = None
    ) -> Generation:
        """Generates an answer, handing each piece of it to `on_text` as soon as it is written; the answer ends where
        `on_text` returns true.

        Raises Cancelled within about a second of `token.cancel()`, in whatever phase; InvalidInput (CONTEXT_OVERFLOW,
        UNSUPPORTED_SCHEMA); PreconditionFailed (UNSUPPORTED_OPTION) where the model can't do what is asked;
        UpstreamUnavailable; ProcessingFailed (GENERATION_FAILED).
        """
        ...

    def close(self) -> None:
        """Waits for running generations, then gives back memory and threads."""
        ...


class ModelEngine(Engine, Protocol):
    """An engine that tells what it uses."""

    def generate(
        self,
        prompt: Prompt,
        token: CancelToken,
        on_text: Callable[[str], bool] | None = None,
        on_usage: Callable[[Usage], None] | None = None,
    ) -> Generation:
        """Generates as engines do, and tells `on_usage` once what was read and written, whatever came of it. Where the
        model has not begun there is nothing to tell."""
        ...


class StreamingEngine(Engine, Protocol):
    """An engine whose whole answers can be listened to, and cached."""

    def stream(self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], None]) -> Generation:
        """Generates like `generate`, with a listener that never ends the answer."""
        ...
