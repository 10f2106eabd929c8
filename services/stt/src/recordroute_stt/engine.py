"""What a speech engine is: the inference on one window of speech, and nothing of files, streams or gRPC."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.domain import Language, Segment

SAMPLE_RATE = 16_000
"""Sample rate in hertz of all audio between the decoder and the engines."""

Samples = NDArray[np.float32]
"""Mono audio at SAMPLE_RATE, shape (samples,), full scale at -1 and 1."""


Voiced = NDArray[np.bool_]
"""Which frames of the voice detector (see vad.FRAME_SECONDS) hold speech, shape (frames,)."""


class Profile(Enum):
    """How much work is put into the words."""

    FAST = auto()
    BALANCED = auto()
    ACCURATE = auto()


@dataclass(frozen=True)
class DecodingOptions:
    """How to decode a window.

    `language` None: it is detected from the window itself, with the same encoder pass. `beam_size` None: what the
    profile says; 1 is greedy search. `translate` writes English. `hotwords` are names and terms that are likely to be
    said, `initial_prompt` text that might have been said before.
    """

    language: str | None = None
    profile: Profile = Profile.BALANCED
    beam_size: int | None = None
    word_timestamps: bool = False
    translate: bool = False
    hotwords: tuple[str, ...] = ()
    initial_prompt: str = ""


@dataclass(frozen=True)
class WindowTranscript:
    """What was said in a window: its language, and segments whose times are from the start of the window."""

    language: Language
    segments: tuple[Segment, ...]


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

    def detect_languages(self, audio: Samples) -> tuple[Language, ...]:
        """Returns the languages of the speech, the likeliest first; of longer audio the first 30 seconds count."""
        ...

    def transcribe(
        self,
        audio: Samples,
        options: DecodingOptions,
        stopped: Callable[[], bool],
        voiced: Voiced | None = None,
    ) -> WindowTranscript:
        """Transcribes at most 30 seconds of speech.

        With `voiced` the engine sees to it that no speech stays without words. Returns early, with what there is,
        after `stopped` has become true; the language is then "und" where it was not told yet.
        """
        ...

    def transcribe_batch(
        self,
        audios: Sequence[Samples],
        options: DecodingOptions,
        stopped: Callable[[], bool],
        voiced: Sequence[Voiced | None] | None = None,
    ) -> tuple[WindowTranscript, ...]:
        """Transcribes several windows at less cost than one after the other; the order stays.

        Six or so of about the same length gain most. Where effort costs a batch less than a window alone, the engine
        may put more into it: the words can differ a little.
        """
        ...

    def close(self) -> None:
        """Frees the model's memory and threads. Nothing else runs or comes after it."""
        ...
