"""`recordroute live` against a server that loses connections, ends sessions and refuses them."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import types
import uuid
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from recordroute.gateway.v1 import live_pb2, live_pb2_grpc, workflow_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_cli import live_client
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.live_audio import CHUNK_BYTES, RATE, FileSource
from recordroute_runtime.errors import DomainError, InvalidInput, NotFound, StorageFull, UpstreamUnavailable
from recordroute_runtime.wire import to_duration, to_seconds

SECONDS = 1.5
CHUNKS = 15


@dataclass
class Session:
    config: live_pb2.LiveConfig
    chunks: list[bytes] = field(default_factory=list)
    events: list[live_pb2.LiveEvent] = field(default_factory=list)

    @property
    def audio(self) -> bytes:
        return b"".join(self.chunks)


@dataclass
class Live(live_pb2_grpc.LiveServiceServicer):
    """Sessions that last in memory. Each connection breaks, and each session ends, after so many chunks, where the
    lists say so."""

    library: object
    sessions: dict[str, Session] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    # By the number of the connection, from 1.
    refusals: dict[int, Exception] = field(default_factory=dict)
    marks: list[live_pb2.AddLiveBookmarkRequest] = field(default_factory=list)
    connections: int = 0

    async def StreamingTranscribe(self, request_iterator, context):
        self.connections += 1
        first = await anext(request_iterator)
        refusal = self.refusals.get(self.connections)
        if refusal is not None:
            raise refusal
        if first.HasField("config"):
            identifier, session = str(uuid.uuid4()), Session(first.config)
            self.sessions[identifier] = session
        else:
            identifier = first.resume.session_id
            if identifier not in self.sessions:
                raise NotFound("SESSION_NOT_FOUND", "there is no such session")
            session = self.sessions[identifier]
        yield self._event(session, opened=self._session(identifier))
        for missed in session.events[first.resume.after_sequence :]:
            yield live_pb2.StreamingTranscribeResponse(event=missed)
        breaks = self.breaks.pop(0) if self.breaks else None
        ends = self.ends.pop(0) if self.ends else None
        async for request in request_iterator:
            audio = request.audio
            assert audio.sequence == len(session.chunks), "a chunk is missing, or came twice"
            if audio.end_of_audio or len(session.chunks) == ends:
                reason = "" if audio.end_of_audio else "TOO_LONG"
                yield self._event(session, ended=self._ended(session, reason))
                return
            session.chunks.append(audio.audio)
            if len(session.chunks) % 5 == 0:
                yield self._caption(session, is_final=False)
                yield self._caption(session, is_final=True)
                yield self._event(session, saved_audio_sequence=len(session.chunks))
            if len(session.chunks) == breaks:
                raise UpstreamUnavailable("network")

    async def ListLiveSessions(self, request, context):
        return live_pb2.ListLiveSessionsResponse(sessions=map(self._session, self.sessions))

    async def AddLiveBookmark(self, request, context):
        self.marks.append(request)
        return live_pb2.AddLiveBookmarkResponse(position=to_duration(75))

    async def OpenLiveSession(self, request, context):
        assert request.resume.watch_only
        session = self.sessions[request.resume.session_id]
        for event in session.events:
            yield live_pb2.OpenLiveSessionResponse(event=event)

    def _session(self, identifier: str) -> live_pb2.LiveSession:
        session = self.sessions[identifier]
        return live_pb2.LiveSession(
            id=identifier,
            title=session.config.title or "2026-03-01 09:00",
            next_audio_sequence=len(session.chunks),
            audio_duration=to_duration(len(session.chunks) / 10),
            config=session.config,
        )

    def _ended(self, session: Session, reason: str) -> live_pb2.LiveEnded:
        recording = self.library.add("live.flac", session.audio)
        workflow = None if session.config.skip_workflow else self.library.begin(recording)
        return live_pb2.LiveEnded(
            recording_id=recording.id,
            workflow_id=workflow.id if workflow else "",
            reason=reason,
            next_audio_sequence=len(session.chunks),
        )

    def _caption(self, session: Session, *, is_final: bool) -> live_pb2.StreamingTranscribeResponse:
        number = len(session.chunks) // 5 - 1
        result = stt_pb2.RecognitionResult(
            utterance=number,
            is_final=is_final,
            start=to_duration(number / 2),
            end=to_duration((number + 1) / 2),
            stable_text=f"[red]Sentence {number}[/red].",
            unstable_text="" if is_final else "maybe",
        )
        return self._event(session, kept=is_final, caption=live_pb2.LiveCaption(result=result))

    @staticmethod
    def _event(session: Session, *, kept: bool = False, **values) -> live_pb2.StreamingTranscribeResponse:
        event = live_pb2.LiveEvent(sequence=len(session.events) + kept, **values)
        if kept:
            session.events.append(event)
        return live_pb2.StreamingTranscribeResponse(event=event)


@pytest.fixture
def live(gateway, library) -> Live:
    servicer = Live(library)
    library.more.append(lambda server: live_pb2_grpc.add_LiveServiceServicer_to_server(servicer, server))
    gateway.stop()
    gateway.start()
    return servicer


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of noise, played four times as fast as life."""
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(spoken())
    monkeypatch.chdir(tmp_path)
    clock = time.monotonic
    monkeypatch.setattr(
        "recordroute_cli.live_audio.time", types.SimpleNamespace(monotonic=lambda: 4 * clock())
    )
    return path


