"""stt.v1.SttService by a blocking client."""

from __future__ import annotations

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
    ],
)
def test_bad_streams(grpc_stub, messages: list[stt_pb2.TranscribeRequest], reason: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(grpc_stub.Transcribe(iter(messages), timeout=30))
    assert read_error(caught.value).reason == reason


def test_list_models(grpc_stub) -> None:
    models = {
        model.id: model for model in grpc_stub.ListModels(stt_pb2.ListModelsRequest(), timeout=10).models
    }
    assert models["faster-whisper-tiny.en"].is_default
    assert models["faster-whisper-tiny.en"].loaded
    assert models["faster-whisper-base"].size_bytes > 100_000_000


def test_every_rpc_was_called(called) -> None:
    service = stt_pb2.DESCRIPTOR.services_by_name["SttService"]
    assert called.methods == {method.name for method in service.methods}
