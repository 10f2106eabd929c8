"""Which models stay in memory."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from recordroute_runtime.errors import InvalidInput, ModelMissing, Overloaded
from recordroute_runtime.models import InstalledModel
from recordroute_stt.loaded_models import LoadedModels


class CountingEngine:
    languages = frozenset({"en"})

    def __init__(self, model: InstalledModel) -> None:
        self.model = model.id
        self.closed = False
        self.has_closed = threading.Event()

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        self.has_closed.set()


class Loader:
    def __init__(self, folder: Path, *, idle_seconds: float = 600.0) -> None:
        self.made: list[CountingEngine] = []
        self.may_load = threading.Event()
        self.may_load.set()
        self.begun = threading.Event()
        for name, task in (("default", "stt"), ("one", "stt"), ("two", "stt"), ("writer", "llm")):
            (folder / name).mkdir()
            (folder / name / "model.json").write_text(json.dumps({"id": name, "task": task}))
        self.models = LoadedModels(
            self._load, models_dir=folder, default="default", max_extra=1, idle_seconds=idle_seconds
        )

    def _load(self, model: InstalledModel) -> CountingEngine:
        self.begun.set()
        assert self.may_load.wait(60)
        self.made.append(CountingEngine(model))
        return self.made[-1]


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return Loader(tmp_path)


async def used(loader: Loader, model: str) -> CountingEngine:
    async with loader.models.use(model) as engine:
        return engine


async def test_loads_once_even_when_asked_by_many(loader) -> None:
    engines = await asyncio.gather(*(used(loader, "default") for _ in range(10)))
    assert len(loader.made) == 1
    assert set(engines) == set(loader.made)
    await loader.models.close()
    assert loader.made[0].closed


async def test_least_recently_used_goes_and_the_default_stays(loader) -> None:
    default, one = await used(loader, "default"), await used(loader, "one")
    two = await used(loader, "two")
    assert (default.closed, one.closed, two.closed) == (False, True, False)
    assert loader.models.ids == {"default", "two"}


async def test_model_in_use_is_never_closed(loader) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(loader.models.use("one"))
        with pytest.raises(Overloaded):
            await used(loader, "two")
        await used(loader, "default")
        assert not one.closed
    await used(loader, "two")
    assert one.closed


async def test_idle_model_goes_and_comes_back(tmp_path: Path) -> None:
    loader = Loader(tmp_path, idle_seconds=0.01)
    default, one = await used(loader, "default"), await used(loader, "one")
    assert await asyncio.to_thread(one.has_closed.wait, 60)
    assert loader.models.ids == {"default"}
    assert not default.closed
    again = await used(loader, "one")
    assert again is not one
    await loader.models.close()
    assert (default.closed, again.closed) == (True, True)


async def test_model_that_is_used_again_is_not_idle(tmp_path: Path) -> None:
    loader = Loader(tmp_path, idle_seconds=0.05)
    await used(loader, "one")
    async with loader.models.use("one") as one, loader.models.use("one"):
        assert not await asyncio.to_thread(one.has_closed.wait, 0.2)
    assert await asyncio.to_thread(one.has_closed.wait, 60)


async def test_missing_and_foreign_models_are_refused(loader) -> None:
    with pytest.raises(ModelMissing):
        await used(loader, "three")
    with pytest.raises(InvalidInput) as caught:
        await used(loader, "writer")
    assert caught.value.reason == "UNSUPPORTED_MODEL"


async def test_load_that_is_cancelled_leaves_nothing_behind(loader) -> None:
    loader.may_load.clear()
    loading = asyncio.create_task(used(loader, "default"))
    assert await asyncio.to_thread(loader.begun.wait, 60)
    loading.cancel()
    loader.may_load.set()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert loader.models.ids == frozenset()
    assert [engine.closed for engine in loader.made] == [True]
