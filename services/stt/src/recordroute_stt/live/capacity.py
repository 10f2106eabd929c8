"""Whether one live stream more can be taken, and whether a stream keeps to the pace of speech."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from recordroute_runtime.errors import DomainError, Overloaded

Clock = Callable[[], float]

# Load and delays are averaged over about this time.
MEMORY_SECONDS = 15.0
# Part of the workers' time that live streams may take together: beyond it they wait for each other.
MAX_LOAD = 0.9
# From wanting words to having them, on average: the goal is a final result within 0.3 s of the endpoint, and its
# decode begins that much before the endpoint.
MAX_DELAY_SECONDS = 0.6
RETRY_AFTER = timedelta(seconds=5)

# What may come at once, for clients that send what a slow connection held up.
MAX_AHEAD_SECONDS = 30.0
# Sound cards' clocks differ from ours by much less.
MAX_PACE = 1.05


class AudioTooFast(DomainError):
    """More audio came than was spoken in the time."""

    status = Overloaded.status

    def __init__(self) -> None:
        super().__init__(
            "AUDIO_TOO_FAST",
            f"the audio is more than {MAX_AHEAD_SECONDS:.0f} seconds ahead of the time since the stream began: "
            "send live audio at the pace of the speech, and files to Transcribe",
        )


class LiveCapacity:
    """Counts the live streams, and how busy and how late they are.

    At most `max_streams` run at once. One more is also refused while those that run would leave it no room: where
    `workers` decoders would be busy for more than MAX_LOAD of the time with one more stream like them, or where
    decodes take longer than MAX_DELAY_SECONDS, whatever the reason: a larger model, or other work on the machine.
    """

    def __init__(self, *, workers: int, max_streams: int, clock: Clock = time.monotonic) -> None:
        self._workers = workers
        self._max_streams = max_streams
        self._clock = clock
        self._time = clock()
        self._busy = 0.0
        self._weight = 0.0
        self._delay = 0.0
        self.streams = 0

    @property
    def load(self) -> float:
        """Decoders that the live streams keep busy."""
        self._decay()
        return self._busy / MEMORY_SECONDS

    @property
    def delay(self) -> float:
        """Mean seconds from wanting words to having them; it fades where nothing is decoded."""
        self._decay()
        return self._delay / max(1.0, self._weight)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Holds a place for a stream. Raises Overloaded."""
        reason = self._refusal()
        if reason:
            raise Overloaded(reason, retry_after=RETRY_AFTER)
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    def decoded(self, *, delay: float, seconds: float) -> None:
        """Takes a decode: the seconds from when it was wanted to its end, and those of them on a worker."""
        self._decay()
        self._busy += seconds
        self._weight += 1
        self._delay += delay

    def _refusal(self) -> str:
        if self.streams >= self._max_streams:
            return f"{self.streams} live streams run already"
        if not self.streams:
            return ""
        if self.load * (self.streams + 1) / self.streams > MAX_LOAD * self._workers:
            return f"the {self.streams} live streams that run leave no room for one more"
        if self.delay > MAX_DELAY_SECONDS:
            return f"the {self.streams} live streams that run are late already"
        return ""

    def _decay(self) -> None:
        now = self._clock()
        factor = math.exp((self._time - now) / MEMORY_SECONDS)
        self._time = now
        self._busy *= factor
        self._weight *= factor
        self._delay *= factor


class Pace:
    """Compares a stream's audio with the time since its first."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._begun: float | None = None
        self._seconds = 0.0

    def take(self, seconds: float) -> None:
        """Counts audio. Raises AudioTooFast where it is more than MAX_AHEAD_SECONDS ahead."""
        if self._begun is None:
            self._begun = self._clock()
        self._seconds += seconds
        if self._seconds > MAX_AHEAD_SECONDS + MAX_PACE * (self._clock() - self._begun):
            raise AudioTooFast
