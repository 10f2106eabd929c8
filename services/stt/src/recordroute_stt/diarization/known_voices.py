"""Recognises remembered voices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from recordroute_runtime.errors import InvalidInput

from recordroute_stt.diarization.networks import EMBEDDING_SIZE
from recordroute_stt.diarization.result import SpeakerVoice

# Between recordings one person's voices were 0.83 alike or more, those of two people 0.61 or less: see
# benchmarks/results/diarization.md.
MIN_SIMILARITY = 0.7
# The voice in less speech than this is too uncertain to name a person by.
MIN_SPEECH_SECONDS = 3.0


def recognise(
    speakers: Sequence[SpeakerVoice], known_voices: Mapping[str, NDArray[np.float32]]
) -> tuple[SpeakerVoice, ...]:
    """Returns the speakers with the ids of the known voices that they are.

    Each voice is one speaker at most and each speaker one voice: the assignment of the greatest total similarity
    (Hungarian method) among pairs that are similar enough. Raises InvalidInput (VOICE_UNREADABLE) for a voice that is
    none of this network's.
    """
    voices = {identity: _checked(identity, voice) for identity, voice in known_voices.items()}
    if not voices or not speakers:
        return tuple(speakers)
    # SciPy takes a third of the service's start, and is not needed before there are speakers.
    from scipy.optimize import linear_sum_assignment

    similarity = np.stack([speaker.embedding for speaker in speakers]) @ np.stack(list(voices.values())).T
    long_enough = np.array([speaker.speech_seconds >= MIN_SPEECH_SECONDS for speaker in speakers])
    eligible = (similarity >= MIN_SIMILARITY) & long_enough[:, None]
    named = list(speakers)
    identities = list(voices)
    for row, column in zip(
        *linear_sum_assignment(np.where(eligible, similarity, 0), maximize=True), strict=True
    ):
        if eligible[row, column]:
            named[row] = replace(
                named[row], known_id=identities[column], similarity=float(similarity[row, column])
            )
    return tuple(named)


def _checked(identity: str, voice: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(voice)) if voice.shape == (EMBEDDING_SIZE,) else 0.0
    if not np.isfinite(length) or length == 0:
        raise InvalidInput("VOICE_UNREADABLE", f"the known voice {identity!r} is none that this service made")
    return np.asarray(voice / length, np.float32)
