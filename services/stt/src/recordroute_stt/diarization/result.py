"""What diarization finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.domain import Turn


@dataclass(frozen=True)
class SpeakerVoice:
    """One person of a recording.

    `speech_seconds` counts all the person's turns; `embedding` is the voice, shape (192,), unit length. `known_id` is
    the id of the known voice that it is, None where it is none, and `similarity` the cosine to that voice.
    """

    label: str
    speech_seconds: float
    embedding: NDArray[np.float32]
    known_id: str | None = None
    similarity: float | None = None


@dataclass(frozen=True)
class Diarization:
    """Who spoke when.

    Speakers are "S1", "S2" and so on in the order of their first turns; turns are ordered by their start, and
    overlap where people speak at the same time.
    """

    turns: tuple[Turn, ...]
    speakers: tuple[SpeakerVoice, ...]


def speaker_label(index: int) -> str:
    """Returns the label of the speaker who was the `index`-th to begin, from 0."""
    return f"S{index + 1}"
