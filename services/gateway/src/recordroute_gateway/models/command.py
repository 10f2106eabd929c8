"""The model manager, which is a program of its own: its command line with `--json` is what the gateway knows of it."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import structlog
from recordroute_runtime.threads import ended, in_thread

from recordroute_gateway.models import errors
from recordroute_gateway.models.records import Failure, Shelf, ShelfModel, Source, State, Task

log = structlog.get_logger(__name__)

# Asking takes most of a second of a core, and pages ask again and again. What other programs do to the models folder
# shows at once, as far as it adds or removes files; what they do to a file's content shows after this.
SHELF_SECONDS = 30.0
ANSWER_SECONDS = 120.0
STOP_SECONDS = 5.0
_Times = list[tuple[str, int]]
_STATES = {"missing": State.NOT_INSTALLED}


class PullProcess:
    """A running `pull`. Whoever starts one waits for its end."""

    # Not by the event loop's own means: uvloop forks, which runs gRPC's fork handlers in the child; see
    # recordroute_gateway.library.readers.process.

    def __init__(self, arguments: list[str], on_line: Callable[[dict[str, Any]], None]) -> None:
        """Starts it. `on_line` is called in the event loop with each line but the result."""
        self._loop = asyncio.get_running_loop()
        self._on_line = on_line
        # Its standard error is the gateway's: it goes to the gateway's log.
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    async def wait(self) -> Failure | None:
        """Returns why it failed, once it has ended; None where the model is installed. A cancelled wait ends it."""
        # A thread of its own: the event loop's few are for what takes no minutes.
        threads = ThreadPoolExecutor(1, "pull")
        reading = self._loop.run_in_executor(threads, self._read)
        threads.shutdown(wait=False)
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            self._process.terminate()
            if not (await asyncio.wait([reading], timeout=STOP_SECONDS))[0]:
                self._process.kill()
                await ended(reading)
            raise

    def _read(self) -> Failure | None:
        assert self._process.stdout is not None
        error: dict[str, Any] = {}
        with self._process.stdout as lines:
            for line in lines:
                document = _read_line(line)
                if "error" in document:
                    error = document["error"]
                elif document.get("type") in ("progress", "notice"):
                    self._loop.call_soon_threadsafe(self._on_line, document)
        return _failure(self._process.wait(), error)


class ModelCommand:
    """Runs the command line of the model manager; an empty one: there is none here."""

    def __init__(self, command: str) -> None:
        self._arguments = shlex.split(command)
        self._shelf: Shelf | None = None
        self._read_at = 0.0
        self._folder: Path | None = None
        self._seen: _Times = []
        self._reading = asyncio.Lock()

    @property
    def is_there(self) -> bool:
        return bool(self._arguments)

    async def shelf(self) -> Shelf | None:
        """Returns what is installed and what can be; None where there is no command.

        Raises what the command says, see `command_error`.
        """
        if not self._arguments:
            return None
        async with self._reading:
            is_old = time.monotonic() - self._read_at > SHELF_SECONDS
            if self._shelf is None or is_old or _times(self._folder) != self._seen:
                before = _times(self._folder)
                document = await self._run("list")
                folder = Path(document["models_dir"])
                self._seen = before if folder == self._folder else _times(folder)
                self._shelf, self._read_at, self._folder = _shelf(document), time.monotonic(), folder
            return self._shelf

    def forget(self) -> None:
        """Has the models read anew: something has changed them."""
        self._shelf = None

    async def remove(self, model: str) -> int:
        """Deletes a model, and returns the bytes that it took. Raises what the command says, and PreconditionFailed
        (MODEL_PULLING) where another process pulls it."""
        try:
            answer = await self._run("clean", model)
        finally:
            self.forget()
        if answer["kept"]:
            raise errors.refusal(errors.PULLING, model, "")
        return int(answer["freed_bytes"])

    def pull(self, model: str, on_line: Callable[[dict[str, Any]], None]) -> PullProcess:
        """Starts to pull a model."""
        return PullProcess([*self._arguments, "pull", model, "--json"], on_line)

    async def _run(self, *arguments: str) -> dict[str, Any]:
        try:
            process = await in_thread(_answer, [*self._arguments, *arguments, "--json"])
        except (OSError, subprocess.SubprocessError) as error:
            log.exception("the model manager can't be asked")
            raise errors.command_error(errors.UNFORESEEN) from error
        document = _read_line(process.stdout)
        failure = _failure(process.returncode, document.get("error", {}))
        if failure is not None:
            raise errors.command_error(failure)
        return document


def _answer(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=ANSWER_SECONDS, check=False
    )


def _read_line(line: bytes) -> dict[str, Any]:
    """Returns the JSON object in what the command has printed; nothing where it is none."""
    try:
        document = json.loads(line)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        log.warning("the model manager says", line=line.decode(errors="replace")[:1000])
        return {}
    return document


def _times(folder: Path | None) -> _Times:
    """Returns when which models of the folder have changed, as far as files came or went."""
    if folder is None or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        # What is being fetched is no model yet, and changes all the time.
        models = [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
        return sorted((model.name, model.stat().st_mtime_ns) for model in models)


def _failure(code: int, error: dict[str, Any]) -> Failure | None:
    if code == 0:
        return None
    if code < 0:
        return Failure(
            errors.INTERRUPTED, "the model manager was stopped; what has arrived is kept, try again"
        )
    reason, message = error.get("reason", ""), error.get("message", "")
    if errors.is_known(reason):
        return Failure(reason, message)
    log.error("the model manager failed", code=code, reason=reason, message=message)
    return errors.UNFORESEEN


def _shelf(document: dict[str, Any]) -> Shelf:
    models = [_catalogued(model) for model in document["models"]]
    models += [
        ShelfModel(
            model["id"],
            _task(model["task"]),
            State.INSTALLED,
            languages=tuple(model["languages"]),
            license=model["license"],
            source=Source.LOCAL,
            size_bytes=model["size_bytes"],
            in_catalogue=False,
        )
        for model in document["uncatalogued_models"]
    ]
    return Shelf({model.id: model for model in models}, document["free_bytes"])


def _catalogued(model: dict[str, Any]) -> ShelfModel:
    source = model["source"] or next(iter(model["sources"]), Source.UNSPECIFIED)
    return ShelfModel(
        model["id"],
        _task(model["task"]),
        _STATES.get(model["state"]) or State(model["state"]),
        description=model["description"],
        languages=tuple(model["languages"]),
        license=model["license"],
        source=Source(source),
        download_bytes=model["download_bytes"],
        size_bytes=model["size_bytes"],
        problems=tuple(model["problems"]),
        is_recommended=model["default"],
    )


def _task(name: str) -> Task:
    return Task(name) if name in set(Task) else Task.OTHER
