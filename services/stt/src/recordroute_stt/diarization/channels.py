"""Recordings with one person on each channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.diarization.known_voices import recognise
from recordroute_stt.diarization.result import Diarization, speaker_label


@dataclass(frozen=True)
class ChannelVoices:
    """Who speaks on which channel; `labels` has one for each channel, empty where nobody speaks."""

    diarization: Diarization
    labels: tuple[str, ...]


def voices_by_channel(
    channels: Sequence[Diarization], known_voices: Mapping[str, NDArray[np.float32]] | None = None
) -> ChannelVoices:
    """Joins the diarizations of a recording's channels, each of which was finished with `speaker_count=1`.

    Known voices are matched here, over all channels, so that no two people get the same one. Raises InvalidInput
    (VOICE_UNREADABLE).
    """
    spoken = [index for index, channel in enumerate(channels) if channel.turns]
    spoken.sort(key=lambda index: (channels[index].turns[0].start, index))
    labels = [""] * len(channels)
    for order, index in enumerate(spoken):
        labels[index] = speaker_label(order)
    speakers = [
        replace(channels[index].speakers[0], label=labels[index], known_id=None, similarity=None)
        for index in spoken
    ]
    turns = [replace(turn, speaker=labels[index]) for index in spoken for turn in channels[index].turns]
    turns.sort(key=lambda turn: (turn.start, turn.end, turn.speaker))
    return ChannelVoices(Diarization(tuple(turns), recognise(speakers, known_voices or {})), tuple(labels))
