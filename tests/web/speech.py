"""Writes a recording as what Chromium's fake microphone plays: WAV, with a pause at either end."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import av

ROOT = Path(__file__).resolve().parent.parent.parent
# "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
SPEECH = ROOT / "tests/data/jfk.flac"
RATE = 16_000
SILENCE = bytes(2 * RATE)


def write_speech(target: Path, source: Path = SPEECH) -> None:
    with av.open(str(source)) as container, wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        # A recording that begins is a moment late on a busy machine.
        file.writeframes(3 * SILENCE)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                file.writeframes(part.to_ndarray().tobytes())
        file.writeframes(2 * SILENCE)


if __name__ == "__main__":
    write_speech(Path(sys.argv[1]))