def spoken(seconds: float = SECONDS) -> bytes:
    return np.random.default_rng(1).integers(-9000, 9000, int(RATE * seconds), np.int16).tobytes()


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_file_is_recorded_with_captions_and_its_work_followed(cli, live, library, talk):
    ran = cli(
        "live", "--file", talk, "--title", "Weekly", "--folder", "work/2026", "--tag", "a", "--tag", "b",
        "--language", "en", "--word", "Kim", "--no-summary",
    )  # fmt: skip
    assert ran.code == ExitCode.OK, ran.err
    (session,) = live.sessions.values()
    assert session.audio == spoken()
    assert [len(chunk) for chunk in session.chunks] == [CHUNK_BYTES] * CHUNKS
    assert (session.config.title, session.config.folder, session.config.tags) == (
        "Weekly",
        "work/2026",
        ["a", "b"],
    )
    assert session.config.options == workflow_pb2.WorkflowOptions(
        language="en", hotwords=["Kim"], skip_summary=True
    )
    assert session.config.interim_results
    said = ran.out.splitlines()
    assert said[:3] == [
        "0:00  [red]Sentence 0[/red].",
        "0:00  [red]Sentence 1[/red].",
        "0:01  [red]Sentence 2[/red].",
    ]
    assert "maybe" not in ran.out, "words that may change are for terminals"
    (recording,) = library.recordings.values()
    assert said[3].startswith(recording.id[:8])


def test_lost_connections_lose_nothing(cli, live, talk):
    live.breaks = [3, 7, 8, 14]
    ran = cli("live", "--file", talk, "--detach", "--json")
    assert ran.code == ExitCode.OK, ran.err
    assert live.connections == 5
    (session,) = live.sessions.values()
    assert session.audio == spoken()
    events = lines(ran.out)
    finals = [
        event["result"]["stable_text"]
        for event in events
        if event["type"] == "caption" and event["result"]["is_final"]
    ]
    assert finals == [f"[red]Sentence {n}[/red]." for n in range(3)]
    assert [event["type"] for event in events].count("lost") == 4
    assert {"opened", "caption", "saved", "ended", "result"} <= {event["type"] for event in events}
    assert all(
        "sequence" in event for event in events if event["type"] in ("opened", "caption", "saved", "ended")
    )


def test_a_server_that_is_restarted_is_waited_for(cli, live, gateway, talk):
    live.breaks = [4]

    def restart() -> None:
        while not live.sessions or len(next(iter(live.sessions.values())).chunks) < 4:
            time.sleep(0.01)
        gateway.stop()
        time.sleep(0.3)
        gateway.start()

    thread = threading.Thread(target=restart)
    thread.start()
    ran = cli("live", "--file", talk, "--keep-only")
    thread.join()
    assert ran.code == ExitCode.OK, ran.err
    (session,) = live.sessions.values()
    assert session.audio == spoken()
    assert "does not answer" in ran.err


