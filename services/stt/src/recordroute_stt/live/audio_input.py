"""Live audio as it comes over the wire, turned into mono samples at SAMPLE_RATE."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from recordroute_runtime.errors import FieldViolations, InvalidInput

from recordroute_stt.engine import SAMPLE_RATE, Samples

OPUS_RATE = 48_000
OPUS_MAX_CHANNELS = 2
# Most encoders' packets, and what is assumed of the first one where it can't be read.
OPUS_USUAL_SAMPLES = 960
# RFC 6716 section 3.2.5: a packet holds at most 120 ms.
OPUS_MAX_SAMPLES = 5760
# RFC 6716 section 3.2.1: 48 frames of at most 1275 bytes, and their lengths.
OPUS_MAX_BYTES = 48 * 1277 + 2
# RFC 6716 section 3.1, table 2: samples a frame at 48 kHz, by the configuration's two low bits.
SILK_FRAME_SAMPLES = (480, 960, 1920, 2880)
HYBRID_FRAME_SAMPLES = (480, 960)
CELT_FRAME_SAMPLES = (120, 240, 480, 960)


class AudioEncoding(Enum):
    """How live audio is written."""

    PCM_S16LE = auto()
    PCM_F32LE = auto()
    OPUS = auto()


class AudioInput(Protocol):
    """The decoder of one stream."""

    def feed(self, message: bytes) -> Samples:
        """Returns the samples that the next message of the stream makes known; they may be fewer than it holds.

        Raises InvalidInput (AUDIO_UNREADABLE) where the message is not what it is said to be.
        """
        ...

    def flush(self) -> Samples:
        """Returns the last samples of the stream."""
        ...


def open_audio_input(encoding: AudioEncoding, *, rate: int, channels: int) -> AudioInput:
    """Returns the decoder of a stream with `rate` samples a second of each of `channels`.

    Raises FieldViolations where Opus is said to have another rate than 48000 or more than two channels.
    """
    if encoding is AudioEncoding.OPUS:
        violations = []
        if rate != OPUS_RATE:
            violations.append(("config.sample_rate_hertz", f"must be {OPUS_RATE} for Opus"))
        if channels > OPUS_MAX_CHANNELS:
            violations.append(("config.channels", f"must be at most {OPUS_MAX_CHANNELS} for Opus"))
        if violations:
            raise FieldViolations(violations)
        return OpusInput(channels)
    return PcmInput(
        np.dtype("<i2") if encoding is AudioEncoding.PCM_S16LE else np.dtype("<f4"), rate, channels
    )


class PcmInput:
    """Interleaved samples of `dtype` (little-endian int16 or float32), mixed to the channels' mean.

    A message must hold whole samples of all channels, and floats must be finite; floats beyond full scale are clipped.
    """

    def __init__(self, dtype: np.dtype[np.int16] | np.dtype[np.float32], rate: int, channels: int) -> None:
        self._dtype = dtype
        self._channels = channels
        self._resampler = _Resampler(rate)

    def feed(self, message: bytes) -> Samples:
        sample_bytes = self._dtype.itemsize * self._channels
        if len(message) % sample_bytes:
            raise _unreadable(
                f"a message of {len(message)} bytes does not hold whole samples of {sample_bytes} bytes"
            )
        values = np.frombuffer(message, self._dtype).reshape(-1, self._channels)
        if values.dtype.kind == "i":
            mono = values.mean(axis=1, dtype=np.float32) / 32768
        else:
            if not np.isfinite(values).all():
                raise _unreadable("a sample is not a finite number")
            mono = np.clip(values, -1, 1).mean(axis=1, dtype=np.float32)
        return self._resampler.resample(mono)

    def flush(self) -> Samples:
        return self._resampler.flush()


class OpusInput:
    """Opus packets, one a message.

    A packet that can't be decoded, or an empty one (RFC 6716: lost or not sent), becomes silence of the length that
    its header tells, or else of the one before: the stream's clock goes on.
    """

    def __init__(self, channels: int) -> None:
        self._layout = "stereo" if channels == OPUS_MAX_CHANNELS else "mono"
        self._decoder = self._new_decoder()
        self._usual_samples = OPUS_USUAL_SAMPLES
        self._resampler = _Resampler(OPUS_RATE)

    def feed(self, message: bytes) -> Samples:
        mono = self._decoded(message)
        if mono is None:
            mono = np.zeros(opus_samples(message) or self._usual_samples, np.float32)
            self._decoder.flush_buffers()
        else:
            self._usual_samples = len(mono)
        return self._resampler.resample(mono)

    def flush(self) -> Samples:
        return self._resampler.flush()

    def _new_decoder(self) -> av.AudioCodecContext:
        decoder = av.CodecContext.create("opus", "r")
        assert isinstance(decoder, av.AudioCodecContext)
        decoder.sample_rate = OPUS_RATE
        decoder.layout = self._layout
        return decoder

    def _decoded(self, message: bytes) -> Samples | None:
        # An empty packet would end the decoder's stream.
        if not message or len(message) > OPUS_MAX_BYTES:
            return None
        try:
            frames = self._decoder.decode(av.Packet(message))
        except av.error.FFmpegError:
            return None
        planes = [np.asarray(frame.to_ndarray(), np.float32) for frame in frames]
        if not planes:
            return None
        samples = np.concatenate(planes, axis=1).mean(axis=0, dtype=np.float32)
        return samples if np.isfinite(samples).all() else None


def opus_samples(packet: bytes) -> int | None:
    """Returns the samples at 48 kHz that a packet's header says it holds (RFC 6716 section 3.1), None where it holds
    no valid header."""
    if not packet:
        return None
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = SILK_FRAME_SAMPLES[configuration % 4]
    elif configuration < 16:
        frame = HYBRID_FRAME_SAMPLES[configuration % 2]
    else:
        frame = CELT_FRAME_SAMPLES[configuration % 4]
    # Code 3 tells the number of frames in a byte of its own.
    count = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 0)[code]
    total = frame * count
    return total if 0 < total <= OPUS_MAX_SAMPLES else None


class _Resampler:
    """Mono float32 from any rate to SAMPLE_RATE, without a seam between messages."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = (
            None if rate == SAMPLE_RATE else av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        )

    def resample(self, audio: Samples) -> Samples:
        if self._resampler is None or not len(audio):
            return audio
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(audio)[None], format="flt", layout="mono")
        frame.sample_rate = self._rate
        return _joined(self._resampler.resample(frame))

    def flush(self) -> Samples:
        return np.zeros(0, np.float32) if self._resampler is None else _joined(self._resampler.resample(None))


def _joined(frames: list[AudioFrame]) -> Samples:
    parts = [np.asarray(frame.to_ndarray(), np.float32).reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _unreadable(why: str) -> InvalidInput:
    return InvalidInput("AUDIO_UNREADABLE", f"the audio is not what the configuration says: {why}")
