"""What `up` and `demo` have in common: models first, then the services, and what happens to them on the screen."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.stop_signals import StopSignals
from recordroute_cli.supervisor import Event, Supervisor

STOP = Event("stop")
SIGNAL_SECONDS = 0.5


def needed_models() -> list[str]:
    """Returns the ids of the models that the services are set to load."""
    from recordroute_llm.settings import LlmSettings
    from recordroute_runtime.settings import load_settings
    from recordroute_stt.settings import SttSettings
    from recordroute_vector.settings import VectorSettings

    return [
        load_settings(SttSettings).model,
        load_settings(LlmSettings).model,
        load_settings(VectorSettings).model,
    ]


def models_dir() -> Path:
    """Returns the folder of the models."""
    from recordroute_runtime.settings import CommonSettings, load_settings

    return load_settings(CommonSettings).models_dir.absolute()


def ensure_models(stops: StopSignals) -> None:
    """Fetches those of the needed models that are missing or broken, with progress; that can be interrupted.

    Raises the errors of the model manager; ModelMissing where RECORDROUTE_OFFLINE forbids to fetch.
    """
    from recordroute_models import ModelManager, ModelsSettings, State
    from recordroute_models.errors import ModelMissingOffline
    from recordroute_runtime.models import find_model
    from recordroute_runtime.settings import CommonSettings, load_settings

    from recordroute_cli.commands import models

    common = load_settings(CommonSettings)
    manager = ModelManager.from_settings(common, load_settings(ModelsSettings))
    catalogued = {model.id for model in manager.catalogue.models}
    absent = []
    for model in needed_models():
        if model not in catalogued:
            # Somebody's own model: nobody but them can install it.
            find_model(common.models_dir, model)
        elif manager.status(model).state in (State.MISSING, State.BROKEN):
            absent.append(model)
    if absent and common.offline:
        raise ModelMissingOffline(absent[0])
    if absent:
        with stops.interrupting():
            models.pull(absent)


def show_event(event: Event) -> None:
    """Prints an event of the supervisor for people, or as a JSON line."""
    if terminal.json_mode():
        values = {name: value for name, value in asdict(event).items() if value not in ("", None)}
        terminal.write_json_line({"event": values.pop("kind"), **values})
    elif event.kind == "ready":
        terminal.note(f"  {event.service:<8} ready after {event.seconds:.1f} s")
    elif event.kind == "exited":
        terminal.note(f"  {event.service:<8} {event.message} in {event.seconds:.1f} s")


def wait_ready(supervisor: Supervisor, show: Callable[[Event], None]) -> bool:
    """Shows events until every service is ready; returns False where STOP comes first. Raises CommandError."""
    waiting = set(supervisor.names)
    while waiting:
        event = _next(supervisor)
        if event is STOP:
            return False
        show(event)
        if event.kind == "ready":
            waiting.discard(event.service)
        elif event.kind == "exited":
            waiting.add(event.service)
        if event.kind == "failed":
            _fail(event)
    return True


def wait_stopped(supervisor: Supervisor, show: Callable[[Event], None]) -> None:
    """Shows events until STOP comes. Raises CommandError where a service can't be kept running."""
    while (event := _next(supervisor)) is not STOP:
        show(event)
        if event.kind == "failed":
            _fail(event)


def stop_event(stops: StopSignals, supervisor: Supervisor) -> AbstractContextManager[None]:
    """Puts STOP among the supervisor's events when the process is asked to end."""
    return stops.calling(lambda: supervisor.events.put(STOP))


def _next(supervisor: Supervisor) -> Event:
    while True:
        try:
            # A signal that comes just before a blocking wait begins is handled only after it: so it has an end.
            return supervisor.events.get(timeout=SIGNAL_SECONDS)
        except queue.Empty:
            continue


def _fail(event: Event) -> NoReturn:
    head, *lines = event.message.split("\n")
    for line in lines:
        terminal.note(line)
    raise CommandError(f"the {event.service} service {head.rstrip(':')}")
