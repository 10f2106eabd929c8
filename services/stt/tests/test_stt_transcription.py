"""From a file to segments: order, times, silence, cancelling, fairness."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from recordroute_runtime.errors import Cancelled
from recordroute_runtime.inference import CancelToken
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Language, Segment, Word
from recordroute_stt.media import MediaProperties
from recordroute_stt.transcription import Event, Progress, Stats, Transcriber, is_speech, place
from recordroute_stt.vad import FRAME_SAMPLES
from recordroute_stt.windows import SpeechWindow

GREEDY = DecodingOptions(beam_size=1)


@pytest.fixture(scope="module")
def transcriber() -> Iterator[Transcriber]:
    made = Transcriber(workers=2, max_seconds=3600)
    yield made
    made.close()


def run(transcriber, content: bytes, engine, language: str | None = "en", options=GREEDY) -> list[Event]:
    return list(transcriber.transcribe(io.BytesIO(content), engine, language, options, CancelToken()))


def of(kind, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


def test_events_come_in_the_contracts_order(
    transcriber, tiny, long_file, references, word_error_rate
) -> None:
    events = run(transcriber, long_file, tiny, None, DecodingOptions(1, word_timestamps=True))
    assert isinstance(events[0], MediaProperties)
    first_segment = next(index for index, event in enumerate(events) if isinstance(event, Segment))
    assert [type(event) for event in events[1:first_segment] if not isinstance(event, Progress)] == [Language]
    (stats,) = of(Stats, events)
    assert events[-1] is stats

    segments = of(Segment, events)
    assert stats.segment_count == len(segments)
    times = [time for segment in segments for time in (segment.start, segment.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= stats.audio_seconds
    for segment in segments:
        assert all(segment.start <= word.start <= word.end <= segment.end for word in segment.words)
    text = " ".join(segment.text for segment in segments)
    assert word_error_rate(" ".join([*references.values()] * 2), text) <= 0.15

    progress = of(Progress, events)
    processed = [item.processed for item in progress]
    assert processed == sorted(processed)
    assert (progress[-1].processed, progress[-1].total) == (stats.audio_seconds, stats.audio_seconds)
    assert stats.audio_seconds == pytest.approx(57, abs=1)
    assert stats.warnings == ()


def test_segments_come_before_the_file_is_done(transcriber, tiny, long_file) -> None:
    events = run(transcriber, long_file, tiny)
    first = next(index for index, event in enumerate(events) if isinstance(event, Segment))
    assert any(isinstance(event, Segment) for event in events[first + 1 :])
    later = [event.processed for event in events[first:] if isinstance(event, Progress)]
    assert later[0] < 40


def test_language_is_told_from_enough_speech(transcriber, base, data: Path, decode, encode) -> None:
    """The first word alone does not decide: German follows after a short English hello."""
    audio = decode(data / "multilingual.mp3")
    hello = audio[: round(1.2 * SAMPLE_RATE)]
    german = audio[30 * SAMPLE_RATE : 44 * SAMPLE_RATE]
    content = encode(np.concatenate([hello, np.zeros(5 * SAMPLE_RATE, np.float32), german]))
    events = run(transcriber, content, base, None)
    (language,) = of(Language, events)
    assert language.code == "de"
    text = " ".join(segment.text for segment in of(Segment, events)).lower()
    assert {"die", "und", "der"} & set(text.split())


def test_silence_has_no_words(transcriber, base, encode) -> None:
    random = np.random.default_rng(3)
    silence = np.zeros(40 * SAMPLE_RATE, np.float32)
    hum = 0.2 * np.sin(2 * np.pi * 50 * np.arange(40 * SAMPLE_RATE) / SAMPLE_RATE)
    for audio in (silence, random.normal(0, 0.02, 40 * SAMPLE_RATE), hum):
        for language in (None, "ko"):
            events = run(transcriber, encode(audio), base, language)
            assert of(Segment, events) == []
            assert of(Stats, events)[0].speech_seconds == 0
            assert of(Progress, events)[-1].processed == pytest.approx(40, abs=0.1)


def test_one_second_is_enough(transcriber, tiny, data: Path, decode, encode) -> None:
    audio = decode(data / "jfk.flac")[round(3.2 * SAMPLE_RATE) : round(4.2 * SAMPLE_RATE)]
    (segment,) = of(Segment, run(transcriber, encode(audio), tiny))
    assert "ask" in segment.text.lower()
    assert segment.end <= 1.0


@pytest.mark.parametrize(
    ("layout", "channels", "rate"), [("stereo", 2, 44100), ("5.1", 6, 96000), ("mono", 1, 8000)]
)
def test_odd_formats_are_understood(
    layout, channels, rate, transcriber, tiny, data: Path, encode, references, word_error_rate
) -> None:
    import av

    resampler = av.AudioResampler("fltp", "mono", rate)
    with av.open(data / "jfk.flac") as file:
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    audio = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    content = encode(np.tile(audio, (channels, 1)), layout=layout, rate=rate)
    segments = of(Segment, run(transcriber, content, tiny))
    assert word_error_rate(references["jfk.flac"], " ".join(segment.text for segment in segments)) <= 0.1


def test_cancel_stops_between_windows(transcriber, tiny, long_file) -> None:
    token = CancelToken()
    events = transcriber.transcribe(io.BytesIO(long_file), tiny, "en", GREEDY, token)
    while not isinstance(next(events), Segment):
        continue
    token.cancel()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        list(events)
    assert time.monotonic() - started < 5


class StuckEngine:
    """An engine whose windows last until they are told to stop, or released."""

    model = "stuck"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.release = threading.Event()
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def detect_language(self, audio) -> Language:
        return Language("en", 1.0)

    def transcribe(self, audio, language, options, stopped) -> list[Segment]:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        while not stopped() and not self.release.wait(0.01):
            continue
        with self._lock:
            self.running -= 1
        return []

    def close(self) -> None:
        self.release.set()


def test_cancel_leaves_no_window_in_work(transcriber, long_file) -> None:
    engine, token = StuckEngine(), CancelToken()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(
            lambda: list(transcriber.transcribe(io.BytesIO(long_file), engine, "en", GREEDY, token))
        )
        assert engine.begun.acquire(timeout=10)
        token.cancel()
        with pytest.raises(Cancelled):
            done.result(timeout=10)
    assert engine.running == 0


def test_one_file_uses_every_worker_and_no_more(transcriber, long_file) -> None:
    engine = StuckEngine()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(run, transcriber, long_file, engine)
        assert engine.begun.acquire(timeout=10)
        assert engine.begun.acquire(timeout=10)
        engine.release.set()
        assert of(Stats, done.result(timeout=10))
    assert engine.most == 2


def test_two_files_share_the_workers(transcriber, tiny, long_file) -> None:
    with ThreadPoolExecutor(2) as threads:
        one, two = (threads.submit(run, transcriber, long_file, tiny) for _ in range(2))
        first = [segment.text for segment in of(Segment, one.result())]
        assert first == [segment.text for segment in of(Segment, two.result())]
    assert first


def window(voiced: slice) -> SpeechWindow:
    frames = np.zeros(313, np.bool_)
    frames[voiced] = True
    return SpeechWindow(100.0, np.zeros(313 * FRAME_SAMPLES, np.float32), frames)


def segment(**values) -> Segment:
    made = {
        "start": 0.0,
        "end": 2.0,
        "text": "Thank you.",
        "average_log_probability": -0.3,
        "no_speech_probability": 0.1,
        "compression_ratio": 1.0,
    }
    return Segment(**{**made, **values})


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({}, True),
        ({"no_speech_probability": 0.9}, True),
        ({"average_log_probability": -1.5}, True),
        ({"average_log_probability": -1.5, "no_speech_probability": 0.9}, False),
        ({"average_log_probability": -1.5, "compression_ratio": 3.0}, False),
        ({"text": "to be or not to be " * 5, "compression_ratio": 3.0}, True),
        ({"text": " . . ."}, False),
        ({"text": "시청해 주셔서 감사합니다"}, True),
        ({"start": 6.0, "end": 8.0}, False),
    ],
)
def test_only_speech_is_kept(values, kept) -> None:
    here = window(slice(10, 60))
    assert is_speech(place(segment(**values), here, not_before=0), here) is kept


def test_segments_stay_within_their_window_and_behind_the_last() -> None:
    here = window(slice(10, 60))
    words = (Word(" a", -1.0, 3.0, 0.5), Word(" b", 9.0, 99.0, 0.5))
    placed = place(segment(start=-1.0, end=99.0, words=words), here, not_before=101.0)
    assert (placed.start, placed.end) == (101.0, here.end)
    assert [(word.start, word.end) for word in placed.words] == [(101.0, 103.0), (109.0, here.end)]
    late = place(segment(start=0.0, end=0.5), here, not_before=101.0)
    assert (late.start, late.end) == (101.0, 101.0)
