"""Pulls that run, each once however many watch it, and how those that failed did so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from recordroute_gateway.models import errors
from recordroute_gateway.models.command import ModelCommand
from recordroute_gateway.models.records import Failure, Phase, PullState

log = structlog.get_logger(__name__)

# Models that are fetched at once: a link is full with few.
AT_ONCE = 2
MESSAGE_SECONDS = 0.25
_PHASES = {"fetching": Phase.DOWNLOADING, "checking": Phase.VERIFYING}
_STOPPING = Failure(errors.INTERRUPTED, "the server is being stopped; pull the model again later")


@dataclass
class _Pull:
    state: PullState
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    # What a cancelled one says of its end.
    interruption: Failure = _STOPPING

    def set(self, state: PullState) -> None:
        self.state = state
        self.changed.set()
        self.changed = asyncio.Event()


class Pulls:
    """The pulls of this process. Close it: the model manager's processes end with it."""

    def __init__(self, command: ModelCommand) -> None:
        self._command = command
        self._running: dict[str, _Pull] = {}
        self._failed: dict[str, PullState] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._closed = False

    def state(self, model: str) -> PullState | None:
        """Returns how far the model's pull is, or how the last one failed."""
        pull = self._running.get(model)
        return pull.state if pull is not None else self._failed.get(model)

    async def watch(self, model: str) -> AsyncGenerator[PullState]:
        """Pulls a model, or joins the pull that runs: yields how far it is, from time to time and at the end.

        Raises the error that it ends with, see `command_error`. Leaving changes nothing of the pull.
        """
        pull = self._running.get(model) or self._start(model)
        shown = None
        while not pull.ended.is_set():
            if pull.state is shown:
                await pull.changed.wait()
                continue
            shown = pull.state
            yield shown
            with suppress(TimeoutError):
                async with asyncio.timeout(MESSAGE_SECONDS):
                    await pull.ended.wait()
        if pull.state.failure is not None:
            raise errors.command_error(pull.state.failure)
        yield pull.state

    async def cancel(self, model: str) -> bool:
        """Ends a pull and waits for that. Returns whether one ran."""
        pull = self._running.get(model)
        if pull is None:
            return False
        await self._end(pull, Failure(errors.CANCELLED, f"the pull of model {model} was cancelled"))
        return True

    async def close(self) -> None:
        """Ends all pulls; no others can be started."""
        self._closed = True
        pulls = list(self._running.values())
        await asyncio.gather(*(self._end(pull, pull.interruption) for pull in pulls))

    def _start(self, model: str) -> _Pull:
        if self._closed:
            raise errors.command_error(_STOPPING)
        pull = _Pull(PullState(Phase.WAITING, 0, 0, datetime.now(UTC)))
        self._failed.pop(model, None)
        self._running[model] = pull
        pull.task = asyncio.create_task(self._run(model, pull))
        return pull

    async def _end(self, pull: _Pull, reason: Failure) -> None:
        assert pull.task is not None
        if not pull.task.cancelling():
            pull.interruption = reason
            pull.task.cancel()
        await asyncio.wait([pull.task])

    async def _run(self, model: str, pull: _Pull) -> None:
        failure: Failure | None = errors.UNFORESEEN
        try:
            async with self._places:
                process = self._command.pull(model, lambda line: _tell(pull, line))
                failure = await process.wait()
        except asyncio.CancelledError:
            failure = pull.interruption
        except OSError:
            log.exception("the model manager can't be started", model=model)
        finally:
            self._command.forget()
            del self._running[model]
            if failure is None:
                total = pull.state.total_bytes
                pull.set(replace(pull.state, phase=Phase.DONE, done_bytes=total, notice=""))
            else:
                pull.set(replace(pull.state, phase=Phase.FAILED, failure=failure, notice=""))
                if failure.reason != errors.CANCELLED:
                    self._failed[model] = pull.state
            pull.ended.set()


def _tell(pull: _Pull, line: dict[str, Any]) -> None:
    if pull.ended.is_set():
        return
    if line["type"] == "notice":
        pull.set(replace(pull.state, notice=line["message"]))
        return
    phase = _PHASES.get(line["phase"]) or Phase(line["phase"])
    if phase is Phase.DONE:
        # It is done when the process says so by its end.
        return
    done, before = line["done_bytes"], pull.state
    # What held it up is over when bytes arrive.
    moved = (phase, done) != (before.phase, before.done_bytes)
    notice = "" if moved and phase is not Phase.WAITING else before.notice
    pull.set(replace(before, phase=phase, done_bytes=done, total_bytes=line["total_bytes"], notice=notice))
