"""Cuts a stream of audio into windows of speech that fit the engine, at pauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.engine import SAMPLE_RATE, Samples
from recordroute_stt.vad import FRAME_SAMPLES, FRAME_SECONDS, StreamingVad, as_frames


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_SECONDS)


# Speech begins above one probability and ends below the other.
ONSET, OFFSET = 0.5, 0.35
# The network is late for a soft onset; the engine needs a little silence to end a sentence.
LEAD = _frames(0.8)
TAIL = _frames(0.4)
# Longer pauses than this are cut out: the engine is given no silence to make up words for.
MAX_PAUSE = _frames(3.0)
# Shorter windows cost the engine less, longer ones give it more context: at 12 seconds the word error rate was 1.6
# points higher than at 20, at 28 it was no better. A cut is looked for in the last two thirds.
MAX_WINDOW = _frames(20.0)
MIN_WINDOW = _frames(7.0)
# What is left after a click is not worth a window.
MIN_SPEECH = _frames(0.1)
PAUSE_WIDTH = _frames(0.5)
EQUALLY_QUIET = 0.02


@dataclass(frozen=True)
class SpeechWindow:
    """A stretch of the recording with speech in it, at most 20 seconds.

    `start` is in seconds from the start of the recording. `voiced` and `probabilities`, both of shape (n,), say of
    each VAD frame of `audio` whether it is taken as speech and how likely the detector finds that, 0 to 1.
    """

    start: float
    audio: Samples
    voiced: NDArray[np.bool_]
    probabilities: NDArray[np.float32]

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE

    @property
    def end(self) -> float:
        return self.start + self.seconds

    @property
    def speech_start(self) -> float:
        """When the first speech begins, in seconds from the start of the recording."""
        return self.start + int(self.voiced.argmax()) * FRAME_SECONDS

    @property
    def speech_seconds(self) -> float:
        return float(self.voiced.sum()) * FRAME_SECONDS

    def has_speech(self, start: float, end: float, *, tolerance: float) -> bool:
        """Returns whether there is speech between two times of the recording, give or take `tolerance`."""
        first = int(max(0.0, start - tolerance - self.start) / FRAME_SECONDS)
        last = int(max(0.0, end + tolerance - self.start) / FRAME_SECONDS) + 1
        return bool(self.voiced[first:last].any())


class SpeechCutter:
    """Finds the windows in audio that comes in blocks. Holds at most one window and a block."""

    def __init__(self) -> None:
        self._vad = StreamingVad()
        self._rest = np.zeros(0, np.float32)
        self._audio = np.zeros((0, FRAME_SAMPLES), np.float32)
        self._probabilities = np.zeros(0, np.float32)
        self._voiced = np.zeros(0, np.bool_)
        self._first = 0
        self._samples = 0
        self._speaking = False

    @property
    def settled(self) -> float:
        """Seconds of the recording before which no further window begins."""
        return self._first * FRAME_SECONDS

    def feed(self, block: Samples) -> Iterator[SpeechWindow]:
        """Takes the next block and yields the windows that are complete."""
        self._samples += len(block)
        audio = np.concatenate([self._rest, block])
        whole = len(audio) - len(audio) % FRAME_SAMPLES
        self._rest = audio[whole:]
        yield from self._take(as_frames(audio[:whole]), last=False)

    def flush(self) -> Iterator[SpeechWindow]:
        """Yields what is left at the end of the recording."""
        padded = np.pad(self._rest, (0, -len(self._rest) % FRAME_SAMPLES))
        self._rest = np.zeros(0, np.float32)
        yield from self._take(as_frames(padded), last=True)

    def _take(self, frames: NDArray[np.float32], *, last: bool) -> Iterator[SpeechWindow]:
        probabilities = self._vad(frames)
        self._audio = np.concatenate([self._audio, frames])
        self._probabilities = np.concatenate([self._probabilities, probabilities])
        self._voiced = np.concatenate([self._voiced, self._hysteresis(probabilities)])
        while True:
            speech = np.flatnonzero(self._voiced)
            if not len(speech):
                self._drop(len(self._voiced) - LEAD)
                return
            self._drop(int(speech[0]) - LEAD)
            speech = np.flatnonzero(self._voiced)
            pauses = np.flatnonzero(np.diff(speech) > MAX_PAUSE)
            end = int(speech[pauses[0]] if len(pauses) else speech[-1]) + 1
            if end > MAX_WINDOW:
                yield from self._emit(self._best_cut())
            elif len(pauses) or last or len(self._voiced) - end >= MAX_PAUSE:
                yield from self._emit(min(end + TAIL, len(self._voiced)))
            else:
                return

    def _hysteresis(self, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        voiced = np.zeros(len(probabilities), np.bool_)
        for index, probability in enumerate(probabilities):
            self._speaking = bool(probability >= (OFFSET if self._speaking else ONSET))
            voiced[index] = self._speaking
        return voiced

    def _best_cut(self) -> int:
        """Returns the middle of the pause to cut at: the last of the stretches where half a second is quietest."""
        loudness = np.convolve(self._probabilities[:MAX_WINDOW], np.ones(PAUSE_WIDTH) / PAUSE_WIDTH, "valid")
        reach = loudness[MIN_WINDOW:]
        quiet = np.flatnonzero(reach <= reach.min() + EQUALLY_QUIET)
        gaps = np.flatnonzero(np.diff(quiet) > 1)
        first = quiet[gaps[-1] + 1] if len(gaps) else quiet[0]
        return int(MIN_WINDOW + (first + quiet[-1]) // 2 + PAUSE_WIDTH // 2)

    def _emit(self, cut: int) -> Iterator[SpeechWindow]:
        voiced = self._voiced[:cut]
        if voiced.sum() >= MIN_SPEECH:
            end = min(cut, int(np.flatnonzero(voiced)[-1]) + 1 + TAIL)
            unpadded = self._samples - self._first * FRAME_SAMPLES
            audio = self._audio[:end].reshape(-1)[:unpadded]
            yield SpeechWindow(self.settled, audio, voiced[:end], self._probabilities[:end])
        self._drop(cut)

    def _drop(self, count: int) -> None:
        if count <= 0:
            return
        self._first += count
        self._audio = self._audio[count:]
        self._probabilities = self._probabilities[count:]
        self._voiced = self._voiced[count:]
