"""Computes how loud a recording is over its length: `python -m recordroute_gateway.library.readers.waveform`.

It takes [PATH] as JSON on standard input, and prints {"duration_seconds": ..., "peaks": base64 of one byte a stretch}.
The file is decoded as a stream; the stretches begin with 10 ms and are joined in pairs whenever there are too many, so
that memory stays flat.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

from recordroute_gateway.library.readers.confine import confine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    from av import AudioFrame, AudioResampler
    from av.container import InputContainer

CPU_SECONDS = 1800.0
MEMORY_BYTES = 4 << 30
# Twice what a client may ask for: there are never less than half as many.
MOST_STRETCHES = 40_000
STRETCHES_PER_SECOND = 100
# Frames have some hundred samples: one by one they take ten times as long as to decode them.
BLOCK_SAMPLES = 1 << 14
# A gap in the file's times is silence; a jump beyond that is a broken time stamp.
LONGEST_GAP_SECONDS = 3600.0


class Peaks:
    """Largest absolute sample of each stretch."""

    def __init__(self, stretch_samples: int) -> None:
        import numpy as np

        self._np = np
        self._stretch = max(1, stretch_samples)
        self._peaks = np.zeros(MOST_STRETCHES, np.float32)
        self.length = 0

    def skip(self, samples: int) -> None:
        """Goes on after silence."""
        self.length += samples
        self._make_room()

    def add(self, loudness: npt.NDArray[np.float32]) -> None:
        """Takes the next absolute samples."""
        start = self.length
        self.length += len(loudness)
        self._make_room()
        first, last = start // self._stretch, (self.length - 1) // self._stretch
        edges = self._np.arange(first, last + 1) * self._stretch - start
        found = self._np.maximum.reduceat(loudness, self._np.maximum(edges, 0))
        self._peaks[first : last + 1] = self._np.maximum(self._peaks[first : last + 1], found)

    def to_bytes(self) -> bytes:
        """Returns one byte a stretch, 255 for full scale."""
        count = -(-self.length // self._stretch)
        return bytes(self._np.clip(self._np.rint(self._peaks[:count] * 255), 0, 255).astype(self._np.uint8))

    def _make_room(self) -> None:
        while self.length > self._stretch * MOST_STRETCHES:
            joined = self._peaks.reshape(-1, 2).max(axis=1)
            self._peaks[: len(joined)] = joined
            self._peaks[len(joined) :] = 0
            self._stretch *= 2


def _frames(container: InputContainer) -> Iterator[Any]:
    import av

    stream = container.streams.audio[0]
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            # One bad packet is not a bad file.
            continue


def _blocks(frame: AudioFrame) -> AudioResampler:
    """Returns what makes large blocks of floats of the frames of a stream."""
    import av

    return av.AudioResampler(
        format="fltp", layout=frame.layout, rate=frame.sample_rate, frame_size=BLOCK_SAMPLES
    )


def _add(peaks: Peaks, blocks: list[AudioFrame]) -> None:
    import numpy as np

    for block in blocks:
        loudness = np.abs(block.to_ndarray()).max(axis=0)
        if len(loudness):
            peaks.add(np.nan_to_num(loudness))


def _measure(path: str) -> dict[str, Any]:
    import av

    peaks: Peaks | None = None
    resampler: AudioResampler | None = None
    rate, first_time, taken = 0, 0.0, 0
    try:
        with av.open(path, metadata_errors="ignore") as container:
            for frame in _frames(container):
                if peaks is None:
                    rate, first_time = frame.sample_rate, frame.time or 0.0
                    peaks = Peaks(rate // STRETCHES_PER_SECOND)
                resampler = resampler or _blocks(frame)
                if frame.time is not None:
                    gap = frame.time - first_time - taken / rate
                    # A frame or two of difference is rounding.
                    if 0.1 < gap < LONGEST_GAP_SECONDS:
                        _add(peaks, resampler.resample(None))
                        resampler = _blocks(frame)
                        peaks.skip(round(gap * rate))
                        taken += round(gap * rate)
                _add(peaks, resampler.resample(frame))
                taken += frame.samples
    except (av.FFmpegError, ValueError, OSError, EOFError) as error:
        if peaks is None:
            return {"reason": "MEDIA_UNREADABLE", "message": f"the file can't be read: {error}"}
    if peaks is None or resampler is None:
        return {"reason": "MEDIA_UNREADABLE", "message": "no audio in the file can be decoded"}
    # Also after an error: what came before it.
    _add(peaks, resampler.resample(None))
    return {
        "duration_seconds": peaks.length / rate,
        "peaks": base64.b64encode(peaks.to_bytes()).decode(),
    }


if __name__ == "__main__":
    confine(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES)
    print(json.dumps(_measure(*json.load(sys.stdin))))
