"""Decodes the audio of any media file, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import av
import av.error
import numpy as np
from av.audio import AudioStream
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray
from recordroute_runtime.errors import InvalidInput

from recordroute_stt.engine import SAMPLE_RATE, Samples

BLOCK_SAMPLES = 5 * SAMPLE_RATE

# Playlists and edit lists in a file must not make this process open other files or addresses.
CONTAINER_OPTIONS = {"protocol_whitelist": "none"}
# These hold no length: what FFmpeg says of theirs is guessed from the first packets.
GUESSED_LENGTH = frozenset({"mp3", "aac", "amr", "ac3", "eac3", "loas", "mpegts", "mpeg"})
MAX_READ_ERRORS = 16
# What writers to a pipe state in place of a size, and more.
UNKNOWN_WAV_BYTES = 0x7FFF_F000
MAX_WAV_CHUNKS = 64
# Each is transcribed by itself: more would be a microphone array, not people on lines of their own.
MAX_SEPARATE_CHANNELS = 8

# Smaller differences between the timestamps and the samples are rounding; larger jumps are broken timestamps.
MIN_GAP_SECONDS = 0.25
MAX_GAP_SECONDS = 600.0
SHORTFALL_SECONDS = 1.0
SHORTFALL_RATIO = 0.02


Channels = NDArray[np.float32]
"""Audio at SAMPLE_RATE, shape (channels, samples), full scale at -1 and 1."""


class MediaSource(Protocol):
    """A file object. FFmpeg reads it in order where `seekable` returns false."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seekable(self) -> bool: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...


@runtime_checkable
class ArrivingSource(MediaSource, Protocol):
    """A file that is read while it is still arriving."""

    def whole(self) -> MediaSource | None:
        """Returns a second reader, which can seek; None while the file is not yet there."""
        ...


@dataclass(frozen=True)
class MediaProperties:
    """What a file says of itself. `duration` is in seconds, None where it is not (yet) stated."""

    container: str
    codec: str
    duration: float | None
    sample_rate_hertz: int
    channels: int


def _unreadable(why: str) -> InvalidInput:
    return InvalidInput("MEDIA_UNREADABLE", f"the file can't be read as audio or video: {why}")


