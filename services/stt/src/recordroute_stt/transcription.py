"""From a media file to timed segments: decode, find the speech, transcribe its windows, keep what is speech."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from recordroute_runtime.inference import CancelToken

from recordroute_stt.assembly import Assembler, Output, Timeline, in_order
from recordroute_stt.decoding_ahead import DecodingAhead
from recordroute_stt.diarization import Diarization, numbered_by_words
from recordroute_stt.domain import Language, Removal, Segment
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, SpeechEngine, WindowTranscript
from recordroute_stt.gate import SilenceGate
from recordroute_stt.media import AudioDecoder, Channels, Damage, MediaProperties, MediaSource
from recordroute_stt.postprocess import PostProcessing
from recordroute_stt.speakers import DiarizationOptions, SpeakerFinder, SpeakerModels
from recordroute_stt.windows import SpeechCutter, SpeechWindow
from recordroute_stt.workers import FairWorkers

# Speech that the language is told from: one "hello" alone is often taken for another language.
DETECTION_SPEECH_SECONDS = 10.0
DETECTION_AUDIO_SECONDS = 30
# Where people hardly speak, the language is told from what there is by then.
DETECTION_PATIENCE_SECONDS = 60.0

# Several windows of one recording cost less together; a batch also says how soon a cancelled call ends. The first ones
# are small, so that words come soon. What is decoded together never depends on the time that anything takes: the same
# file always gives the same text.
BATCHES = (1, 2, 4)
MAX_BATCH = 6

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
    damages: tuple[Damage, ...]


@dataclass(frozen=True)
class TranscriptionOptions:
    """How to transcribe a recording, beside how to decode its windows.

    `audio_stream` None: the file's main one. `diarization` None: it is not told who speaks.
    """

    language_per_window: bool = False
    separate_channels: bool = False
    audio_stream: int | None = None
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    diarization: DiarizationOptions | None = None


@dataclass(frozen=True)
class LanguageDetection:
    """The likely languages of a recording, the likeliest first, and the seconds of speech that they were told from.

    There are none where nobody speaks.
    """

    languages: tuple[Language, ...]
    speech_seconds: float


Event = MediaProperties | Language | Progress | Segment | Removal | Diarization | Stats

DEFAULTS = TranscriptionOptions()


class Transcriber:
    """Transcribes files, the windows of all of them on the same `workers` threads, in turns.

    A file has at most `workers` batches of windows in work or waiting: alone it gets every core, beside others its
    share.
    """

    def __init__(
        self, *, workers: int, max_seconds: float, speaker_models: SpeakerModels | None = None
    ) -> None:
        self._max_seconds = max_seconds
        self._workers = FairWorkers(workers, name="stt-window")
        self._speaker_models = speaker_models or SpeakerModels()
        self._gate = SilenceGate()

    def transcribe(
        self,
        source: MediaSource,
        engine: SpeechEngine,
        decoding: DecodingOptions,
        token: CancelToken,
        options: TranscriptionOptions = DEFAULTS,
    ) -> Iterator[Event]:
        """Yields the media's properties, the language, segments and removals in order with progress between them,
        and the statistics.

        Without a language in `decoding` it is detected from the first 10 seconds of speech and kept, or told anew for
        each window; then it is not among the events, as it is not for a recording without speech. With diarization
        segments come as they are made, then the Diarization, and then all of them again, cut where the speaker changes;
        removals come among these only.

        `source` is read while it still arrives. `token` is cancelled at the end. Raises InvalidInput as AudioDecoder
        does, what reading `source` raises, and Cancelled.
        """
        run = _Run(self._workers, self._gate, self._speaker_models, engine, decoding, options, token)
        try:
            yield from run.events(lambda: self._open(source, options))
        finally:
            run.stop()

    def detect_language(
        self, source: MediaSource, engine: SpeechEngine, token: CancelToken, *, audio_stream: int | None
    ) -> LanguageDetection:
        """Tells the language from the first speech, and reads no further. Raises as `transcribe`."""
        assembler = Assembler(PostProcessing(), self._gate)
        windows: list[SpeechWindow] = []
        with self._open(source, TranscriptionOptions(audio_stream=audio_stream)) as media:
            for window in _windows(media):
                token.raise_if_cancelled()
                if assembler.refusal(window) is None:
                    windows.append(window)
                if sum(window.speech_seconds for window in windows) >= DETECTION_SPEECH_SECONDS:
                    break
        if not windows:
            return LanguageDetection((), 0.0)
        lane = self._workers.lane()
        try:
            languages = lane.submit(engine.detect_languages, _detection_audio(windows)).result()
        finally:
            lane.close()
        return LanguageDetection(languages, sum(window.speech_seconds for window in windows))

    def close(self) -> None:
        """Waits for running windows and ends the threads."""
        self._workers.close()

    def _open(self, source: MediaSource, options: TranscriptionOptions) -> AudioDecoder:
        return AudioDecoder(
            source,
            max_seconds=self._max_seconds,
            audio_stream=options.audio_stream,
            separate_channels=options.separate_channels,
        )


def _windows(media: AudioDecoder) -> Iterator[SpeechWindow]:
    cutter = SpeechCutter()
    for block in media.blocks():
        yield from cutter.feed(block)
    yield from cutter.flush()


def _detection_audio(windows: list[SpeechWindow]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.concatenate([window.audio for window in windows])[: DETECTION_AUDIO_SECONDS * SAMPLE_RATE]


class _Channel:
    """What is known of one channel: its speech, the windows on their way, and what they were put together to."""

    def __init__(self, assembler: Assembler) -> None:
        self.cutter = SpeechCutter()
        self.assembler = assembler
        self.windows: deque[SpeechWindow] = deque()
        """Windows that are not done, in order."""

    @property
    def processed(self) -> float:
        """Seconds of the recording before which nothing is left to be done."""
        return self.windows[0].start if self.windows else self.cutter.settled

    @property
    def settled(self) -> float:
        """Seconds of the recording before which nothing more begins."""
        held = self.assembler.held_since
        return self.processed if held is None else min(held, self.processed)


@dataclass(frozen=True)
class _Work:
    """Windows at the engine."""

    windows: tuple[tuple[_Channel, SpeechWindow], ...]
    transcripts: Future[tuple[WindowTranscript, ...]]


class _Run:
    """The transcription of one file."""

    def __init__(
        self,
        workers: FairWorkers,
        gate: SilenceGate,
        speaker_models: SpeakerModels,
        engine: SpeechEngine,
        decoding: DecodingOptions,
        options: TranscriptionOptions,
        token: CancelToken,
    ) -> None:
        self._gate = gate
        self._engine = engine
        self._decoding = decoding
        self._options = options
        self._token = token
        self._workers = workers
        self._at_once = workers.count
        self._lane = workers.lane()
        self._changed = threading.Condition()
        self._decoder: DecodingAhead | None = None
        self._speakers: SpeakerFinder | None = None
        if options.diarization is not None:
            self._speakers = SpeakerFinder(speaker_models, options.diarization, workers.lane(at_once=1))
            # Segments are cut between words where the speaker changes.
            self._decoding = replace(decoding, word_timestamps=True)
        self._keeps_words = decoding.word_timestamps
        self._channels: list[_Channel] = []
        self._undetected: deque[tuple[_Channel, SpeechWindow]] = deque()
        self._ready: deque[tuple[_Channel, SpeechWindow]] = deque()
        self._work: deque[_Work] = deque()
        self._detection: Future[tuple[Language, ...]] | None = None
        self._language_known = decoding.language is not None or options.language_per_window
        self._detecting = False
        self._flushed = False
        self._events: list[Event] = []
        self._timeline = Timeline()
        self._first_pass: list[Segment] = []
        self._removals: list[Removal] = []
        self._processed = 0.0
        self._speech_seconds = 0.0
        self._segments = 0
        self._batches = 0
        self._halved = False

    def events(self, open_media: Callable[[], AudioDecoder]) -> Iterator[Event]:
        started = time.monotonic()
        self._decoder = decoder = DecodingAhead(open_media, self._token, self._changed)
        decoder.start()
        self._wait(lambda: decoder.properties is not None or decoder.ended)
        self._raise_decoding_error(decoder)
        assert decoder.properties is not None, "a file that could not be opened raised an error"
        yield decoder.properties
        if self._decoding.language is not None:
            yield Language(self._decoding.language, 1.0)
        while not self._flushed or self._work or self._ready or self._detecting:
            self._step(decoder)
            yield from self._new_events(decoder)
        for channel in self._channels:
            self._timeline.add(channel.assembler.flush())
        yield from self._settled(float("inf"))
        if self._speakers is not None:
            yield from self._second_pass(self._speakers)
        yield Progress(decoder.seconds, decoder.seconds)
        yield Stats(
            audio_seconds=decoder.seconds,
            speech_seconds=self._speech_seconds,
            processing_seconds=time.monotonic() - started,
            segment_count=self._segments,
            model=self._engine.model,
            damages=decoder.damages,
        )

    def stop(self) -> None:
        """Drops what waits, and returns when nothing of this file is in work."""
        self._token.cancel()
        with self._changed:
            self._changed.notify_all()
        self._lane.close()
        if self._speakers is not None:
            self._speakers.close()
        if self._decoder is not None:
            self._decoder.join()

    def _step(self, decoder: DecodingAhead) -> None:
        """Waits for the next thing that can be done, and does it."""

        def can_go_on() -> bool:
            return (
                self._oldest_is_done
                or (self._detection is not None and self._detection.done())
                or decoder.error is not None
                or (decoder.ended and not decoder.blocks and not self._flushed)
                or (bool(decoder.blocks) and self._has_room)
            )

        self._wait(can_go_on)
        self._raise_decoding_error(decoder)
        if self._oldest_is_done:
            self._finish(self._work.popleft())
        elif self._detection is not None and self._detection.done():
            detected, self._detection = self._detection.result(), None
            self._learn_language(detected[0])
        elif decoder.blocks and self._has_room:
            with self._changed:
                block = decoder.take()
            self._feed(block)
        elif decoder.ended and not decoder.blocks and not self._flushed:
            self._flush()
        self._detect_language()
        self._submit()

    @property
    def _oldest_is_done(self) -> bool:
        return bool(self._work) and self._work[0].transcripts.done()

    @property
    def _has_room(self) -> bool:
        speakers_have_room = self._speakers is None or self._speakers.has_room
        return speakers_have_room and not self._detecting and len(self._ready) < self._at_once * MAX_BATCH

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            while True:
                self._token.raise_if_cancelled()
                if condition():
                    return
                self._changed.wait(CANCEL_POLL_SECONDS)

    def _notify(self, _: Future[Any]) -> None:
        with self._changed:
            self._changed.notify_all()

    def _raise_decoding_error(self, decoder: DecodingAhead) -> None:
        if decoder.error is not None:
            raise decoder.error

    def _feed(self, block: Channels) -> None:
        if not self._channels:
            self._channels = [_Channel(self._assembler(number)) for number in range(len(block))]
        if self._speakers is not None:
            self._speakers.feed(block).add_done_callback(self._notify)
        for channel, samples in zip(self._channels, block, strict=True):
            self._admit(channel, channel.cutter.feed(samples))

    def _flush(self) -> None:
        self._flushed = True
        for channel in self._channels:
            self._admit(channel, channel.cutter.flush())

    def _assembler(self, channel: int) -> Assembler:
        return Assembler(
            self._options.post_processing,
            self._gate,
            channel=channel if self._options.separate_channels else None,
        )

    def _admit(self, channel: _Channel, windows: Iterator[SpeechWindow]) -> None:
        for window in windows:
            refusal = channel.assembler.refusal(window)
            if refusal is not None:
                self._timeline.add([refusal])
                continue
            self._speech_seconds += window.seconds
            channel.windows.append(window)
            (self._ready if self._language_known else self._undetected).append((channel, window))

    def _detect_language(self) -> None:
        """Asks for the language once there is speech enough. One window tells it as it is transcribed."""
        if self._language_known or self._detecting or not self._undetected:
            return
        windows = [window for _, window in self._undetected]
        waited = max(channel.cutter.settled for channel in self._channels) - windows[0].start
        speech = sum(window.speech_seconds for window in windows)
        if not (self._flushed or speech >= DETECTION_SPEECH_SECONDS or waited >= DETECTION_PATIENCE_SECONDS):
            return
        self._detecting = True
        if len(windows) == 1:
            self._send([self._undetected.popleft()])
        else:
            self._detection = self._lane.submit(self._engine.detect_languages, _detection_audio(windows))
            self._detection.add_done_callback(self._notify)

    def _learn_language(self, language: Language) -> None:
        self._detecting = False
        self._language_known = True
        self._decoding = replace(self._decoding, language=language.code)
        self._events.append(language)
        self._ready.extend(self._undetected)
        self._undetected.clear()

    def _submit(self) -> None:
        while self._ready and len(self._work) < self._at_once:
            size = BATCHES[self._batches] if self._batches < len(BATCHES) else MAX_BATCH
            if len(self._ready) < size:
                if not self._flushed:
                    return
                # The rest in halves, so that two cores end together.
                size = math.ceil(len(self._ready) / 2)
                if self._halved:
                    size = len(self._ready)
                self._halved = True
            self._batches += 1
            self._send(self._ready.popleft() for _ in range(size))

    def _send(self, chosen: Iterable[tuple[_Channel, SpeechWindow]]) -> None:
        windows = tuple(chosen)
        transcripts = self._lane.submit(
            self._engine.transcribe_batch,
            [window.audio for _, window in windows],
            self._decoding,
            lambda: self._token.cancelled,
            [window.voiced for _, window in windows],
        )
        transcripts.add_done_callback(self._notify)
        self._work.append(_Work(windows, transcripts))

    def _finish(self, work: _Work) -> None:
        transcripts = work.transcripts.result()
        if self._detecting:
            self._learn_language(transcripts[0].language)
        for (channel, window), transcript in zip(work.windows, transcripts, strict=True):
            language = "en" if self._decoding.translate else transcript.language.code
            channel.windows.popleft()
            segments = [replace(segment, language=language) for segment in transcript.segments]
            self._timeline.add(channel.assembler.add(window, segments))

    def _new_events(self, decoder: DecodingAhead) -> Iterator[Event]:
        events, self._events = self._events, []
        yield from events
        for channel in self._channels:
            self._timeline.add(channel.assembler.settle(channel.processed))
        if not self._channels:
            return
        yield from self._settled(min(channel.settled for channel in self._channels))
        processed = min(channel.processed for channel in self._channels)
        if processed > self._processed:
            self._processed = processed
            assert decoder.properties is not None, "blocks come after the properties"
            total = decoder.properties.duration
            yield Progress(processed, None if total is None else max(total, processed))

    def _settled(self, until: float) -> Iterator[Event]:
        for output in self._timeline.until(until):
            if self._speakers is None:
                yield self._counted(output)
            elif isinstance(output, Removal):
                self._removals.append(output)
            else:
                self._first_pass.append(output)
                yield self._counted(output)

    def _counted(self, output: Output) -> Output:
        if isinstance(output, Removal):
            return output
        self._segments += 1
        return output if self._keeps_words else replace(output, words=())

    def _second_pass(self, speakers: SpeakerFinder) -> Iterator[Event]:
        finished = speakers.finish()
        finished.add_done_callback(self._notify)
        self._wait(finished.done)
        turns = finished.result()
        segments = sorted(speakers.label(self._first_pass, turns), key=lambda segment: segment.start)
        found, labelled = numbered_by_words(turns, segments)
        yield found
        self._segments = 0
        for output in in_order(labelled, self._removals):
            yield self._counted(output)
