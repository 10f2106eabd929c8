"""Where `recordroute live` gets its audio: the microphone, or a file at the speed of life."""

from __future__ import annotations

import importlib
import queue
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode

# What speech needs: 16-bit mono at 16 kHz, 32 kB a second.
RATE = 16_000
SAMPLE_BYTES = 2
CHUNK_SAMPLES = RATE // 10
CHUNK_BYTES = CHUNK_SAMPLES * SAMPLE_BYTES
POLL_SECONDS = 0.1


class Source(Protocol):
    """Speech as it is spoken."""

    def chunks(self) -> Iterator[bytes]:
        """Yields 100 ms at a time, as they are spoken, until the end or `stop`. Raises CommandError."""
        ...

    def stop(self) -> None:
        """Ends `chunks` with what has been spoken; may be called from any thread."""
        ...


class FileSource:
    """A recording, played at the speed of life and not heard."""

    def __init__(self, path: Path) -> None:
        """Raises CommandError where the file is not there."""
        if not path.is_file():
            raise CommandError(f"{path}: there is no such file", ExitCode.USAGE)
        self._path = path
        self._stopped = threading.Event()

    def chunks(self) -> Iterator[bytes]:
        begun, sent = time.monotonic(), 0
        for chunk in in_chunks(_decoded(self._path)):
            sent += len(chunk)
            # A chunk can't be had before it has been spoken.
            ahead = sent / (RATE * SAMPLE_BYTES) - (time.monotonic() - begun)
            if self._stopped.wait(max(0.0, ahead)):
                return
            yield chunk

    def stop(self) -> None:
        self._stopped.set()


class Microphone:
    """The microphone of this machine."""

    def __init__(self, stream: Any, spoken: queue.SimpleQueue[bytes]) -> None:
        self._stream = stream
        self._spoken = spoken
        self._stopped = threading.Event()

    def chunks(self) -> Iterator[bytes]:
        while not (self._stopped.is_set() and self._spoken.empty()):
            try:
                yield self._spoken.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if not self._stream.active and not self._stopped.is_set():
                    raise CommandError("the microphone was taken away") from None

    def stop(self) -> None:
        self._stream.stop()
        self._stopped.set()


@contextmanager
def microphone(device: str) -> Iterator[Microphone]:
    """Opens the microphone whose name holds `device`, or that has this number; empty: the system's default.

    Raises CommandError where there is none, and says what is missing.
    """
    try:
        # Not by name: it ships no types, and is not everywhere.
        sounddevice: Any = importlib.import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise CommandError(
            "recording from a microphone needs the package sounddevice: pip install 'recordroute[live]'; "
            "a file is recorded with --file"
        ) from error
    except OSError as error:
        raise CommandError(
            "recording from a microphone needs PortAudio, which is not on this machine (on Debian and Ubuntu: "
            "apt install libportaudio2); a file is recorded with --file"
        ) from error
    spoken: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    try:
        stream = sounddevice.RawInputStream(
            samplerate=RATE,
            channels=1,
            dtype="int16",
            blocksize=CHUNK_SAMPLES,
            device=(int(device) if device.isdecimal() else device) or None,
            callback=lambda data, *_: spoken.put(bytes(data)),
        )
        stream.start()
    except (sounddevice.PortAudioError, ValueError) as error:
        raise CommandError(
            f"no microphone can be used: {error}; python -m sounddevice lists them, --device chooses one"
        ) from error
    with stream:
        yield Microphone(stream, spoken)


def write_wave(path: Path, audio: list[bytes]) -> None:
    """Writes audio as a WAV file. Raises OSError."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE)
        file.writeframes(b"".join(audio))


def in_chunks(audio: Iterator[bytes]) -> Iterator[bytes]:
    """Yields the audio in chunks of 100 ms; the last one may be shorter."""
    waiting = b""
    for piece in audio:
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            yield waiting[:CHUNK_BYTES]
            waiting = waiting[CHUNK_BYTES:]
    if waiting:
        yield waiting


def _decoded(path: Path) -> Iterator[bytes]:
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise CommandError(f"{path}: the file has no audio in it")
            for frame in container.decode(container.streams.audio[0]):
                yield from map(_samples, resampler.resample(frame))
        yield from map(_samples, resampler.resample(None))
    except (av.FFmpegError, ValueError, OSError) as error:
        raise CommandError(f"{path}: the file is not audio or video that can be read") from error


def _samples(frame: Any) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
