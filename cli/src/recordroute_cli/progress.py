"""Shows uploads and workflows as they run: live on a terminal, as lines elsewhere, as JSON for programs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from recordroute_runtime.documents import document, enum_name

from recordroute_cli import terminal
from recordroute_cli.render import clock, size
from recordroute_cli.terminal import plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import workflow_pb2
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.table import Table

    from recordroute_cli.errors import CommandError

UPLOAD = "upload"
WORKFLOW_STAGES = ("transcribe", "summarise", "embed", "index")
ENDED = frozenset(("succeeded", "failed", "cancelled", "skipped"))
MARKS = {
    "queued": ("·", "dim"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("■", "yellow"),
    "skipped": ("-", "dim"),
}
LINE_EVERY_PERCENT = 25.0
JSON_UPLOAD_EVERY_SECONDS = 0.5


@dataclass
class Stage:
    """One row of the display. Times are seconds since the epoch; sizes are bytes and set for uploads only."""

    name: str
    state: str = "queued"
    percent: float = 0.0
    started: float | None = None
    ended: float | None = None
    done_bytes: int = 0
    total_bytes: int = 0

    def elapsed(self, now: float) -> float | None:
        """Returns the seconds that the stage runs or ran; None before."""
        if self.started is None:
            return None
        return max(0.0, (self.ended if self.ended is not None else now) - self.started)

    def remaining(self, now: float) -> float | None:
        """Returns the seconds to go if the stage goes on at its mean speed; None while that is a guess."""
        elapsed = self.elapsed(now)
        if self.state != "running" or elapsed is None or self.percent < 1.0:
            return None
        return elapsed * (100.0 - self.percent) / self.percent


@dataclass
class Item:
    """One file or workflow on the display."""

    name: str
    stages: dict[str, Stage] = field(default_factory=dict)
    workflow_id: str = ""
    state: str = "queued"
    lost: bool = False

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def stage(self, name: str) -> Stage:
        return self.stages.setdefault(name, Stage(name))

    def current(self) -> Stage:
        """Returns the stage that runs, else the last that ended, else the first."""
        stages = list(self.stages.values())
        running = [stage for stage in stages if stage.state == "running"]
        begun = [stage for stage in stages if stage.state != "queued"]
        return (running or begun[-1:] or stages[:1] or [Stage("")])[0]


class Display(AbstractContextManager["Display"]):
    """Base of the displays; it shows nothing by itself. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._items: list[Item] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def add(self, name: str, workflow_id: str = "", *, upload: bool = False) -> Item:
        """Adds an item, with a row for its upload if it has one to come."""
        item = Item(name, workflow_id=workflow_id)
        for stage in (UPLOAD,) * upload + WORKFLOW_STAGES:
            item.stage(stage)
        with self._lock:
            self._items.append(item)
        return item

    def sent(self, item: Item, done_bytes: int, total_bytes: int) -> None:
        """Takes note of bytes that were sent."""
        with self._lock:
            stage = item.stage(UPLOAD)
            now = time.time()
            stage.started = now if stage.started is None else stage.started
            stage.done_bytes, stage.total_bytes = done_bytes, total_bytes
            stage.percent = 100.0 * done_bytes / total_bytes if total_bytes else 100.0
            stage.state = "running"
            self.changed(item, stage)

    def uploaded(self, item: Item, workflow_id: str) -> None:
        """Takes note that the upload has ended well and which workflow follows it, if any."""
        with self._lock:
            stage = item.stage(UPLOAD)
            stage.state, stage.percent, stage.ended = "succeeded", 100.0, time.time()
            stage.started = stage.ended if stage.started is None else stage.started
            item.workflow_id = workflow_id
            self.changed(item, stage)

    def event(self, item: Item, event: workflow_pb2.WorkflowEvent) -> None:
        """Takes note of an event of the item's workflow."""
        with self._lock:
            item.lost = False
            name, state = enum_name(event, "stage"), enum_name(event, "state")
            at = event.time.ToNanoseconds() / 1e9
            if not name:
                item.state = state
                self.changed(item, None)
                return
            stage = item.stage(name)
            if state == "running" and stage.state != "running":
                # A later try starts anew.
                stage.started, stage.ended = at, None
            if state in ENDED:
                stage.ended = at
                if stage.started is None and state != "skipped":
                    stage.started = at
            stage.state = state
            stage.percent = 100.0 if state == "succeeded" else event.percent
            self.changed(item, stage)

    def lost(self, item: Item) -> None:
        """Takes note that the server of the item's workflow does not answer now."""
        with self._lock:
            item.lost = True

    def failed(self, item: Item, error: CommandError) -> None:
        """Takes note that the item can't go on, and says why."""
        with self._lock:
            item.state = "failed"
            for stage in item.stages.values():
                if stage.state == "running":
                    stage.state, stage.ended = "failed", time.time()
            self.changed(item, None)
            self.complain(item, error)

    def complain(self, item: Item, error: CommandError) -> None:
        """Prints an error beside the display."""
        terminal.complain(f"{item.name}: {error.message}")

    def changed(self, item: Item, stage: Stage | None) -> None:
        """Shows a change of a stage, or of the item as a whole. The lock is held."""


