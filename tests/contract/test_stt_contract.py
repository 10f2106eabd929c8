"""stt.v1.SttService by a blocking client."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.remote import read_error

SOCKET = "stt"


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[stt_pb2_grpc.SttServiceStub]:
    return stt_pb2_grpc.SttServiceStub


def requests(content: bytes, **config: object) -> Iterator[stt_pb2.TranscribeRequest]:
    yield stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(**config))
    for start in range(0, len(content), 1 << 20):
        yield stt_pb2.TranscribeRequest(audio_chunk=content[start : start + (1 << 20)])


def test_transcribe(grpc_stub, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    answers = list(grpc_stub.Transcribe(requests(content, word_timestamps=True), timeout=60))
    kinds = [answer.WhichOneof("payload") for answer in answers]
    assert (kinds[0], kinds[-1]) == ("media_info", "stats")
    assert kinds.index("language") < kinds.index("segment")
    segments = [answer.segment for answer in answers if answer.HasField("segment")]
    assert [segment.index for segment in segments] == list(range(len(segments)))
    assert "what your country can do for you" in " ".join(segment.text for segment in segments)
    assert all(segment.words for segment in segments)
    assert answers[-1].stats.segment_count == len(segments)


def test_transcribe_says_who_speaks(grpc_stub, data: Path) -> None:
    content = (data / "conversation_30s.flac").read_bytes()
    diarization = stt_pb2.DiarizationConfig(speaker_count=2, return_voices=True)
    answers = list(grpc_stub.Transcribe(requests(content, diarization=diarization), timeout=120))
    kinds = [answer.WhichOneof("payload") for answer in answers]
    at = kinds.index("speakers")
    assert at > max(number for number, kind in enumerate(kinds[:at]) if kind == "segment")
    assert kinds[at + 1] == "turns"
    speakers = answers[at].speakers.speakers
    assert [speaker.label for speaker in speakers] == ["S1", "S2"]
    assert all(len(speaker.embedding) == 768 for speaker in speakers)
    labelled = [answer.segment for answer in answers[at:] if answer.HasField("segment")]
    assert [segment.index for segment in labelled] == list(range(len(labelled)))
    assert {segment.speaker for segment in labelled} == {"S1", "S2"}


def test_transcribe_channels_apart(grpc_stub, data: Path) -> None:
    content = (data / "stereo_two_channels.wav").read_bytes()
    separate = stt_pb2.CHANNEL_MODE_SEPARATE
    answers = list(grpc_stub.Transcribe(requests(content, channel_mode=separate), timeout=60))
    segments = [answer.segment for answer in answers if answer.HasField("segment")]
    assert {segment.channel for segment in segments if segment.HasField("channel")} == {0, 1}


def test_detect_language(grpc_stub, data: Path) -> None:
    content = (data / "multilingual.mp3").read_bytes()
    messages = [
        stt_pb2.DetectLanguageRequest(config=stt_pb2.DetectLanguageConfig(model="faster-whisper-base")),
        stt_pb2.DetectLanguageRequest(audio_chunk=content),
    ]
    answer = grpc_stub.DetectLanguage(iter(messages), timeout=60)
    assert len(answer.languages) == 5
    assert answer.languages[0].language == "en"
    assert answer.speech_duration.seconds >= 10


def test_streaming_recognize(grpc_stub, data: Path) -> None:
    with wave.open(str(data / "librivox_0880.wav")) as file:
        rate, samples = file.getframerate(), file.readframes(file.getnframes())
    config = stt_pb2.StreamingRecognizeConfig(
        encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hertz=rate,
        language="en",
        model="faster-whisper-base",
    )
    messages = [stt_pb2.StreamingRecognizeRequest(config=config)]
    messages += [
        stt_pb2.StreamingRecognizeRequest(audio=samples[start : start + rate // 5])
        for start in range(0, len(samples), rate // 5)
    ]
    answers = list(grpc_stub.StreamingRecognize(iter(messages), timeout=60))
    finals = [answer.result.stable_text for answer in answers if answer.result.is_final]
    assert "young man" in " ".join(finals)
    assert answers[-1].HasField("stats")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "STREAM_PROTOCOL"),
        ([stt_pb2.TranscribeRequest(audio_chunk=b"x")], "STREAM_PROTOCOL"),
        ([stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig())] * 2, "STREAM_PROTOCOL"),
        ([stt_pb2.TranscribeRequest()], "INVALID_FIELDS"),
        ([stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(language="English"))], "INVALID_FIELDS"),
        ([stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(model="../../etc"))], "INVALID_FIELDS"),
        ([stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(model="unknown"))], "MODEL_MISSING"),
        ([stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig())], "MEDIA_EMPTY"),
        (
            [stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(translate=True))],
            "UNSUPPORTED_OPTION",
        ),
    ],
)
def test_bad_streams(grpc_stub, messages: list[stt_pb2.TranscribeRequest], reason: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(grpc_stub.Transcribe(iter(messages), timeout=60))
    assert read_error(caught.value).reason == reason


def test_list_models(grpc_stub) -> None:
    models = {
        model.id: model for model in grpc_stub.ListModels(stt_pb2.ListModelsRequest(), timeout=60).models
    }
    assert models["faster-whisper-tiny.en"].is_default
    assert models["faster-whisper-tiny.en"].loaded
    assert models["faster-whisper-base"].size_bytes > 100_000_000


def test_every_rpc_was_called(called) -> None:
    service = stt_pb2.DESCRIPTOR.services_by_name["SttService"]
    assert called.methods == {method.name for method in service.methods}
