"""What happened in a session, for everybody who follows it, also for those who come back."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from pathlib import Path

import structlog

from recordroute_gateway.live.records import (
    AudioSaved,
    Body,
    Caption,
    Ended,
    LiveEvent,
    SpeechChange,
    event_from_json,
    event_to_json,
    is_kept,
)

log = structlog.get_logger(__name__)

MAX_KEPT = 4096
# A loss of power can take the file's last lines with it, whose numbers clients have seen.
RESTART_GAP = 1000


class EventLog:
    """The events of one session. The kept ones also go into a file of JSON lines, so that a restart loses none; of the
    others only the newest of each kind waits for a slow watcher."""

    def __init__(self, path: Path) -> None:
        """Reads what an earlier process wrote."""
        self.path = path
        self._kept: deque[LiveEvent] = deque(maxlen=MAX_KEPT)
        self._watchers: set[_Watcher] = set()
        self._closed = False
        self._error: Exception | None = None
        self.last_sequence = 0
        # The end of the last final caption, in seconds, and the number of its utterance.
        self.captioned = 0.0
        self.utterances = 0
        if path.exists():
            for line in path.read_bytes().splitlines():
                self._load(line)
            self.last_sequence += RESTART_GAP

    def add(self, body: Body) -> None:
        """Tells everybody."""
        if self._closed:
            return
        if is_kept(body):
            self.last_sequence += 1
            event = LiveEvent(self.last_sequence, body)
            self._keep(event)
            try:
                with self.path.open("ab") as file:
                    file.write(json.dumps(event_to_json(event), ensure_ascii=False).encode() + b"\n")
            except OSError as error:
                # It costs the caption its second chance after a restart, and nothing else.
                log.warning("live event not written", path=str(self.path), error=str(error))
        for watcher in self._watchers:
            watcher.tell(body)

    def close(self, error: Exception | None = None) -> None:
        """Ends all watching: after the last event, or with an error."""
        self._closed, self._error = True, error
        for watcher in self._watchers:
            watcher.news.set()

    async def watch(self, after_sequence: int) -> AsyncGenerator[LiveEvent]:
        """Yields the kept events with higher numbers, and what happens from now on. Raises the error of `close`."""
        watcher = _Watcher()
        asked = after_sequence = min(after_sequence, self.last_sequence)
        self._watchers.add(watcher)
        try:
            while True:
                watcher.news.clear()
                for event in self._after(after_sequence):
                    after_sequence = event.sequence
                    yield event
                if self._kept and self._kept[-1].sequence > after_sequence:
                    # It came while the others were taken.
                    continue
                if self._error is not None:
                    raise self._error
                if self._closed:
                    if self._kept and self._kept[-1].sequence == asked:
                        # Whoever asks for what comes after the end is told of the end.
                        yield self._kept[-1]
                    return
                for body in watcher.take():
                    yield LiveEvent(after_sequence, body)
                await watcher.news.wait()
        finally:
            self._watchers.discard(watcher)

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def _after(self, sequence: int) -> list[LiveEvent]:
        found: list[LiveEvent] = []
        for event in reversed(self._kept):
            if event.sequence <= sequence:
                break
            found.append(event)
        return found[::-1]

    def _load(self, line: bytes) -> None:
        try:
            event = event_from_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            # A crash cut it off.
            return
        self.last_sequence = event.sequence
        self._keep(event)

    def _keep(self, event: LiveEvent) -> None:
        self._kept.append(event)
        if isinstance(event.body, Caption):
            self.captioned = max(self.captioned, event.body.end)
            self.utterances = max(self.utterances, event.body.utterance + 1)


class _Watcher:
    """What one watcher has not taken yet, apart from kept events: the newest of each kind."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._interim: Caption | None = None
        self._speech: SpeechChange | None = None
        self._saved: AudioSaved | None = None

    def tell(self, body: Body) -> None:
        match body:
            case Caption():
                # A final caption stands for the interim ones before it.
                self._interim = None if body.is_final else body
            case SpeechChange():
                self._speech = body
            case AudioSaved():
                self._saved = body
            case Ended():
                self._interim = None
            case _:
                pass
        self.news.set()

    def take(self) -> list[Body]:
        waiting: list[Body | None] = [self._speech, self._interim, self._saved]
        self._interim = self._speech = self._saved = None
        return [body for body in waiting if body is not None]
