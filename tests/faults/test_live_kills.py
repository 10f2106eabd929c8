"""SIGKILL while somebody speaks: at most the last second is missing, and what was said becomes a recording."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import grpc
import pytest
from recordroute.gateway.v1 import library_pb2, live_pb2, live_pb2_grpc, workflow_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.wire import to_seconds

RATE = 16_000
CHUNK_BYTES = RATE // 10 * 2
IDLE_SECONDS = 3


@pytest.fixture(scope="module")
def live_system(make_system):
    """A system whose sessions wait for their client for three seconds only."""
    running = make_system(RECORDROUTE_GATEWAY_LIVE_IDLE_SECONDS=str(IDLE_SECONDS))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def chunks(data: Path) -> list[bytes]:
    """Eleven seconds of speech, 100 ms each."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    audio = b""
    with av.open(str(data / "jfk.flac")) as container:
        for frame in container.decode(audio=0):
            audio += b"".join(bytes(part.planes[0])[: part.samples * 2] for part in resampler.resample(frame))
    return [audio[start : start + CHUNK_BYTES] for start in range(0, len(audio), CHUNK_BYTES)]


class Speaker:
    """A browser: opens a session, pushes in real time, and sends again what it is not told to be there."""

    def __init__(self, system, chunks: list[bytes]) -> None:
        self._system = system
        self._chunks = chunks
        self._stub = live_pb2_grpc.LiveServiceStub(system.channel())
        config = live_pb2.LiveConfig(
            request_id=str(uuid.uuid4()),
            encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
            sample_rate_hertz=RATE,
            options=workflow_pb2.WorkflowOptions(skip_summary=True, skip_speakers=True),
        )
        self._stream = self._stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(config=config))
        self.session_id = next(self._stream).event.opened.id
        self.sequence = self.acknowledged = 0

    def push(self, audio: bytes, *, last: bool = False) -> None:
        audio = live_pb2.LiveAudio(sequence=self.sequence, audio=audio, end_of_audio=last)
        request = live_pb2.PushLiveAudioRequest(session_id=self.session_id, audio=audio)
        self.acknowledged = self._stub.PushLiveAudio(request, timeout=60).next_audio_sequence
        self.sequence += 1

    def speak(self, first: int, end: int) -> None:
        """Pushes chunks as they are spoken."""
        begun = time.monotonic()
        for sequence in range(first, end):
            time.sleep(max(0.0, begun + (sequence - first) / 10 - time.monotonic()))
            self.push(self._chunks[sequence])

    def come_back(self, after: int = 0) -> live_pb2.LiveSession:
        self._system.close_channels()
        self._stub = live_pb2_grpc.LiveServiceStub(self._system.channel())
        resume = live_pb2.LiveResume(session_id=self.session_id, after_sequence=after)
        self._stream = self._stub.OpenLiveSession(live_pb2.OpenLiveSessionRequest(resume=resume))
        opened = next(self._stream).event.opened
        self.sequence = opened.next_audio_sequence
        return opened

    def events(self) -> Iterator[live_pb2.LiveEvent]:
        with suppress(grpc.RpcError):
            for response in self._stream:
                yield response.event


def transcript(system, recording_id: str) -> str:
    request = library_pb2.GetTranscriptRequest(recording_id=recording_id)
    answer = system.library.GetTranscript(request, timeout=60)
    return " ".join(segment.text for segment in answer.segments).lower()


def ended_well(system, workflow_id: str) -> bool:
    return list(system.watch(workflow_id))[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED


def recordings(system) -> dict[str, library_pb2.Recording]:
    answer = system.library.ListRecordings(
        library_pb2.ListRecordingsRequest(), timeout=60, wait_for_ready=True
    )
    return {recording.id: recording for recording in answer.recordings}


def test_a_killed_gateway_loses_at_most_a_second_and_makes_the_recording_by_itself(
    live_system, chunks
) -> None:
    speaker = Speaker(live_system, chunks)
    speaker.speak(0, 50)
    live_system.kill("gateway")
    live_system.wait_until_ready()
    opened = live_pb2.OpenLiveSessionRequest(
        resume=live_pb2.LiveResume(session_id=speaker.session_id, watch_only=True)
    )
    live_system.close_channels()
    stub = live_pb2_grpc.LiveServiceStub(live_system.channel())
    *_, last = (response.event for response in stub.OpenLiveSession(opened, timeout=60))
    assert last.ended.reason == "IDLE"
    assert speaker.acknowledged == 50
    assert last.ended.next_audio_sequence >= speaker.acknowledged - 10
    recording = recordings(live_system)[last.ended.recording_id]
    assert speaker.acknowledged / 10 - 1 <= to_seconds(recording.duration) <= speaker.acknowledged / 10
    assert ended_well(live_system, last.ended.workflow_id)
    assert "fellow americans" in transcript(live_system, recording.id)


def test_a_client_that_comes_back_after_a_kill_goes_on_with_the_session(system, chunks) -> None:
    before = set(recordings(system))
    speaker = Speaker(system, chunks)
    speaker.speak(0, 40)
    system.kill("gateway")
    system.wait_until_ready()
    opened = speaker.come_back()
    assert opened.next_audio_sequence >= speaker.acknowledged - 10
    speaker.speak(opened.next_audio_sequence, len(chunks))
    speaker.push(b"", last=True)
    events = list(speaker.events())
    ended = events[-1].ended
    assert ended.reason == ""
    assert ended.next_audio_sequence == len(chunks) + 1
    captions = [event.caption.result for event in events if event.HasField("caption")]
    assert "what you can do for your country" in captions[-1].stable_text.lower().replace(",", "")
    assert to_seconds(captions[-1].end) == pytest.approx(10.5, abs=0.8)
    (made,) = set(recordings(system)) - before
    assert made == ended.recording_id
    assert ended_well(system, ended.workflow_id)
    assert "what you can do for your country" in transcript(system, made).replace(",", "")


def test_a_killed_speech_service_costs_no_audio_and_captions_come_again(system, chunks) -> None:
    speaker = Speaker(system, chunks)
    speaker.speak(0, 20)
    system.kill("stt")
    speaker.speak(20, 40)
    while not system.is_ready():
        # It pauses, and keeps the session open.
        speaker.push(b"")
        time.sleep(0.1)
    speaker.speak(40, len(chunks))
    speaker.push(b"", last=True)
    events = list(speaker.events())
    warnings = [event.warning.reason for event in events if event.HasField("warning")]
    assert warnings[0] == "CAPTIONS_INTERRUPTED"
    assert "CAPTIONS_RESUMED" in warnings
    captions = [event.caption.result for event in events if event.HasField("caption")]
    assert to_seconds(captions[-1].end) == pytest.approx(10.5, abs=0.8)
    ended = events[-1].ended
    assert to_seconds(recordings(system)[ended.recording_id].duration) == pytest.approx(11.0, abs=0.05)
    assert ended_well(system, ended.workflow_id)
    words = transcript(system, ended.recording_id)
    assert "fellow americans" in words
    assert "your country" in words
