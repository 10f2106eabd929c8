"""The silence gate: real speech passes in every condition, music and hum do not, phrases alone decide nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nonspeech
import numpy as np
import pytest
from recordroute_stt.domain import RemovalReason, Segment
from recordroute_stt.engine import SAMPLE_RATE, Samples
from recordroute_stt.gate import SilenceGate
from recordroute_stt.gate.acoustics import measure
from recordroute_stt.gate.silence_gate import log_odds_of_no_speech
from recordroute_stt.vad import FRAME_SAMPLES
from recordroute_stt.windows import SpeechCutter, SpeechWindow
from spoken import Recording, louder, noisy, telephone

GATE = SilenceGate()
CLIPS = ("jfk.flac", "librivox_0880.wav", "conversation_30s.flac", "ami_trn03.flac", "ami_trn04.flac")
THANKS = ("시청해 주셔서 감사합니다.", "Thanks for watching!", "ご視聴ありがとうございました", "Thank you.")

CONDITIONS: dict[str, Callable[[Recording], Recording]] = {
    "plain": lambda recording: recording,
    "quiet": lambda recording: louder(recording, -30),
    "noise": lambda recording: noisy(recording, 10),
    "telephone": telephone,
}


def windows_of(audio: Samples) -> list[SpeechWindow]:
    cutter = SpeechCutter()
    blocks = [audio[start : start + SAMPLE_RATE] for start in range(0, len(audio), SAMPLE_RATE)]
    return [window for block in blocks for window in cutter.feed(block)] + list(cutter.flush())


def written(text: str, window: SpeechWindow, **scores: float) -> Segment:
    """A segment over the window's speech, with the scores of words that the model is sure of."""
    values = {
        "average_log_probability": -0.3,
        "no_speech_probability": 0.1,
        "compression_ratio": 1.1,
        **scores,
    }
    return Segment(start=window.speech_start, end=window.end, text=text, **values)


# What the base model says of the words that it writes for music, in the middle of what was measured.
OF_MUSIC = {"average_log_probability": -1.2, "no_speech_probability": 0.7, "compression_ratio": 0.7}
# The worst that it says of real speech which is quiet or in noise.
OF_POOR_SPEECH = {"average_log_probability": -0.9, "no_speech_probability": 0.6, "compression_ratio": 0.9}


@pytest.fixture(scope="module")
def speech(data: Path, decode) -> dict[tuple[str, str], list[SpeechWindow]]:
    return {
        (name, condition): windows_of(change(Recording(name, decode(data / name), ())).audio)
        for name in CLIPS
        for condition, change in CONDITIONS.items()
    }


@pytest.fixture(scope="module")
def music() -> list[SpeechWindow]:
    """What of melodies in the range of the voice the voice detector lets pass."""
    tunes = nonspeech.near_the_voice(8.0, seed=31)
    return [window for tune in tunes for window in windows_of(tune)]


def test_speech_is_decoded_in_every_condition(speech) -> None:
    assert all(windows for windows in speech.values())
    refused = {
        key: reason
        for key, windows in speech.items()
        for window in windows
        if (reason := GATE.refuse(window))
    }
    assert refused == {}
    odds = [
        log_odds_of_no_speech(measure(window, window.start, window.end))
        for windows in speech.values()
        for window in windows
        if window.speech_seconds > 2
    ]
    assert max(odds) < -1.5


def test_real_words_stay_even_where_the_scores_are_poor(speech) -> None:
    for windows in speech.values():
        for window in windows:
            assert GATE.judge(written("and so my fellow Americans", window), window) is None
            if window.speech_seconds > 1:
                poor = written("and so my fellow Americans", window, **OF_POOR_SPEECH)
                assert GATE.judge(poor, window) is None


@pytest.mark.parametrize("text", THANKS)
def test_who_really_says_thanks_keeps_it(text: str, speech) -> None:
    for window in speech["jfk.flac", "plain"] + speech["librivox_0880.wav", "quiet"]:
        assert GATE.judge(written(text, window), window) is None
        doubtful = written(text, window, average_log_probability=-0.8, no_speech_probability=0.5)
        assert GATE.judge(doubtful, window) is None


