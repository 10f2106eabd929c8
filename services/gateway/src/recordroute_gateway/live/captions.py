"""Follows a session's audio with the speech service: captions while it can, and again when it can again.

The audio is read from the session's file, never held: what the service does not take in time costs no memory. Where
the service is away, what was said since the last final caption is given to it again when it is back; where that is
too long ago, captions go on with what is said now, and the transcript of the recording has what they miss.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import structlog

from recordroute_gateway.live.audio import Encoding
from recordroute_gateway.live.log import EventLog
from recordroute_gateway.live.records import (
    Caption,
    Heard,
    LanguageTold,
    LiveConfig,
    SpeechChange,
    Warned,
)
from recordroute_gateway.live.spool import Place, Spool, SpooledChunk, read_chunks

log = structlog.get_logger(__name__)

# What may be sent at once ahead of the pace of speech: less than the speech service allows.
LEAD_SECONDS = 20.0
# Captions that are later than this are of no use any more.
MAX_LAG_SECONDS = 30.0
# Where they go on after that.
CATCH_UP_SECONDS = 3.0
# Audio that the service may have been given and not heard when it went away.
UNHEARD_SECONDS = 1.0
UNKNOWN_SECONDS = 15.0
MESSAGE_SECONDS = 0.25
READ_BYTES = 1 << 18
FIRST_PAUSE_SECONDS = 0.25
MAX_PAUSE_SECONDS = 5.0


class CaptionsBroken(Exception):
    """The speech service does not answer, or has no room; later it may."""


class CaptionsRefused(Exception):
    """The speech service will never do this; the message is for people."""


class Recogniser(Protocol):
    """The speech service."""

    def recognise(self, config: LiveConfig, audio: AsyncIterator[bytes]) -> AsyncGenerator[Heard]:
        """Yields what is heard in `audio`, with times from its begin, until the audio has ended and everything is said.

        Raises CaptionsBroken and CaptionsRefused.
        """
        ...


class Captioner:
    """Captions of one session, told to its log."""

    def __init__(
        self, config: LiveConfig, spool: Spool, events: EventLog, recogniser: Recogniser, threads: Executor
    ) -> None:
        self._config = config
        self._spool = spool
        self._events = events
        self._recogniser = recogniser
        self._threads = threads
        self._grown = asyncio.Event()
        self._over = False
        self._given_up = False
        # After a restart of the gateway nobody knows how much of the last seconds was heard.
        self._taken = spool.place_from(max(events.captioned, spool.seconds - UNKNOWN_SECONDS))
        # When the utterance began whose final caption has not come.
        self._open_since: float | None = None
        self._language = ""
        self._interrupted = False

    @property
    def waiting_seconds(self) -> float:
        """Audio that the speech service has not taken yet, and will be given."""
        if self._given_up:
            return 0.0
        samples = self._spool.end.samples - self._taken.samples
        return min(samples / self._spool.format.rate, MAX_LAG_SECONDS)

    def grown(self) -> None:
        """There is more audio."""
        self._grown.set()

    def finish(self) -> None:
        """There will be no more audio: `run` ends with the last caption."""
        self._over = True
        self._grown.set()

    async def run(self) -> None:
        """Tells captions until the session has ended, or the speech service refuses for good."""
        pause = FIRST_PAUSE_SECONDS
        while not self._finished:
            before = self._events.captioned
            try:
                await self._stream()
                pause = FIRST_PAUSE_SECONDS
            except CaptionsRefused as error:
                self._given_up = True
                self._events.add(Warned("CAPTIONS_UNAVAILABLE", str(error)))
                return
            except CaptionsBroken as error:
                if self._events.captioned > before:
                    pause = FIRST_PAUSE_SECONDS
                self._interrupt(str(error))
                if self._over:
                    # Nobody waits for them any more.
                    return
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)

    @property
    def _finished(self) -> bool:
        return self._over and self._taken.offset >= self._spool.end.offset

    async def _stream(self) -> None:
        """Captions from where the last final one ended, until the stream ends or falls too far behind."""
        start = self._start()
        # What was said before is never said again, whatever the new stream makes of its first words.
        base, first = start.samples / self._spool.format.rate, self._events.utterances
        config = self._config
        if self._language:
            # Detected once, and kept as within one stream.
            config = replace(config, options=replace(config.options, language=self._language))
        try:
            async with (
                aclosing(self._audio(start)) as audio,
                aclosing(self._recogniser.recognise(config, audio)) as heard,
            ):
                async for item in heard:
                    self._tell(item, base, first)
            if not self._finished and self._lag <= MAX_LAG_SECONDS:
                raise CaptionsBroken("the speech service ended the captions")
        except CaptionsBroken:
            self._taken = self._unheard(start)
            raise

    @property
    def _lag(self) -> float:
        return (self._spool.end.samples - self._taken.samples) / self._spool.format.rate

    def _start(self) -> Place:
        """Returns where the next stream begins: what comes too late for captions is left out."""
        if self._lag > MAX_LAG_SECONDS:
            self._taken = self._spool.place_at(self._spool.seconds - CATCH_UP_SECONDS)
            self._events.add(
                Warned(
                    "CAPTIONS_SKIPPED", "captions go on with what is said now; the transcript will have all"
                )
            )
        self._open_since = None
        return self._taken

    def _unheard(self, start: Place) -> Place:
        """Returns from where on a stream that began at `start`, and broke, has to be given to the service again: from
        the begin of the utterance that was cut off, and nothing that has its final caption."""
        taken = self._taken.samples / self._spool.format.rate
        since = taken - UNHEARD_SECONDS if self._open_since is None else self._open_since
        places = (self._spool.place_at(since), self._spool.place_from(self._events.captioned), start)
        latest = max(places, key=lambda place: place.offset)
        return min(latest, self._taken, key=lambda place: place.offset)

    def _tell(self, item: Heard, base: float, first: int) -> None:
        if self._interrupted:
            self._interrupted = False
            self._events.add(Warned("CAPTIONS_RESUMED", "captions go on"))
        match item:
            case Caption():
                item = replace(
                    item, utterance=first + item.utterance, start=base + item.start, end=base + item.end
                )
                self._open_since = None if item.is_final else item.start
            case SpeechChange():
                item = replace(item, time=base + item.time)
                if item.started:
                    self._open_since = item.time
            case LanguageTold():
                if item.language == self._language:
                    return
                self._language = item.language
        self._events.add(item)

    def _interrupt(self, why: str) -> None:
        log.warning("captions interrupted", error=why)
        if not self._interrupted:
            self._interrupted = True
            self._events.add(
                Warned("CAPTIONS_INTERRUPTED", "captions are interrupted; the audio is saved all the same")
            )

    async def _audio(self, start: Place) -> AsyncGenerator[bytes]:
        """Yields the audio from a place on, no faster than it may come, until the session has ended or the captions are
        too late."""
        rate, begun = self._spool.format.rate, time.monotonic()
        while True:
            self._grown.clear()
            loop = asyncio.get_running_loop()
            for message, after in await loop.run_in_executor(self._threads, self._read):
                ahead = (after.samples - start.samples) / rate - LEAD_SECONDS - (time.monotonic() - begun)
                if ahead > 0:
                    await asyncio.sleep(ahead)
                if self._lag > MAX_LAG_SECONDS:
                    return
                if message:
                    yield message
                self._taken = after
            if self._taken.offset >= self._spool.end.offset:
                if self._over:
                    return
                await self._grown.wait()

    def _read(self) -> list[tuple[bytes, Place]]:
        """Returns the next messages: PCM in pieces of about MESSAGE_SECONDS, Opus a packet each."""
        end = min(self._spool.end.offset, self._taken.offset + READ_BYTES)
        chunks = list(read_chunks(self._spool.path, self._spool.format, self._taken, end))
        if self._spool.format.encoding is Encoding.OPUS:
            return [(chunk.audio, chunk.after) for chunk in chunks if chunk.audio] or _place_only(chunks)
        messages: list[tuple[bytes, Place]] = []
        waiting: list[SpooledChunk] = []
        size = MESSAGE_SECONDS * self._spool.format.rate * self._spool.format.frame_bytes
        for chunk in chunks:
            waiting.append(chunk)
            if sum(len(one.audio) for one in waiting) >= size or chunk is chunks[-1]:
                messages.append((b"".join(one.audio for one in waiting), chunk.after))
                waiting = []
        return messages


def _place_only(chunks: list[SpooledChunk]) -> list[tuple[bytes, Place]]:
    """Returns how far chunks without sound reach."""
    return [(b"", chunks[-1].after)] if chunks else []