class LineDisplay(Display):
    """A line on standard error for every step, for logs and pipes."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[tuple[int, str], tuple[str, float]] = {}

    def changed(self, item: Item, stage: Stage | None) -> None:
        if stage is None:
            return
        key = (id(item), stage.name)
        state, percent = self._shown.get(key, ("queued", 0.0))
        step = stage.percent - stage.percent % LINE_EVERY_PERCENT
        if stage.state == state and step <= percent:
            return
        self._shown[key] = (stage.state, step)
        text = f"{item.name}: {stage.name} {stage.state}"
        if stage.state == "running" and step:
            text += f" {step:.0f} %"
        elapsed = stage.elapsed(time.time())
        if stage.state in ENDED and elapsed is not None:
            text += f" after {elapsed:.1f} s"
        terminal.note(text)

    def lost(self, item: Item) -> None:
        super().lost(item)
        terminal.note(f"{item.name}: the server does not answer; trying again")


class JsonDisplay(Display):
    """JSON Lines on standard output: every event, and uploads twice a second."""

    def __init__(self) -> None:
        super().__init__()
        self._next_upload = 0.0

    def changed(self, item: Item, stage: Stage | None) -> None:
        if stage is None or stage.name != UPLOAD:
            return
        now = time.monotonic()
        if stage.state == "running" and now < self._next_upload:
            return
        self._next_upload = now + JSON_UPLOAD_EVERY_SECONDS
        terminal.write_json_line(
            {
                "type": "upload",
                "file": item.name,
                "state": stage.state,
                "sent_bytes": stage.done_bytes,
                "size_bytes": stage.total_bytes,
            }
        )

    def event(self, item: Item, event: workflow_pb2.WorkflowEvent) -> None:
        with self._lock:
            super().event(item, event)
            terminal.write_json_line(
                {"type": "event", "file": item.name, "workflow_id": item.workflow_id, **document(event)}
            )

    def lost(self, item: Item) -> None:
        with self._lock:
            super().lost(item)
            terminal.write_json_line({"type": "lost", "file": item.name, "workflow_id": item.workflow_id})

    def complain(self, item: Item, error: CommandError) -> None:
        super().complain(item, error)
        terminal.write_json_line({"type": "error", "file": item.name, "error": error.document()})


class LiveDisplay(Display):
    """Bars that move: every stage of a single item, or a row for each of several."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        from rich.live import Live
        from rich.spinner import Spinner

        self._console = console
        self._spinner = Spinner("dots")
        self._live: Live = Live(self, console=console, refresh_per_second=10, transient=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def complain(self, item: Item, error: CommandError) -> None:
        self._console.print(f"error: {plain(f'{item.name}: {error.message}')}", style="red", soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            yield self._table(time.time())

    def _table(self, now: float) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=40)
        table.add_column(no_wrap=True)
        table.add_column(width=30)
        table.add_column(justify="right", width=5)
        table.add_column(justify="right", min_width=7)
        table.add_column(no_wrap=True)
        for label, extra, stage, lost in self._rows():
            running = stage.state == "running"
            mark = self._spinner if running else Text(*MARKS.get(stage.state, ("?", "dim")))
            elapsed, remaining = stage.elapsed(now), stage.remaining(now)
            tail = []
            if stage.state == "skipped":
                tail.append("skipped")
            if remaining is not None:
                tail.append(f"{clock(remaining)} left")
            if stage.total_bytes and elapsed:
                tail.append(f"{size(stage.done_bytes / elapsed)}/s")
            if lost:
                tail.append("the server does not answer; trying again")
            table.add_row(
                mark,
                Text(label),
                Text(extra, style="dim"),
                ProgressBar(total=100, completed=stage.percent, width=30),
                f"{stage.percent:.0f} %" if stage.state != "queued" else "",
                clock(elapsed) if elapsed is not None else "",
                Text(", ".join(tail), style="dim"),
            )
        return table

    def _rows(self) -> Iterator[tuple[str, str, Stage, bool]]:
        if len(self._items) == 1:
            item = self._items[0]
            for stage in item.stages.values():
                yield stage.name, "", stage, item.lost and stage.state == "running"
            return
        for item in self._items:
            stage = item.current()
            if item.state in ENDED:
                stage = Stage(stage.name, item.state, stage.percent, stage.started, stage.ended)
            yield plain(item.name), stage.name, stage, item.lost


def make_display() -> Display:
    """Returns the display that fits what the command was asked for and where it runs."""
    if terminal.json_mode():
        return JsonDisplay()
    if sys.stderr.isatty():
        return LiveDisplay(terminal.err())
    return LineDisplay()
