"""From a media file to timed segments: decode, find the speech, transcribe its windows, keep what is speech."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeVar

import numpy as np
from recordroute_runtime.inference import CancelToken

from recordroute_stt.domain import Language, Segment, Word
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, SpeechEngine, WindowTranscript
from recordroute_stt.media import AudioDecoder, MediaProperties
from recordroute_stt.windows import SpeechCutter, SpeechWindow

Result = TypeVar("Result")

# Speech that the language is told from: one "hello" alone is often taken for another language.
DETECTION_SPEECH_SECONDS = 10.0
DETECTION_AUDIO_SECONDS = 30

# Whisper's own thresholds, see https://arxiv.org/abs/2212.04356 section 4.5.
MIN_LOG_PROBABILITY = -1.0
MAX_NO_SPEECH_PROBABILITY = 0.6
MAX_COMPRESSION_RATIO = 2.4
# Whisper's segment times are that imprecise.
SPEECH_TOLERANCE_SECONDS = 0.5

CANCEL_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """Seconds of the recording that are done, and its length, None while it is not known."""

    processed: float
    total: float | None


@dataclass(frozen=True)
class Stats:
    """Closing figures; times in seconds."""

    audio_seconds: float
    speech_seconds: float
    processing_seconds: float
    segment_count: int
    model: str
    warnings: tuple[str, ...]


Event = MediaProperties | Language | Progress | Segment | Stats


class Transcriber:
    """Transcribes files, the windows of all of them on the same `workers` threads.

    A file has at most `workers` windows in work or waiting: alone it gets every core, beside others its share.
    """

    def __init__(self, *, workers: int, max_seconds: float) -> None:
        self._workers = workers
        self._max_seconds = max_seconds
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="stt-window")

    def transcribe(
        self,
        source: BinaryIO,
        engine: SpeechEngine,
        options: DecodingOptions,
        token: CancelToken,
    ) -> Iterator[Event]:
        """Yields the media's properties, the language, segments in order with progress between, and the statistics.

        Without a language in `options` it is detected from the first 10 seconds of speech, and kept. A recording
        without speech has neither language nor segments. Raises InvalidInput as AudioDecoder does, and Cancelled.
        """
        run = _Run(self._threads, self._workers, engine, options, token)
        try:
            with AudioDecoder(source, max_seconds=self._max_seconds) as media:
                yield from run.events(media)
        finally:
            run.stop()

    def close(self) -> None:
        """Waits for running windows and ends the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Run:
    """The transcription of one file."""

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        workers: int,
        engine: SpeechEngine,
        options: DecodingOptions,
        token: CancelToken,
    ) -> None:
        self._threads = threads
        self._workers = workers
        self._engine = engine
        self._options = options
        self._token = token
        self._stopped = False
        self._language: str | None = None
        self._waiting: list[SpeechWindow] = []
        self._pending: deque[tuple[SpeechWindow, Future[WindowTranscript]]] = deque()
        self._processed = 0.0
        self._last_end = 0.0
        self._segments = 0
        self._speech_seconds = 0.0
        self._left_out = 0

    def events(self, media: AudioDecoder) -> Iterator[Event]:
        started = time.monotonic()
        total = media.properties.duration
        yield media.properties
        if self._options.language is not None:
            self._language = self._options.language
            yield Language(self._options.language, 1.0)
        cutter = SpeechCutter()
        for block in media.blocks():
            self._token.raise_if_cancelled()
            for window in cutter.feed(block):
                yield from self._admit(window, total)
            yield from self._finished(total)
            if not self._pending and not self._waiting:
                yield from self._progress(cutter.settled, total)
        total = media.seconds
        for window in cutter.flush():
            yield from self._admit(window, total)
        yield from self._detect(total)
        while self._pending:
            yield from self._oldest(total)
        yield from self._progress(total, total)
        warnings = list(media.warnings)
        if self._left_out:
            warnings.append(f"Sounds in which no words could be made out were left out: {self._left_out}.")
        yield Stats(
            audio_seconds=media.seconds,
            speech_seconds=self._speech_seconds,
            processing_seconds=time.monotonic() - started,
            segment_count=self._segments,
            model=self._engine.model,
            warnings=tuple(warnings),
        )

    def stop(self) -> None:
        """Drops what waits and returns when no window of this file is in work."""
        self._stopped = True
        for _, future in self._pending:
            future.cancel()
        wait([future for _, future in self._pending])

    def _admit(self, window: SpeechWindow, total: float | None) -> Iterator[Event]:
        self._speech_seconds += window.seconds
        self._waiting.append(window)
        if self._language is not None:
            yield from self._submit(total)
        elif sum(waiting.speech_seconds for waiting in self._waiting) >= DETECTION_SPEECH_SECONDS:
            yield from self._detect(total)

    def _detect(self, total: float | None) -> Iterator[Event]:
        if self._language is None and self._waiting:
            audio = np.concatenate([window.audio for window in self._waiting])
            audio = audio[: DETECTION_AUDIO_SECONDS * SAMPLE_RATE]
            detected = self._result(self._threads.submit(self._engine.detect_languages, audio))[0]
            self._language = detected.code
            yield detected
        yield from self._submit(total)

    def _submit(self, total: float | None) -> Iterator[Event]:
        windows, self._waiting = self._waiting, []
        for window in windows:
            assert self._language is not None, "windows wait until the language is known"
            while len(self._pending) >= self._workers:
                yield from self._oldest(total)
            future = self._threads.submit(
                self._engine.transcribe,
                window.audio,
                replace(self._options, language=self._language),
                self._should_stop,
            )
            self._pending.append((window, future))

    def _should_stop(self) -> bool:
        return self._stopped or self._token.cancelled

    def _result(self, future: Future[Result]) -> Result:
        while not wait([future], CANCEL_POLL_SECONDS, FIRST_COMPLETED).done:
            self._token.raise_if_cancelled()
        self._token.raise_if_cancelled()
        return future.result()

    def _finished(self, total: float | None) -> Iterator[Event]:
        while self._pending and self._pending[0][1].done():
            yield from self._oldest(total)

    def _oldest(self, total: float | None) -> Iterator[Event]:
        window, future = self._pending[0]
        segments = self._result(future).segments
        self._pending.popleft()
        for segment in segments:
            placed = place(segment, window, not_before=self._last_end)
            if is_speech(placed, window):
                self._segments += 1
                self._last_end = placed.end
                yield placed
            else:
                self._left_out += bool(placed.text)
        yield from self._progress(window.end, total)

    def _progress(self, processed: float, total: float | None) -> Iterator[Progress]:
        if processed > self._processed:
            self._processed = processed
            yield Progress(processed, None if total is None else max(total, processed))


