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
from recordroute_cli.stop_signals import stop_signals
from recordroute_cli.whole_file import write_whole

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
    monkeypatch.setattr(embedded, "ensure_models", lambda stops: None)
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
    monkeypatch.setattr("recordroute_cli.commands.demo.DEFAULT_PORT", 0)
    processes = psutil.Process().children(recursive=True)

    def run(send) -> dict[Place, None]:
        with signals(send) as visited, suppress(KeyboardInterrupt):
            command()
        return visited

    places = run(lambda frame, place: signal.SIGINT if waits_for_services(frame) else 0)
    assert any(filename.endswith("supervisor.py") for filename, _ in places)
    missed = 0
    for wanted, number in zip(places, cycle(SIGNALS), strict=False):
        reached = run(
            lambda frame, place, wanted=wanted, number=number: (
                number if place == wanted else signal.SIGINT if waits_for_services(frame) else 0
            )
        )
        missed += wanted not in reached
        assert psutil.Process().children(recursive=True) == processes, wanted
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("keep-")], wanted
        assert list(temporary.iterdir()) == [], wanted
        if data_dir.exists():
            assert {path.name for path in data_dir.iterdir()} <= {"logs", "server.lock"}, wanted
        if (data_dir / "server.lock").exists():
            with (data_dir / "server.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # Which way it goes is at a few places a matter of what another thread has done by then.
    assert missed < len(places) / 10


def test_a_request_waits_for_a_section_that_says_what_it_does():
    heard: list[str] = []
    with stop_signals() as stops:
        signal.raise_signal(signal.SIGTERM)
        assert heard == []
        with stops.calling(lambda: heard.append("stop")):
            assert heard == ["stop"]
            signal.raise_signal(signal.SIGINT)
            assert heard == ["stop"] * 2
        with stops.interrupting():
            pass
        signal.raise_signal(signal.SIGHUP)
        assert stops.last == signal.SIGHUP
        with pytest.raises(KeyboardInterrupt), stops.interrupting():
            pytest.fail("it went on")


def import_interrupted() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("import numpy failed") from None


def test_an_interrupt_that_a_library_makes_an_error_of_is_one_all_the_same():
    with stop_signals() as stops:
        with pytest.raises(KeyboardInterrupt), stops.interrupting():
            import_interrupted()
        with pytest.raises(KeyboardInterrupt), stops.interrupting(), suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(ImportError), stops.interrupting():
            raise ImportError("import numpy failed")


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as stops:
            signal.raise_signal(signal.SIGHUP)
            assert stops.last is None
            assert signal.getsignal(signal.SIGTERM) == stops.heard
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_handlers")
def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / ("회의" * 40)

    def write(send) -> dict[Place, None]:
        path.write_bytes(b"old")
        with signals(send) as visited, suppress(KeyboardInterrupt):
            assert write_whole(path, [b"new", b" and whole"]) == 13
        assert list(tmp_path.iterdir()) == [path]
        return visited

    places = write(lambda frame, place: 0)
    assert path.read_bytes() == b"new and whole"
    for wanted in places:
        write(lambda frame, place, wanted=wanted: signal.SIGTERM if place == wanted else 0)
        assert path.read_bytes() in (b"old", b"new and whole"), wanted
