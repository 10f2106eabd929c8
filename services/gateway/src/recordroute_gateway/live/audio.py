"""How live audio is written, and how long a chunk of it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from recordroute_runtime.errors import InvalidInput

OPUS_RATE = 48_000
OPUS_MAX_CHANNELS = 2
# RFC 6716 section 3.2.5: a packet holds at most 120 ms.
OPUS_MAX_SAMPLES = 5760
# RFC 6716 section 3.2.1: 48 frames of at most 1275 bytes, and their lengths.
OPUS_MAX_BYTES = 48 * 1277 + 2
# RFC 6716 section 3.1, table 2: samples a frame at 48 kHz, by the configuration's low bits.
SILK_FRAME_SAMPLES = (480, 960, 1920, 2880)
HYBRID_FRAME_SAMPLES = (480, 960)
CELT_FRAME_SAMPLES = (120, 240, 480, 960)


class Encoding(StrEnum):
    """How samples are written."""

    PCM_S16LE = "pcm_s16le"
    PCM_F32LE = "pcm_f32le"
    OPUS = "opus"


@dataclass(frozen=True)
class AudioFormat:
    """The format of a session's audio; `rate` in samples a second of each channel."""

    encoding: Encoding
    rate: int
    channels: int

    def check(self) -> None:
        """Raises InvalidInput (AUDIO) where the format can't be."""
        if self.encoding is not Encoding.OPUS:
            return
        if self.rate != OPUS_RATE:
            raise InvalidInput("AUDIO", f"the sample rate of Opus is {OPUS_RATE}")
        if self.channels > OPUS_MAX_CHANNELS:
            raise InvalidInput("AUDIO", f"Opus has at most {OPUS_MAX_CHANNELS} channels")

    def samples(self, chunk: bytes) -> int:
        """Returns how many samples of each channel a chunk holds.

        Raises InvalidInput (AUDIO) where it is neither whole samples nor an Opus packet.
        """
        if not chunk:
            return 0
        if self.encoding is Encoding.OPUS:
            samples = opus_samples(chunk) if len(chunk) <= OPUS_MAX_BYTES else None
            if samples is None:
                raise InvalidInput("AUDIO", "a chunk is not an Opus packet")
            return samples
        frame = self.frame_bytes
        if len(chunk) % frame:
            raise InvalidInput(
                "AUDIO", f"a chunk of {len(chunk)} bytes does not hold whole samples of {frame} bytes"
            )
        return len(chunk) // frame

    @property
    def frame_bytes(self) -> int:
        """Bytes of one PCM sample of all channels."""
        return self.channels * (2 if self.encoding is Encoding.PCM_S16LE else 4)


def opus_samples(packet: bytes) -> int | None:
    """Returns the samples at 48 kHz that a packet's header says it holds (RFC 6716 section 3.1), None where it holds
    no valid header."""
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
