"""One live stream with an engine that the test controls, without a wire."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from recordroute_stt.domain import Language, Segment
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Samples, Voiced, WindowTranscript
from recordroute_stt.live.audio_input import AudioEncoding, open_audio_input
from recordroute_stt.live.capacity import LiveCapacity, Pace
from recordroute_stt.live.decoding import DecodeQueue
from recordroute_stt.live.endpointing import Endpointer, SpeechEnded, SpeechStarted
from recordroute_stt.live.recognizer import RecognitionOptions, Recognizer, Result
from recordroute_stt.live.session import LiveSession, LiveStats

MESSAGE = 1600


class ScriptedEngine:
    """Hears a word for each half second of audio. Decodes wait while `hold` is set."""

    model = "scripted"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.decodes = 0
        self.stopped = False
        self.error: Exception | None = None

    def detect_languages(self, audio: Samples) -> tuple[Language, ...]:
        return (Language("en", 1.0),)

    def transcribe(
        self,
        audio: Samples,
        options: DecodingOptions,
        stopped: Callable[[], bool],
        voiced: Voiced | None = None,
    ) -> WindowTranscript:
        self.decodes += 1
        while not self.go.wait(0.01):
            if stopped():
                self.stopped = True
                break
        if self.error is not None:
            raise self.error
        seconds = len(audio) / SAMPLE_RATE
        text = " ".join(f"word{i}" for i in range(round(seconds * 2)))
        return WindowTranscript(
            Language("en", 1.0), (Segment(0.0, seconds, text, -0.1, 0.0, 1.0, language="en"),)
        )

    def transcribe_batch(
        self,
        audios: Sequence[Samples],
        options: DecodingOptions,
        stopped: Callable[[], bool],
        voiced: Sequence[Voiced | None] | None = None,
    ) -> tuple[WindowTranscript, ...]:
        raise AssertionError("live streams decode one window at a time")

    def close(self) -> None:
        pass


def loudness(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Takes what is loud as speech."""
    return (np.abs(frames).max(axis=1) > 0.05).astype(np.float32)


def voice(seconds: float) -> NDArray[np.float32]:
    """A tone that glides as a voice does: the gate lets it pass."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 1.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    tone = sum(np.sin(n * phase) / n for n in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    return (0.2 * tone).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def messages(audio: NDArray[np.float32]) -> list[bytes]:
    content = (np.clip(audio, -1, 1) * 32767).astype("<i2")
    return [content[start : start + MESSAGE].tobytes() for start in range(0, len(content), MESSAGE)]


class Speaker:
    """Audio that is said when the test says so."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, audio: NDArray[np.float32]) -> None:
        for message in messages(audio):
            self._queue.put_nowait(message)

    def end(self) -> None:
        self._queue.put_nowait(None)

    @property
    def unheard(self) -> int:
        return self._queue.qsize()

    async def messages(self) -> AsyncIterator[bytes]:
        while (message := await self._queue.get()) is not None:
            yield message


@pytest.fixture
async def queue() -> AsyncIterator[DecodeQueue]:
    made = DecodeQueue(2)
    yield made
    await made.close()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def open_session(engine: ScriptedEngine, queue: DecodeQueue) -> Callable[[], LiveSession]:
    def opened() -> LiveSession:
        options = RecognitionOptions(language="en")
        return LiveSession(
            open_audio_input(AudioEncoding.PCM_S16LE, rate=SAMPLE_RATE, channels=1),
            Recognizer(options, endpointer=Endpointer(options.endpoint_silence, detector=loudness)),
            engine,
            queue,
            LiveCapacity(workers=2, max_streams=8),
        )

    return opened


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it has not come true"
        await asyncio.sleep(0.005)


def is_idle(session: LiveSession) -> bool:
    recognizer = session._recognizer
    return recognizer.wanted is None and recognizer._running is None


