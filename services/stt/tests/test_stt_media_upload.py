"""Reading a file while it is still being uploaded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from recordroute_runtime.errors import Cancelled, InvalidInput
from recordroute_runtime.inference import CancelToken
from recordroute_stt.engine import SAMPLE_RATE
from recordroute_stt.media import AudioDecoder
from recordroute_stt.spool import READ_OUT_IDLE_SECONDS, Spool, SpoolReader, index_follows_media, spooled

WAIT_SECONDS = 60


class Upload:
    """An upload of which the test sends piece by piece, and the audio that was decoded of it so far."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.token = CancelToken()
        self.decoder: AudioDecoder | None = None
        self.blocks: list[np.ndarray] = []
        self.grown = threading.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def send(self, content: bytes, size: int = 20_000) -> None:
        for start in range(0, len(content), size):
            self._pieces.put_nowait(content[start : start + size])

    def end(self, error: Exception | None = None) -> None:
        self._pieces.put_nowait(error)

    def decode(self, spool: Spool) -> None:
        with AudioDecoder(SpoolReader(spool, self.token), max_seconds=3600) as self.decoder:
            for block in self.decoder.blocks():
                self.blocks.append(block)
                self.grown.set()

    @property
    def seconds(self) -> float:
        return sum(map(len, self.blocks)) / SAMPLE_RATE


@asynccontextmanager
async def uploading(max_bytes: int = 1 << 30) -> AsyncIterator[tuple[Upload, asyncio.Future[None]]]:
    upload = Upload()
    async with spooled(upload.chunks(), folder=None, max_bytes=max_bytes) as spool:
        decoding = asyncio.get_running_loop().run_in_executor(None, upload.decode, spool)
        try:
            yield upload, decoding
        finally:
            upload.token.cancel()
            with suppress(Exception):
                await decoding


@pytest.fixture(scope="module")
def hum() -> Callable[[int], np.ndarray]:
    def made(rate: int) -> np.ndarray:
        return (0.3 * np.sin(2 * np.pi * 440 * np.arange(40 * rate) / rate)).astype(np.float32)

    return made


IN_ORDER = [
    ("wav", "pcm_s16le", 48000, {}),
    ("flac", "flac", 48000, {}),
    ("ogg", "libopus", 48000, {}),
    ("webm", "libopus", 48000, {}),
    ("mp3", "libmp3lame", 44100, {}),
    ("mp4", "aac", 48000, {"movflags": "faststart"}),
    ("mp4", "aac", 48000, {"movflags": "frag_keyframe+empty_moov"}),
    ("matroska", "aac", 48000, {}),
    ("mpegts", "aac", 48000, {}),
    ("aiff", "pcm_s16be", 48000, {}),
]


@pytest.mark.parametrize(("container", "codec", "rate", "options"), IN_ORDER)
async def test_decodes_what_has_come(container, codec, rate, options, hum, encode) -> None:
    content = encode(hum(rate), container=container, codec=codec, rate=rate, **options)
    async with uploading() as (upload, decoding):
        upload.send(content[: len(content) * 3 // 4])
        assert await asyncio.to_thread(upload.grown.wait, WAIT_SECONDS)
        assert not decoding.done()
        upload.send(content[len(content) * 3 // 4 :])
        upload.end()
        await decoding
        assert upload.seconds == pytest.approx(40, abs=0.2)
        assert upload.decoder is not None
        assert upload.decoder.properties.duration == pytest.approx(40, abs=0.5)
        assert upload.decoder.damages == []


async def test_mp4_with_its_index_at_the_end_is_waited_for(hum, encode) -> None:
    content = encode(hum(48000), container="mp4", codec="aac", rate=48000)
    assert index_follows_media(lambda offset, size: content[offset : offset + size])
    async with uploading() as (upload, decoding):
        upload.send(content)
        assert not await asyncio.to_thread(upload.grown.wait, 0.3)
        upload.end()
        await decoding
        assert upload.seconds == pytest.approx(40, abs=0.2)


@pytest.mark.parametrize("head", [b"", b"\x00\x00\x00\x20ftyp", b"\x00\x00\x00\x00free" * 4, b"RIFF1234WAVE"])
def test_only_whole_boxes_of_the_iso_family_count(head) -> None:
    assert not index_follows_media(lambda offset, size: head[offset : offset + size])


async def test_upload_that_breaks_is_what_is_wrong(hum, encode) -> None:
    content = encode(hum(48000), container="flac", codec="flac", rate=48000)
    async with uploading() as (upload, decoding):
        upload.send(content[: len(content) // 2])
        upload.end(InvalidInput("STREAM_PROTOCOL", "configured twice"))
        with pytest.raises(InvalidInput) as caught:
            await decoding
    assert caught.value.reason == "STREAM_PROTOCOL"


async def test_reader_that_is_cancelled_does_not_wait(hum, encode) -> None:
    content = encode(hum(48000), container="ogg", codec="libopus", rate=48000)
    async with uploading() as (upload, decoding):
        upload.send(content[: len(content) // 2])
        assert await asyncio.to_thread(upload.grown.wait, WAIT_SECONDS)
        upload.token.cancel()
        with pytest.raises(Cancelled):
            await asyncio.wait_for(decoding, 60)


async def test_file_that_is_empty_or_too_large() -> None:
    async with uploading() as (upload, decoding):
        upload.end()
        with pytest.raises(InvalidInput) as empty:
            await decoding
    async with uploading(max_bytes=1000) as (upload, decoding):
        upload.send(bytes(2000))
        with pytest.raises(InvalidInput) as large:
            await decoding
        upload.end()
    assert (empty.value.reason, large.value.reason) == ("MEDIA_EMPTY", "MEDIA_TOO_LARGE")


async def test_rest_of_the_upload_is_taken_when_nobody_reads_it(monkeypatch) -> None:
    """A client that sends on while it is refused gets to know why; a slow disk is no pause of the client's."""
    upload, append = Upload(), Spool._append

    def append_slowly(*arguments: object) -> None:
        time.sleep(3 * READ_OUT_IDLE_SECONDS)
        append(*arguments)

    monkeypatch.setattr(Spool, "_append", append_slowly)

    async def refused_early() -> None:
        async with spooled(upload.chunks(), folder=None, max_bytes=1 << 30):
            upload.send(bytes(1_000_000))
            upload.end()
            # The first piece is on its way to the disk.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise InvalidInput("MEDIA_UNREADABLE", "text")

    with pytest.raises(InvalidInput):
        await refused_early()
    assert upload._pieces.empty()


async def test_client_that_stalls_is_not_waited_for() -> None:
    upload = Upload()
    async with asyncio.timeout(60), spooled(upload.chunks(), folder=None, max_bytes=1 << 30):
        upload.send(bytes(1000))
