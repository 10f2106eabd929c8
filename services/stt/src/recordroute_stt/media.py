"""Decodes the audio of any media file, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

import av
import av.error
import numpy as np
from av.audio import AudioStream
from av.audio.frame import AudioFrame
from av.container import InputContainer
from recordroute_runtime.errors import InvalidInput

from recordroute_stt.engine import SAMPLE_RATE, Samples

BLOCK_SAMPLES = 5 * SAMPLE_RATE

# Playlists and edit lists in a file must not make this process open other files or addresses.
CONTAINER_OPTIONS = {"protocol_whitelist": "none"}
# These hold no length: what FFmpeg says of theirs is guessed from the first packets.
GUESSED_LENGTH = frozenset({"mp3", "aac", "amr", "ac3", "eac3", "loas", "mpegts", "mpeg"})
MAX_READ_ERRORS = 16

# Smaller differences between the timestamps and the samples are rounding; larger jumps are broken timestamps.
MIN_GAP_SECONDS = 0.25
MAX_GAP_SECONDS = 600.0
SHORTFALL_SECONDS = 1.0
SHORTFALL_RATIO = 0.02


@dataclass(frozen=True)
class MediaProperties:
    """What a file says of itself. `duration` is in seconds, None where it is not stated."""

    container: str
    codec: str
    duration: float | None
    sample_rate_hertz: int
    channels: int


def _unreadable(why: str) -> InvalidInput:
    return InvalidInput("MEDIA_UNREADABLE", f"the file can't be read as audio or video: {why}")


def _open(source: BinaryIO) -> InputContainer:
    try:
        return av.open(source, mode="r", metadata_errors="ignore", container_options=CONTAINER_OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise _unreadable("its format is not known, or its beginning or end is missing") from error


def _best_audio(container: InputContainer) -> AudioStream:
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        if container.streams.video:
            raise InvalidInput("MEDIA_WITHOUT_AUDIO", "the file holds pictures but no sound")
        raise _unreadable("it holds no sound")
    if stream.codec_context is None:
        raise _unreadable("its sound is in a format that can't be decoded")
    return stream


def _samples(frame: AudioFrame) -> Samples:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1)


class AudioDecoder:
    """The audio of one file as mono blocks at SAMPLE_RATE, on the file's own time line.

    Memory does not grow with the file. A packet that can't be decoded costs its own sound only: it becomes silence
    of the same length, and a sentence in `warnings`. Of several audio streams the one is taken that the file marks
    as its main one; channels are mixed down.

    Raises InvalidInput: MEDIA_EMPTY, MEDIA_UNREADABLE, MEDIA_WITHOUT_AUDIO, MEDIA_TOO_LONG.
    """

    def __init__(self, source: BinaryIO, *, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._container = _open(source)
        try:
            self._stream = _best_audio(self._container)
            self.properties = self._describe()
            if not self._length_is_guessed and (self.properties.duration or 0.0) > max_seconds:
                raise self._too_long()
        except BaseException:
            self._container.close()
            raise
        self.warnings: list[str] = []
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

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio in blocks of BLOCK_SAMPLES, the last one shorter."""
        parts: list[Samples] = []
        held = 0
        for part in self._audio():
            self._position += len(part)
            if self._position > self._max_seconds * SAMPLE_RATE:
                raise self._too_long()
            parts.append(part)
            held += len(part)
            if held >= BLOCK_SAMPLES:
                joined = np.concatenate(parts)
                whole = held - held % BLOCK_SAMPLES
                for start in range(0, whole, BLOCK_SAMPLES):
                    yield joined[start : start + BLOCK_SAMPLES]
                parts, held = [joined[whole:]], held - whole
        if held:
            yield np.concatenate(parts)
        self._conclude()

    @property
    def _length_is_guessed(self) -> bool:
        return self._container.format.name in GUESSED_LENGTH

    def _describe(self) -> MediaProperties:
        context = self._stream.codec_context
        duration: float | None = None
        if self._container.duration:
            duration = self._container.duration / av.time_base
        elif self._stream.duration and self._stream.time_base:
            duration = float(self._stream.duration * self._stream.time_base)
        return MediaProperties(
            container=self._container.format.name,
            codec=context.name,
            duration=duration,
            sample_rate_hertz=context.sample_rate,
            channels=context.layout.nb_channels,
        )

    def _too_long(self) -> InvalidInput:
        return InvalidInput(
            "MEDIA_TOO_LONG",
            f"the recording is longer than the limit of {self._max_seconds / 3600:g} hours",
            metadata={"max_hours": f"{self._max_seconds / 3600:g}"},
        )

    def _new_resampler(self) -> av.AudioResampler:
        # Without a maximum, mixing down to float goes beyond full scale.
        return av.AudioResampler(
            format="flt", layout="mono", rate=SAMPLE_RATE, options={"rematrix_maxval": "1.0"}
        )

    def _audio(self) -> Iterator[Samples]:
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
                yield np.zeros(min(BLOCK_SAMPLES, gap - start), np.float32)
            # The resampler would refuse a frame whose timestamp goes back.
            frame.pts = None
            for resampled in self._resampler.resample(frame):
                yield _samples(resampled)
        yield from self._flush()

    def _flush(self) -> Iterator[Samples]:
        for resampled in self._resampler.resample(None):
            yield _samples(resampled)
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
        self.warnings.append(f"The file can't be read beyond {self.seconds:.0f} seconds.")

    def _conclude(self) -> None:
        if not self._position:
            if self._corrupt_packets or self.warnings:
                raise _unreadable("none of its sound can be decoded")
            raise InvalidInput("MEDIA_EMPTY", "the file holds no sound: it ends after its header")
        if self._corrupt_packets:
            self.warnings.append(f"Damaged pieces of the file were left out: {self._corrupt_packets}.")
        if self._missing_seconds:
            self.warnings.append(
                f"The file holds no sound for {self._missing_seconds:.1f} seconds in between."
            )
        stated = self.properties.duration
        if stated is None or self._length_is_guessed:
            return
        if stated - self.seconds > max(SHORTFALL_SECONDS, SHORTFALL_RATIO * stated):
            self.warnings.append(
                f"The file is cut off: it states {stated:.0f} seconds and holds {self.seconds:.0f}."
            )
