"""Decoding of real, odd and damaged media files."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from recordroute_runtime.errors import InvalidInput
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.media import BLOCK_SAMPLES, AudioDecoder, Damage


def decoded(content: bytes, max_seconds: float = 3600) -> tuple[np.ndarray, AudioDecoder]:
    with AudioDecoder(io.BytesIO(content), max_seconds=max_seconds) as decoder:
        return np.concatenate(list(decoder.blocks())), decoder


def tone(seconds: float, rate: int = SAMPLE_RATE, hertz: float = 440) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def level(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(audio**2)))


def test_properties_are_the_containers_own(data: Path) -> None:
    _, decoder = decoded((data / "jfk.flac").read_bytes())
    properties = decoder.properties
    assert (properties.container, properties.codec) == ("flac", "flac")
    assert (properties.sample_rate_hertz, properties.channels) == (44100, 2)
    assert properties.duration == pytest.approx(11.0)
    assert decoder.damages == []


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("mp3", "libmp3lame", 44100),
        ("mp4", "aac", 48000),
        ("webm", "libopus", 48000),
        ("ogg", "libopus", 48000),
        ("flac", "flac", 96000),
        ("wav", "pcm_s24le", 8000),
        ("matroska", "aac", 22050),
        ("mpegts", "aac", 48000),
        ("aiff", "pcm_s16be", 11025),
    ],
)
def test_every_usual_container_gives_the_same_sound(container, codec, rate, encode) -> None:
    audio, decoder = decoded(encode(tone(7.3, rate), container=container, codec=codec, rate=rate))
    assert len(audio) / SAMPLE_RATE == pytest.approx(7.3, abs=0.15)
    assert level(audio[SAMPLE_RATE:-SAMPLE_RATE]) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)
    spectrum = np.abs(np.fft.rfft(audio[SAMPLE_RATE : 2 * SAMPLE_RATE]))
    assert spectrum.argmax() == pytest.approx(440, abs=1)
    assert decoder.damages == []


@pytest.mark.parametrize(("layout", "channels", "rate"), [("stereo", 2, 44100), ("5.1", 6, 96000)])
def test_channels_are_mixed_down(layout, channels, rate, encode) -> None:
    audio, decoder = decoded(encode(np.tile(tone(2, rate), (channels, 1)), layout=layout, rate=rate))
    assert decoder.properties.channels == channels
    assert decoder.properties.sample_rate_hertz == rate
    assert len(audio) / SAMPLE_RATE == pytest.approx(2.0, abs=0.01)
    assert level(audio) > 0.1
    assert np.abs(audio).max() <= 1.0


def wav_of(channels: np.ndarray, rate: int = 44100) -> bytes:
    """Audio of shape (channels, samples) as a file that names no layout."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as output:
        output.setnchannels(len(channels))
        output.setsampwidth(2)
        output.setframerate(rate)
        output.writeframes((channels.T * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [3, 5, 8, 12])
def test_channels_without_a_layout_are_mixed_down(channels) -> None:
    audio, decoder = decoded(wav_of(np.tile(tone(1, 44100), (channels, 1))))
    assert decoder.properties.channels == channels
    assert len(audio) == pytest.approx(SAMPLE_RATE, abs=50)
    assert level(audio) > 0.1


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_channels_can_be_kept_apart(channels) -> None:
    tones = np.stack([tone(6, 44100, 300 + 100 * channel) for channel in range(channels)])
    source = io.BytesIO(wav_of(tones))
    with AudioDecoder(source, max_seconds=60, separate_channels=True) as decoder:
        audio = np.concatenate(list(decoder.channel_blocks()), axis=1)
    assert audio.shape == (channels, pytest.approx(6 * SAMPLE_RATE, abs=50))
    spectra = np.abs(np.fft.rfft(audio[:, SAMPLE_RATE : 2 * SAMPLE_RATE], axis=1))
    assert spectra.argmax(axis=1).tolist() == [300 + 100 * channel for channel in range(channels)]


def test_too_many_channels_are_not_kept_apart() -> None:
    source = io.BytesIO(wav_of(np.zeros((12, 44100))))
    with pytest.raises(InvalidInput) as caught:
        AudioDecoder(source, max_seconds=60, separate_channels=True)
    assert caught.value.reason == "UNSUPPORTED_OPTION"


def two_streams() -> bytes:
    """A film with two soundtracks of different rates: 440 Hz, and 880 Hz marked as the main one."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [output.add_stream("pcm_s16le", rate=rate, layout="mono") for rate in (44100, 22050)]
        streams[1].disposition = av.stream.Disposition.default
        for stream, hertz in zip(streams, (440, 880), strict=True):
            samples = (tone(3, stream.rate, hertz)[None] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = stream.rate
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize(("number", "hertz"), [(0, 440), (1, 880), (None, 880)])
def test_each_audio_stream_can_be_asked_for(number, hertz) -> None:
    with AudioDecoder(io.BytesIO(two_streams()), max_seconds=60, audio_stream=number) as decoder:
        audio = np.concatenate(list(decoder.blocks()))
    assert len(audio) / SAMPLE_RATE == pytest.approx(3, abs=0.2)
    assert np.abs(np.fft.rfft(audio[SAMPLE_RATE : 2 * SAMPLE_RATE])).argmax() == hertz


def test_audio_stream_that_is_not_there() -> None:
    with pytest.raises(InvalidInput) as caught:
        AudioDecoder(io.BytesIO(two_streams()), max_seconds=60, audio_stream=2)
    assert caught.value.reason == "NO_SUCH_AUDIO_STREAM"
    assert caught.value.metadata["audio_streams"] == "2"


def test_sound_of_a_video_is_found(encode) -> None:
    audio, decoder = decoded(encode(tone(2), container="mp4", codec="aac", video=True))
    assert decoder.properties.codec == "aac"
    assert len(audio) / SAMPLE_RATE == pytest.approx(2.0, abs=0.15)


def test_memory_does_not_grow_with_the_file(encode) -> None:
    content = encode(tone(10 * 60), container="ogg", codec="libopus", rate=48000)
    largest = total = 0
    with AudioDecoder(io.BytesIO(content), max_seconds=3600) as decoder:
        for block in decoder.blocks():
            total += len(block)
            largest = max(largest, len(block) if block.base is None else len(block.base))
    assert total / SAMPLE_RATE == pytest.approx(10 * 60 * SAMPLE_RATE / 48000, abs=1)
    assert largest <= 2 * BLOCK_SAMPLES


def test_bad_files_are_refused_each_with_its_reason(bad_files) -> None:
    for name, (content, reason) in bad_files.items():
        with pytest.raises(InvalidInput) as caught:
            decoded(content)
        assert caught.value.reason == reason, name


@pytest.mark.parametrize(("container", "codec"), [("flac", "flac"), ("mpegts", "aac"), ("matroska", "flac")])
def test_damage_in_the_middle_costs_only_itself(container, codec, encode) -> None:
    content = bytearray(encode(tone(60, 48000), container=container, codec=codec, rate=48000))
    middle = len(content) // 2
    content[middle : middle + 50_000] = np.random.default_rng(2).bytes(50_000)
    audio, decoder = decoded(bytes(content))
    assert len(audio) / SAMPLE_RATE == pytest.approx(60, abs=1.5)
    assert level(audio[-10 * SAMPLE_RATE : -SAMPLE_RATE]) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)
    assert decoder.damages


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [("flac", "flac", {}), ("mp4", "aac", {"movflags": "faststart"}), ("matroska", "flac", {})],
)
def test_cut_off_file_gives_what_is_there_and_a_warning(container, codec, options, encode) -> None:
    content = encode(tone(20), container=container, codec=codec, **options)
    audio, decoder = decoded(content[: len(content) // 2])
    assert 5 < len(audio) / SAMPLE_RATE < 15
    assert decoder.damages


def test_cut_off_wav_gives_what_is_there(encode) -> None:
    content = encode(tone(20))
    audio, decoder = decoded(content[: len(content) // 2])
    assert len(audio) / SAMPLE_RATE == pytest.approx(10, abs=0.1)
    assert decoder.properties.duration == pytest.approx(20)
    assert decoder.damages == [
        Damage(
            "MEDIA_CUT_OFF",
            "The file is cut off: it states 20 seconds and holds 10.",
            {"stated": "20", "held": "10"},
        )
    ]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_wav_whose_writer_did_not_know_its_length(size, encode) -> None:
    content = bytearray(encode(tone(3)))
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    audio, decoder = decoded(bytes(content))
    assert len(audio) / SAMPLE_RATE == pytest.approx(3, abs=0.01)
    assert decoder.damages == []


def test_pause_in_the_timestamps_becomes_silence(encode) -> None:
    """A recorder that was paused leaves a hole in the timestamps: what follows keeps its place."""
    source, buffer = encode(tone(4), container="matroska", codec="flac"), io.BytesIO()
    with av.open(io.BytesIO(source)) as reader, av.open(buffer, "w", format="matroska") as writer:
        stream = writer.add_stream_from_template(reader.streams.audio[0])
        for packet in reader.demux(audio=0):
            if packet.dts is None:
                continue
            packet.stream = stream
            if packet.pts * packet.time_base > 2:
                packet.pts += round(3 / packet.time_base)
                packet.dts = packet.pts
            writer.mux(packet)
    audio, _ = decoded(buffer.getvalue())
    assert len(audio) / SAMPLE_RATE == pytest.approx(7.0, abs=0.2)
    assert level(audio[3 * SAMPLE_RATE : 4 * SAMPLE_RATE]) == 0.0
    assert level(audio[6 * SAMPLE_RATE :]) > 0.2


def test_too_long_is_refused_by_what_the_file_states(encode) -> None:
    with pytest.raises(InvalidInput) as caught:
        AudioDecoder(io.BytesIO(encode(tone(3))), max_seconds=2)
    assert caught.value.reason == "MEDIA_TOO_LONG"


def test_too_long_is_refused_by_what_is_decoded(encode) -> None:
    content = encode(tone(30), container="mp3", codec="libmp3lame")
    with AudioDecoder(io.BytesIO(content), max_seconds=12) as decoder:
        blocks = decoder.blocks()
        next(blocks)
        with pytest.raises(InvalidInput) as caught:
            list(blocks)
    assert caught.value.reason == "MEDIA_TOO_LONG"
