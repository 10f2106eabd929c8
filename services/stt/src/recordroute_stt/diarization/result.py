"""What diarization finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.domain import Segment, Turn


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

    Speakers are "S1", "S2" and so on in the order of their first turns, or words; turns are ordered by their start, and
    overlap where people speak at the same time.
    """

    turns: tuple[Turn, ...]
    speakers: tuple[SpeakerVoice, ...]


def numbered_by_words(found: Diarization, segments: Sequence[Segment]) -> tuple[Diarization, list[Segment]]:
    """Returns both with speakers numbered in the order of their first words, as a reader meets them; those without
    words come last."""
    met = dict.fromkeys(segment.speaker for segment in segments if segment.speaker)
    order = [*met, *(voice.label for voice in found.speakers if voice.label not in met)]
    new = {label: speaker_label(index) for index, label in enumerate(order)}
    voices = {voice.label: voice for voice in found.speakers}
    speakers = tuple(replace(voices[label], label=new[label]) for label in order if label in voices)
    turns = tuple(replace(turn, speaker=new[turn.speaker]) for turn in found.turns)
    relabelled = [replace(segment, speaker=new.get(segment.speaker, "")) for segment in segments]
    return Diarization(turns, speakers), relabelled


def speaker_label(index: int) -> str:
    """Returns the label of the speaker who was the `index`-th to begin, from 0."""
    return f"S{index + 1}"
