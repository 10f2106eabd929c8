"""Tells from a decoded window itself whether it went wrong."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.engines.whisper_tokens import TimedTokens
from recordroute_stt.vad import FRAME_SECONDS

# The first two are Whisper's own, see https://arxiv.org/abs/2212.04356 section 4.5.
MAX_COMPRESSION_RATIO = 2.4
MIN_LOG_PROBABILITY = -1.0
# Faster than any speaker; the densest script needs about 1.3 tokens a syllable.
MAX_TOKENS_PER_SECOND = 16.0
MAX_WORDS_PER_SECOND = 6.5
# Segment times are coarse: what is uncovered within this distance of text is not missed.
TOLERANCE_SECONDS = 0.6
MAX_UNCOVERED_SECONDS = 1.5

# "No, no, no" is said; the same eight words four times are not.
MAX_LOOP_TOKENS = 16
SHORT_TOKENS, SHORT_REPEATS = 2, 8
REPEATS = 4


class Fault(Enum):
    """Why a decoded window is not trusted."""

    LOOP = auto()
    UNSURE = auto()
    CUT_OFF = auto()
    TOO_FAST = auto()
    UNCOVERED = auto()


@dataclass(frozen=True)
class Decoded:
    """What one attempt made of a window: text with times, and the decoder's own scores.

    `ended` is false where the decoder was stopped at its token limit.
    """

    parts: tuple[TimedTokens, ...]
    text: str
    average_log_probability: float
    no_speech_probability: float
    ended: bool

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(token for part in self.parts for token in part.tokens)

    @property
    def compression_ratio(self) -> float:
        return compression_ratio(self.text)


def compression_ratio(text: str) -> float:
    """Returns by how much zlib shortens the text; loops are above 2.4, speech is not."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if encoded else 0.0


def faults(decoded: Decoded, speech_seconds: float, voiced: NDArray[np.bool_] | None) -> frozenset[Fault]:
    """Returns what is wrong with a decoded window that holds `speech_seconds` of speech.

    `voiced`, shape (VAD frames,), tells where the speech is; without it nothing is called UNCOVERED.
    """
    found = set()
    if decoded.compression_ratio > MAX_COMPRESSION_RATIO or has_loop(decoded.tokens):
        found.add(Fault.LOOP)
    if decoded.average_log_probability < MIN_LOG_PROBABILITY:
        found.add(Fault.UNSURE)
    if not decoded.ended:
        found.add(Fault.CUT_OFF)
    seconds = speech_seconds + 2 * TOLERANCE_SECONDS
    if (
        len(decoded.tokens) > MAX_TOKENS_PER_SECOND * seconds
        or len(decoded.text.split()) > MAX_WORDS_PER_SECOND * seconds
    ):
        found.add(Fault.TOO_FAST)
    if voiced is not None and uncovered_seconds(decoded.parts, voiced) > MAX_UNCOVERED_SECONDS:
        found.add(Fault.UNCOVERED)
    return frozenset(found)


def uncovered_seconds(parts: Sequence[TimedTokens], voiced: NDArray[np.bool_]) -> float:
    """Returns the seconds of speech in which no text stands."""
    missed = voiced.copy()
    for part in parts:
        first = int(max(0.0, part.start - TOLERANCE_SECONDS) / FRAME_SECONDS)
        last = int((part.end + TOLERANCE_SECONDS) / FRAME_SECONDS) + 1
        missed[first:last] = False
    return float(missed.sum()) * FRAME_SECONDS


def has_loop(tokens: Sequence[int]) -> bool:
    """Returns whether a run of tokens is repeated so often in a row that nobody says it like that."""
    for period in range(1, min(MAX_LOOP_TOKENS, len(tokens) // 2) + 1):
        needed = ((SHORT_REPEATS if period <= SHORT_TOKENS else REPEATS) - 1) * period
        equal = 0
        for token, before in zip(tokens[period:], tokens, strict=False):
            equal = equal + 1 if token == before else 0
            if equal >= needed:
                return True
    return False
