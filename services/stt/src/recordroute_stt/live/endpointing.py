"""Finds the utterances in live audio: where speech begins, where it has ended, and where a long one can be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.engine import Samples
from recordroute_stt.vad import FRAME_SAMPLES, FRAME_SECONDS, StreamingVad, as_frames
from recordroute_stt.windows import OFFSET, ONSET, SpeechWindow

VoiceDetector = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def frames(seconds: float) -> int:
    """Returns the number of the detector's frames that is nearest to `seconds`."""
    return round(seconds / FRAME_SECONDS)


# The detector is late for a soft onset.
LEAD = frames(0.3)
# Shorter sounds are clicks.
MIN_SPEECH = frames(0.1)
# What the engine is given after the last voiced frame, for soft endings.
TAIL = frames(0.2)
# From this length on a short pause ends an utterance: decoding it again and again costs ever more.
LONG = frames(6.0)
SHORT_PAUSE = frames(0.2)
# At this length an utterance is cut at the best place in its last third.
MAX_UTTERANCE = frames(12.0)
MIN_CUT = frames(8.0)
CUT_WIDTH = frames(0.2)


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody begins to speak; `time` is in seconds from the start of the stream."""

    time: float


@dataclass(frozen=True)
class SpeechEnded:
    """Nobody has spoken for the endpoint's silence; `time` is when the speech ended, from the start of the stream."""

    time: float


@dataclass(frozen=True)
class UtteranceEnded:
    """An utterance is complete: its speech ended, or it was cut."""

    window: SpeechWindow


Boundary = SpeechStarted | SpeechEnded | UtteranceEnded


def speech_end(window: SpeechWindow) -> float:
    """Returns when the last speech of a window ends, in seconds from the start of the stream."""
    return window.start + (int(np.flatnonzero(window.voiced)[-1]) + 1) * FRAME_SECONDS


class Endpointer:
    """Follows one stream. Holds at most one utterance, of MAX_UTTERANCE at most.

    An utterance ends after `silence` seconds without speech; a long one at its first short pause; one that has none
    is cut where the detector hears the least speech. All times come from the audio itself.
    """

    def __init__(self, silence: float, *, detector: VoiceDetector | None = None) -> None:
        self._detector = detector or StreamingVad()
        self._silence = frames(silence)
        self._rest = np.zeros(0, np.float32)
        self._audio: list[NDArray[np.float32]] = []
        self._probabilities: list[float] = []
        self._voiced: list[bool] = []
        self._first = 0
        self._last_voiced = -1
        self._voiced_count = 0
        self._hearing = False
        self._speaking = False
        self._speech_frames = 0

    @property
    def position(self) -> float:
        """Seconds of the stream that have been looked at."""
        return (self._first + len(self._audio)) * FRAME_SECONDS

    @property
    def speech_seconds(self) -> float:
        """Seconds with speech in them so far."""
        return self._speech_frames * FRAME_SECONDS

    @property
    def pause(self) -> float:
        """Seconds since the last speech of the running utterance; 0 where there is none."""
        return self._silent_frames * FRAME_SECONDS if self._open else 0.0

    @property
    def voiced_seconds(self) -> float:
        """Seconds from the first to the last speech of the running utterance; 0 where there is none."""
        return (self._last_voiced + 1 - self._first_voiced) * FRAME_SECONDS if self._open else 0.0

    @property
    def running(self) -> SpeechWindow | None:
        """The utterance so far, with the silence after it; None while nobody speaks."""
        return self._window(len(self._audio)) if self._open else None

    def feed(self, audio: Samples) -> Iterator[Boundary]:
        """Takes the next audio and yields what happens in it."""
        audio = np.concatenate([self._rest, audio])
        whole = len(audio) - len(audio) % FRAME_SAMPLES
        self._rest = audio[whole:]
        new = as_frames(audio[:whole])
        for frame, probability in zip(new, self._detector(new), strict=True):
            yield from self._step(frame, float(probability))

    def flush(self) -> Iterator[Boundary]:
        """Ends the stream."""
        if self._open:
            yield from self._end()
        if self._speaking:
            yield self._stop()

    @property
    def _open(self) -> bool:
        # A click after a cut is no utterance either.
        return self._speaking and self._voiced_count >= MIN_SPEECH

    @property
    def _first_voiced(self) -> int:
        return self._voiced.index(True)

    @property
    def _silent_frames(self) -> int:
        return len(self._audio) - 1 - self._last_voiced

    def _step(self, frame: NDArray[np.float32], probability: float) -> Iterator[Boundary]:
        self._hearing = probability >= (OFFSET if self._hearing else ONSET)
        self._audio.append(frame)
        self._probabilities.append(probability)
        self._voiced.append(self._hearing)
        if self._hearing:
            self._last_voiced = len(self._audio) - 1
            self._voiced_count += 1
            self._speech_frames += 1
        if not self._speaking and self._voiced_count >= MIN_SPEECH:
            self._speaking = True
            yield SpeechStarted((self._first + self._first_voiced) * FRAME_SECONDS)
        elif self._speaking and self._silent_frames >= self._silence:
            if self._open:
                yield from self._end()
            yield self._stop()
        elif self._open and len(self._audio) >= LONG and self._silent_frames >= SHORT_PAUSE:
            yield from self._end()
        elif len(self._audio) >= MAX_UTTERANCE:
            yield from self._cut(self._best_cut())
        if not self._open and self._silent_frames >= LEAD:
            self._drop(max(0, len(self._audio) - LEAD))

    def _end(self) -> Iterator[Boundary]:
        yield from self._cut(min(len(self._audio), self._last_voiced + 1 + TAIL))

    def _stop(self) -> SpeechEnded:
        self._speaking = False
        return SpeechEnded((self._first + self._last_voiced + 1) * FRAME_SECONDS)

    def _cut(self, end: int) -> Iterator[Boundary]:
        window = self._window(end)
        self._drop(end)
        yield UtteranceEnded(window)

    def _best_cut(self) -> int:
        loudness = np.convolve(self._probabilities, np.ones(CUT_WIDTH) / CUT_WIDTH, "valid")
        return int(MIN_CUT + loudness[MIN_CUT:].argmin() + CUT_WIDTH // 2)

    def _window(self, end: int) -> SpeechWindow:
        return SpeechWindow(
            self._first * FRAME_SECONDS,
            np.concatenate(self._audio[:end]),
            np.asarray(self._voiced[:end]),
            np.asarray(self._probabilities[:end], np.float32),
        )

    def _drop(self, count: int) -> None:
        self._first += count
        self._voiced_count -= sum(self._voiced[:count])
        self._last_voiced -= count
        del self._audio[:count], self._probabilities[:count], self._voiced[:count]
