"""Voice activity detection on a stream of audio."""

from __future__ import annotations

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

from recordroute_stt.engine import SAMPLE_RATE, Samples

FRAME_SAMPLES = 512
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (1, 1, 128)


class StreamingVad:
    """Silero's network (https://github.com/snakers4/silero-vad, v6), with its state kept from call to call.

    Cutting audio into blocks does not change the probabilities.
    """

    def __init__(self) -> None:
        self._session = get_vad_model().session
        self._hidden = np.zeros(_STATE_SHAPE, np.float32)
        self._cell = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the probability of speech, shape (n,), of `frames`, shape (n, FRAME_SAMPLES)."""
        if not len(frames):
            return np.zeros(0, np.float32)
        tails = frames[:, -_CONTEXT_SAMPLES:]
        contexts = np.concatenate([self._context[None], tails[:-1]])
        self._context = tails[-1].copy()
        probabilities, self._hidden, self._cell = self._session.run(
            None,
            {"input": np.concatenate([contexts, frames], axis=1), "h": self._hidden, "c": self._cell},
        )
        return np.asarray(probabilities, np.float32).reshape(-1)


def as_frames(audio: Samples) -> NDArray[np.float32]:
    """Returns `audio` as frames, shape (n, FRAME_SAMPLES); its length must be a multiple of FRAME_SAMPLES."""
    return audio.reshape(-1, FRAME_SAMPLES)
