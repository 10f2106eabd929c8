"""One live stream: takes its audio, has it decoded, and gives the results while both go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from functools import partial

from recordroute_runtime.threads import ended

from recordroute_stt.engine import SAMPLE_RATE, Samples, SpeechEngine
from recordroute_stt.live.audio_input import AudioInput
from recordroute_stt.live.capacity import LiveCapacity, Pace
from recordroute_stt.live.decoding import DecodeQueue
from recordroute_stt.live.hearing import Hearing
from recordroute_stt.live.outbox import Outbox
from recordroute_stt.live.recognizer import Output, Recognizer, Result

# Taken in one go on the event loop, which all streams share.
SLICE_SAMPLES = SAMPLE_RATE
# Beyond either the stream's audio waits in its connection: its sender is held up by flow control.
MAX_WAITING_SECONDS = 30.0
MAX_UNREAD = 256
# A stream that wants nothing any more when its turn comes.
NOT_URGENT = 99


@dataclass(frozen=True)
class LiveStats:
    """Closing figures of a stream; times in seconds."""

    audio_seconds: float
    speech_seconds: float
    utterances: int
    model: str


class LiveSession:
    """Recognises one stream on `engine`, which the caller keeps loaded until the results have been closed."""

    def __init__(
        self,
        audio_input: AudioInput,
        recognizer: Recognizer,
        engine: SpeechEngine,
        queue: DecodeQueue,
        capacity: LiveCapacity,
    ) -> None:
        self._input = audio_input
        self._recognizer = recognizer
        self._model = engine.model
        self._hearing = Hearing(engine)
        self._queue = queue
        self._capacity = capacity
        self._pace = Pace()
        self._outbox: Outbox[Output | LiveStats] = Outbox(_is_interim)
        self._heard = asyncio.Event()
        self._room = asyncio.Event()

    async def results(self, messages: AsyncIterator[bytes]) -> AsyncGenerator[Output | LiveStats, None]:
        """Yields what is recognised in a stream of audio messages, and at its end the statistics.

        Raises what the audio input, the engine and `messages` raise, and AudioTooFast. Closing it stops everything
        that the stream has in work before it returns.
        """
        tasks = [asyncio.create_task(self._read(messages)), asyncio.create_task(self._decode())]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            async for item in self._outbox.read():
                self._room.set()
                yield item
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                await ended(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outbox.close(error)

    async def _read(self, messages: AsyncIterator[bytes]) -> None:
        async for message in messages:
            audio = self._input.feed(message)
            self._pace.take(len(audio) / SAMPLE_RATE)
            await self._hear(audio)
        await self._hear(self._input.flush())
        self._say(self._recognizer.finish())
        self._heard.set()

    async def _hear(self, audio: Samples) -> None:
        for start in range(0, len(audio), SLICE_SAMPLES):
            while self._recognizer.waiting_seconds > MAX_WAITING_SECONDS or len(self._outbox) > MAX_UNREAD:
                self._room.clear()
                await self._room.wait()
            self._say(self._recognizer.accept(audio[start : start + SLICE_SAMPLES]))
            self._heard.set()
            if start:
                await asyncio.sleep(0)

    async def _decode(self) -> None:
        while not self._recognizer.done:
            if self._recognizer.wanted is None:
                self._heard.clear()
                await self._heard.wait()
                continue
            wanted_at = time.monotonic()
            async with self._queue.turn(self._urgency):
                decode = self._recognizer.start()
                if decode is None:
                    continue
                begun = time.monotonic()
                transcript = await self._queue.run(partial(self._hearing, decode))
            ended = time.monotonic()
            self._capacity.decoded(delay=ended - wanted_at, seconds=ended - begun)
            self._say(self._recognizer.decoded(decode, transcript, ended - begun))
            self._room.set()
        self._outbox.put(
            LiveStats(
                audio_seconds=self._recognizer.audio_seconds,
                speech_seconds=self._recognizer.speech_seconds,
                utterances=self._recognizer.utterances,
                model=self._model,
            )
        )
        self._outbox.close()

    def _urgency(self) -> int:
        wanted = self._recognizer.wanted
        return NOT_URGENT if wanted is None else wanted

    def _say(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._outbox.put(output)


def _is_interim(item: Output | LiveStats) -> bool:
    return isinstance(item, Result) and not item.is_final
