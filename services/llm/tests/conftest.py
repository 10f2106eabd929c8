"""What the LLM service's tests share: loaded engines, and meetings to make minutes of."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from recordroute_runtime.inference import CancelToken
from recordroute_runtime.models import find_model

# As in the service's __main__: OpenMP reads them when the engine is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from recordroute_llm.engine import Generation, Prompt, TokenCounts, Usage
from recordroute_llm.engines.llama import LlamaEngine, LlamaOptions
from recordroute_llm.transcript import Segment

SMALL_MODEL = "smollm2-135m-instruct"
DEFAULT_MODEL = "qwen2.5-coder-0.5b-instruct"

# On a machine that is busy with other tests threads that wait for each other are slower by far than one.
ONE_THREAD = LlamaOptions(threads=1)

DATA = Path(__file__).parent / "data"


def read_meeting(name: str) -> list[Segment]:
    """Returns a written meeting, a line "speaker: text" for each segment of five seconds."""
    turns = [line.split(": ", 1) for line in (DATA / name).read_text().splitlines()]
    return [
        Segment(place, 5.0 * place, 5.0 * place + 5.0, text, speaker)
        for place, (speaker, text) in enumerate(turns)
    ]


@pytest.fixture(scope="session")
def english_meeting() -> list[Segment]:
    return read_meeting("english_meeting.txt")


@pytest.fixture(scope="session")
def korean_meeting() -> list[Segment]:
    return read_meeting("korean_meeting.txt")


@pytest.fixture(scope="session")
def small_engine(models_dir: Path) -> Iterator[LlamaEngine]:
    """The small test model: quick, and good for everything but quality."""
    engine = LlamaEngine(SMALL_MODEL, find_model(models_dir, SMALL_MODEL).path / "model.gguf", ONE_THREAD)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def default_engine(models_dir: Path) -> Iterator[LlamaEngine]:
    """The model that users have."""
    path = find_model(models_dir, DEFAULT_MODEL).path / "model.gguf"
    engine = LlamaEngine(DEFAULT_MODEL, path, ONE_THREAD)
    yield engine
    engine.close()


class ScriptedEngine:
    """Answers by a function of the prompt."""

    model_id = "scripted"
    parallel = 1
    context_tokens = 4096

    def __init__(self, reply: Callable[[Prompt], str]) -> None:
        self._reply = reply
        self.prompts: list[Prompt] = []

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        return TokenCounts(tuple(len(text.split()) for text in texts), exact=True)

    def generate(
        self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], bool] | None = None
    ) -> Generation:
        token.raise_if_cancelled()
        self.prompts.append(prompt)
        text = self._reply(prompt)
        if on_text is not None:
            on_text(text)
        return Generation(text, Usage(20, 10, 0.1))

    def stream(self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], None]) -> Generation:
        return self.generate(prompt, token, lambda text: on_text(text) is not None)

    def close(self) -> None:
        return


@pytest.fixture
def scripted() -> type[ScriptedEngine]:
    """The class of engines that answer by a function of the prompt."""
    return ScriptedEngine
