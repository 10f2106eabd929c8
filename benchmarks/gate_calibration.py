"""How far apart speech and other sounds are by their sound alone, and the silence gate's weights that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from nonspeech import RATE, Samples, Signal, band_of_four, level, near_the_voice, sounds
from recordroute_stt.gate.acoustics import Acoustics, measure
from recordroute_stt.gate.silence_gate import (
    BIAS,
    CHANGE_MOST,
    CHANGE_UNKNOWN,
    CHANGE_WEIGHT,
    HELD_UNKNOWN,
    HELD_WEIGHT,
    VAD_WEIGHT,
    SilenceGate,
    log_odds_of_no_speech,
)
from recordroute_stt.windows import SpeechCutter, SpeechWindow
from spoken import Recording, decoded, louder, noisy, samples, single, telephone

BLOCK = 5 * RATE
FRAGMENT_SECONDS = (0.4, 0.7, 1.5)
FRAGMENT_STEP_SECONDS = 2.3
LENGTHS = ((0.0, 0.3), (0.3, 0.6), (0.6, 2.0), (2.0, 60.0))
# Other seeds than the sounds that the gate is tested with.
SEEDS = range(2, 7)
SOUND_SECONDS = 20.0
PENALTY = 0.5


@dataclass(frozen=True)
class Measured:
    """A window that the voice detector let pass."""

    is_speech: bool
    acoustics: Acoustics
    refused: bool

    @property
    def log_odds(self) -> float:
        return log_odds_of_no_speech(self.acoustics)


def windows(audio: Samples) -> Iterator[SpeechWindow]:
    cutter = SpeechCutter()
    for start in range(0, len(audio), BLOCK):
        yield from cutter.feed(audio[start : start + BLOCK])
    yield from cutter.flush()


def over_music(recording: Recording) -> Recording:
    seconds = len(recording.audio) / RATE
    music = band_of_four(np.random.default_rng(5), seconds)[: len(recording.audio)]
    speech = 20 * np.log10(np.sqrt(np.mean(recording.audio**2)) + 1e-9)
    return Recording(recording.name, recording.audio + level(music, float(speech) - 10), recording.pieces)


def speech_recordings() -> list[Recording]:
    meetings = [
        single(name, decoded(name), "?")
        for name in ("ami_trn03.flac", "ami_trn04.flac", "conversation_30s.flac")
    ]
    return [
        changed
        for recording in samples() + meetings
        for changed in (
            recording,
            louder(recording, -30),
            noisy(recording, 10),
            telephone(recording),
            over_music(recording),
        )
    ]


def fragments(recording: Recording) -> Iterator[Samples]:
    """Yields the recording, and words and half words out of it between silence."""
    silence = np.zeros(RATE // 2, np.float32)
    yield recording.audio
    for seconds in FRAGMENT_SECONDS:
        length, step = round(seconds * RATE), round(FRAGMENT_STEP_SECONDS * RATE)
        for start in range(RATE // 2, len(recording.audio) - length, step):
            yield np.concatenate([silence, recording.audio[start : start + length], silence])


def measured() -> list[Measured]:
    gate = SilenceGate()

    def of(audio: Samples, *, is_speech: bool) -> Iterator[Measured]:
        for window in windows(audio):
            yield Measured(
                is_speech, measure(window, window.start, window.end), gate.refuse(window) is not None
            )

    speech = [
        one
        for recording in speech_recordings()
        for audio in fragments(recording)
        for one in of(audio, is_speech=True)
    ]
    other = [
        one
        for seed in SEEDS
        for audio in (*sounds(SOUND_SECONDS, seed=seed).values(), *near_the_voice(SOUND_SECONDS, seed=seed))
        for one in of(audio, is_speech=False)
    ]
    return speech + other


def fitted(found: list[Measured]) -> Signal:
    """Returns the weights of `held`, `change` and `vad_mean`, and the bias: a logistic regression with a ridge, both
    classes weighing the same, by Newton's method."""
    inputs = np.array(
        [
            (
                HELD_UNKNOWN if one.acoustics.held is None else one.acoustics.held,
                CHANGE_UNKNOWN if one.acoustics.change is None else min(one.acoustics.change, CHANGE_MOST),
                one.acoustics.vad_mean,
                1.0,
            )
            for one in found
        ]
    )
    other = np.array([0.0 if one.is_speech else 1.0 for one in found])
    share = np.where(other == 1, 1 / other.sum(), 1 / (1 - other).sum()) * len(found) / 2
    ridge = np.diag([PENALTY, PENALTY, PENALTY, 1e-6])
    weights = np.zeros(4)
    for _ in range(50):
        probability = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (share * (probability - other)) + ridge @ weights
        curvature = (inputs * (share * probability * (1 - probability))[:, None]).T @ inputs + ridge
        weights = weights - np.linalg.solve(curvature, gradient)
    return weights


def section() -> list[str]:
    found = measured()
    lines = [
        "## Speech against other sounds, by the sound alone",
        "",
        "Windows that the voice detector let pass: speech whole and in fragments of 0.4 to 1.5 s, each plain, at -30 "
        "dB, with pink noise and with music 10 dB below it, and in the telephone band (read speech, two meetings with "
        "distant microphones, a telephone call); generated sounds of five seeds that the "
        "table above does not use, and melodies in the range of the voice. "
        "Log-odds above zero speak against speech.",
        "",
        "| Speech in the window | Sound | Windows | Refused before decoding | Log-odds: lowest | median | highest |",
        "|---|---|---|---|---|---|---|",
    ]
    for low, high in LENGTHS:
        for is_speech in (True, False):
            these = [
                one for one in found if one.is_speech is is_speech and low <= one.acoustics.seconds < high
            ]
            if these:
                odds = np.array([one.log_odds for one in these])
                lines.append(
                    f"| {low:g} to {high:g} s | {'speech' if is_speech else 'other'} | {len(these)} "
                    f"| {sum(one.refused for one in these)} "
                    f"| {odds.min():.1f} | {np.median(odds):.1f} | {odds.max():.1f} |"
                )
    weights = ", ".join(f"{weight:.2f}" for weight in fitted(found))
    lines += [
        "",
        f"A logistic regression on these windows gives the weights {weights} (pitch held, spectral change, voice "
        f"detector, bias); in use are {HELD_WEIGHT}, {CHANGE_WEIGHT}, {VAD_WEIGHT}, {BIAS}.",
        "",
    ]
    return lines
