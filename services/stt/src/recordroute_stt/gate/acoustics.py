"""Measures what sets speech apart from music, hum and other sounds, on the frames of a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recordroute_stt.engine import SAMPLE_RATE, Samples
from recordroute_stt.vad import FRAME_SAMPLES, FRAME_SECONDS
from recordroute_stt.windows import SpeechWindow

Frames = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOP = SAMPLE_RATE // 100
# Pitch is told at half the sample rate, from 64 ms: four periods of a deep voice.
PITCH_RATE = SAMPLE_RATE // 2
PITCH_HOP, PITCH_FRAME, PITCH_FFT = PITCH_RATE // 100, 512, 1024
HIGHEST_PITCH, LOWEST_PITCH = 500.0, 60.0
PERIODIC = 0.6
# Of equally good periods the shortest is the pitch.
NEARLY_BEST = 0.9

SPECTRUM_FRAME = 512
BANDS = 20
BAND_EDGES_HERTZ = (100.0, 3400.0)  # what a telephone carries
SPECTRUM_FLOOR = 1e-10

# A tone is held if its pitch stays within a third of a semitone for 90 ms; a speaking voice glides on.
HELD_FRAMES, HELD_SEMITONES = 9, 0.35
MIN_HELD_EVIDENCE = 3
FLUX_LAG = 5

# Too little speech to measure by itself: what sounds around it counts too, down to this much below it.
SHORT_SECONDS = 0.6
AROUND_DECIBELS = 20.0


@dataclass(frozen=True)
class Acoustics:
    """What a stretch of sound is like.

    `held`: share of the voiced sound whose pitch stands still, 0 to 1; None without enough voiced sound. `change`: how
    much the shape of the spectrum changes within 50 ms where it changes little (lower quartile, in nepers); None
    without enough sound. `vad_mean`: mean of the detector's probability over the speech. `seconds`: length of the
    speech.
    """

    held: float | None
    change: float | None
    vad_mean: float
    seconds: float


def speech_between(window: SpeechWindow, start: float, end: float) -> Mask:
    """Returns of each VAD frame of the window whether it is speech and between two times of the recording."""
    frames = window.start + np.arange(len(window.voiced)) * FRAME_SECONDS
    return np.asarray(window.voiced & (frames > start - FRAME_SECONDS) & (frames < end))


def measure(window: SpeechWindow, start: float, end: float) -> Acoustics:
    """Measures the speech between two times of the recording. Raises ValueError where there is none.

    Music holds its notes where a voice glides (the idea of Scheirer and Slaney, ICASSP 1997, and of pitch-based
    speech/music discriminators since), and steady sounds do not change their spectrum as articulation does.
    """
    voiced = speech_between(window, start, end)
    if not voiced.any():
        raise ValueError("there is no speech between the times")
    seconds = float(voiced.sum()) * FRAME_SECONDS
    audio = window.audio
    count = max(1, len(audio) // HOP)
    mask = voiced[np.minimum(np.arange(count) * HOP // FRAME_SAMPLES, len(voiced) - 1)]
    if seconds < SHORT_SECONDS:
        mask = _with_surroundings(audio, mask)
    return Acoustics(
        held=_held(audio, mask),
        change=_change(audio, mask),
        vad_mean=float(window.probabilities[voiced].mean()),
        seconds=seconds,
    )


def _framed(audio: Samples, size: int, hop: int, mask: Mask) -> Frames:
    """Returns the frames around the middles of the hops in `mask`, weighted by a Hann window; shape (n, size)."""
    padded = np.pad(np.asarray(audio, np.float64), (size // 2, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[hop // 2 :: hop]
    chosen = frames[: len(mask)][mask]
    return np.asarray((chosen - chosen.mean(axis=1, keepdims=True)) * np.hanning(size))


def _with_surroundings(audio: Samples, mask: Mask) -> Mask:
    power = np.square(audio[: len(mask) * HOP], dtype=np.float64)
    levels = power[: len(power) // HOP * HOP].reshape(-1, HOP).mean(axis=1)
    levels = np.pad(levels, (0, len(mask) - len(levels)))
    loud = levels >= np.median(levels[mask]) * 10 ** (-AROUND_DECIBELS / 10)
    return np.asarray(mask | (loud & (levels > SPECTRUM_FLOOR)))


def _held(audio: Samples, mask: Mask) -> float | None:
    pitch = np.full(len(mask), np.nan)
    pitch[mask] = _semitones(audio, mask)
    if len(pitch) < HELD_FRAMES:
        return None
    stretches = np.lib.stride_tricks.sliding_window_view(pitch, HELD_FRAMES)
    spread = stretches.max(axis=1) - stretches.min(axis=1)
    spread = spread[~np.isnan(spread)]
    if len(spread) < MIN_HELD_EVIDENCE:
        return None
    return float((spread < HELD_SEMITONES).mean())


def _semitones(audio: Samples, mask: Mask) -> Frames:
    """Returns the pitch in semitones over 1 Hz of the frames in `mask`, NaN where there is none.

    By the peak of the autocorrelation, divided by that of the window (Boersma, IFA Proceedings 17, 1993).
    """
    even = audio[: len(audio) // 2 * 2].reshape(-1, 2).mean(axis=1)
    frames = _framed(even, PITCH_FRAME, PITCH_HOP, mask)
    of_window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(PITCH_FRAME), PITCH_FFT)) ** 2)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, PITCH_FFT, axis=1)) ** 2, axis=1)
    first, last = int(PITCH_RATE / HIGHEST_PITCH), int(PITCH_RATE / LOWEST_PITCH)
    lags = slice(first - 1, last + 2)
    whole = np.maximum(correlation[:, :1], 1e-20)
    strength = correlation[:, lags] / whole / (of_window[lags] / of_window[0])
    left, here, right = strength[:, :-2], strength[:, 1:-1], strength[:, 2:]
    best = here.max(axis=1, keepdims=True, initial=0.0)
    peaks = (here > left) & (here >= right) & (here >= NEARLY_BEST * best) & (here > PERIODIC)
    lag = peaks.argmax(axis=1)
    row = np.arange(len(lag))
    one, two, three = left[row, lag], here[row, lag], right[row, lag]
    bend = np.where(peaks.any(axis=1), one - 2 * two + three, -1.0)
    period = first + lag + 0.5 * (one - three) / np.minimum(bend, -1e-9)
    return np.where(peaks.any(axis=1), 12 * np.log2(PITCH_RATE / np.maximum(period, 1.0)), np.nan)


def _change(audio: Samples, mask: Mask) -> float | None:
    if mask.sum() <= FLUX_LAG:
        return None
    power = np.abs(np.fft.rfft(_framed(audio, SPECTRUM_FRAME, HOP, mask), axis=1)) ** 2 + SPECTRUM_FLOOR
    levels = np.full((len(mask), BANDS), np.nan)
    levels[mask] = np.log(power @ _bands())
    shapes = levels - levels.mean(axis=1, keepdims=True)
    steps = np.sqrt(np.square(shapes[FLUX_LAG:] - shapes[:-FLUX_LAG]).mean(axis=1))
    steps = steps[~np.isnan(steps)]
    return float(np.quantile(steps, 0.25)) if len(steps) else None


def _bands() -> Frames:
    """Returns the means over BANDS bands of equal width in mel, shape (frequencies, BANDS)."""
    hertz = np.fft.rfftfreq(SPECTRUM_FRAME, 1 / SAMPLE_RATE)
    low, high = (np.log1p(edge / 700) for edge in BAND_EDGES_HERTZ)
    edges = 700 * np.expm1(np.linspace(low, high, BANDS + 1))
    step = hertz[1]
    inside = (hertz[:, None] >= edges[:-1]) & (hertz[:, None] <= edges[1:] + step)
    return np.asarray(inside / inside.sum(axis=0))
