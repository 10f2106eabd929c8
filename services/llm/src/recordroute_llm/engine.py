"""What the tasks need of a language model, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from recordroute_runtime.inference import CancelToken


@dataclass(frozen=True)
class Message:
    """One turn of a chat. A last turn of the assistant is the beginning of the answer: the model goes on from it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Prompt:
    """What to generate: at most `max_tokens` tokens, up to the first of the `stop` strings.

    Temperature 0 always takes the likeliest token.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """Tokens read and written."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens
        )


@dataclass(frozen=True)
class Generation:
    """A finished answer. `complete` is false where `max_tokens` cut it off."""

    text: str
    usage: Usage
    complete: bool


class Engine(Protocol):
    """A loaded model. Every method may be called from several threads at once."""

    @property
    def model_id(self) -> str:
        """Id of the model in the catalogue."""
        ...

    @property
    def parallel(self) -> int:
        """Generations that run at the same time; more wait."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Returns the tokens of each text, without special tokens."""
        ...

    def generate(
        self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], bool] | None = None
    ) -> Generation:
        """Generates an answer, handing each piece of it to `on_text` as soon as it is written; the answer ends where
        `on_text` returns true.

        Raises Cancelled within about a second of `token.cancel()`, in whatever phase; InvalidInput
        (CONTEXT_OVERFLOW) where the prompt is longer than the context; ProcessingFailed (GENERATION_FAILED).
        """
        ...

    def close(self) -> None:
        """Waits for running generations, then gives back memory and threads."""
        ...
