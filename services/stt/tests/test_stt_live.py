"""StreamingRecognize over a real socket, with real audio."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import av
import grpc
import grpc.aio
import numpy as np
import pytest
from numpy.typing import NDArray
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_seconds
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.service import SttService
from recordroute_stt.settings import SttSettings

TINY = "faster-whisper-tiny.en"
BASE = "faster-whisper-base"
CHUNK_SECONDS = 0.1
PCM = stt_pb2.AUDIO_ENCODING_PCM_S16LE
SENTENCE = "librivox_0880.wav"

Decode = Callable[[Path], NDArray[np.float32]]
Requests = AsyncIterator[stt_pb2.StreamingRecognizeRequest]


@asynccontextmanager
async def serving(
    models_dir: Path, **values: object
) -> AsyncIterator[tuple[stt_pb2_grpc.SttServiceStub, SttService]]:
    values = {"model": TINY, "workers": 2, **values}
    settings = SttSettings(listen="127.0.0.1:0", drain_grace_seconds=0.5, **values)
    service = SttService(settings, CommonSettings(models_dir=models_dir))
    server = RunningServer(service, settings)
    await server.start()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        try:
            await server.loaded()
            yield stt_pb2_grpc.SttServiceStub(channel), service
        finally:
            await server.stop()


@dataclass
class Heard:
    """What came back, each with the time at which it came."""

    responses: list[tuple[float, stt_pb2.StreamingRecognizeResponse]] = field(default_factory=list)

    def of(self, kind: str) -> list[object]:
        return [getattr(r, kind) for _, r in self.responses if r.HasField(kind)]

    def results(self, *, final: bool) -> list[tuple[float, stt_pb2.RecognitionResult]]:
        return [
            (at, r.result) for at, r in self.responses if r.HasField("result") and r.result.is_final == final
        ]

    @property
    def text(self) -> str:
        return " ".join(result.stable_text for _, result in self.results(final=True))


def config(**values: object) -> stt_pb2.StreamingRecognizeRequest:
    chosen = {"encoding": PCM, "sample_rate_hertz": SAMPLE_RATE, "interim_results": True, **values}
    return stt_pb2.StreamingRecognizeRequest(config=stt_pb2.StreamingRecognizeConfig(**chosen))


def message(audio: bytes) -> stt_pb2.StreamingRecognizeRequest:
    return stt_pb2.StreamingRecognizeRequest(audio=audio)


def s16(audio: NDArray[np.float32]) -> bytes:
    return (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()


def padded(audio: NDArray[np.float32], before: float = 0.5, after: float = 1.0) -> NDArray[np.float32]:
    """Adds the noise of a quiet room before and after."""
    noise = np.random.default_rng(0)

    def room(seconds: float) -> NDArray[np.float32]:
        return noise.normal(0, 1e-4, round(seconds * SAMPLE_RATE)).astype(np.float32)

    return np.concatenate([room(before), audio, room(after)])


async def requests(
    content: bytes, *, size: int = 3200, pace: float = 0.0, first: object = None, **values: object
) -> Requests:
    """The configuration and then the audio, at once or a message each `pace` seconds."""
    yield config(**values)
    began = time.monotonic()
    for number, start in enumerate(range(0, len(content), size), 1):
        if pace:
            await asyncio.sleep(max(0.0, began + number * pace - time.monotonic()))
        yield message(content[start : start + size])


async def recognized(
    stub: stt_pb2_grpc.SttServiceStub, stream: Requests, timeout: float = 60, heard: Heard | None = None
) -> Heard:
    heard = heard or Heard()
    async for response in stub.StreamingRecognize(stream, timeout=timeout):
        heard.responses.append((time.monotonic(), response))
    return heard


async def refusal(stub: stt_pb2_grpc.SttServiceStub, *messages: object) -> tuple[grpc.StatusCode, str]:
    async def stream() -> Requests:
        for each in messages:
            yield each

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await recognized(stub, stream())
    return caught.value.code(), read_error(caught.value).reason


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not come true"
        await asyncio.sleep(0.01)


def streams(service: SttService) -> int:
    """Live streams that hold a place."""
    return service._live._capacity.streams


async def test_speech_at_its_own_pace(
    models_dir, data: Path, decode: Decode, word_error_rate, monkeypatch
) -> None:
    # Slow decodes would come more seldom.
    monkeypatch.setattr("recordroute_stt.live.session.time", SimpleNamespace(monotonic=lambda: 0.0))
    audio = padded(decode(data / SENTENCE))
    spoken_until = len(audio) / SAMPLE_RATE - 1.0
    heard = Heard()

    async def spoken() -> Requests:
        """The end of the sentence comes when the first words are heard."""
        number = 0
        async for each in requests(s16(audio), pace=CHUNK_SECONDS, word_timestamps=True):
            if number * CHUNK_SECONDS > spoken_until - 0.5:
                await until(lambda: bool(heard.of("result")))
            number += 1
            yield each

    async with serving(models_dir) as (stub, service):
        await recognized(stub, spoken(), heard=heard)
        assert streams(service) == 0
    kinds = [response.WhichOneof("payload") for _, response in heard.responses]
    assert kinds[0] == "event"
    assert kinds[-1] == "stats"
    assert kinds.count("language") == 1
    assert kinds.index("language") < kinds.index("result")

    started, ended = heard.of("event")
    assert (started.kind, ended.kind) == (
        stt_pb2.SpeechEvent.KIND_SPEECH_STARTED,
        stt_pb2.SpeechEvent.KIND_SPEECH_ENDED,
    )
    assert to_seconds(started.time) == pytest.approx(0.5, abs=0.3)
    assert to_seconds(ended.time) == pytest.approx(spoken_until, abs=0.4)

    interims, [(final_at, final)] = heard.results(final=False), heard.results(final=True)
    # How soon is measured by benchmarks/stt_live.py, and ruled by the virtual clock of test_stt_live_rules.py.
    assert interims
    for (_, one), (_, other) in itertools.pairwise(interims):
        assert other.stable_text.startswith(one.stable_text)
        assert 0 < other.stability <= 1
        assert not other.words
    assert word_error_rate("he was not an ill disposed young man", final.stable_text) <= 0.3
    assert "".join(word.text for word in final.words).strip() == final.stable_text
    times = [to_seconds(word.start) for word in final.words]
    assert times == sorted(times)
    assert to_seconds(final.start) - 0.6 <= times[0]
    assert to_seconds(final.words[-1].end) <= to_seconds(final.end) + 0.6
    assert (final.unstable_text, final.stability, final.language) == ("", 1.0, "en")
    assert final.average_log_probability < 0
    assert interims[-1][0] <= final_at

    [stats] = heard.of("stats")
    assert to_seconds(stats.audio_duration) == pytest.approx(len(audio) / SAMPLE_RATE, abs=0.01)
    assert 1 < to_seconds(stats.speech_duration) < to_seconds(stats.audio_duration)
    assert (stats.utterance_count, stats.model) == (1, TINY)


async def test_utterances_of_several_streams_at_once(
    models_dir, data: Path, decode: Decode, references, word_error_rate
) -> None:
    names = [name for name in references if name.startswith("librivox")]
    audio = padded(np.concatenate([padded(decode(data / name)) for name in names]))
    async with serving(models_dir, model=BASE) as (stub, _):
        several = await asyncio.gather(
            *(recognized(stub, requests(s16(audio), language="en")) for _ in range(3))
        )
    for heard in several:
        finals = [result for _, result in heard.results(final=True)]
        assert [result.utterance for result in finals] == [0, 1, 2]
        assert word_error_rate(" ".join(references[name] for name in names), heard.text) <= 0.15
        ends = [to_seconds(result.end) for result in finals]
        starts = [to_seconds(result.start) for result in finals]
        assert all(end <= start for end, start in zip(ends[:-1], starts[1:], strict=True))


async def test_opus_with_a_broken_packet(models_dir, data: Path, decode: Decode) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48000, "mono", "flt"
    resampler = av.AudioResampler("flt", "mono", 48000, frame_size=960)
    audio = padded(decode(data / SENTENCE))
    frame = av.AudioFrame.from_ndarray(audio[None], format="flt", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    packets = [
        bytes(p) for f in [*resampler.resample(frame), *resampler.resample(None)] for p in encoder.encode(f)
    ]
    packets[3], packets[5] = b"\xff\xff\xff\x00broken", b""

    async def stream() -> Requests:
        yield config(encoding=stt_pb2.AUDIO_ENCODING_OPUS, sample_rate_hertz=48000)
        for packet in packets:
            yield message(packet)

    async with serving(models_dir) as (stub, _):
        heard = await recognized(stub, stream())
    assert "young man" in heard.text
    [stats] = heard.of("stats")
    assert to_seconds(stats.audio_duration) == pytest.approx(len(packets) * 0.02, abs=0.15)


@pytest.mark.parametrize("size", [150, 3 << 20])
async def test_messages_of_any_size(models_dir, data: Path, decode: Decode, size: int) -> None:
    audio = padded(decode(data / SENTENCE))
    async with serving(models_dir) as (stub, _):
        heard = await recognized(stub, requests(s16(audio), size=size))
    assert "young man" in heard.text


async def test_silence_gives_nothing(models_dir) -> None:
    async with serving(models_dir) as (stub, _):
        heard = await recognized(stub, requests(s16(padded(np.zeros(0, np.float32), 10))))
        assert [response.WhichOneof("payload") for _, response in heard.responses] == ["stats"]
        nothing = await recognized(stub, requests(b""))
        assert [response.WhichOneof("payload") for _, response in nothing.responses] == ["stats"]


async def test_the_language_is_detected_and_kept(models_dir, data: Path, decode: Decode) -> None:
    german = decode(data / "multilingual.mp3")[32 * SAMPLE_RATE : 40 * SAMPLE_RATE]
    async with serving(models_dir, model=BASE) as (stub, _):
        heard = await recognized(stub, requests(s16(padded(german))))
    [language] = heard.of("language")
    assert language.language == "de"
    assert 0 < language.probability <= 1
    assert {result.language for result in heard.of("result")} == {"de"}


async def test_bad_streams_end_in_their_reason_and_the_service_goes_on(
    models_dir, data: Path, decode: Decode
) -> None:
    floats = {"encoding": stt_pb2.AUDIO_ENCODING_PCM_F32LE}
    not_a_number = np.full(800, np.nan, "<f4").tobytes()
    infinite = np.full(800, np.inf, "<f4").tobytes()
    bad = {
        "nothing": ([], "STREAM_PROTOCOL"),
        "audio first": ([message(bytes(320))], "STREAM_PROTOCOL"),
        "config twice": ([config(), config()], "STREAM_PROTOCOL"),
        "config after audio": ([config(), message(bytes(320)), config()], "STREAM_PROTOCOL"),
        "no payload": ([config(), stt_pb2.StreamingRecognizeRequest()], "INVALID_FIELDS"),
        "no encoding": ([config(encoding=0)], "INVALID_FIELDS"),
        "0 Hz": ([config(sample_rate_hertz=0)], "INVALID_FIELDS"),
        "1 MHz": ([config(sample_rate_hertz=1_000_000)], "INVALID_FIELDS"),
        "9 channels": ([config(channels=9)], "INVALID_FIELDS"),
        "odd bytes": ([config(), message(bytes(321))], "AUDIO_UNREADABLE"),
        "half a stereo sample": ([config(channels=2), message(bytes(322))], "AUDIO_UNREADABLE"),
        "NaN": ([config(**floats), message(not_a_number)], "AUDIO_UNREADABLE"),
        "infinity": ([config(**floats), message(infinite)], "AUDIO_UNREADABLE"),
        "Opus at 16 kHz": ([config(encoding=stt_pb2.AUDIO_ENCODING_OPUS)], "INVALID_FIELDS"),
        "unknown language": ([config(language="ko")], "UNSUPPORTED_LANGUAGE"),
    }
    async with serving(models_dir) as (stub, service):
        for name, (messages, reason) in bad.items():
            assert await refusal(stub, *messages) == (grpc.StatusCode.INVALID_ARGUMENT, reason), name
        missing = await refusal(stub, config(model="whisper-enormous"))
        assert missing == (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_MISSING")
        assert streams(service) == 0
        heard = await recognized(stub, requests(s16(padded(decode(data / SENTENCE)))))
        assert "young man" in heard.text


async def test_audio_that_is_no_speech_of_the_time_is_refused(models_dir) -> None:
    minute = np.random.default_rng(0).normal(0, 0.01, 60 * SAMPLE_RATE).astype(np.float32)
    async with serving(models_dir) as (stub, service):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await recognized(stub, requests(s16(minute)))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert read_error(caught.value).reason == "AUDIO_TOO_FAST"
        assert streams(service) == 0


async def test_a_message_beyond_the_limit_of_the_wire_is_refused(models_dir) -> None:
    async with serving(models_dir) as (stub, service):
        code, _ = await refusal(stub, config(), message(bytes(8 << 20)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        await until(lambda: streams(service) == 0)


async def test_the_stream_that_would_be_too_many_is_refused(models_dir, data: Path, decode: Decode) -> None:
    async with serving(models_dir, live_max_streams=1) as (stub, service):
        held = stub.StreamingRecognize(timeout=60)
        await held.write(config())
        await until(lambda: streams(service) == 1)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await recognized(stub, requests(bytes(3200)))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        error = read_error(caught.value)
        assert error.reason == "OVERLOADED"
        assert error.retry_after is not None
        await held.done_writing()
        assert [response.WhichOneof("payload") async for response in held] == ["stats"]
        heard = await recognized(stub, requests(s16(padded(decode(data / SENTENCE)))))
        assert "young man" in heard.text


async def test_a_client_that_vanishes_leaves_nothing_behind(models_dir, data: Path, decode: Decode) -> None:
    content = s16(decode(data / "jfk.flac"))
    async with serving(models_dir) as (stub, service):
        before = len(asyncio.all_tasks())
        for seconds in (0.0, 0.7, 5.0):
            call = stub.StreamingRecognize(timeout=60)
            await call.write(config())
            await call.write(message(content[: round(seconds * SAMPLE_RATE) * 2]))
            await until(lambda: streams(service) == 1)
            if seconds == 5.0:
                assert await call.read()
            call.cancel()
            await until(lambda: streams(service) == 0)
        await until(lambda: len(asyncio.all_tasks()) <= before)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stt-live")]


async def test_stopping_ends_live_streams(models_dir, data: Path, decode: Decode) -> None:
    content = s16(decode(data / "jfk.flac"))
    async with serving(models_dir) as (stub, _):
        call = stub.StreamingRecognize(timeout=60)
        await call.write(config())
        await call.write(message(content))
        assert await call.read()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stt-live")]