def _open(source: MediaSource) -> InputContainer:
    try:
        return av.open(source, mode="r", metadata_errors="ignore", container_options=CONTAINER_OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise _unreadable("its format is not known, or its beginning or end is missing") from error


def _read(source: MediaSource, size: int) -> bytes:
    content = b""
    while len(content) < size and (part := source.read(size - len(content))):
        content += part
    return content


def _stated_wav_seconds(source: MediaSource) -> float | None:
    """Returns the length that the header of a RIFF WAVE file states.

    FFmpeg tells what a cut-off file still holds instead, and nothing where it can't seek.
    """
    head = _read(source, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    bytes_per_second = 0
    for _ in range(MAX_WAV_CHUNKS):
        header = _read(source, 8)
        kind, size = header[:4], int.from_bytes(header[4:], "little")
        if kind == b"data":
            known = bytes_per_second and 0 < size < UNKNOWN_WAV_BYTES
            return size / bytes_per_second if known else None
        start = source.tell()
        if kind == b"fmt ":
            bytes_per_second = int.from_bytes(_read(source, 12)[8:], "little")
        source.seek(start + size + size % 2)
    return None


def _duration(container: InputContainer, stream: AudioStream) -> float | None:
    if container.duration:
        return container.duration / av.time_base
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None


def _audio_stream(container: InputContainer, number: int | None) -> AudioStream:
    streams = container.streams.audio
    if not streams:
        if container.streams.video:
            raise InvalidInput("MEDIA_WITHOUT_AUDIO", "the file holds pictures but no sound")
        raise _unreadable("it holds no sound")
    if number is None:
        best = container.streams.best("audio")
        stream = best if isinstance(best, AudioStream) else streams[0]
    elif number < len(streams):
        stream = streams[number]
    else:
        raise InvalidInput(
            "NO_SUCH_AUDIO_STREAM",
            f"the file has no audio stream {number}; it has {len(streams)}, counted from 0",
            metadata={"audio_stream": str(number), "audio_streams": str(len(streams))},
        )
    if stream.codec_context is None:
        raise _unreadable("its sound is in a format that can't be decoded")
    return stream


@dataclass(frozen=True)
class Damage:
    """What is wrong with a file that can be transcribed all the same: a stable name, a sentence for people, and the
    values in it by name."""

    reason: str
    message: str
    metadata: Mapping[str, str]


class AudioDecoder:
    """The audio of one file in blocks at SAMPLE_RATE, on the file's own time line.

    Memory does not grow with the file, and no more of it is read than has been decoded. A packet that can't be
    decoded costs its own sound only: it becomes silence of the same length, and is told in `damages`.
    `audio_stream` counts the file's audio streams from 0; without it the one is taken that the file marks as its main
    one. Channels are mixed into one, or with `separate_channels` kept apart.

    Raises InvalidInput: MEDIA_EMPTY, MEDIA_UNREADABLE, MEDIA_WITHOUT_AUDIO, MEDIA_TOO_LONG, NO_SUCH_AUDIO_STREAM,
    and UNSUPPORTED_OPTION where there are too many channels to keep apart.
    """

    def __init__(
        self,
        source: MediaSource,
        *,
        max_seconds: float,
        audio_stream: int | None = None,
        separate_channels: bool = False,
    ) -> None:
        self._max_seconds = max_seconds
        self._separate = separate_channels
        self._source = source
        self._looked_for_duration = False
        wav_seconds = _stated_wav_seconds(source)
        source.seek(0)
        self._container = _open(source)
        try:
            self._stream = _audio_stream(self._container, audio_stream)
            self.properties = self._describe()
            if wav_seconds is not None:
                self.properties = replace(self.properties, duration=wav_seconds)
            self.look_for_duration()
            self.channels = self._count_channels()
            if not self._length_is_guessed and (self.properties.duration or 0.0) > max_seconds:
                raise self._too_long()
        except BaseException:
            self._container.close()
            raise
        self.damages: list[Damage] = []
        self._corrupt_packets = 0
        self._missing_seconds = 0.0
        self._position = 0
        self._origin = (
            None if self._container.start_time is None else self._container.start_time / av.time_base
        )
        self._resampler = self._new_resampler()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def seconds(self) -> float:
        """Length of the audio that has been decoded so far."""
        return self._position / SAMPLE_RATE

    def look_for_duration(self) -> None:
        """Adds the length to `properties` where only the end of the file tells it and that has come by now."""
        if self.properties.duration is not None or not isinstance(self._source, ArrivingSource):
            return
        whole = self._source.whole()
        if whole is None or self._looked_for_duration:
            return
        self._looked_for_duration = True
        with _open(whole) as container:
            index = self._stream.index
            stream = container.streams[index] if index < len(container.streams) else None
            if isinstance(stream, AudioStream):
                self.properties = replace(self.properties, duration=_duration(container, stream))

    def blocks(self) -> Iterator[Samples]:
        """Yields the mixed audio in blocks of BLOCK_SAMPLES, the last one shorter."""
        for block in self.channel_blocks():
            (mono,) = block
            yield mono

    def channel_blocks(self) -> Iterator[Channels]:
        """Yields the audio in blocks of shape (channels, BLOCK_SAMPLES), the last one shorter."""
        parts: list[Channels] = []
        held = 0
        for part in self._audio():
            self._position += part.shape[1]
            if self._position > self._max_seconds * SAMPLE_RATE:
                raise self._too_long()
            parts.append(part)
            held += part.shape[1]
            if held >= BLOCK_SAMPLES:
                joined = np.concatenate(parts, axis=1)
                whole = held - held % BLOCK_SAMPLES
                for start in range(0, whole, BLOCK_SAMPLES):
                    yield joined[:, start : start + BLOCK_SAMPLES]
                parts, held = [joined[:, whole:]], held - whole
        if held:
            yield np.concatenate(parts, axis=1)
        self._conclude()

    @property
    def _length_is_guessed(self) -> bool:
        return self._container.format.name in GUESSED_LENGTH

    def _describe(self) -> MediaProperties:
        context = self._stream.codec_context
        return MediaProperties(
            container=self._container.format.name,
            codec=context.name,
            duration=_duration(self._container, self._stream),
            sample_rate_hertz=context.sample_rate,
            channels=context.layout.nb_channels,
        )

    def _count_channels(self) -> int:
        if not self._separate:
            return 1
        channels = self.properties.channels
        if channels > MAX_SEPARATE_CHANNELS:
            raise InvalidInput(
                "UNSUPPORTED_OPTION",
                f"the file has {channels} channels; at most {MAX_SEPARATE_CHANNELS} can be transcribed apart",
                metadata={"channels": str(channels), "max_channels": str(MAX_SEPARATE_CHANNELS)},
            )
        return channels

    def _too_long(self) -> InvalidInput:
        return InvalidInput(
            "MEDIA_TOO_LONG",
            f"the recording is longer than the limit of {self._max_seconds / 3600:g} hours",
            metadata={"max_hours": f"{self._max_seconds / 3600:g}"},
        )

    def _new_resampler(self) -> av.AudioResampler:
        # Without a maximum, mixing down to float goes beyond full scale.
        return av.AudioResampler(
            format="fltp",
            layout=None if self._separate else "mono",
            rate=SAMPLE_RATE,
            options={"rematrix_maxval": "1.0"},
        )

    def _samples(self, frame: AudioFrame) -> Channels:
        samples = np.asarray(frame.to_ndarray(), np.float32)
        if len(samples) == self.channels:
            return samples
        # A broadcast that changes between stereo and mono: what it lacks is silent, what it has too many is left out.
        fitted = np.zeros((self.channels, samples.shape[1]), np.float32)
        common = min(len(fitted), len(samples))
        fitted[:common] = samples[:common]
        return fitted

    def _audio(self) -> Iterator[Channels]:
        template = None
        for frame in self._frames():
            gap = self._gap(frame)
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            if frame.samples == 0:
                continue
            if gap or shape != template:
                yield from self._flush()
                template = shape
            if self._position:
                self._missing_seconds += gap / SAMPLE_RATE
            for start in range(0, gap, BLOCK_SAMPLES):
                yield np.zeros((self.channels, min(BLOCK_SAMPLES, gap - start)), np.float32)
            # The resampler would refuse a frame whose timestamp goes back.
            frame.pts = None
            for resampled in self._resampler.resample(frame):
                yield self._samples(resampled)
        yield from self._flush()

    def _flush(self) -> Iterator[Channels]:
        for resampled in self._resampler.resample(None):
            yield self._samples(resampled)
        self._resampler = self._new_resampler()

    def _gap(self, frame: AudioFrame) -> int:
        """Returns how many samples of silence belong before the frame, by its timestamp."""
        if frame.time is None:
            return 0
        if self._origin is None:
            self._origin = frame.time
        gap = frame.time - self._origin - self.seconds
        end = self.properties.duration
        known_end = end is not None and not self._length_is_guessed
        if gap > MAX_GAP_SECONDS or (
            known_end and frame.time - self._origin > (end or 0.0) + SHORTFALL_SECONDS
        ):
            self._origin = frame.time - self.seconds
            return 0
        return round(gap * SAMPLE_RATE) if gap >= MIN_GAP_SECONDS else 0

    def _frames(self) -> Iterator[AudioFrame]:
        read_errors = 0
        while read_errors < MAX_READ_ERRORS:
            try:
                for packet in self._container.demux(self._stream):
                    read_errors = 0
                    try:
                        frames = packet.decode()
                    except av.error.FFmpegError:
                        self._corrupt_packets += 1
                        self._stream.codec_context.flush_buffers()
                        continue
                    for frame in frames:
                        assert isinstance(frame, AudioFrame)
                        yield frame
            except av.error.FFmpegError:
                # The demuxer stands behind the damage now: reading on finds the next whole packet.
                read_errors += 1
            else:
                return
        self._note_damage(
            "MEDIA_ENDS_EARLY",
            "The file can't be read beyond {seconds} seconds.",
            seconds=f"{self.seconds:.0f}",
        )

    def _note_damage(self, reason: str, message: str, **values: str) -> None:
        self.damages.append(Damage(reason, message.format(**values), values))

    def _conclude(self) -> None:
        self.look_for_duration()
        if not self._position:
            if self._corrupt_packets or self.damages:
                raise _unreadable("none of its sound can be decoded")
            raise InvalidInput("MEDIA_EMPTY", "the file holds no sound: it ends after its header")
        if self._corrupt_packets:
            self._note_damage(
                "MEDIA_PIECES_LEFT_OUT",
                "Damaged pieces of the file were left out: {count}.",
                count=str(self._corrupt_packets),
            )
        if self._missing_seconds:
            self._note_damage(
                "MEDIA_SILENT_GAPS",
                "The file holds no sound for {seconds} seconds in between.",
                seconds=f"{self._missing_seconds:.1f}",
            )
        stated = self.properties.duration
        if stated is None or self._length_is_guessed:
            return
        if stated - self.seconds > max(SHORTFALL_SECONDS, SHORTFALL_RATIO * stated):
            self._note_damage(
                "MEDIA_CUT_OFF",
                "The file is cut off: it states {stated} seconds and holds {held}.",
                stated=f"{stated:.0f}",
                held=f"{self.seconds:.0f}",
            )
