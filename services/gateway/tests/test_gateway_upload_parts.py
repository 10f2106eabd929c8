"""What uploads are made of: messages without copies, blocks on their way to disk, reading ahead, notes of chunks."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from recordroute.gateway.v1 import upload_pb2
from recordroute_gateway.library.block_writer import BLOCK_BYTES, DIRECT_AFTER_BYTES, BlockWriter
from recordroute_gateway.library.chunk_store import LocalChunks
from recordroute_gateway.library.ranges import Ranges
from recordroute_gateway.library.read_ahead import one_ahead
from recordroute_gateway.servicers.upload_messages import (
    MOST_CHUNK_BYTES,
    ChunkMessage,
    read_upload_message,
)

Request = upload_pb2.UploadRecordingRequest
NOISE = random.Random(3).randbytes(BLOCK_BYTES)


# Messages


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 1 << 20, MOST_CHUNK_BYTES])
def test_chunks_are_read_without_a_copy(size: int) -> None:
    data = Request(chunk=NOISE[:size]).SerializeToString()
    message = read_upload_message(data)
    assert isinstance(message, ChunkMessage)
    assert message.chunk.obj is data
    assert message.chunk == NOISE[:size]
    assert message.WhichOneof("payload") == "chunk"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        Request(config=upload_pb2.UploadConfig(file_name="a")).SerializeToString(),
        # Larger than a chunk may be: its rules refuse it.
        Request(chunk=NOISE[: MOST_CHUNK_BYTES + 1]).SerializeToString(),
        # The last one counts.
        Request(chunk=b"abc").SerializeToString() * 2,
        # A field that is not known.
        Request(chunk=b"abc").SerializeToString() + b"\xf8\x07\x01",
    ],
)
def test_all_other_messages_are_parsed(data: bytes) -> None:
    assert read_upload_message(data) == Request.FromString(data)


@pytest.mark.parametrize(
    "data", [b"\x12", b"\x12\x80", b"\x12\x05abc", b"\x12\xff\xff\xff\xff\xff\xff\xff", b"\x0a\x05a"]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_upload_message(data)


def test_limit_of_chunks_is_the_contracts() -> None:
    from buf.validate import validate_pb2

    options = Request.DESCRIPTOR.fields_by_name["chunk"].GetOptions()
    assert options.Extensions[validate_pb2.field].bytes.max_len == MOST_CHUNK_BYTES


# Blocks


@pytest.mark.parametrize("piece", [1 << 16, (1 << 20) + 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5])
@pytest.mark.parametrize("size", [0, 5, BLOCK_BYTES, DIRECT_AFTER_BYTES + 2 * BLOCK_BYTES + 777])
async def test_file_is_what_was_written(tmp_path: Path, size: int, piece: int) -> None:
    path = tmp_path / "file"
    path.touch()
    content = (NOISE * (size // len(NOISE) + 1))[:size]
    with closing(BlockWriter(path)) as writer:
        for start in range(0, size, piece):
            await writer.write(memoryview(content)[start : start + piece])
        assert await writer.finish() == (size, hashlib.sha256(content).hexdigest())
    assert path.read_bytes() == content


async def test_large_files_go_past_the_page_cache_where_they_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.touch()
    asked: list[bool] = []
    set_flags = fcntl.fcntl

    def recorded(file: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETFL:
            asked.append(bool(argument & os.O_DIRECT))
            if argument & os.O_DIRECT:
                raise OSError(errno.EINVAL, "a file system without direct writes")
        return set_flags(file, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", recorded)
    size = DIRECT_AFTER_BYTES + 2 * BLOCK_BYTES
    with closing(BlockWriter(path)) as writer:
        for _ in range(size // BLOCK_BYTES):
            await writer.write(NOISE)
        written, _ = await writer.finish()
    # It was tried once, and the file is whole without it.
    assert (asked, written, path.stat().st_size) == ([True], size, size)


async def test_file_is_closed_once_nothing_writes_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.touch()
    writer = BlockWriter(path)
    begun, go_on = asyncio.Event(), asyncio.Event()
    flush, loop = writer._write, asyncio.get_running_loop()

    def slow(data: memoryview) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(60)
        flush(data)

    monkeypatch.setattr(writer, "_write", slow)
    await writer.write(NOISE)
    await begun.wait()
    writer.close()
    os.fstat(writer._file)
    go_on.set()
    assert writer._flushing is not None
    await writer._flushing
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writer._file)
    assert path.read_bytes() == NOISE


# Reading ahead


class Source:
    """Numbers, and how many of them were asked for; after `count` of them it waits for ever, or fails."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.asked = 0
        self._count = count
        self._error = error

    async def numbers(self) -> AsyncIterator[int]:
        for number in range(self._count):
            self.asked += 1
            yield number
        self.asked += 1
        if self._error is not None:
            raise self._error


async def test_next_item_is_read_while_one_is_worked_on() -> None:
    source = Source(3)
    seen = []
    async with aclosing(one_ahead(source.numbers())) as ahead:
        async for number in ahead:
            seen.append((number, source.asked))
    assert seen == [(0, 2), (1, 3), (2, 4)]


async def test_error_of_the_source_comes_in_its_place() -> None:
    async with aclosing(one_ahead(Source(2, ValueError("broken")).numbers())) as ahead:
        assert [await anext(ahead), await anext(ahead)] == [0, 1]
        with pytest.raises(ValueError, match="broken"):
            await anext(ahead)


async def test_others_can_go_on_with_the_source() -> None:
    numbers = Source(5).numbers()
    async with aclosing(one_ahead(numbers)) as ahead:
        assert await anext(ahead) == 0
    # The one that was read ahead is gone.
    assert [number async for number in numbers] == [2, 3, 4]


async def test_source_that_waits_is_broken_off() -> None:
    ended = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with aclosing(one_ahead(source())) as ahead:
        assert await anext(ahead) == 0
    assert ended.is_set()


# Notes beside the chunks


async def test_notes_count_for_one_boot(tmp_path: Path) -> None:
    chunks = LocalChunks(tmp_path, boot=b"first")
    await chunks.create("a", 1000)
    await chunks.write("a", [(0, memoryview(b"x" * 10)), (50, memoryview(b"y" * 10))])
    await chunks.write("a", [(10, memoryview(b"z" * 5))])
    expected = Ranges((0, 50), (15, 60))
    assert await chunks.noted("a") == expected
    assert await LocalChunks(tmp_path, boot=b"first").noted("a") == expected
    # After another boot nobody knows what reached the disk.
    second = LocalChunks(tmp_path, boot=b"second")
    assert await second.noted("a") == Ranges()
    await second.write("a", [(100, memoryview(b"x"))])
    assert await second.noted("a") == Ranges((100,), (101,))
    await second.delete("a")
    assert list(tmp_path.iterdir()) == []


async def test_without_a_name_of_the_boot_all_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Any] = []
    monkeypatch.setattr("recordroute_gateway.library.chunk_store._sync", synced.append)
    chunks = LocalChunks(tmp_path, boot=b"")
    await chunks.create("a", 1000)
    await chunks.write("a", [(0, memoryview(b"x" * 10))])
    assert len(synced) == 1
    assert not chunks.keeps_notes
    assert await chunks.noted("a") == Ranges()
