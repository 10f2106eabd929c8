"""One decode of a live stream, on a worker's thread: what is said in a window, and nothing that nobody said."""

from __future__ import annotations

import time
from dataclasses import replace

from recordroute_stt.assembly import Assembler
from recordroute_stt.domain import Language, Segment
from recordroute_stt.engine import SpeechEngine, WindowTranscript
from recordroute_stt.gate import SilenceGate
from recordroute_stt.live.decoding import Stopped
from recordroute_stt.live.recognizer import Decode, Urgency
from recordroute_stt.postprocess import PostProcessing

# After this time no second try is begun at a window that decodes badly. The next interim result is that second try;
# a final one is worth one.
RETRY_SECONDS = {Urgency.FINAL: 0.5, Urgency.PAUSE: 0.5, Urgency.INTERIM: 0.05}


class Hearing:
    """Decodes windows with an engine. Has no state: one serves all streams that use the engine."""

    def __init__(self, engine: SpeechEngine) -> None:
        self._engine = engine
        self._gate = SilenceGate()

    def __call__(self, decode: Decode, stopped: Stopped) -> WindowTranscript:
        """Returns the segments of a window that are speech, with times from the start of the stream.

        Returns no segments where there is no speech, or where `stopped` became true.
        """
        assembler = Assembler(PostProcessing(), self._gate)
        window = decode.window
        if assembler.refusal(window) is not None:
            return WindowTranscript(Language(decode.options.language or "", 0.0), ())
        heard = self._engine.transcribe(
            window.audio,
            decode.options,
            _until_late(stopped, RETRY_SECONDS[decode.urgency]),
            window.voiced if decode.urgency is not Urgency.INTERIM else None,
        )
        kept = [
            output
            for output in (*assembler.add(window, heard.segments), *assembler.flush())
            if isinstance(output, Segment)
        ]
        return replace(heard, segments=tuple(kept))


def _until_late(stopped: Stopped, seconds: float) -> Stopped:
    """Returns `stopped`, and true from some time after the first try, before which the engine asks it, has begun."""
    deadline: float | None = None

    def late() -> bool:
        nonlocal deadline
        if deadline is None:
            deadline = time.monotonic() + seconds
        return stopped() or time.monotonic() > deadline

    return late
