"""Keeps models in memory: the default one for good, a few others while they are used and for a while after."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from recordroute_runtime.errors import InvalidInput, Overloaded
from recordroute_runtime.models import InstalledModel, find_model
from recordroute_runtime.threads import in_thread

from recordroute_stt.engine import SpeechEngine

TASK = "stt"


class LoadedModels:
    """Models by id, loaded when first used. Beside `default` at most `max_extra` stay, the least recently used
    going first, and each for `idle_seconds` after its last use at most; one that is in use never goes.

    The default one stays for good: the service is healthy because it is there, and the first request after a pause
    is as quick as any.
    """

    def __init__(
        self,
        load: Callable[[InstalledModel], SpeechEngine],
        *,
        models_dir: Path,
        default: str,
        max_extra: int,
        idle_seconds: float,
    ) -> None:
        self._load = load
        self._models_dir = models_dir
        self._default = default
        self._max_extra = max_extra
        self._idle_seconds = idle_seconds
        self._engines: OrderedDict[str, SpeechEngine] = OrderedDict()
        self._users: Counter[str] = Counter()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._unloading: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Lock()

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the models in memory."""
        return frozenset(self._engines)

    @asynccontextmanager
    async def use(self, model_id: str) -> AsyncIterator[SpeechEngine]:
        """Gives a model that stays in memory until the end of the block.

        Raises ModelMissing, InvalidInput (UNSUPPORTED_MODEL) where it is not one for speech, PreconditionFailed
        (MODEL_BROKEN), and Overloaded while all room is taken by models in use.
        """
        engine = self._engines.get(model_id)
        if engine is None:
            async with self._loading:
                engine = self._engines.get(model_id) or await self._add(model_id)
        self._engines.move_to_end(model_id)
        self._users[model_id] += 1
        self._stop_timer(model_id)
        try:
            yield engine
        finally:
            self._users[model_id] -= 1
            if not self._users[model_id] and model_id != self._default:
                loop = asyncio.get_running_loop()
                self._timers[model_id] = loop.call_later(self._idle_seconds, self._unload_idle, model_id)

    async def close(self) -> None:
        """Frees all models; none may be in use."""
        for model_id in list(self._timers):
            self._stop_timer(model_id)
        await asyncio.gather(*self._unloading)
        async with self._loading:
            while self._engines:
                _, engine = self._engines.popitem()
                await in_thread(engine.close)

    def _stop_timer(self, model_id: str) -> None:
        timer = self._timers.pop(model_id, None)
        if timer is not None:
            timer.cancel()

    def _unload_idle(self, model_id: str) -> None:
        del self._timers[model_id]
        closing = asyncio.create_task(in_thread(self._engines.pop(model_id).close))
        self._unloading.add(closing)
        closing.add_done_callback(self._unloading.discard)

    async def _add(self, model_id: str) -> SpeechEngine:
        model = find_model(self._models_dir, model_id)
        if model.task != TASK:
            raise InvalidInput("UNSUPPORTED_MODEL", f"model {model_id} is not a speech model")
        await self._make_room(model_id)
        engine = await in_thread(self._load, model, discard=lambda late: late.close())
        self._engines[model_id] = engine
        return engine

    async def _make_room(self, model_id: str) -> None:
        extra = [loaded for loaded in self._engines if loaded != self._default]
        if model_id == self._default or len(extra) < self._max_extra:
            return
        idle = next((loaded for loaded in extra if not self._users[loaded]), None)
        if idle is None:
            raise Overloaded(f"there is no room to load model {model_id} while other models are in use")
        self._stop_timer(idle)
        await in_thread(self._engines.pop(idle).close)
