"""Ctrl-C and SIGTERM at every moment of a start: no process, thread, file, folder or lock stays behind."""

from __future__ import annotations

import dataclasses
import fcntl
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import cycle
from pathlib import Path
from types import FrameType

import psutil
import pytest
from recordroute_cli import embedded, supervisor
from recordroute_cli.commands.demo import demo
from recordroute_cli.commands.up import up

SOURCES = Path(supervisor.__file__).parent
# What makes something on the way to a running system, and what takes it away.
WATCHED = frozenset(
    str(SOURCES / name)
    for name in (
        *("commands/demo.py", "commands/up.py", "embedded.py", "places.py"),
        *("stop_signals.py", "supervisor.py", "whole_file.py"),
    )
)
SIGNALS = (signal.SIGINT, signal.SIGTERM)
Place = tuple[str, int]


def raise_interrupt(*_: object) -> None:
    """What the entry point does on SIGTERM."""
    raise KeyboardInterrupt


@pytest.fixture
def _handlers() -> Iterator[None]:
    before = {number: signal.signal(number, raise_interrupt) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def _sleeping_services(children: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services that take no time to start, and are never ready."""
    real_services = supervisor.embedded_services

    def sleeping_services(*arguments):
        return tuple(
            dataclasses.replace(
                spec, module="sleeping_service", environment={**spec.environment, "PYTHONPATH": str(children)}
            )
            for spec in real_services(*arguments)[-2:]
        )

    monkeypatch.setattr(supervisor, "embedded_services", sleeping_services)
    monkeypatch.setattr(embedded, "ensure_models", lambda: None)
    monkeypatch.setattr("recordroute_cli.client.serving", lambda address: False)


@contextmanager
def signals(send: Callable[[FrameType, Place], int]) -> Iterator[dict[Place, None]]:
    """Has this process send itself the signal that `send` returns, if it is not 0, before a line of WATCHED is run for
    the first time. Yields the lines that were come to, in their order."""
    visited: dict[Place, None] = {}

    def trace(frame: FrameType, event: str, _: object):
        place = (frame.f_code.co_filename, frame.f_lineno)
        if place[0] not in WATCHED:
            return None
        if event == "line" and place not in visited:
            visited[place] = None
            if number := send(frame, place):
                signal.raise_signal(number)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield visited
    finally:
        sys.settrace(before)


def waits_for_services(frame: FrameType) -> bool:
    return frame.f_code is embedded._next.__code__


@pytest.mark.usefixtures("_handlers", "_sleeping_services")
@pytest.mark.parametrize("command", [partial(up, port=0), partial(demo, keep=False)], ids=["up", "demo"])
def test_signals_at_every_line_of_a_start_and_of_a_stop(command, tmp_path, monkeypatch):
    # So long that its sockets are in a temporary folder.
    data_dir, temporary = tmp_path / ("d" * 90), tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("RECORDROUTE_DATA_DIR", str(data_dir))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    processes = psutil.Process().children(recursive=True)

    def run(send) -> dict[Place, None]:
        with signals(send) as visited, suppress(KeyboardInterrupt):
            command()
        return visited

    places = run(lambda frame, place: signal.SIGINT if waits_for_services(frame) else 0)
    assert any(filename.endswith("supervisor.py") for filename, _ in places)
    for wanted, number in zip(places, cycle(SIGNALS), strict=False):
        reached = run(
            lambda frame, place, wanted=wanted, number=number: (
                number if place == wanted else signal.SIGINT if waits_for_services(frame) else 0
            )
        )
        assert wanted in reached
        assert psutil.Process().children(recursive=True) == processes, wanted
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("keep-")], wanted
        assert list(temporary.iterdir()) == [], wanted
        if data_dir.exists():
            assert {path.name for path in data_dir.iterdir()} <= {"logs", "server.lock"}, wanted
        if (data_dir / "server.lock").exists():
            with (data_dir / "server.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
