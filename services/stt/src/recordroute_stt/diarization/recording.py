"""What is kept of a recording while it is heard: who is active in each frame, and voices in short windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.diarization.networks import (
    CHUNK_FRAMES,
    CHUNK_SAMPLES,
    FEATURE_SAMPLES,
    FEATURE_SHIFT,
    FEATURES,
    FIRST_FRAME_CENTRE,
    FRAME_SAMPLES,
    LOCAL_SPEAKERS,
    SegmentationNetwork,
    SpeakerNetwork,
    filter_bank,
)
from recordroute_stt.engine import Samples

# Chunks begin 4.86 s apart: a whole number of segmentation frames and of feature frames.
HOP_SAMPLES = 18 * 16 * FRAME_SAMPLES
HOP_FRAMES = HOP_SAMPLES // FRAME_SAMPLES
# Of each chunk the middle is believed, where the network sees enough before and after.
MARGIN_FRAMES = (CHUNK_FRAMES - HOP_FRAMES) // 2

WINDOW = 150
"""Feature frames (10 ms) of speech that a voice is taken from; shorter stretches are taken whole."""
WINDOW_HOP = 75
MIN_WINDOW = 30
# A person who goes on after a pause no longer than this, with nobody speaking in between, is taken for the same.
MAX_PAUSE = 50


@dataclass(frozen=True)
class VoiceWindow:
    """A voice in at most 1.5 s of speech.

    `stretch` numbers the stretches of speech that the segmentation network takes for one person's; `slot` is the bit
    of that person in `Recording.active`; `centre` and `frames` count feature frames (10 ms).
    """

    stretch: int
    slot: int
    centre: int
    frames: int
    embedding: NDArray[np.float32]


class Recording:
    """Listens to a recording block by block and keeps embeddings and activities, never the audio."""

    def __init__(self, segmentation: SegmentationNetwork, speaker: SpeakerNetwork) -> None:
        self._segmentation = segmentation
        self._speaker = speaker
        self._audio = np.zeros(0, np.float32)
        self._audio_start = 0
        self._features = np.zeros((0, FEATURES), np.float32)
        self._features_start = 0
        self._last: NDArray[np.bool_] | None = None
        self._settled: list[NDArray[np.uint8]] = []
        self._settled_frames = 0
        self._stretch = _Stretch(number=0, slot=-1)
        self._classified = 0
        self._finished = False
        self.samples = 0
        self.windows: list[VoiceWindow] = []

    @property
    def active(self) -> NDArray[np.uint8]:
        """A bit for each slot that is active, shape (frames,); frames are those of the segmentation network."""
        return np.concatenate(self._settled) if self._settled else np.zeros(0, np.uint8)

    def feed(self, block: Samples) -> None:
        self.samples += len(block)
        self._audio = np.concatenate([self._audio, block])
        while len(self._audio) >= CHUNK_SAMPLES + FEATURE_SAMPLES:
            self._hear(last=False)

    def finish(self) -> None:
        """Takes what is left at the end of the recording; does nothing when called again."""
        if not self._finished and self.samples:
            while len(self._audio) > CHUNK_SAMPLES:
                self._hear(last=False)
                self._audio = self._audio[: self.samples - self._audio_start]
            self._hear(last=True)
            self._close_stretch()
        self._finished = True

    def _hear(self, *, last: bool) -> None:
        """Runs the networks on the next chunk and moves on by a hop."""
        missing = CHUNK_SAMPLES + FEATURE_SAMPLES - len(self._audio)
        self._audio = np.pad(self._audio, (0, max(0, missing)))
        self._extend_features()
        activity = self._segmentation(self._audio[:CHUNK_SAMPLES])
        first = self._last is None
        if self._last is not None:
            activity = _aligned(activity, self._last)
        self._last = activity
        begin = 0 if first else MARGIN_FRAMES
        end = CHUNK_FRAMES if last else MARGIN_FRAMES + HOP_FRAMES
        bits = (activity[begin:end] << np.arange(LOCAL_SPEAKERS)).sum(axis=1).astype(np.uint8)
        self._settled.append(bits)
        self._settled_frames += len(bits)
        self._embed()
        self._audio = self._audio[HOP_SAMPLES:]
        self._audio_start += HOP_SAMPLES

    def _extend_features(self) -> None:
        done = (self._features_start + len(self._features)) * FEATURE_SHIFT - self._audio_start
        self._features = np.concatenate([self._features, filter_bank(self._audio[done:])])

    def _embed(self) -> None:
        """Sorts the feature frames that became settled into stretches of one person."""
        settled_end = (self._settled_frames - 1) * FRAME_SAMPLES + FIRST_FRAME_CENTRE
        end = min(settled_end // FEATURE_SHIFT, self._features_start + len(self._features))
        end = min(end, max(0, self.samples - FEATURE_SAMPLES) // FEATURE_SHIFT)
        if end <= self._classified:
            return
        frames = np.arange(self._classified, end)
        nearest = (frames * FEATURE_SHIFT + FEATURE_SAMPLES // 2 - FIRST_FRAME_CENTRE) / FRAME_SAMPLES
        indices = np.clip(np.round(nearest).astype(np.intp), 0, self._settled_frames - 1)
        recent = np.concatenate(self._settled[-2:])
        bits = recent[np.maximum(indices - (self._settled_frames - len(recent)), 0)]
        for slot, begin, stop in _runs_alone(bits):
            first = self._classified + begin
            pause = first - self._stretch.end
            if slot != self._stretch.slot or pause > MAX_PAUSE:
                self._close_stretch()
                self._stretch = _Stretch(number=self._stretch.number + 1, slot=slot)
            offset = self._classified - self._features_start
            self._stretch.extend(first, self._features[offset + begin : offset + stop])
            for window in self._stretch.full_windows():
                self._keep(*window)
        self._classified = end
        drop = max(0, end - self._features_start)
        self._features = self._features[drop:]
        self._features_start += drop

    def _close_stretch(self) -> None:
        rest = self._stretch.last_window()
        if rest is not None:
            self._keep(*rest)

    def _keep(self, centre: int, features: NDArray[np.float32]) -> None:
        self.windows.append(
            VoiceWindow(
                self._stretch.number, self._stretch.slot, centre, len(features), self._speaker(features)
            )
        )


class _Stretch:
    """Speech of one person, with at most the features of the next window and the one before."""

    def __init__(self, *, number: int, slot: int) -> None:
        self.number = number
        self.slot = slot
        self.end = -MAX_PAUSE
        self._times = np.zeros(0, np.intp)
        self._features = np.zeros((0, FEATURES), np.float32)
        # Frames at the beginning that are in a window already.
        self._seen = 0

    def extend(self, first: int, features: NDArray[np.float32]) -> None:
        self._times = np.concatenate([self._times, np.arange(first, first + len(features))])
        self._features = np.concatenate([self._features, features])
        self.end = first + len(features)

    def full_windows(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        while len(self._times) >= WINDOW:
            yield self._window(slice(0, WINDOW))
            self._times = self._times[WINDOW_HOP:]
            self._features = self._features[WINDOW_HOP:]
            self._seen = WINDOW - WINDOW_HOP

    def last_window(self) -> tuple[int, NDArray[np.float32]] | None:
        """Returns what is left, unless it is too little to be worth a window."""
        if len(self._times) - self._seen < MIN_WINDOW:
            return None
        return self._window(slice(None))

    def _window(self, part: slice) -> tuple[int, NDArray[np.float32]]:
        times = self._times[part]
        return int(times[len(times) // 2]), self._features[part]


def _aligned(activity: NDArray[np.bool_], before: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns `activity` with its speakers in the order in which they agree best with the chunk before."""
    old, new = before[HOP_FRAMES:].astype(np.float32), activity[:-HOP_FRAMES].astype(np.float32)
    agreement = old.T @ new
    best = max(
        permutations(range(LOCAL_SPEAKERS)),
        key=lambda order: sum(agreement[i, j] for i, j in enumerate(order)),
    )
    return activity[:, best]


def _runs_alone(bits: NDArray[np.uint8]) -> Iterator[tuple[int, int, int]]:
    """Yields (slot, begin, end) of each run of frames in which only that slot is active."""
    slots = np.full(len(bits), -1)
    for slot in range(LOCAL_SPEAKERS):
        slots[bits == 1 << slot] = slot
    edges = np.flatnonzero(np.diff(slots)) + 1
    for begin, end in zip([0, *edges], [*edges, len(bits)], strict=True):
        if slots[begin] >= 0:
            yield int(slots[begin]), int(begin), int(end)
