"""Threads for inference that recordings share fairly: each gets its turn, one piece of work after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class _Piece:
    """A call and the future that gets its result."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.future: Future[Any] = Future()
        self._call = call

    def run(self) -> None:
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the result raises it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class FairWorkers:
    """`count` threads that go round the lanes with work and take one piece from each (round robin).

    However much work one recording has waiting, another one's next piece waits for one piece of each lane at most.
    """

    def __init__(self, count: int, *, name: str) -> None:
        self.count = count
        self.changed = threading.Condition()
        self.closed = False
        self.lanes: deque[Lane] = deque()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def lane(self, *, at_once: int | None = None) -> Lane:
        """Returns a new lane, to be closed, with at most `at_once` pieces in work; without it as many as others leave
        free."""
        return Lane(self, at_once or self.count)

    def close(self) -> None:
        """Drops what waits, lets what runs end, and ends the threads."""
        with self.changed:
            self.closed = True
            for lane in self.lanes:
                lane.drop()
            self.changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            lane, piece = taken
            piece.run()
            lane.done(piece)
            # What a piece holds (audio) must not stay in memory until the next one comes.
            del taken, lane, piece

    def _take(self) -> tuple[Lane, _Piece] | None:
        """Waits for work; None when the workers are closed."""
        with self.changed:
            while not self.closed:
                for lane in self.lanes:
                    piece = lane.take()
                    if piece is not None:
                        self.lanes.remove(lane)
                        if lane.waits:
                            self.lanes.append(lane)
                        return lane, piece
                self.changed.wait()
            return None


class Lane:
    """The work of one recording, begun in the order in which it is given."""

    def __init__(self, workers: FairWorkers, at_once: int) -> None:
        self._workers = workers
        self._at_once = at_once
        self._waiting: deque[_Piece] = deque()
        self._running: set[_Piece] = set()

    def submit(
        self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Puts work at the end of the lane; after `close` of the workers it is cancelled at once."""
        piece = _Piece(lambda: work(*args, **kwargs))
        with self._workers.changed:
            if self._workers.closed:
                piece.future.cancel()
                return piece.future
            if self not in self._workers.lanes:
                self._workers.lanes.append(self)
            self._waiting.append(piece)
            self._workers.changed.notify()
        return piece.future

    def close(self) -> None:
        """Drops what waits and returns when nothing of the lane is in work any more."""
        with self._workers.changed:
            if self in self._workers.lanes:
                self._workers.lanes.remove(self)
            self.drop()
            running = [piece.future for piece in self._running]
        wait(running)

    @property
    def waits(self) -> bool:
        """Whether there is work that was not begun; as the methods below, for the workers."""
        return bool(self._waiting)

    def take(self) -> _Piece | None:
        """Begins the next piece, unless `at_once` pieces are in work."""
        while self._waiting and len(self._running) < self._at_once:
            piece = self._waiting.popleft()
            if piece.future.set_running_or_notify_cancel():
                self._running.add(piece)
                return piece
        return None

    def done(self, piece: _Piece) -> None:
        """Ends a piece."""
        with self._workers.changed:
            self._running.discard(piece)

    def drop(self) -> None:
        """Cancels what waits."""
        for piece in self._waiting:
            piece.future.cancel()
        self._waiting.clear()