def test_a_session_that_the_server_ended_is_followed_by_another(cli, live, library, talk):
    live.ends = [6]
    ran = cli("live", "--file", talk)
    assert ran.code == ExitCode.OK, ran.err
    assert [len(session.chunks) for session in live.sessions.values()] == [6, 9]
    assert b"".join(session.audio for session in live.sessions.values()) == spoken()
    requests = {session.config.request_id for session in live.sessions.values()}
    assert len(requests) == 2
    assert "TOO_LONG" in ran.err
    assert len(library.recordings) == 2


def test_a_session_that_the_server_forgot_is_followed_by_another(cli, live, talk):
    live.breaks = [5]
    live.refusals[2] = NotFound("SESSION_NOT_FOUND", "there is no such session")
    ran = cli("live", "--file", talk, "--keep-only")
    assert len(live.sessions) == 2
    assert ran.code == ExitCode.OK, ran.err
    assert b"".join(session.audio for session in live.sessions.values()) == spoken()


def test_ctrl_c_ends_the_recording_properly(cli, live, library, talk):
    def interrupt() -> None:
        while not live.sessions or len(next(iter(live.sessions.values())).chunks) < 5:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    ran = cli("live", "--file", talk)
    thread.join()
    assert ran.code == ExitCode.OK, ran.err
    (session,) = live.sessions.values()
    assert 5 <= len(session.chunks) < CHUNKS
    assert spoken().startswith(session.audio)
    (recording,) = library.recordings.values()
    assert recording.size_bytes == len(session.audio)


def test_what_no_server_takes_is_kept_in_a_file(cli, live, talk, monkeypatch):
    live.breaks = [5]
    monkeypatch.setattr(live_client, "PATIENCE_SECONDS", 0.3)
    live.refusals = {number: UpstreamUnavailable("network") for number in range(2, 100)}
    ran = cli("live", "--file", talk)
    assert ran.code == ExitCode.FAILED
    (kept,) = talk.parent.glob("recordroute-live-*.wav")
    assert kept.name in ran.err
    with wave.open(str(kept)) as file:
        rest = file.readframes(RATE * 10)
    (session,) = live.sessions.values()
    assert session.audio + rest == spoken()


@pytest.mark.parametrize(
    "error",
    [
        StorageFull("the disk is full"),
        InvalidInput("AUDIO", "no"),
        DomainError("TOO_MANY_SESSIONS", "a user has at most 4 live sessions"),
    ],
)
def test_a_refusal_is_told_and_nothing_recorded(cli, live, talk, error):
    live.refusals[1] = error
    ran = cli("live", "--file", talk, "--json")
    assert ran.code == ExitCode.FAILED
    assert lines(ran.out)[-1]["error"]["reason"] == error.reason
    assert live.connections == 1


def test_no_server_is_said_at_once(cli, live, gateway, talk):
    gateway.stop()
    ran = cli("live", "--file", talk)
    assert ran.code == ExitCode.UNREACHABLE
    assert "recordroute up" in ran.err


