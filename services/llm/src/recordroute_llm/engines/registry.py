"""Keeps models in memory: the default one always, others while there is room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from recordroute_runtime.errors import Overloaded

from recordroute_llm.engine import ModelEngine


@dataclass
class _Loaded:
    engine: ModelEngine
    users: int = 0


class EngineRegistry:
    """Loads engines by model id when they are first used. `load` may take seconds and raise a DomainError.

    At most `limit` models stay loaded: the one that has been idle longest goes, but never the default.
    """

    def __init__(self, default: str, limit: int, load: Callable[[str], ModelEngine]) -> None:
        self._default = default
        self._limit = limit
        self._load = load
        self._lock = threading.Lock()
        self._engines: dict[str, _Loaded] = {}

    @contextmanager
    def use(self, model: str = "") -> Iterator[ModelEngine]:
        """Holds a loaded engine. Raises Overloaded where every loaded model is in use and there is no room."""
        name = model or self._default
        with self._lock:
            loaded = self._engines.pop(name, None) or self._make(name)
            # The last entry is the one used last.
            self._engines[name] = loaded
            loaded.users += 1
        try:
            yield loaded.engine
        finally:
            with self._lock:
                loaded.users -= 1

    def _make(self, name: str) -> _Loaded:
        if len(self._engines) >= self._limit:
            idle = [key for key, other in self._engines.items() if not other.users and key != self._default]
            if not idle:
                raise Overloaded(f"no room in memory for model {name} beside those in use")
            self._engines.pop(idle[0]).engine.close()
        return _Loaded(self._load(name))

    @property
    def loaded(self) -> frozenset[str]:
        """Ids of the models in memory."""
        return frozenset(self._engines)

    def close(self) -> None:
        """Unloads all models, after their running work."""
        with self._lock:
            engines, self._engines = self._engines, {}
        for loaded in engines.values():
            loaded.engine.close()
