"""From a file to segments: order, times, silence, cancelling, fairness."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recordroute_runtime.errors import Cancelled
from recordroute_runtime.inference import CancelToken
from recordroute_stt.assembly import Assembler, Timeline, place
from recordroute_stt.domain import Language, Removal, RemovalReason, Segment, Word
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, WindowTranscript
from recordroute_stt.gate import SilenceGate
from recordroute_stt.media import MediaProperties
from recordroute_stt.postprocess import PostProcessing
from recordroute_stt.transcription import Event, Progress, Stats, Transcriber, TranscriptionOptions
from recordroute_stt.vad import FRAME_SAMPLES
from recordroute_stt.windows import SpeechWindow

ENGLISH = DecodingOptions(language="en", beam_size=1)
DETECT = DecodingOptions(beam_size=1)


@pytest.fixture(scope="module")
def transcriber() -> Iterator[Transcriber]:
    made = Transcriber(workers=2, max_seconds=3600)
    yield made
    made.close()


def run(
    transcriber: Transcriber,
    content: bytes,
    engine,
    decoding: DecodingOptions = ENGLISH,
    token: CancelToken | None = None,
    **options,
) -> list[Event]:
    return list(
        transcriber.transcribe(
            io.BytesIO(content), engine, decoding, token or CancelToken(), TranscriptionOptions(**options)
        )
    )


def of(kind, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


def test_events_come_in_the_contracts_order(
    transcriber, tiny, long_file, references, word_error_rate
) -> None:
    events = run(transcriber, long_file, tiny, replace(DETECT, word_timestamps=True))
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
    assert stats.damages == ()


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
    events = run(transcriber, content, base, DETECT)
    (language,) = of(Language, events)
    assert language.code == "de"
    text = " ".join(segment.text for segment in of(Segment, events)).lower()
    assert {"die", "und", "der"} & set(text.split())


def test_silence_has_no_words(transcriber, base, encode) -> None:
    random = np.random.default_rng(3)
    silence = np.zeros(40 * SAMPLE_RATE, np.float32)
    hum = 0.2 * np.sin(2 * np.pi * 50 * np.arange(40 * SAMPLE_RATE) / SAMPLE_RATE)
    for audio in (silence, random.normal(0, 0.02, 40 * SAMPLE_RATE), hum):
        for decoding in (DETECT, replace(ENGLISH, language="ko")):
            events = run(transcriber, encode(audio), base, decoding)
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
    events = transcriber.transcribe(io.BytesIO(long_file), tiny, ENGLISH, token)
    while not isinstance(next(events), Segment):
        continue
    token.cancel()
    with pytest.raises(Cancelled):
        list(events)


class FakeEngine:
    """An engine that says of each window what it is told to, and notes what it was asked."""

    model = "fake"
    languages = frozenset({"en", "de"})

    def __init__(self, said: Callable[[int], tuple[Segment, ...]] = lambda _: ()) -> None:
        self.asked: list[tuple[float, DecodingOptions]] = []
        self.detections = 0
        self._said = said
        self._lock = threading.Lock()

    def detect_languages(self, audio) -> tuple[Language, ...]:
        self.detections += 1
        return (Language("de", 0.8), Language("en", 0.2))

    def transcribe_batch(self, audios, options, stopped, voiced) -> tuple[WindowTranscript, ...]:
        language = Language(options.language, 1.0) if options.language else Language("de", 0.7)
        transcripts = []
        for audio in audios:
            with self._lock:
                number = len(self.asked)
                self.asked.append((len(audio) / SAMPLE_RATE, options))
            transcripts.append(WindowTranscript(language, self._said(number)))
        return tuple(transcripts)


class StuckEngine(FakeEngine):
    """An engine whose windows last until they are told to stop, or released."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.release = threading.Event()
        self.running = 0
        self.most = 0

    def transcribe_batch(self, audios, options, stopped, voiced) -> tuple[WindowTranscript, ...]:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        while not stopped() and not self.release.wait(0.01):
            continue
        with self._lock:
            self.running -= 1
        return (WindowTranscript(Language("en", 1.0), ()),) * len(audios)


