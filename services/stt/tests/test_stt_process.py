"""The service as its own process: health, work, stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc

SERVICE = "recordroute.stt.v1.SttService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@contextmanager
def process(socket: Path, models_dir: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "RECORDROUTE_MODELS_DIR": str(models_dir),
        "RECORDROUTE_STT_LISTEN": f"unix:{socket}",
        "RECORDROUTE_STT_MODEL": "faster-whisper-tiny.en",
        "RECORDROUTE_STT_DRAIN_GRACE_SECONDS": "0.5",
        **variables,
    }
    started = subprocess.Popen([sys.executable, "-m", "recordroute_stt"], env=environment)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def requests(content: bytes, **config: object) -> Iterator[stt_pb2.TranscribeRequest]:
    yield stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(**config))
    for start in range(0, len(content), 1 << 16):
        yield stt_pb2.TranscribeRequest(audio_chunk=content[start : start + (1 << 16)])


def health(channel: grpc.Channel) -> Iterator[int]:
    watched = health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest(service=SERVICE), timeout=60, wait_for_ready=True
    )
    for answer in watched:
        yield answer.status


def wait_for(status: int, channel: grpc.Channel) -> list[int]:
    seen = []
    for answer in health(channel):
        seen.append(answer)
        if answer == status:
            return seen
    raise AssertionError(f"health ended with {seen}")


def test_serves_and_stops(tmp_path: Path, models_dir: Path, data: Path) -> None:
    socket = tmp_path / "stt.sock"
    with process(socket, models_dir) as running, grpc.insecure_channel(f"unix:{socket}") as channel:
        seen = wait_for(SERVING, channel)
        assert set(seen[:-1]) <= {NOT_SERVING}
        stub = stt_pb2_grpc.SttServiceStub(channel)
        content = (data / "librivox_0880.wav").read_bytes()
        responses = list(stub.Transcribe(requests(content), timeout=60))
        assert any("young man" in response.segment.text for response in responses)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 0


def test_stops_while_it_transcribes(tmp_path: Path, models_dir: Path, long_file: bytes) -> None:
    socket = tmp_path / "stt.sock"
    stopped = threading.Event()

    def never_whole() -> Iterator[stt_pb2.TranscribeRequest]:
        yield from list(requests(long_file, beam_size=10))[:-1]
        stopped.wait()

    slow = {"RECORDROUTE_STT_WORKERS": "1"}
    with process(socket, models_dir, **slow) as running, grpc.insecure_channel(f"unix:{socket}") as channel:
        wait_for(SERVING, channel)
        responses = stt_pb2_grpc.SttServiceStub(channel).Transcribe(never_whole(), timeout=60)
        assert next(responses).HasField("media_info")
        running.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as caught:
            list(responses)
        stopped.set()
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        assert running.wait(timeout=60) == 0


def test_is_not_healthy_without_its_model_and_says_why(tmp_path: Path) -> None:
    socket = tmp_path / "stt.sock"
    with process(socket, tmp_path) as running, grpc.insecure_channel(f"unix:{socket}") as channel:
        assert next(health(channel)) == NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            list(stt_pb2_grpc.SttServiceStub(channel).Transcribe(requests(b"x"), timeout=60))
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "recordroute models pull faster-whisper-tiny.en" in caught.value.details()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 0