def test_music_that_sounds_like_a_voice_keeps_no_words(music) -> None:
    assert len(music) >= 10
    refused = [window for window in music if GATE.refuse(window)]
    assert len(refused) >= len(music) / 2
    for window in music:
        for text in ("I'm sorry.", "이 영상은", "Oh", THANKS[0]):
            removal = GATE.judge(written(text, window, **OF_MUSIC), window)
            assert removal is not None
            assert removal.reason is RemovalReason.NO_SPEECH
            assert "no-speech probability 0.70" in removal.detail


def test_sung_words_stay_where_the_model_is_sure_of_them(music) -> None:
    for window in music:
        sure = written("we will rock you", window, average_log_probability=-0.25, no_speech_probability=0.05)
        assert GATE.judge(sure, window) is None


def test_hum_is_refused_before_decoding() -> None:
    audio = nonspeech.hum(np.random.default_rng(1), 6.0)["dimmer"]
    windows = windows_of(audio)
    assert windows, "the voice detector takes the beginning of this hum for speech"
    for window in windows:
        reason = GATE.refuse(window)
        assert reason is not None
        assert "pitch held 100 %" in reason


def test_a_word_amid_music_is_decoded(data: Path, decode) -> None:
    tune = nonspeech.level(nonspeech.melody(np.random.default_rng(5), 12.0, nonspeech.brass, 46, 0.5), -25)
    words = decode(data / "librivox_0880.wav")
    tune[5 * SAMPLE_RATE : 5 * SAMPLE_RATE + len(words)] = words
    held = [window for window in windows_of(tune) if window.start < 6 < window.end]
    assert held
    assert all(GATE.refuse(window) is None for window in held)


def test_loudness_does_not_matter(data: Path, decode) -> None:
    (window, *_) = windows_of(decode(data / "jfk.flac"))
    quiet = SpeechWindow(window.start, window.audio * np.float32(0.01), window.voiced, window.probabilities)
    one = measure(window, window.start, window.end)
    other = measure(quiet, window.start, window.end)
    assert one.held == pytest.approx(other.held, abs=0.02)
    assert one.change == pytest.approx(other.change, rel=0.15)


def test_measures_tell_a_held_tone_from_a_gliding_one() -> None:
    voiced = np.ones(3 * SAMPLE_RATE // FRAME_SAMPLES, np.bool_)
    axis = np.arange(len(voiced) * FRAME_SAMPLES) / SAMPLE_RATE

    def window(hertz) -> SpeechWindow:
        phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, axis.shape)) / SAMPLE_RATE
        audio = sum(np.sin(k * phase) / k for k in range(1, 8)).astype(np.float32)
        return SpeechWindow(10.0, audio, voiced, voiced.astype(np.float32))

    assert measure(window(150.0), 10.0, 13.0).held == 1.0
    gliding = 150 * 2 ** (np.sin(2 * np.pi * axis) / 2)
    assert (measure(window(gliding), 10.0, 13.0).held or 0.0) < 0.35
    with pytest.raises(ValueError, match="no speech"):
        measure(window(150.0), 20.0, 21.0)


def test_text_without_words_without_speech_or_without_sense_is_taken_out(data: Path, decode) -> None:
    (window, *_) = windows_of(np.pad(decode(data / "librivox_0880.wav"), (0, 4 * SAMPLE_RATE)))
    nothing = GATE.judge(written(" . . .", window), window)
    assert nothing is not None
    assert nothing.reason is RemovalReason.NO_SPEECH
    elsewhere = written("hello", window)
    late = Segment(**{**vars(elsewhere), "start": window.end + 2.0, "end": window.end + 3.0})
    removal = GATE.judge(late, window)
    assert removal is not None
    assert removal.detail == "the voice detector heard nobody"
    garbled = written("la " * 60, window, average_log_probability=-1.3, compression_ratio=5.0)
    removal = GATE.judge(garbled, window)
    assert removal is not None
    assert removal.reason is RemovalReason.UNINTELLIGIBLE
    refrain = written("la " * 12, window, compression_ratio=5.0)
    assert GATE.judge(refrain, window) is None
