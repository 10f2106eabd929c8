"""What asks the process to end: Ctrl-C, SIGTERM, a closed terminal; and where it may be interrupted by them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Hears of requests to end, and acts on them only in the sections that say how; elsewhere they wait for the next
    such section. So nothing is interrupted between making something and knowing who removes it."""

    def __init__(self) -> None:
        self._act: Callable[[], None] | None = None
        self._waiting = False
        self.last: int | None = None

    def heard(self, number: int, _: Any) -> None:
        """The signal handler. `last` is the last signal that came."""
        self.last = number
        if self._act is None:
            self._waiting = True
        else:
            self._act()

    @contextmanager
    def calling(self, act: Callable[[], None]) -> Iterator[None]:
        """A section in which each request calls `act`, in the main thread; at once where one has waited for it."""
        before, self._act = self._act, act
        try:
            if self._waiting:
                self._waiting = False
                act()
            yield
        finally:
            self._act = before

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """A section that a request ends with KeyboardInterrupt.

        Also where a library makes another error of that, as numpy does while it is imported, or goes on regardless.
        """
        is_interrupted = False

        def interrupt() -> NoReturn:
            nonlocal is_interrupted
            is_interrupted = True
            raise KeyboardInterrupt

        try:
            with self.calling(interrupt):
                yield
        except Exception as error:
            if is_interrupted:
                raise KeyboardInterrupt from error
            raise
        if is_interrupted:
            raise KeyboardInterrupt


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Hears what asks the process to end. What whoever started it lets it ignore, like `nohup`, stays ignored."""
    stops = StopSignals()
    before = {
        number: signal.signal(number, stops.heard)
        for number in NUMBERS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield stops
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