def test_cancel_leaves_no_window_in_work(transcriber, long_file) -> None:
    engine, token = StuckEngine(), CancelToken()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(run, transcriber, long_file, engine, ENGLISH, token)
        assert engine.begun.acquire(timeout=60)
        token.cancel()
        with pytest.raises(Cancelled):
            done.result(timeout=60)
    assert engine.running == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "stt-decode"]


def test_engine_that_breaks_ends_the_file(transcriber, long_file) -> None:
    def broken(_: int) -> tuple[Segment, ...]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(transcriber, long_file, FakeEngine(broken))
    assert not [thread for thread in threading.enumerate() if thread.name == "stt-decode"]


def test_one_file_uses_every_worker_and_no_more(transcriber, long_file) -> None:
    engine = StuckEngine()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(run, transcriber, long_file, engine)
        assert engine.begun.acquire(timeout=60)
        assert engine.begun.acquire(timeout=60)
        engine.release.set()
        assert of(Stats, done.result(timeout=60))
    assert engine.most == 2


def test_two_files_share_the_workers(transcriber, tiny, long_file, references, word_error_rate) -> None:
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(run, transcriber, long_file, tiny) for _ in range(2)]:
            # Not to the letter: which windows are decoded together depends on who comes first.
            text = " ".join(segment.text for segment in of(Segment, done.result()))
            assert word_error_rate(" ".join([*references.values()] * 2), text) <= 0.15


def test_one_window_tells_its_language_as_it_is_transcribed(transcriber, data: Path) -> None:
    engine = FakeEngine()
    events = run(transcriber, (data / "librivox_0880.wav").read_bytes(), engine, DETECT)
    assert of(Language, events) == [Language("de", 0.7)]
    assert engine.detections == 0
    assert [options.language for _, options in engine.asked] == [None]


def test_language_that_was_told_is_kept(transcriber, long_file) -> None:
    engine = FakeEngine()
    run(transcriber, long_file, engine, DETECT)
    assert len(engine.asked) > 1
    assert {options.language for _, options in engine.asked[engine.detections == 0 :]} == {"de"}


def test_language_can_be_told_anew_for_each_window(transcriber, base, data: Path) -> None:
    content = (data / "multilingual.mp3").read_bytes()
    events = run(transcriber, content, base, DETECT, language_per_window=True)
    assert of(Language, events) == []
    segments = of(Segment, events)
    early = {segment.language for segment in segments if segment.end < 20}
    late = {segment.language for segment in segments if segment.start > 35}
    assert (early, late) == ({"en"}, {"de"})


def test_translation_is_english(transcriber, data: Path) -> None:
    engine = FakeEngine(lambda _: (segment(),))
    options = replace(DETECT, translate=True)
    events = run(transcriber, (data / "librivox_0880.wav").read_bytes(), engine, options)
    assert [found.language for found in of(Segment, events)] == ["en"]
    assert of(Language, events) == [Language("de", 0.7)]


def test_channels_are_transcribed_apart(transcriber, base, data: Path, word_error_rate) -> None:
    content = (data / "stereo_two_channels.wav").read_bytes()
    events = run(transcriber, content, base, ENGLISH, separate_channels=True)
    segments = of(Segment, events)
    starts = [found.start for found in segments]
    assert starts == sorted(starts)
    said = [" ".join(found.text for found in segments if found.channel == channel) for channel in (0, 1)]
    left = (
        "He began a confused complaint against the wizard, who had vanished behind the curtain on the left."
    )
    assert word_error_rate(left, said[0]) <= 0.1
    assert word_error_rate("The horizon seems extremely distant.", said[1]) <= 0.2
    assert {found.channel for found in of(Segment, run(transcriber, content, base))} == {None}