@pytest.mark.parametrize(("name", "content"), [("absent.wav", None), ("text.wav", b"no audio at all")])
def test_files_that_can_not_be_played_are_told(cli, live, tmp_path, monkeypatch, name, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ran = cli("live", "--file", tmp_path / name)
    assert ran.code != ExitCode.OK
    assert name in ran.err


def test_files_are_played_at_the_speed_of_life(tmp_path, data):
    source = FileSource(data / "jfk.flac")
    begun = time.monotonic()
    chunks = source.chunks()
    first = [next(chunks) for _ in range(8)]
    assert time.monotonic() - begun > 0.75
    assert {len(chunk) for chunk in first} == {CHUNK_BYTES}
    source.stop()
    assert list(chunks) == []


# The microphone ---------------------------------------------------------------------------------------------------


class Stream:
    """A microphone that hears `spoken`, by the rules of sounddevice.RawInputStream."""

    def __init__(self, *, samplerate, channels, dtype, blocksize, device, callback):
        assert (samplerate, channels, dtype, blocksize) == (RATE, 1, "int16", RATE // 10)
        if device == "broken":
            raise PortAudioError("no such device")
        self.device, self.active, self._callback = device, False, callback
        self._rest: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def start(self) -> None:
        self.active = True
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        audio = spoken()
        for start in range(0, len(audio), CHUNK_BYTES):
            self._callback(memoryview(audio[start : start + CHUNK_BYTES]), RATE // 10, None, None)
            time.sleep(0.01)
        if self.device == "unplugged":
            self.active = False
        else:
            os.kill(os.getpid(), signal.SIGINT)

    def stop(self) -> None:
        self.active = False

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class PortAudioError(Exception):
    pass


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(RawInputStream=Stream, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def test_the_microphone_is_recorded_until_ctrl_c(cli, live, sounddevice):
    ran = cli("live", "--detach")
    assert ran.code == ExitCode.OK, ran.err
    (session,) = live.sessions.values()
    assert session.audio == spoken()


def test_a_microphone_that_is_taken_away_ends_the_recording(cli, live, library, sounddevice):
    ran = cli("live", "--device", "unplugged")
    assert ran.code == ExitCode.FAILED
    assert "taken away" in ran.err
    (session,) = live.sessions.values()
    assert session.audio == spoken()
    assert len(library.recordings) == 1


def test_a_missing_microphone_is_told_with_what_helps(cli, live, sounddevice, monkeypatch, tmp_path):
    ran = cli("live", "--device", "broken")
    assert ran.code == ExitCode.FAILED
    assert "--device" in ran.err
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "recordroute[live]" in cli("live").err
    monkeypatch.delitem(sys.modules, "sounddevice")
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "libportaudio2" in cli("live").err
    assert live.connections == 0


# Other people's sessions ------------------------------------------------------------------------------------------


def test_sessions_are_listed_marked_and_watched(cli, live, talk):
    assert "no live session" in cli("live", "list").err
    cli("live", "--file", talk, "--title", "[b]Weekly[/b]", "--keep-only")
    (identifier,) = live.sessions
    assert f"{identifier[:8]}     0:01" in cli("live", "list").out
    assert (
        lines(json.dumps(json.loads(cli("live", "list", "--json").out)))[0]["sessions"][0]["id"] == identifier
    )
    ran = cli("live", "mark", identifier[:6], "the decision", "--at", "61.5")
    assert ran.out == "marked at 1:15\n"
    (mark,) = live.marks
    assert (mark.session_id, mark.label, to_seconds(mark.position)) == (identifier, "the decision", 61.5)
    cli("live", "mark", identifier, "--json")
    assert not live.marks[1].HasField("position")
    watched = cli("live", "watch", identifier[:6])
    assert watched.out.splitlines() == [
        "0:00  [red]Sentence 0[/red].",
        "0:00  [red]Sentence 1[/red].",
        "0:01  [red]Sentence 2[/red].",
    ]
    assert cli("live", "watch", "ffff").code == ExitCode.NOT_FOUND


def test_the_terminal_shows_settled_words_and_those_that_may_change():
    import io

    from recordroute_cli.live_display import TerminalLiveDisplay
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system="truecolor", markup=False)
    with TerminalLiveDisplay(console) as display:
        display.event(live_pb2.LiveEvent(opened=live_pb2.LiveSession(id="1" * 36, title="Weekly")))
        result = stt_pb2.RecognitionResult(stable_text="we meet", unstable_text="on monday")
        display.event(live_pb2.LiveEvent(caption=live_pb2.LiveCaption(result=result)))
        before = out.getvalue()
        final = stt_pb2.RecognitionResult(is_final=True, stable_text="We meet on [Monday].\x1b[2J")
        display.event(live_pb2.LiveEvent(caption=live_pb2.LiveCaption(result=final)))
        display.lost()
    assert "we meet \x1b[90mon monday\x1b[0m" in before
    assert "We meet on [Monday]." in out.getvalue()
    assert "\x1b[2J" not in out.getvalue(), "a caption drives the terminal"
    assert "does not answer" in out.getvalue()