def place(segment: Segment, window: SpeechWindow, *, not_before: float) -> Segment:
    """Moves a segment from its window's time to the recording's, kept within the speech of the window and after
    `not_before`."""

    earliest = max(window.start, window.speech_start - SPEECH_TOLERANCE_SECONDS, not_before)

    def moved(seconds: float) -> float:
        return min(max(window.start + seconds, earliest), window.end)

    start, end = moved(segment.start), moved(segment.end)
    words = tuple(
        Word(word.text, min(moved(word.start), end), min(moved(word.end), end), word.probability)
        for word in segment.words
    )
    return replace(segment, start=start, end=max(start, end), words=words)


def is_speech(segment: Segment, window: SpeechWindow) -> bool:
    """Returns whether a segment is what somebody said, and not what the model made of noise.

    Text is left out where it holds no words, where the voice detector heard nobody, and where the model itself is
    unsure of the words and either heard no speech or fell into a loop.
    """
    if not any(character.isalnum() for character in segment.text):
        return False
    unsure = segment.average_log_probability < MIN_LOG_PROBABILITY
    no_speech = segment.no_speech_probability > MAX_NO_SPEECH_PROBABILITY
    loop = segment.compression_ratio > MAX_COMPRESSION_RATIO
    if unsure and (no_speech or loop):
        return False
    return window.has_speech(segment.start, segment.end, tolerance=SPEECH_TOLERANCE_SECONDS)
