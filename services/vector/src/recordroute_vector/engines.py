"""What the service works with once it is loaded, and what it says before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from recordroute_runtime.errors import DomainError, UpstreamUnavailable

from recordroute_vector.embedder import Embedder
from recordroute_vector.index.port import PassageIndex
from recordroute_vector.lexical import LexicalEncoder
from recordroute_vector.passages import PassageSplitter
from recordroute_vector.rerank import Rerankers
from recordroute_vector.search import Searcher


@dataclass(frozen=True)
class Engines:
    """The loaded model and the open index, with what is built on them. `replaced_model` is the one that the index
    was made with until a moment ago; empty where it was none."""

    embedder: Embedder
    lexical: LexicalEncoder
    splitter: PassageSplitter
    index: PassageIndex
    rerankers: Rerankers
    searcher: Searcher
    replaced_model: str = ""

    @property
    def model(self) -> str:
        return self.embedder.encoder.model.id

    @property
    def dimensions(self) -> int:
        return self.embedder.encoder.dimensions


class NotReady(UpstreamUnavailable):
    """The service is still loading."""

    def __init__(self) -> None:
        super().__init__("vector", retry_after=timedelta(seconds=2))


class EngineHolder:
    """Holds the engines, or the reason why there are none."""

    def __init__(self) -> None:
        self._engines: Engines | None = None
        self._problem: Callable[[], DomainError] = NotReady

    @property
    def loaded(self) -> bool:
        return self._engines is not None

    def set(self, engines: Engines) -> None:
        self._engines = engines

    def clear(self, problem: DomainError | None = None) -> Engines | None:
        """Takes the engines away; calls are refused with `problem` from now on."""
        engines, self._engines = self._engines, None
        self._problem = NotReady if problem is None else lambda: problem
        return engines

    def get(self) -> Engines:
        """Returns the engines. Raises why the last load failed (ModelMissing, say), or UpstreamUnavailable."""
        if self._engines is None:
            raise self._problem()
        return self._engines