async def test_results_come_while_the_stream_goes_on(open_session) -> None:
    speaker = Speaker()
    async with asyncio.timeout(60), aclosing(open_session().results(speaker.messages())) as events:
        speaker.say(np.concatenate([silence(0.5), voice(1.0)]))
        assert isinstance(await anext(events), SpeechStarted)
        assert isinstance(await anext(events), Language)
        interim = await anext(events)
        assert isinstance(interim, Result)
        assert not interim.is_final
        speaker.say(silence(1))
        rest: list[object] = []
        while not (isinstance(event := await anext(events), Result) and event.is_final):
            rest.append(event)
        assert event.stable.startswith("word0 word1")
        speaker.end()
        rest += [each async for each in events]
    assert [type(each) for each in rest if not isinstance(each, Result)] == [SpeechEnded, LiveStats]


async def test_a_reader_that_stalls_gets_every_final_and_no_stale_interim(
    open_session, engine, monkeypatch
) -> None:
    # Slow decodes would come more seldom.
    monkeypatch.setattr("recordroute_stt.live.session.time", SimpleNamespace(monotonic=lambda: 0.0))
    speaker = Speaker()
    session = open_session()
    async with asyncio.timeout(60), aclosing(session.results(speaker.messages())) as events:
        speaker.say(np.concatenate([silence(0.3), voice(0.5)]))
        assert isinstance(await anext(events), SpeechStarted)
        # Nobody reads any more while three utterances are spoken bit by bit, and a fourth begins.
        for _ in range(3):
            for said in [*[voice(0.6)] * 6, silence(1)]:
                speaker.say(said)
                await until(lambda: not speaker.unheard and is_idle(session))
        assert engine.decodes >= 9
        speaker.say(voice(1.5))
        speaker.end()
        results = [event async for event in events if isinstance(event, Result)]
    assert [result.utterance for result in results if result.is_final] == [0, 1, 2, 3]
    interims = [result for result in results if not result.is_final]
    assert len(interims) <= 1
    # One that is left is newer than every final before it.
    assert all(result.utterance == 3 for result in interims)


async def test_audio_waits_in_the_connection_while_the_engine_is_busy(
    open_session, engine, monkeypatch
) -> None:
    engine.go.clear()
    speaker = Speaker()
    session = open_session()
    # That it comes too fast is another rule.
    monkeypatch.setattr(session, "_pace", Pace(itertools.count(0, 1000).__next__))
    async with asyncio.timeout(60), aclosing(session.results(speaker.messages())) as events:
        speaker.say(np.concatenate([voice(7), silence(0.7)]))
        assert isinstance(await anext(events), SpeechStarted)
        for _ in range(8):
            speaker.say(np.concatenate([voice(7), silence(0.7)]))
        await until(lambda: speaker.unheard < 9 * 77)
        await asyncio.sleep(0.1)
        held = speaker.unheard
        assert held > 100
        engine.go.set()
        speaker.end()
        finals = [event async for event in events if isinstance(event, Result) and event.is_final]
    assert len(finals) >= 9


async def test_an_engine_that_fails_ends_the_stream_with_its_error(open_session, engine) -> None:
    engine.error = RuntimeError("out of memory")
    speaker = Speaker()
    speaker.say(np.concatenate([silence(0.3), voice(1)]))
    async with asyncio.timeout(60), aclosing(open_session().results(speaker.messages())) as events:
        with pytest.raises(RuntimeError, match="out of memory"):
            _ = [event async for event in events]


async def test_closing_stops_the_decode_and_waits_for_it(open_session, engine) -> None:
    engine.go.clear()
    speaker = Speaker()
    before = len(asyncio.all_tasks())
    async with asyncio.timeout(60), aclosing(open_session().results(speaker.messages())) as events:
        speaker.say(np.concatenate([silence(0.3), voice(1)]))
        assert isinstance(await anext(events), SpeechStarted)
        await until(lambda: engine.decodes == 1)
    assert engine.stopped
    assert len(asyncio.all_tasks()) == before
