"""stt.v1.SttService over a real socket."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import numpy as np
import pytest
from google.protobuf import duration_pb2
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_seconds
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.engines.whisper import WhisperEngine
from recordroute_stt.service import SttService
from recordroute_stt.settings import SttSettings

TINY = "faster-whisper-tiny.en"
BASE = "faster-whisper-base"
CHUNK = 64 * 1024

Requests = Iterable[stt_pb2.TranscribeRequest]


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


def requests(content: bytes, chunk: int = CHUNK, **config: object) -> Requests:
    yield stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(**config))
    for start in range(0, len(content), chunk):
        yield stt_pb2.TranscribeRequest(audio_chunk=content[start : start + chunk])


async def transcribed(
    stub: stt_pb2_grpc.SttServiceStub, content: Requests, timeout: float = 60
) -> list[stt_pb2.TranscribeResponse]:
    return [response async for response in stub.Transcribe(content, timeout=timeout)]


async def refused(stub: stt_pb2_grpc.SttServiceStub, content: Requests) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await transcribed(stub, content)
    return caught.value


def text_of(responses: list[stt_pb2.TranscribeResponse]) -> str:
    return " ".join(r.segment.text for r in responses if r.HasField("segment"))


async def test_file_goes_in_and_segments_come_out(models_dir, long_file, references, word_error_rate) -> None:
    async with serving(models_dir) as (stub, _):
        responses = await transcribed(stub, requests(long_file, word_timestamps=True))
    kinds = [response.WhichOneof("payload") for response in responses]
    assert kinds[0] == "media_info"
    assert kinds[-1] == "stats"
    assert kinds.count("language") == 1
    assert kinds.index("language") < kinds.index("segment")
    info = responses[0].media_info
    assert (info.container, info.codec, info.sample_rate_hertz, info.channels) == ("flac", "flac", 16000, 1)

    segments = [response.segment for response in responses if response.HasField("segment")]
    assert [segment.index for segment in segments] == list(range(len(segments)))
    assert all(to_seconds(segment.start) <= to_seconds(segment.end) for segment in segments)
    assert all(segment.words and segment.HasField("average_log_probability") for segment in segments)
    assert word_error_rate(" ".join([*references.values()] * 2), text_of(responses)) <= 0.15

    progress = [response.progress for response in responses if response.HasField("progress")]
    assert progress[-1].processed == progress[-1].total
    stats = responses[-1].stats
    assert to_seconds(stats.audio_duration) == pytest.approx(to_seconds(info.duration), abs=0.01)
    assert 0 < to_seconds(stats.speech_duration) <= to_seconds(stats.audio_duration)
    assert to_seconds(stats.processing_time) > 0
    assert (stats.segment_count, stats.model) == (len(segments), TINY)


async def test_segments_arrive_while_the_rest_is_worked_on(models_dir, long_file, monkeypatch) -> None:
    heard, asked = threading.Event(), itertools.count()
    transcribe = WhisperEngine.transcribe_batch

    def transcribe_with_a_listener(*arguments: object) -> object:
        if next(asked) >= 2:
            assert heard.wait(60), "nothing has come of the first windows"
        return transcribe(*arguments)

    monkeypatch.setattr(WhisperEngine, "transcribe_batch", transcribe_with_a_listener)
    async with serving(models_dir, workers=1) as (stub, _):
        async for response in stub.Transcribe(requests(long_file), timeout=120):
            if response.HasField("segment"):
                heard.set()
    assert next(asked) > 2


async def test_tiny_chunks_are_fine(models_dir, data: Path) -> None:
    content = (data / "librivox_0880.wav").read_bytes()
    async with serving(models_dir) as (stub, _):
        responses = await transcribed(stub, requests(content, chunk=97))
    assert "young man" in text_of(responses)


async def test_bad_files_end_in_their_reason_and_the_service_goes_on(
    models_dir, bad_files, data: Path
) -> None:
    async with serving(models_dir) as (stub, _):
        for name, (content, reason) in {**bad_files, "nothing": (b"", "MEDIA_EMPTY")}.items():
            error = await refused(stub, requests(content))
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, name
            assert read_error(error).reason == reason, name
            assert read_error(error).message
        responses = await transcribed(stub, requests((data / "librivox_0880.wav").read_bytes()))
        assert text_of(responses)


async def test_damaged_file_is_transcribed_with_a_warning(models_dir, long_file) -> None:
    async with serving(models_dir) as (stub, _):
        responses = await transcribed(stub, requests(long_file[: len(long_file) // 3]))
    assert text_of(responses)
    stats = responses[-1].stats
    assert any("cut off" in warning for warning in stats.warnings)
    assert [damage.message for damage in stats.damages] == list(stats.warnings)
    assert any(damage.reason == "MEDIA_CUT_OFF" and damage.metadata["stated"] for damage in stats.damages)


async def test_limits_of_length_and_size(models_dir, long_file) -> None:
    async with serving(models_dir, max_audio_hours=0.01) as (stub, _):
        assert read_error(await refused(stub, requests(long_file))).reason == "MEDIA_TOO_LONG"
    async with serving(models_dir, max_file_bytes=1000) as (stub, _):
        assert read_error(await refused(stub, requests(long_file))).reason == "MEDIA_TOO_LARGE"


async def test_wrong_streams_are_refused(models_dir) -> None:
    config = stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig())
    chunk = stt_pb2.TranscribeRequest(audio_chunk=b"abc")
    async with serving(models_dir) as (stub, _):
        for stream in ([], [chunk], [config, config], [config, chunk, config]):
            assert read_error(await refused(stub, stream)).reason == "STREAM_PROTOCOL"
        assert read_error(await refused(stub, requests(b"", beam_size=99))).reason == "INVALID_FIELDS"
        assert read_error(await refused(stub, requests(b"", model="../x"))).reason == "INVALID_FIELDS"


async def test_languages_and_models_that_are_not_there(models_dir) -> None:
    async with serving(models_dir) as (stub, _):
        assert read_error(await refused(stub, requests(b"x", language="ko"))).reason == "UNSUPPORTED_LANGUAGE"
        unknown = requests(b"x", language="xq", model=BASE)
        assert read_error(await refused(stub, unknown)).reason == "UNSUPPORTED_LANGUAGE"
        missing = await refused(stub, requests(b"x", model="whisper-enormous"))
        assert missing.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert read_error(missing).reason == "MODEL_MISSING"
        assert "recordroute models pull whisper-enormous" in read_error(missing).message


async def test_models_are_listed_and_loaded_when_asked_for(models_dir, data: Path) -> None:
    async with serving(models_dir) as (stub, _):

        async def loaded() -> dict[str, tuple[bool, bool]]:
            answer = await stub.ListModels(stt_pb2.ListModelsRequest(), timeout=60)
            assert all(model.size_bytes > 0 and model.license for model in answer.models)
            return {model.id: (model.loaded, model.is_default) for model in answer.models}

        before = await loaded()
        assert before[TINY] == (True, True)
        assert before[BASE] == (False, False)
        content = (data / "librivox_0880.wav").read_bytes()
        responses = await transcribed(stub, requests(content, model=BASE))
        assert responses[-1].stats.model == BASE
        assert (await loaded())[BASE] == (True, False)


async def test_two_recordings_at_once(models_dir, data: Path, references, word_error_rate) -> None:
    names = ["jfk.flac", "librivox_0870.wav"]
    async with serving(models_dir) as (stub, _):
        both = await asyncio.gather(
            *(transcribed(stub, requests((data / name).read_bytes())) for name in names)
        )
    for name, responses in zip(names, both, strict=True):
        assert word_error_rate(references[name], text_of(responses)) <= 0.15


async def test_one_too_many_is_told_when_to_come_back(models_dir, data: Path, long_file) -> None:
    content = (data / "librivox_0880.wav").read_bytes()
    refused = asyncio.Event()

    async def whole_at_last() -> AsyncIterator[stt_pb2.TranscribeRequest]:
        *first, last = requests(long_file)
        for request in first:
            yield request
        await refused.wait()
        yield last

    async with serving(models_dir, workers=1, max_recordings=1) as (stub, _):
        working = stub.Transcribe(whole_at_last(), timeout=120)
        assert (await working.read()).HasField("media_info")
        error = await overloaded(stub, content)
        assert error is not None
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        retry_after = read_error(error).retry_after
        assert retry_after is not None
        assert retry_after.total_seconds() >= 1
        refused.set()
        assert text_of([response async for response in working])
        assert await overloaded(stub, content) is None


async def test_others_wait_for_their_turn(models_dir, data: Path) -> None:
    content = (data / "librivox_0880.wav").read_bytes()
    async with serving(models_dir, workers=1, max_recordings=4) as (stub, _):
        assert await asyncio.gather(*(overloaded(stub, content) for _ in range(4))) == [None] * 4


async def until_admitted(stub: stt_pb2_grpc.SttServiceStub, content: bytes) -> None:
    """Asks until a place is free."""
    async with asyncio.timeout(60):
        while await overloaded(stub, content) is not None:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)


async def overloaded(stub: stt_pb2_grpc.SttServiceStub, content: bytes) -> grpc.aio.AioRpcError | None:
    """Transcribes, and returns the refusal of a service that has no place."""
    try:
        responses = await transcribed(stub, requests(content))
    except grpc.aio.AioRpcError as error:
        if read_error(error).reason != "OVERLOADED":
            raise
        return error
    assert "young man" in text_of(responses)
    return None


async def test_cancel_frees_the_place(models_dir, data: Path, long_file) -> None:
    async def never_whole() -> AsyncIterator[stt_pb2.TranscribeRequest]:
        for request in list(requests(long_file))[:-1]:
            yield request
        await asyncio.Event().wait()

    async with serving(models_dir, workers=1, max_recordings=1) as (stub, _):
        # It would go on for ever.
        call = stub.Transcribe(never_whole(), timeout=600)
        async for response in call:
            if response.HasField("segment"):
                break
        call.cancel()
        await until_admitted(stub, (data / "librivox_0880.wav").read_bytes())


async def test_client_that_vanishes_in_the_upload_leaves_its_place(models_dir, data: Path) -> None:
    async with serving(models_dir, workers=1, max_recordings=1) as (stub, _):
        call = stub.Transcribe(timeout=60)
        await call.write(stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig()))
        await call.write(stt_pb2.TranscribeRequest(audio_chunk=b"RIFF"))
        call.cancel()
        await until_admitted(stub, (data / "librivox_0880.wav").read_bytes())


async def test_full_disk_is_said(models_dir, long_file, tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    async with serving(models_dir, spool_dir=tmp_path) as (stub, _):
        error = await refused(stub, requests(long_file))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert read_error(error).reason == "DISK_FULL"


async def test_segments_come_while_the_file_is_sent(models_dir, long_file) -> None:
    """The rest of the file is sent only after the first words have come."""
    heard = asyncio.Event()

    async def in_two_parts() -> AsyncIterator[stt_pb2.TranscribeRequest]:
        middle = len(long_file) * 2 // 3
        for request in requests(long_file[:middle], language="en"):
            yield request
        await heard.wait()
        for request in list(requests(long_file[middle:]))[1:]:
            yield request

    async with serving(models_dir) as (stub, _):
        responses = []
        async for response in stub.Transcribe(in_two_parts(), timeout=60):
            responses.append(response)
            if response.HasField("segment"):
                heard.set()
    assert to_seconds(responses[-1].stats.audio_duration) == pytest.approx(57, abs=1)
    assert responses[-1].stats.warnings == []


async def test_uploads_that_stall_hold_nobody_up(models_dir, data: Path, long_file) -> None:
    async with serving(models_dir, workers=1) as (stub, _):
        stalled = [stub.Transcribe(timeout=60) for _ in range(4)]
        for call in stalled:
            await call.write(stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig()))
            await call.write(stt_pb2.TranscribeRequest(audio_chunk=long_file[:100_000]))
        responses = await transcribed(stub, requests((data / "librivox_0880.wav").read_bytes()))
        assert "young man" in text_of(responses)
        for call in stalled:
            call.cancel()


async def test_options_that_a_model_does_not_have(models_dir) -> None:
    async with serving(models_dir) as (stub, _):
        for config, reason in (
            ({"translate": True}, "UNSUPPORTED_OPTION"),
            ({"language": "en", "detect_language_per_segment": True}, "INVALID_FIELDS"),
            ({"diarization": known_voice(b"\0" * 256)}, "UNSUPPORTED_OPTION"),
            ({"diarization": known_voice(b"\0" * 768)}, "UNSUPPORTED_OPTION"),
            ({"audio_stream": 300}, "INVALID_FIELDS"),
        ):
            assert read_error(await refused(stub, requests(b"x", **config))).reason == reason, config


def known_voice(embedding: bytes) -> stt_pb2.DiarizationConfig:
    return stt_pb2.DiarizationConfig(known_voices=[stt_pb2.KnownVoice(id="anna", embedding=embedding)])


async def test_audio_stream_that_is_not_there(models_dir, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    async with serving(models_dir) as (stub, _):
        error = await refused(stub, requests(content, audio_stream=1))
    assert read_error(error).reason == "NO_SUCH_AUDIO_STREAM"


async def test_each_channel_says_its_own(models_dir, data: Path, word_error_rate) -> None:
    content = (data / "stereo_two_channels.wav").read_bytes()
    async with serving(models_dir) as (stub, _):
        responses = await transcribed(
            stub, requests(content, channel_mode=stt_pb2.CHANNEL_MODE_SEPARATE, word_timestamps=True)
        )
    segments = [response.segment for response in responses if response.HasField("segment")]
    assert all(segment.HasField("channel") and segment.words for segment in segments)
    right = " ".join(segment.text for segment in segments if segment.channel == 1)
    assert word_error_rate("The horizon seems extremely distant.", right) <= 0.2


async def test_who_said_what(models_dir, data: Path) -> None:
    """The segments come twice: as they are made, then cut where the speaker changes and labelled."""
    content = (data / "conversation_30s.flac").read_bytes()
    async with serving(models_dir) as (stub, _):
        first = await transcribed(
            stub,
            requests(content, diarization=stt_pb2.DiarizationConfig(speaker_count=2, return_voices=True)),
        )
        kinds = [response.WhichOneof("payload") for response in first]
        (at,) = (number for number, kind in enumerate(kinds) if kind == "speakers")
        before = [response.segment for response in first[:at] if response.HasField("segment")]
        after = [response.segment for response in first[at:] if response.HasField("segment")]
        assert "turns" in kinds[at:]
        assert [segment.index for segment in after] == list(range(len(after)))
        assert {segment.speaker for segment in before} == {""}
        assert {segment.speaker for segment in after} == {"S1", "S2"}
        assert not any(segment.words for segment in before + after)
        said = [" ".join(segment.text for segment in segments).split() for segments in (before, after)]
        assert said[0] == said[1]
        assert first[-1].stats.segment_count == len(after)

        speakers = first[at].speakers.speakers
        assert [speaker.label for speaker in speakers] == ["S1", "S2"]
        turns = [turn for response in first for turn in response.turns.turns]
        assert {turn.speaker for turn in turns} == {"S1", "S2"}

        known = [stt_pb2.KnownVoice(id=f"voice {i}", embedding=s.embedding) for i, s in enumerate(speakers)]
        again = await transcribed(
            stub, requests(content, diarization=stt_pb2.DiarizationConfig(known_voices=known))
        )
    recognised = next(response.speakers.speakers for response in again if response.HasField("speakers"))
    assert {speaker.voice_id for speaker in recognised} >= {"voice 0", "voice 1"}
    assert all(not speaker.embedding for speaker in recognised)


async def test_each_channel_is_a_speaker(models_dir, data: Path) -> None:
    content = (data / "stereo_two_channels.wav").read_bytes()
    config = {
        "channel_mode": stt_pb2.CHANNEL_MODE_SEPARATE,
        "diarization": stt_pb2.DiarizationConfig(),
    }
    async with serving(models_dir) as (stub, _):
        responses = await transcribed(stub, requests(content, **config))
    at = next(number for number, response in enumerate(responses) if response.HasField("speakers"))
    labelled = [response.segment for response in responses[at:] if response.HasField("segment")]
    by_channel = {segment.channel: segment.speaker for segment in labelled}
    assert set(by_channel) == {0, 1}
    assert set(by_channel.values()) == {"S1", "S2"}


async def test_cancel_while_speakers_are_told_apart(models_dir, data: Path) -> None:
    content = (data / "conversation_30s.flac").read_bytes()
    async with serving(models_dir, workers=1, max_recordings=1) as (stub, _):
        call = stub.Transcribe(requests(content, diarization=stt_pb2.DiarizationConfig()), timeout=60)
        async for response in call:
            if response.HasField("segment"):
                break
        call.cancel()
        await until_admitted(stub, (data / "librivox_0880.wav").read_bytes())


async def test_language_is_told_before_the_file_is_sent(models_dir, data: Path) -> None:
    content = (data / "multilingual.mp3").read_bytes()

    async def never_ends() -> AsyncIterator[stt_pb2.DetectLanguageRequest]:
        yield stt_pb2.DetectLanguageRequest(config=stt_pb2.DetectLanguageConfig())
        for start in range(0, len(content) * 3 // 4, CHUNK):
            yield stt_pb2.DetectLanguageRequest(audio_chunk=content[start : start + CHUNK])
        await asyncio.Event().wait()

    async with serving(models_dir, model=BASE) as (stub, _):
        answer = await stub.DetectLanguage(never_ends(), timeout=60)
    assert len(answer.languages) == 5
    assert answer.languages[0].language == "en"
    probabilities = [language.probability for language in answer.languages]
    assert probabilities == sorted(probabilities, reverse=True)
    assert to_seconds(answer.speech_duration) >= 10


async def test_languages_that_can_not_be_told(models_dir, silent_video, encode) -> None:
    def asked(content: bytes, **config: object) -> list[stt_pb2.DetectLanguageRequest]:
        return [
            stt_pb2.DetectLanguageRequest(config=stt_pb2.DetectLanguageConfig(**config)),
            stt_pb2.DetectLanguageRequest(audio_chunk=content),
        ]

    silence = encode(np.zeros(2 * SAMPLE_RATE, np.float32))
    async with serving(models_dir, model=BASE) as (stub, _):
        answer = await stub.DetectLanguage(asked(silence), timeout=60)
        assert answer == stt_pb2.DetectLanguageResponse(speech_duration=duration_pb2.Duration())
        for stream, reason in (
            (asked(silent_video), "MEDIA_WITHOUT_AUDIO"),
            (asked(silence, audio_stream=1), "NO_SUCH_AUDIO_STREAM"),
            (asked(silence, model=TINY), "UNSUPPORTED_MODEL"),
            (asked(silence)[1:], "STREAM_PROTOCOL"),
            (asked(silence) + asked(silence), "STREAM_PROTOCOL"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.DetectLanguage(stream, timeout=60)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert read_error(caught.value).reason == reason


async def test_chunk_that_is_too_large(models_dir) -> None:
    async with serving(models_dir) as (stub, _):
        beyond_grpc = await refused(stub, requests(bytes(100_000_000), chunk=100_000_000))
        assert beyond_grpc.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        beyond_ours = await refused(stub, requests(bytes(3_500_000), chunk=3_500_000))
        assert read_error(beyond_ours).reason == "INVALID_FIELDS"


async def test_stop_ends_running_streams_and_frees_the_threads(models_dir, long_file) -> None:
    async with serving(models_dir, workers=1) as (stub, _):
        call = stub.Transcribe(requests(long_file), timeout=60)
        async for response in call:
            if response.HasField("segment"):
                break
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stt")]
