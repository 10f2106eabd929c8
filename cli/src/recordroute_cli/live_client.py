"""Sends live audio to the gateway and keeps it until it is safe there, whatever happens to the connection."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import cast

import grpc
from recordroute.gateway.v1 import live_pb2
from recordroute_runtime.remote import read_error

from recordroute_cli.client import Gateway, translate
from recordroute_cli.errors import CommandError
from recordroute_cli.live_audio import RATE, SAMPLE_BYTES, Source

# An hour of speech: more than that is not kept for a server that does not answer.
MAX_KEPT_BYTES = 3600 * RATE * SAMPLE_BYTES
# How long the end waits for a server that does not answer.
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 2.0
# The session is gone: what is left begins a new one.
GONE = frozenset(("SESSION_NOT_FOUND", "SESSION_ENDED"))


@dataclass(frozen=True)
class Lost:
    """The connection is lost, and is being made again."""


@dataclass(frozen=True)
class Continued:
    """The session had ended: what comes goes into another one."""


@dataclass(frozen=True)
class Over:
    """Nothing more will happen; `error` says why if it should not be so."""

    error: CommandError | None = None


Notice = live_pb2.LiveEvent | Lost | Continued | Over


class Outgoing:
    """Audio that is not safe at the server, by number."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._first = 0
        self._bytes = 0
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether no more audio comes."""
        return self._ended

    @property
    def audio(self) -> list[bytes]:
        """What is not safe at the server."""
        with self._changed:
            return list(self._chunks)

    def add(self, chunk: bytes) -> None:
        """Adds the next chunk. Raises CommandError where too much waits already."""
        with self._changed:
            if self._bytes + len(chunk) > MAX_KEPT_BYTES:
                raise CommandError("no server has taken the audio for too long")
            self._chunks.append(chunk)
            self._bytes += len(chunk)
            self._changed.notify_all()

    def end(self) -> None:
        """Says that no more audio comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self, sequence: int, given_up: threading.Event) -> live_pb2.LiveAudio | None:
        """Waits for the chunk with a number and returns it; None where `given_up` comes first.

        The last one is empty and has the number after all others.
        """
        with self._changed:
            while not given_up.is_set():
                place = sequence - self._first
                if 0 <= place < len(self._chunks):
                    return live_pb2.LiveAudio(sequence=sequence, audio=self._chunks[place])
                if self._ended and place == len(self._chunks):
                    return live_pb2.LiveAudio(sequence=sequence, end_of_audio=True)
                self._changed.wait(POLL_SECONDS)
        return None

    def safe(self, sequence: int) -> None:
        """Forgets the chunks before a number."""
        with self._changed:
            while self._first < sequence and self._chunks:
                self._bytes -= len(self._chunks.popleft())
                self._first += 1

    def begin_anew(self) -> None:
        """Gives what is left the numbers of a new session."""
        with self._changed:
            self._first = 0


class LiveClient:
    """One recording from a source, over as many connections and, in bad times, sessions as it takes."""

    def __init__(self, gateway: Gateway, config: live_pb2.LiveConfig, source: Source) -> None:
        self._gateway = gateway
        self._config = config
        self._source = source
        self._notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self._outgoing = Outgoing()
        self._source_error: CommandError | None = None
        self._call: grpc.Call | None = None
        self._abandoned = threading.Event()
        self.session_id = ""
        self._seen = 0
        # The server has answered once: from then on it is waited for.
        self._met = False

    def start(self) -> None:
        """Begins to record and to send."""
        for work in (self._record, self._send):
            threading.Thread(target=work, name=f"live-{work.__name__}", daemon=True).start()

    def notice(self, timeout: float) -> Notice | None:
        """Returns the next thing that happened, None where nothing does in time; after Over comes nothing."""
        try:
            return self._notices.get(timeout=timeout)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Ends the recording; what has been spoken is still sent."""
        self._source.stop()

    def abandon(self) -> None:
        """Stops at once. The server makes a recording of what it has."""
        self._abandoned.set()
        self._source.stop()
        if self._call is not None:
            self._call.cancel()

    @property
    def unsent(self) -> list[bytes]:
        """The audio that is not safe at the server."""
        return self._outgoing.audio

    def _record(self) -> None:
        try:
            for chunk in self._source.chunks():
                self._outgoing.add(chunk)
        except CommandError as error:
            self._source_error = error
        finally:
            self._outgoing.end()

    def _send(self) -> None:
        try:
            self._until_ended()
        except CommandError as error:
            self._notices.put(Over(error))
        except grpc.RpcError as error:
            self._notices.put(Over(translate(error, self._gateway.address)))
        else:
            self._notices.put(Over(self._source_error))

    def _until_ended(self) -> None:
        pause, lost_since = FIRST_PAUSE_SECONDS, 0.0
        while not self._abandoned.is_set():
            try:
                with closing(self._stream()) as events:
                    for event in events:
                        pause, lost_since = FIRST_PAUSE_SECONDS, 0.0
                        self._take(event)
                        if event.HasField("ended"):
                            if self._outgoing.ended and not self._outgoing.audio:
                                return
                            self._begin_anew()
                            break
            except grpc.RpcError as error:
                remote = read_error(cast(grpc.Call, error))
                if remote.reason in GONE and self.session_id:
                    self._begin_anew()
                    continue
                if not self._met or not remote.can_retry:
                    raise
                if not lost_since:
                    lost_since = time.monotonic()
                    self._notices.put(Lost())
                elif self._outgoing.ended and time.monotonic() - lost_since > PATIENCE_SECONDS:
                    raise
                self._abandoned.wait(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _stream(self) -> Generator[live_pb2.LiveEvent]:
        """Makes one connection: yields its events, and sends what the server wants from the number that it says on."""
        over, opened = threading.Event(), threading.Event()
        wanted = 0

        def requests() -> Iterator[live_pb2.StreamingTranscribeRequest]:
            nonlocal wanted
            if self.session_id:
                resume = live_pb2.LiveResume(session_id=self.session_id, after_sequence=self._seen)
                yield live_pb2.StreamingTranscribeRequest(resume=resume)
            else:
                yield live_pb2.StreamingTranscribeRequest(config=self._config)
            while not opened.wait(POLL_SECONDS):
                if over.is_set():
                    return
            while (audio := self._outgoing.take(wanted, over)) is not None:
                wanted += 1
                yield live_pb2.StreamingTranscribeRequest(audio=audio)
                if audio.end_of_audio:
                    return

        # By it a proxy finds the replica that has the session; a new one gets the id of the request that opens it.
        place = ("x-session-id", self.session_id or self._config.request_id)
        call = self._gateway.live.StreamingTranscribe(requests(), metadata=(place,))
        self._call = call
        try:
            for response in call:
                event = response.event
                if event.HasField("opened"):
                    wanted = event.opened.next_audio_sequence
                    opened.set()
                yield event
        finally:
            over.set()
            call.cancel()

    def _take(self, event: live_pb2.LiveEvent) -> None:
        self._seen = max(self._seen, event.sequence)
        match event.WhichOneof("event"):
            case "opened":
                self._met = True
                self.session_id = event.opened.id
            case "saved_audio_sequence":
                self._outgoing.safe(event.saved_audio_sequence)
            case "ended":
                self._outgoing.safe(event.ended.next_audio_sequence)
        self._notices.put(event)

    def _begin_anew(self) -> None:
        self.session_id, self._seen = "", 0
        self._config.request_id = str(uuid.uuid4())
        self._outgoing.begin_anew()
        self._notices.put(Continued())