def test_what_is_taken_out_is_told(transcriber, data: Path) -> None:
    """A segment that is refused comes as a removal, in its place."""
    content = (data / "librivox_0880.wav").read_bytes()
    invented = segment(
        text="la la la", average_log_probability=-2.0, compression_ratio=9.0, start=0.0, end=1.0
    )
    engine = FakeEngine(lambda _: (invented, segment(text="Young man.", start=1.5, end=2.5)))
    told = [event for event in run(transcriber, content, engine) if isinstance(event, Segment | Removal)]
    assert [type(event) for event in told] == [Removal, Segment]
    assert told[0].reason is RemovalReason.LOOP
    assert told[0].segment.text == "la la la"
    nothing = PostProcessing(silence_gate=False, remove_loops=False)
    kept = run(transcriber, content, engine, post_processing=nothing)
    assert [found.text for found in of(Segment, kept)] == ["la la la Young man."]
    assert of(Removal, kept) == []


def test_language_is_told_from_the_beginning(transcriber, base, data: Path) -> None:
    with (data / "multilingual.mp3").open("rb") as file:
        found = transcriber.detect_language(file, base, CancelToken(), audio_stream=None)
        assert file.tell() < file.seek(0, io.SEEK_END)
    assert found.languages[0].code == "en"
    assert found.languages[0].probability > 0.5
    assert 10 <= found.speech_seconds < 40


def test_silence_has_no_language(transcriber, base, encode) -> None:
    silence = io.BytesIO(encode(np.zeros(5 * SAMPLE_RATE, np.float32)))
    found = transcriber.detect_language(silence, base, CancelToken(), audio_stream=None)
    assert (found.languages, found.speech_seconds) == ((), 0.0)


def window(voiced: slice) -> SpeechWindow:
    frames = np.zeros(313, np.bool_)
    frames[voiced] = True
    return SpeechWindow(100.0, np.zeros(313 * FRAME_SAMPLES, np.float32), frames, frames.astype(np.float32))


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


def assembled(*windows: tuple[SpeechWindow, list[Segment]], **steps: bool) -> list[Segment | Removal]:
    assembler = Assembler(PostProcessing(**steps), SilenceGate())
    outputs = [output for here, segments in windows for output in assembler.add(here, segments)]
    return [*outputs, *assembler.flush()]


def test_pieces_of_a_sentence_are_joined_across_windows() -> None:
    here, there = window(slice(0, 300)), replace(window(slice(0, 300)), start=110.0)
    said = (
        (here, [segment(text="He was not", start=8.0, end=9.9)]),
        (
            there,
            [segment(text="an ill man.", start=0.1, end=2.0)],
        ),
    )
    (joined,) = assembled(*said, silence_gate=False)
    assert (joined.text, joined.start, joined.end) == ("He was not an ill man.", 108.0, 112.0)
    apart = assembled(*said, silence_gate=False, merge_segments=False)
    assert [piece.text for piece in apart] == ["He was not", "an ill man."]


def test_held_piece_is_given_when_nothing_can_join_it() -> None:
    assembler = Assembler(PostProcessing(silence_gate=False), SilenceGate())
    here = window(slice(0, 300))
    assert list(assembler.add(here, [segment(text="He was not", start=0.0, end=5.0)])) == []
    assert assembler.held_since == 100.0
    assert list(assembler.settle(105.5)) == []
    assert [output.text for output in assembler.settle(120.0)] == ["He was not"]
    assert assembler.held_since is None


def test_channels_are_put_in_the_order_of_time() -> None:
    timeline = Timeline()
    timeline.add([segment(start=5.0, text="c"), segment(start=9.0, text="d")])
    timeline.add([segment(start=1.0, text="a"), segment(start=4.0, text="b")])
    assert [output.text for output in timeline.until(6.0)] == ["a", "b", "c"]
    assert [output.text for output in timeline.until(float("inf"))] == ["d"]


def test_segments_stay_within_their_window_and_behind_the_last() -> None:
    here = window(slice(10, 60))
    words = (Word(" a", -1.0, 3.0, 0.5), Word(" b", 9.0, 99.0, 0.5))
    placed = place(segment(start=-1.0, end=99.0, words=words), here, not_before=101.0)
    assert (placed.start, placed.end) == (101.0, here.end)
    assert [(word.start, word.end) for word in placed.words] == [(101.0, 103.0), (109.0, here.end)]
    late = place(segment(start=0.0, end=0.5), here, not_before=101.0)
    assert (late.start, late.end) == (101.0, 101.0)
