"""Media files that the tests make themselves, and the models that they share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray
from recordroute_runtime.models import find_model
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.engines.whisper import WhisperEngine
from recordroute_stt.media import AudioDecoder

Encode = Callable[..., bytes]

JFK_FILE = "jfk.flac"
JFK = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
)
LIBRIVOX = {
    "librivox_0870.wav": "and mister john dashwood had then leisure to consider how much there might be prudently "
    "in his power to do for them",
    "librivox_0880.wav": "he was not an ill disposed young man",
    "librivox_0890.wav": "unless to be rather cold hearted and rather selfish is to be ill disposed",
}

NORMALISE = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({"-": " ", r"\bmr\b\.?": "mister"}),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ]
)


@pytest.fixture(scope="session")
def references() -> dict[str, str]:
    """What is said in each English recording of tests/data."""
    return {JFK_FILE: JFK, **LIBRIVOX}


@pytest.fixture(scope="session")
def word_error_rate() -> Callable[[str, str], float]:
    """Word error rate of (reference, hypothesis), without case, punctuation and hyphens."""

    def rate(reference: str, hypothesis: str) -> float:
        return jiwer.wer(NORMALISE(reference), NORMALISE(hypothesis))

    return rate


@pytest.fixture(scope="session")
def decode() -> Callable[[Path], NDArray[np.float32]]:
    """Decodes a whole file, for the few places that want one array."""

    def decoded(path: Path) -> NDArray[np.float32]:
        with path.open("rb") as file, AudioDecoder(file, max_seconds=3600) as decoder:
            return np.concatenate(list(decoder.blocks()))

    return decoded


@pytest.fixture(scope="session")
def long_file(data: Path, decode: Callable[[Path], NDArray[np.float32]], encode: Encode) -> bytes:
    """57 s of FLAC: all recordings of `references`, with half a second between them, twice."""
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    parts = [part for name in (JFK_FILE, *LIBRIVOX) for part in (decode(data / name), pause)]
    return encode(np.tile(np.concatenate(parts), 2), container="flac", codec="flac")


@pytest.fixture(scope="session")
def encode(tmp_path_factory: pytest.TempPathFactory) -> Encode:
    """Encodes audio, shape (channels, samples), as a media file; options go to the container."""

    def encoded(
        audio: NDArray[np.float32],
        *,
        container: str = "wav",
        codec: str = "pcm_s16le",
        rate: int = SAMPLE_RATE,
        layout: str = "mono",
        video: bool = False,
        **options: str,
    ) -> bytes:
        path = tmp_path_factory.mktemp("media") / "encoded"
        with av.open(path, "w", format=container, options=options) as output:
            pictures = add_pictures(output) if video else None
            stream = output.add_stream(codec, rate=rate, layout=layout)
            planar = np.ascontiguousarray(np.atleast_2d(audio), np.float32)
            resampler = av.AudioResampler(stream.codec_context.format, layout, rate)
            chunk = 4096
            for start in range(0, planar.shape[1], chunk):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(planar[:, start : start + chunk]), format="fltp", layout=layout
                )
                frame.sample_rate = rate
                frame.pts, frame.time_base = start, Fraction(1, rate)
                for resampled in resampler.resample(frame):
                    output.mux(stream.encode(resampled))
            output.mux(stream.encode(None))
            if pictures is not None:
                write_pictures(output, pictures)
        return path.read_bytes()

    return encoded


def add_pictures(output: av.container.OutputContainer) -> av.VideoStream:
    stream = output.add_stream("mpeg4", rate=5)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    return stream


def write_pictures(output: av.container.OutputContainer, stream: av.VideoStream) -> None:
    for index in range(10):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * index, np.uint8), format="rgb24")
        picture.pts, picture.time_base = index, Fraction(1, 5)
        output.mux(stream.encode(picture))
    output.mux(stream.encode(None))


@pytest.fixture(scope="session")
def silent_video() -> bytes:
    """Two seconds of video without an audio stream."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        write_pictures(output, add_pictures(output))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def bad_files(silent_video: bytes, encode: Encode) -> dict[str, tuple[bytes, str]]:
    """Files that can't be transcribed, each with the reason that the client gets."""
    second = np.zeros(SAMPLE_RATE, np.float32)
    noise = np.random.default_rng(1)
    mp4 = encode(noise.normal(0, 0.1, 5 * SAMPLE_RATE), container="mp4", codec="aac")
    wav = encode(second)
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    return {
        "text": (b"These are the minutes of a meeting.\n" * 300, "MEDIA_UNREADABLE"),
        "random bytes": (noise.bytes(200_000), "MEDIA_UNREADABLE"),
        "mp4 without its end": (mp4[: len(mp4) // 2], "MEDIA_UNREADABLE"),
        "subtitles": (b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 40, "MEDIA_UNREADABLE"),
        "playlist": (playlist.encode(), "MEDIA_UNREADABLE"),
        "concat script": (b"ffconcat version 1.0\nfile 'file:/etc/hostname'\n", "MEDIA_UNREADABLE"),
        "video without sound": (silent_video, "MEDIA_WITHOUT_AUDIO"),
        "wav header": (wav[: wav.index(b"data") + 8], "MEDIA_EMPTY"),
        "part of a wav header": (wav[:20], "MEDIA_UNREADABLE"),
    }


@pytest.fixture(scope="session")
def tiny(models_dir: Path) -> Iterator[WhisperEngine]:
    """The English model for quick tests, on two workers."""
    engine = WhisperEngine(find_model(models_dir, "faster-whisper-tiny.en"), workers=2)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def base(models_dir: Path) -> Iterator[WhisperEngine]:
    """The default model, on two workers."""
    engine = WhisperEngine(find_model(models_dir, "faster-whisper-base"), workers=2)
    yield engine
    engine.close()
