"""Live audio as it comes over the wire."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from recordroute_runtime.errors import FieldViolations, InvalidInput
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.live.audio_input import AudioEncoding, AudioInput, open_audio_input, opus_samples

S16, F32, OPUS = AudioEncoding.PCM_S16LE, AudioEncoding.PCM_F32LE, AudioEncoding.OPUS


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def s16(audio: NDArray[np.float32]) -> bytes:
    return (audio * 32767).astype("<i2").tobytes()


def decoded(decoder: AudioInput, *messages: bytes) -> NDArray[np.float32]:
    return np.concatenate([*(decoder.feed(message) for message in messages), decoder.flush()])


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def strongest_hertz(audio: NDArray[np.float32]) -> float:
    return float(np.abs(np.fft.rfft(audio)).argmax() * SAMPLE_RATE / len(audio))


def opus_packets(audio: NDArray[np.float32]) -> list[bytes]:
    """Encodes mono audio at 48 kHz in packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48000, "mono", "flt"
    packets = []
    for start in range(0, len(audio) - 959, 960):
        frame = av.AudioFrame.from_ndarray(audio[None, start : start + 960], format="flt", layout="mono")
        frame.sample_rate, frame.pts = 48000, start
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in packets]


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 192000])
def test_every_rate_becomes_ours(rate: int) -> None:
    audio = decoded(open_audio_input(S16, rate=rate, channels=1), *pieces(s16(tone(rate)), 1000))
    assert len(audio) == pytest.approx(SAMPLE_RATE, abs=32)
    assert strongest_hertz(audio) == pytest.approx(440, abs=2)
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("size", [4, 6, 256])
def test_the_size_of_the_messages_does_not_matter(size: int) -> None:
    content = s16(tone(48000, 0.1))
    whole = decoded(open_audio_input(S16, rate=48000, channels=1), content)
    parts = decoded(open_audio_input(S16, rate=48000, channels=1), *pieces(content, size))
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_channels_are_mixed_to_their_mean() -> None:
    left, right = tone(SAMPLE_RATE), np.zeros(SAMPLE_RATE, np.float32)
    stereo = np.stack([left, right], axis=1).astype("<f4").tobytes()
    mono = decoded(open_audio_input(F32, rate=SAMPLE_RATE, channels=2), stereo)
    np.testing.assert_allclose(mono, left / 2, atol=1e-6)


def test_floats_beyond_full_scale_are_clipped() -> None:
    loud = np.array([2.0, -1e30, 0.25], "<f4").tobytes()
    assert decoded(open_audio_input(F32, rate=SAMPLE_RATE, channels=1), loud).tolist() == [1.0, -1.0, 0.25]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(value: float) -> None:
    broken = np.array([0.0, value], "<f4").tobytes()
    with pytest.raises(InvalidInput, match="finite") as caught:
        open_audio_input(F32, rate=SAMPLE_RATE, channels=1).feed(broken)
    assert caught.value.reason == "AUDIO_UNREADABLE"


@pytest.mark.parametrize(
    ("encoding", "channels", "size"), [(S16, 1, 3), (S16, 2, 6), (F32, 1, 6), (F32, 3, 16)]
)
def test_parts_of_samples_are_refused(encoding: AudioEncoding, channels: int, size: int) -> None:
    with pytest.raises(InvalidInput, match="whole samples") as caught:
        open_audio_input(encoding, rate=SAMPLE_RATE, channels=channels).feed(bytes(size))
    assert caught.value.reason == "AUDIO_UNREADABLE"


def test_an_empty_message_is_no_audio() -> None:
    assert not len(decoded(open_audio_input(S16, rate=48000, channels=1), b"", b""))


@pytest.mark.parametrize("channels", [1, 2])
def test_opus(channels: int) -> None:
    audio = decoded(open_audio_input(OPUS, rate=48000, channels=channels), *opus_packets(tone(48000)))
    assert len(audio) == pytest.approx(SAMPLE_RATE, abs=32)
    assert strongest_hertz(audio[2000:]) == pytest.approx(440, abs=2)


def test_opus_packets_that_are_lost_or_broken_become_silence_of_their_length() -> None:
    packets = opus_packets(tone(48000))
    noise = np.random.default_rng(0)
    damaged = list(packets)
    damaged[10] = b""
    damaged[20] = b"\xff\xff\xff\x00" + noise.bytes(20)
    damaged[30] = noise.bytes(70_000)
    decoder = open_audio_input(OPUS, rate=48000, channels=1)
    audio = decoded(decoder, *damaged)
    assert np.isfinite(audio).all()
    frame = SAMPLE_RATE // 50
    # The third one's header is noise too, and says how long it is all the same.
    lost = frame * 2 + (opus_samples(damaged[30]) or 960) // 3
    assert len(audio) == pytest.approx(SAMPLE_RATE - 3 * frame + lost, abs=32)
    assert np.abs(audio[10 * frame + 40 : 11 * frame - 40]).max() < 0.02
    assert strongest_hertz(audio[-SAMPLE_RATE // 4 :]) == pytest.approx(440, abs=5)


def test_any_bytes_are_survived_as_opus() -> None:
    noise = np.random.default_rng(1)
    decoder = open_audio_input(OPUS, rate=48000, channels=1)
    sizes = noise.integers(0, 200, 300)
    audio = decoded(decoder, *(noise.bytes(size) for size in sizes))
    assert np.isfinite(audio).all()
    assert len(audio) <= 300 * 0.12 * SAMPLE_RATE


def test_the_length_that_an_opus_header_tells() -> None:
    # Configurations 0 (SILK, 10 ms), 15 (hybrid, 20 ms), 16 (CELT, 2.5 ms), 31 (CELT, 20 ms).
    assert opus_samples(bytes([0 << 3])) == 480
    assert opus_samples(bytes([15 << 3 | 1])) == 1920
    assert opus_samples(bytes([16 << 3 | 2])) == 240
    assert opus_samples(bytes([31 << 3 | 3, 6])) == 5760
    assert opus_samples(bytes([31 << 3 | 3, 7])) is None
    assert opus_samples(bytes([31 << 3 | 3])) is None
    assert opus_samples(b"") is None


def test_opus_of_another_rate_or_with_more_channels_is_refused() -> None:
    with pytest.raises(FieldViolations) as caught:
        open_audio_input(OPUS, rate=16000, channels=3)
    assert [violation.field for violation in caught.value.violations] == [
        "config.sample_rate_hertz",
        "config.channels",
    ]
