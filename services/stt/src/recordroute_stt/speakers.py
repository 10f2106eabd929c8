"""Tells who speaks, beside the transcription: the recording's blocks in, people and their times out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.diarization import (
    Diarization,
    DiarizationRun,
    Diarizer,
    label_segments,
    voices_by_channel,
)
from recordroute_stt.domain import Segment
from recordroute_stt.media import Channels
from recordroute_stt.workers import Lane

# Enough to keep a worker busy, little enough to hold no more than half a minute of audio.
BLOCKS_WAITING = 4


@dataclass(frozen=True)
class DiarizationOptions:
    """How to tell who speaks.

    `speaker_count` None: it is found out. `known_voices` are voices to recognise by id, each of shape (192,) and
    unit length.
    """

    speaker_count: int | None = None
    known_voices: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


class SpeakerModels:
    """The networks, loaded when they are first used and kept."""

    def __init__(self, load: Callable[[], Diarizer] = Diarizer) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._diarizer: Diarizer | None = None

    def get(self) -> Diarizer:
        with self._lock:
            if self._diarizer is None:
                self._diarizer = self._load()
            return self._diarizer


class SpeakerFinder:
    """Diarization of one recording on a lane of its own, one block after the other.

    With one channel all people are told apart by their voices; with several kept apart, each is one person.
    """

    def __init__(self, models: SpeakerModels, options: DiarizationOptions, lane: Lane) -> None:
        self._models = models
        self._options = options
        self._lane = lane
        self._runs: list[DiarizationRun] = []
        self._waiting: deque[Future[None]] = deque()
        self._labels: tuple[str, ...] = ()

    @property
    def has_room(self) -> bool:
        """Whether a block can be fed; raises what went wrong with those before."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()
        return len(self._waiting) < BLOCKS_WAITING

    def feed(self, block: Channels) -> Future[None]:
        """Takes the next block."""
        future = self._lane.submit(self._feed, block)
        self._waiting.append(future)
        return future

    def finish(self) -> Future[Diarization]:
        """Says who spoke when, after the last block."""
        return self._lane.submit(self._finish)

    def label(self, segments: Sequence[Segment], found: Diarization) -> list[Segment]:
        """Returns the segments with their speakers, cut where the speaker changes."""
        if len(self._runs) <= 1:
            return label_segments(segments, found.turns)
        return [
            segment if segment.channel is None else replace(segment, speaker=self._labels[segment.channel])
            for segment in segments
        ]

    def close(self) -> None:
        """Drops what waits, and returns when nothing is in work."""
        self._lane.close()

    def _feed(self, block: Channels) -> None:
        if not self._runs:
            self._runs = [self._models.get().start() for _ in block]
        for run, samples in zip(self._runs, block, strict=True):
            run.feed(samples)

    def _finish(self) -> Diarization:
        for future in self._waiting:
            future.result()
        known = self._options.known_voices
        if len(self._runs) == 1:
            (run,) = self._runs
            return run.finish(speaker_count=self._options.speaker_count, known_voices=known)
        found = voices_by_channel([run.finish(speaker_count=1) for run in self._runs], known)
        self._labels = found.labels
        return found.diarization
