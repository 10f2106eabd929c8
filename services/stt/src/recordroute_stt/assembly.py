"""From what the engine wrote of each window to the segments of the recording, in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from math import nan

from recordroute_stt.domain import Removal, RemovalReason, Segment, Word
from recordroute_stt.gate import SilenceGate
from recordroute_stt.postprocess import (
    MAX_JOIN_PAUSE_SECONDS,
    PostProcessing,
    SegmentMerger,
    normalise_spacing,
    remove_loops,
)
from recordroute_stt.windows import SpeechWindow

Output = Segment | Removal

# Whisper's segment times are that imprecise.
SPEECH_TOLERANCE_SECONDS = 0.5


class Assembler:
    """Puts the windows of one channel, in order, into the recording: times, what is kept, what is joined.

    Holds one segment at most, which may be joined with the next one.
    """

    def __init__(self, steps: PostProcessing, gate: SilenceGate, *, channel: int | None = None) -> None:
        self._steps = steps
        self._gate = gate
        self._channel = channel
        self._merger = SegmentMerger()
        self._last_end = 0.0
        self.held_since: float | None = None
        """When the held segment begins, in seconds; None while none is held."""

    def refusal(self, window: SpeechWindow) -> Removal | None:
        """Returns why a window holds no speech, so that there is nothing to decode in it; None where there is."""
        why = self._gate.refuse(window) if self._steps.silence_gate else None
        if why is None:
            return None
        nothing = Segment(window.start, window.end, "", nan, nan, nan, channel=self._channel)
        return Removal(nothing, RemovalReason.NO_SPEECH, why)

    def add(self, window: SpeechWindow, segments: Iterable[Segment]) -> Iterator[Output]:
        """Takes a window's segments and yields what is done of them and of those before."""
        for segment in segments:
            placed = replace(place(segment, window, not_before=self._last_end), channel=self._channel)
            kept, removals = self._filtered(placed, window)
            yield from removals
            if kept is not None:
                self._last_end = kept.end
                yield from self._joined(kept)

    def settle(self, until: float) -> Iterator[Output]:
        """Yields what is held if no segment that begins at `until` seconds or later can be joined to it."""
        if self.held_since is not None and until > self._last_end + MAX_JOIN_PAUSE_SECONDS:
            yield from self.flush()

    def flush(self) -> Iterator[Output]:
        """Yields what is held."""
        self.held_since = None
        yield from self._merger.flush()

    def _filtered(self, segment: Segment, window: SpeechWindow) -> tuple[Segment | None, list[Removal]]:
        if not segment.text:
            return None, []
        kept: Segment | None = segment
        removals = []
        if self._steps.remove_loops:
            kept, loop = remove_loops(segment, window)
            if loop is not None:
                removals.append(loop)
        if kept is not None and self._steps.silence_gate:
            refused = self._gate.judge(kept, window)
            if refused is not None:
                return None, [*removals, refused]
        if kept is not None and self._steps.normalise_spacing:
            kept = normalise_spacing(kept)
        return kept, removals

    def _joined(self, segment: Segment) -> Iterator[Segment]:
        if not self._steps.merge_segments:
            yield segment
            return
        done = list(self._merger.feed(segment))
        if done or self.held_since is None:
            self.held_since = segment.start
        yield from done


class Timeline:
    """Puts what several channels said into the order of its begin."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Output]] = []
        self._numbers = count()

    def add(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            heapq.heappush(self._waiting, (_start(output), next(self._numbers), output))

    def until(self, seconds: float) -> Iterator[Output]:
        """Yields what begins by then: nothing that comes later may begin before."""
        while self._waiting and self._waiting[0][0] <= seconds:
            yield heapq.heappop(self._waiting)[-1]


def in_order(segments: Iterable[Segment], removals: Iterable[Removal]) -> Iterator[Output]:
    """Yields both by their begin."""
    outputs: list[Iterable[Output]] = [segments, removals]
    return heapq.merge(*outputs, key=_start)


def _start(output: Output) -> float:
    return output.segment.start if isinstance(output, Removal) else output.start


def place(segment: Segment, window: SpeechWindow, *, not_before: float) -> Segment:
    """Moves a segment from its window's time to the recording's, kept within the speech of the window and after
    `not_before`."""

    earliest = max(window.start, window.speech_start - SPEECH_TOLERANCE_SECONDS, not_before)

    def moved(seconds: float) -> float:
        return min(max(window.start + seconds, earliest), window.end)

    start, end = moved(segment.start), moved(segment.end)
    words = tuple(
        Word(word.text, min(moved(word.start), end), min(moved(word.end), end), word.probability)
        for word in segment.words
    )
    return replace(segment, start=start, end=max(start, end), words=words)
