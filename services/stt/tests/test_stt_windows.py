"""Finding speech and cutting it at pauses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.vad import FRAME_SAMPLES, StreamingVad, as_frames
from recordroute_stt.windows import SpeechCutter, SpeechWindow


def cut(audio: np.ndarray, block: int = 5 * SAMPLE_RATE) -> list[SpeechWindow]:
    cutter = SpeechCutter()
    windows = [
        window
        for start in range(0, len(audio), block)
        for window in cutter.feed(audio[start : start + block])
    ]
    return windows + list(cutter.flush())


def pause(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@pytest.fixture(scope="module")
def jfk(data: Path, decode: Callable[[Path], np.ndarray]) -> np.ndarray:
    return decode(data / "jfk.flac")


def test_probabilities_do_not_depend_on_the_blocks(jfk) -> None:
    frames = as_frames(jfk[: len(jfk) // FRAME_SAMPLES * FRAME_SAMPLES])
    at_once = StreamingVad()(frames)
    vad = StreamingVad()
    in_blocks = np.concatenate([vad(frames[:0]), vad(frames[:1]), vad(frames[1:50]), vad(frames[50:])])
    np.testing.assert_allclose(in_blocks, at_once, atol=1e-4)
    assert at_once.max() > 0.9


def test_windows_do_not_depend_on_the_blocks(jfk) -> None:
    audio = np.concatenate([pause(4), jfk, pause(5), jfk])
    whole, small = cut(audio, len(audio)), cut(audio, 777)
    assert [window.start for window in whole] == [window.start for window in small]
    for one, other in zip(whole, small, strict=True):
        np.testing.assert_array_equal(one.audio, other.audio)


def test_long_pauses_are_left_out_and_times_stay(jfk) -> None:
    windows = cut(np.concatenate([pause(10), jfk, pause(20), jfk, pause(7)]))
    assert len(windows) == 2
    assert windows[0].start == pytest.approx(10, abs=0.9)
    assert windows[1].start == pytest.approx(41, abs=0.9)
    for window in windows:
        assert 10 < window.seconds < 12.5
        assert window.speech_start == pytest.approx(window.start + 0.8, abs=0.1)
        assert window.has_speech(window.start + 1, window.start + 2, tolerance=0)


def test_long_speech_is_cut_at_pauses_without_loss(jfk) -> None:
    audio = np.tile(np.concatenate([jfk, pause(0.6)]), 12)
    windows = cut(audio)
    assert all(5 < window.seconds <= 20 for window in windows)
    spoken = sum(window.speech_seconds for window in windows)
    assert spoken == pytest.approx(12 * cut(jfk)[0].speech_seconds, rel=0.1)
    for before, after in pairwise(windows):
        assert before.end <= after.start
        cut_at = np.concatenate([before.audio[-1600:], after.audio[:1600]])
        assert np.sqrt(np.mean(cut_at**2)) < 0.03


def test_speech_without_any_pause_is_cut_all_the_same(jfk) -> None:
    vowel = jfk[int(3.4 * SAMPLE_RATE) : int(3.7 * SAMPLE_RATE)]
    windows = cut(np.tile(vowel, 400))
    assert all(window.seconds <= 20 for window in windows)


def test_windows_carry_the_detectors_probabilities(jfk) -> None:
    (window,) = cut(jfk)
    assert window.probabilities.shape == window.voiced.shape
    assert window.probabilities[window.voiced].min() >= 0.35
    assert window.probabilities[~window.voiced].max() < 0.5


def test_windows_end_with_the_recording(jfk) -> None:
    (window,) = cut(jfk[: 2 * SAMPLE_RATE + 100])
    assert window.end <= 2 + 100 / SAMPLE_RATE


def noises() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    count = 30 * SAMPLE_RATE
    time = np.arange(count) / SAMPLE_RATE
    dial = np.sin(2 * np.pi * 697 * time) + np.sin(2 * np.pi * 1209 * time)
    return {
        "silence": np.zeros(count),
        "room": random.normal(0, 0.01, count),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * time) + 0.1 * np.sin(2 * np.pi * 150 * time),
        "clicks": (random.random(count) < 1 / 8000) * random.normal(0, 0.8, count),
        "dial tones": 0.3 * dial * ((time * 4).astype(int) % 2),
    }


@pytest.mark.parametrize("name", noises())
def test_no_speech_no_window(name) -> None:
    assert cut(noises()[name].astype(np.float32)) == []


def test_quiet_speech_is_speech(jfk) -> None:
    quiet = jfk * 10 ** (-30 / 20)
    assert sum(window.speech_seconds for window in cut(quiet)) >= 0.9 * cut(jfk)[0].speech_seconds


def test_nothing_at_all() -> None:
    assert cut(np.zeros(0, np.float32)) == []
