"""What a speech engine is: the inference on one window of speech, and nothing of files, streams or gRPC."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Sample rate in hertz of all audio between the decoder and the engines."""

Samples = NDArray[np.float32]
"""Mono audio at SAMPLE_RATE, shape (samples,), full scale at -1 and 1."""


@dataclass(frozen=True)
class Word:
    """One word, with the white space before it; times in seconds."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of transcribed speech; times in seconds.

    `average_log_probability` is the mean over the tokens (natural logarithm); `compression_ratio` is that of zlib on
    the text decoded together, high where the decoder fell into a loop.
    """

    start: float
    end: float
    text: str
    average_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Language:
    """A language (BCP 47 primary subtag) and how sure the engine is of it, 0 to 1."""

    code: str
    probability: float


@dataclass(frozen=True)
class DecodingOptions:
    """How to decode a window. `beam_size` 1 is greedy search."""

    beam_size: int
    word_timestamps: bool = False


class SpeechEngine(Protocol):
    """A loaded model. All methods but `close` may be called from several threads at once."""

    @property
    def model(self) -> str:
        """Id of the model."""
        ...

    @property
    def languages(self) -> Set[str]:
        """Codes of the languages that it can transcribe."""
        ...

    def detect_language(self, audio: Samples) -> Language:
        """Returns the language of the speech; of longer audio the first 30 seconds count."""
        ...

    def transcribe(
        self, audio: Samples, language: str, options: DecodingOptions, stopped: Callable[[], bool]
    ) -> list[Segment]:
        """Transcribes at most 30 seconds of speech; times are from the start of `audio`.

        Returns early, with what there is, after `stopped` has become true.
        """
        ...

    def close(self) -> None:
        """Frees the model's memory and threads. Nothing else runs or comes after it."""
        ...
