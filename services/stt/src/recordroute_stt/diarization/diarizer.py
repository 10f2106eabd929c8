"""Tells who speaks when in a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.diarization.known_voices import recognise
from recordroute_stt.diarization.networks import (
    FEATURE_SAMPLES,
    FEATURE_SHIFT,
    FIRST_FRAME_CENTRE,
    FRAME_SAMPLES,
    FRAME_SECONDS,
    LOCAL_SPEAKERS,
    SegmentationNetwork,
    SpeakerNetwork,
)
from recordroute_stt.diarization.recording import WINDOW, Recording
from recordroute_stt.diarization.result import Diarization, SpeakerVoice, speaker_label
from recordroute_stt.diarization.threshold import distance_threshold
from recordroute_stt.domain import Turn
from recordroute_stt.engine import SAMPLE_RATE, Samples

# Windows of less speech than this (in feature frames) are given to a person, but define none.
RELIABLE_FRAMES = 100
CHANGE_COST = 0.05
REASSIGNMENTS = 2
# Shorter pauses of a person are bridged; shorter turns are noise.
MIN_PAUSE_SECONDS = 0.2
MIN_TURN_SECONDS = 0.1


class Diarizer:
    """The networks of diarization, loaded once for any number of recordings at the same time."""

    def __init__(self, *, threads: int = 1) -> None:
        self._segmentation = SegmentationNetwork(threads=threads)
        self._speaker = SpeakerNetwork(threads=threads)

    def start(self) -> DiarizationRun:
        return DiarizationRun(self._segmentation, self._speaker)


class DiarizationRun:
    """One recording. For an hour it keeps about 4 MiB: a byte for each frame and 4,800 voices at most."""

    def __init__(self, segmentation: SegmentationNetwork, speaker: SpeakerNetwork) -> None:
        self._recording = Recording(segmentation, speaker)

    def feed(self, block: Samples) -> None:
        """Takes the next block of the recording, of any length."""
        self._recording.feed(block)

    def finish(
        self,
        *,
        speaker_count: int | None = None,
        known_voices: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> Diarization:
        """Returns who spoke when. It may be called again with other options, but nothing be fed afterwards.

        `speaker_count` None: it is found out. `known_voices` are embeddings, shape (192,), by the caller's ids.
        Raises InvalidInput (VOICE_UNREADABLE).
        """
        recording = self._recording
        recording.finish()
        if not recording.windows:
            return Diarization((), recognise((), known_voices or {}))
        # SciPy takes a third of the service's start, and is not needed before there are speakers.
        from recordroute_stt.diarization.clustering import assign, find_voices

        embeddings = np.stack([window.embedding for window in recording.windows])
        frames = np.array([window.frames for window in recording.windows])
        stretches = np.array([window.stretch for window in recording.windows])
        reliable = frames >= min(RELIABLE_FRAMES, frames.max())
        voices = find_voices(
            embeddings[reliable],
            threshold=distance_threshold([recording.windows[index] for index in np.flatnonzero(reliable)]),
            count=speaker_count,
        )
        continues = np.concatenate([[False], stretches[1:] == stretches[:-1]])
        reliability = (frames / WINDOW).astype(np.float32)
        for _ in range(REASSIGNMENTS):
            owners = assign(embeddings, reliability, continues, voices, CHANGE_COST)
            voices = _voices(embeddings, owners, reliable, voices)
        turns = [
            (owner, start, end) for owner in range(len(voices)) for start, end in self._times(owners == owner)
        ]
        return _numbered(turns, voices, known_voices or {})

    def _times(self, owned: NDArray[np.bool_]) -> list[tuple[float, float]]:
        """Returns (start, end) of the turns of the person who owns these windows.

        While a slot is active its speech is that of the nearest window of that slot, so that overlapped speech, which
        no window is taken from, goes to the two people who speak before or after it.
        """
        active = self._recording.active
        speaks = np.zeros(len(active), np.bool_)
        for slot in range(LOCAL_SPEAKERS):
            of_slot = np.array([window.slot == slot for window in self._recording.windows])
            centres = np.array([window.centre for window in self._recording.windows])[of_slot]
            if not len(centres):
                continue
            frames = np.flatnonzero(active >> slot & 1)
            times = (frames * FRAME_SAMPLES + FIRST_FRAME_CENTRE - FEATURE_SAMPLES // 2) / FEATURE_SHIFT
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, times)
            speaks[frames] |= owned[of_slot][nearest]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], speaks.astype(np.int8), [0]])))
        offset = (FIRST_FRAME_CENTRE - FRAME_SAMPLES / 2) / SAMPLE_RATE
        length = self._recording.samples / SAMPLE_RATE
        return _bridged(np.clip(edges.reshape(-1, 2) * FRAME_SECONDS + offset, 0, length))


def _bridged(times: NDArray[np.float64]) -> list[tuple[float, float]]:
    if not len(times):
        return []
    pauses = np.flatnonzero(times[1:, 0] - times[:-1, 1] >= MIN_PAUSE_SECONDS)
    starts = times[np.concatenate([[0], pauses + 1]), 0]
    ends = times[np.concatenate([pauses, [len(times) - 1]]), 1]
    return [
        (float(start), float(end))
        for start, end in zip(starts, ends, strict=True)
        if end - start >= MIN_TURN_SECONDS
    ]


def _voices(
    embeddings: NDArray[np.float32],
    owners: NDArray[np.intp],
    reliable: NDArray[np.bool_],
    before: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Returns each person's voice anew from the windows given to them; that of before where there is none."""
    voices = before.copy()
    for owner in range(len(voices)):
        own = embeddings[(owners == owner) & reliable]
        if len(own):
            mean = own.mean(axis=0)
            voices[owner] = mean / np.linalg.norm(mean)
    return voices


def _numbered(
    turns: Sequence[tuple[int, float, float]],
    voices: NDArray[np.float32],
    known_voices: Mapping[str, NDArray[np.float32]],
) -> Diarization:
    """Labels people in the order of their first turns; who has none is left out."""
    ordered = sorted(turns, key=lambda turn: (turn[1], turn[2], turn[0]))
    labels = {
        owner: speaker_label(index)
        for index, owner in enumerate(dict.fromkeys(owner for owner, _, _ in ordered))
    }
    speakers = [
        SpeakerVoice(
            label=label,
            speech_seconds=sum(end - start for of, start, end in ordered if of == owner),
            embedding=voices[owner],
        )
        for owner, label in labels.items()
    ]
    return Diarization(
        turns=tuple(Turn(labels[owner], start, end) for owner, start, end in ordered),
        speakers=recognise(speakers, known_voices),
    )
