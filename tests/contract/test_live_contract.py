"""LiveService by a blocking client: one session from its first chunk to its recording, and what is refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import grpc
import pytest
from recordroute.gateway.v1 import live_pb2, live_pb2_grpc
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.remote import read_error
from recordroute_runtime.wire import to_seconds

SOCKET = None
RATE = 16_000
NOBODY = str(uuid.uuid4())


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[live_pb2_grpc.LiveServiceStub]:
    return live_pb2_grpc.LiveServiceStub


def config() -> live_pb2.LiveConfig:
    return live_pb2.LiveConfig(
        request_id=str(uuid.uuid4()),
        encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hertz=RATE,
        interim_results=True,
        skip_workflow=True,
    )


def speech(path: Path, seconds: float) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        audio = b"".join(
            bytes(part.planes[0])[: part.samples * 2]
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        )
    return audio[: round(seconds * RATE) * 2]


def test_a_session_by_pushes(grpc_stub, data: Path) -> None:
    events = grpc_stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=config()), timeout=60)
    session_id = next(events).event.opened.id
    listed = grpc_stub.ListLiveSessions(live_pb2.ListLiveSessionsRequest(), timeout=60).sessions
    assert session_id in [session.id for session in listed]
    audio = speech(data / "jfk.flac", 5.0)
    pieces = [audio[start : start + 6400] for start in range(0, len(audio), 6400)]
    for sequence, piece in enumerate([*pieces, b""]):
        chunk = live_pb2.LiveAudio(sequence=sequence, audio=piece, end_of_audio=sequence == len(pieces))
        if chunk.end_of_audio:
            mark = live_pb2.AddLiveBookmarkRequest(request_id=str(uuid.uuid4()), session_id=session_id)
            assert to_seconds(grpc_stub.AddLiveBookmark(mark, timeout=60).position) == pytest.approx(5.0)
        request = live_pb2.PushLiveAudioRequest(session_id=session_id, audio=chunk)
        assert grpc_stub.PushLiveAudio(request, timeout=60).next_audio_sequence == sequence + 1
    rest = [response.event for response in events]
    assert rest[-1].ended.recording_id
    said = [event.caption.result.stable_text for event in rest if event.caption.result.is_final]
    assert "fellow americans" in " ".join(said).lower()


def test_a_session_in_one_stream(grpc_stub, data: Path) -> None:
    messages = [live_pb2.StreamingTranscribeRequest(config=config())]
    audio = live_pb2.LiveAudio(audio=speech(data / "jfk.flac", 1.0), end_of_audio=True)
    messages.append(live_pb2.StreamingTranscribeRequest(audio=audio))
    *_, last = grpc_stub.StreamingTranscribe(iter(messages), timeout=60)
    assert last.event.ended.next_audio_sequence == 1


def test_refusals(grpc_stub) -> None:
    resume = live_pb2.LiveResume(session_id=NOBODY)
    audio = live_pb2.LiveAudio(audio=b"ab")

    def reason(call: Callable[[], Any]) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            # A stream tells it to whoever reads.
            list(call())
        return read_error(caught.value).reason

    opening = live_pb2.OpenLiveSessionRequest(resume=resume)
    assert reason(lambda: grpc_stub.OpenLiveSession(opening, timeout=60)) == "SESSION_NOT_FOUND"
    stream = [live_pb2.StreamingTranscribeRequest(audio=audio)]
    assert reason(lambda: grpc_stub.StreamingTranscribe(iter(stream), timeout=60)) == "STREAM_PROTOCOL"
    push = live_pb2.PushLiveAudioRequest(session_id=NOBODY, audio=audio)
    assert reason(lambda: grpc_stub.PushLiveAudio(push, timeout=60)) == "SESSION_NOT_FOUND"
    mark = live_pb2.AddLiveBookmarkRequest(request_id=NOBODY, session_id=NOBODY)
    assert reason(lambda: grpc_stub.AddLiveBookmark(mark, timeout=60)) == "SESSION_NOT_FOUND"
    assert (
        reason(lambda: grpc_stub.PushLiveAudio(live_pb2.PushLiveAudioRequest(), timeout=60))
        == "INVALID_FIELDS"
    )


def test_every_rpc_was_called(called) -> None:
    service = live_pb2.DESCRIPTOR.services_by_name["LiveService"]
    assert {method.name for method in service.methods} <= called.methods
