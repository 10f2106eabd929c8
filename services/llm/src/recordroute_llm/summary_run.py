"""What the steps of one summary share: the model, the events on their way to the reader, what it costs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from recordroute_runtime.errors import Cancelled, ProcessingFailed
from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Engine, Generation, Prompt, Usage
from recordroute_llm.evidence import Similarity
from recordroute_llm.minutes import Delta, Event
from recordroute_llm.terms import terms

ATTEMPTS = 3
DELTA_SECONDS = 0.03


class RunToken(CancelToken):
    """Stops one summary: where its caller does, or by itself. A part that fails stops the others, but not the caller,
    who has yet to hear of it."""

    def __init__(self, caller: CancelToken) -> None:
        super().__init__()
        self._caller = caller

    @property
    def cancelled(self) -> bool:
        return super().cancelled or self._caller.cancelled

    def raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled


@dataclass
class Run:
    """One summary at work; its events go to the caller's thread by `events`. `language` is the transcript's."""

    engine: Engine
    token: RunToken
    language: str
    similarity: Similarity | None = None
    events: queue.Queue[Event | None] = field(default_factory=queue.Queue)
    usage: Usage = field(default_factory=Usage)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def generate(
        self,
        make: Callable[[bool], Prompt],
        enough: Callable[[str], bool],
        number: int,
        what: str,
        metadata: dict[str, str],
    ) -> Generation:
        """Generates until there is an answer with content; raises ProcessingFailed after ATTEMPTS. An answer ends
        where `enough` says so of what is written."""
        for attempt in range(ATTEMPTS):
            written: list[str] = []

            def receive(text: str, written: list[str] = written) -> bool:
                self.events.put(Delta(number, text))
                written.append(text)
                return enough("".join(written))

            generation = self._generate(make(attempt > 0), receive)
            if terms(generation.text):
                return generation
        raise ProcessingFailed("GENERATION_FAILED", f"the model gave no answer for {what}", metadata=metadata)

    def once(self, prompt: Prompt) -> str:
        """Generates one line, which may be empty."""
        generation = self._generate(prompt, lambda text: "\n" in text.strip())
        return next(iter(generation.text.strip().splitlines()), "")

    def _generate(self, prompt: Prompt, on_text: Callable[[str], bool]) -> Generation:
        generation = self.engine.generate(prompt, self.token, on_text)
        with self.lock:
            self.usage += generation.usage
        return generation


def coalesced(events: queue.Queue[Event | None]) -> Iterator[Event]:
    """Yields events until None; the deltas of DELTA_SECONDS become one for each chunk."""
    waiting: dict[int, str] = {}
    flush_at = 0.0
    while True:
        try:
            event = events.get(timeout=max(0.0, flush_at - time.monotonic()) if waiting else None)
        except queue.Empty:
            event = Delta(-1, "")
        if isinstance(event, Delta) and event.text:
            if not waiting:
                flush_at = time.monotonic() + DELTA_SECONDS
            waiting[event.chunk] = waiting.get(event.chunk, "") + event.text
            if time.monotonic() < flush_at:
                continue
        for chunk, text in waiting.items():
            yield Delta(chunk, text)
        waiting.clear()
        if event is None:
            return
        if not isinstance(event, Delta):
            yield event
