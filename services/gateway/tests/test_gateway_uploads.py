"""Uploads over the wire: in a stream and in chunks, repeated, out of order, cut off, too large, twice."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import random
import resource
import struct
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import google_crc32c
import grpc
import grpc.aio
import numpy as np
import pytest
from recordroute.gateway.v1 import library_pb2, upload_pb2
from recordroute_gateway.library import chunked_uploads
from recordroute_gateway.library import uploads as module
from recordroute_gateway.library.intake import clean_file_name
from recordroute_gateway.library.ranges import Ranges
from recordroute_gateway.library.records import ArtifactKind
from recordroute_gateway.library.uploads import _spool
from recordroute_gateway.tables import recordings, uploads
from recordroute_runtime.errors import StorageFull
from recordroute_runtime.remote import RemoteError, read_error
from recordroute_runtime.wire import to_datetime, to_timestamp
from sqlalchemy import select, update

CALL_SECONDS = 60.0
CHUNK = 64 << 10


def media(
    *,
    video: bool = False,
    audio_seconds: float = 1.0,
    container: str = "wav",
    rate: int = 48000,
    layout: str = "stereo",
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Makes a small file: a grey picture, a tone, or both."""
    buffer = io.BytesIO()
    buffer.name = f"made.{container}"
    with av.open(buffer, "w", format=container) as output:
        output.metadata.update(metadata or {})
        picture = output.add_stream("mpeg4", rate=10, width=64, height=64) if video else None
        codec = "pcm_s16le" if container == "wav" else "aac"
        sound = output.add_stream(codec, rate=rate, layout=layout) if audio_seconds else None
        if picture is not None:
            for _ in range(10):
                output.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
            output.mux(picture.encode(None))
        if sound is not None:
            channels = len(sound.layout.channels)
            for start in range(0, int(audio_seconds * rate), 1024):
                tone = np.sin(np.arange(start, start + 1024) * 440 * 2 * np.pi / rate) * 8000
                samples = np.repeat(tone.astype(np.int16)[:, None], channels, axis=1).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
                frame.sample_rate = rate
                frame.pts = start
                output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
    return buffer.getvalue()


TONE = media(audio_seconds=3.0)


def config(name: str = "talk.wav", **values: Any) -> upload_pb2.UploadConfig:
    return upload_pb2.UploadConfig(**{"request_id": str(uuid.uuid4()), "file_name": name, **values})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def stream(
    files: Any, content: bytes | Iterable[bytes], what: upload_pb2.UploadConfig | None = None
) -> library_pb2.Recording:
    chunks = (
        [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
        if isinstance(content, bytes)
        else content
    )

    async def messages() -> AsyncIterator[upload_pb2.UploadRecordingRequest]:
        yield upload_pb2.UploadRecordingRequest(config=what or config())
        for chunk in chunks:
            yield upload_pb2.UploadRecordingRequest(chunk=chunk)

    return (await files.upload_stub.UploadRecording(messages())).recording


async def create(files: Any, content: bytes, **values: Any) -> upload_pb2.Upload:
    request = upload_pb2.CreateUploadRequest(config=config(size_bytes=len(content), **values))
    return (await files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS)).upload


def chunk(upload_id: str, content: bytes, start: int, end: int) -> upload_pb2.UploadChunkRequest:
    data = content[start:end]
    return upload_pb2.UploadChunkRequest(
        upload_id=upload_id, offset=start, data=data, crc32c=google_crc32c.value(data)
    )


async def send(files: Any, upload_id: str, content: bytes, start: int, end: int) -> Any:
    return await files.upload_stub.UploadChunk(chunk(upload_id, content, start, end), timeout=CALL_SECONDS)


async def get(files: Any, upload_id: str) -> upload_pb2.Upload:
    request = upload_pb2.GetUploadRequest(upload_id=upload_id)
    return (await files.upload_stub.GetUpload(request, timeout=CALL_SECONDS)).upload


async def complete(files: Any, upload_id: str, content: bytes) -> library_pb2.Recording:
    request = upload_pb2.CompleteUploadRequest(upload_id=upload_id, sha256=sha256(content))
    return (await files.upload_stub.CompleteUpload(request, timeout=CALL_SECONDS)).recording


async def refusal(call: Any) -> RemoteError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return read_error(caught.value)


def details(error: grpc.aio.AioRpcError) -> dict[str, str]:
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.details[0].Unpack(info)
    return dict(info.metadata)


async def stored(files: Any, recording: library_pb2.Recording) -> bytes:
    return b"".join([part async for part in files.library.blobs.stream(recording.sha256)])


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the file system tells of nothing
            await asyncio.sleep(0.01)


def nothing_is_left(files: Any) -> bool:
    return not any(files_below(files.data_dir / name) for name in ("blobs", "incoming", "uploads"))


async def count(files: Any) -> int:
    async with files.database.read() as connection:
        return len((await connection.execute(select(recordings.c.id))).all())


# One stream


async def test_upload_becomes_a_recording_with_its_bytes(files: Any, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    recorded = datetime(2020, 2, 3, 4, 5, tzinfo=UTC)
    what = config("회의 📼 [1].flac", folder="work/2026", tags=["b", "a"], recorded_at=to_timestamp(recorded))
    recording = await stream(files, content, what)
    assert recording.file_name == "회의 📼 [1].flac"
    assert recording.title == "회의 📼 [1]"
    assert not recording.title_is_set
    assert (recording.folder, list(recording.tags)) == ("work/2026", ["a", "b"])
    assert recording.kind == library_pb2.RECORDING_KIND_MEDIA
    assert recording.media_type == "audio/flac"
    assert recording.duration.ToTimedelta().total_seconds() == pytest.approx(11.0, abs=0.1)
    assert to_datetime(recording.recorded_at) == recorded
    assert recording.sha256 == sha256(content)
    assert await stored(files, recording) == content
    named = await stream(files, TONE, config(title="  Board meeting\n"))
    assert (named.title, named.title_is_set) == ("Board meeting", True)


async def test_same_request_makes_one_recording_even_at_once(files: Any) -> None:
    what = config()
    made = await asyncio.gather(*(stream(files, TONE, what) for _ in range(3)))
    assert len({recording.id for recording in made}) == 1
    assert await count(files) == 1


@pytest.mark.parametrize(
    ("content", "changes", "reason"),
    [
        (b"", {}, "MEDIA_EMPTY"),
        (b"this is a text, renamed\n" * 500, {}, "MEDIA_UNREADABLE"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", {}, "MEDIA_UNREADABLE"),
        (b"x" * 1000, {"size_bytes": 1001}, "SIZE_MISMATCH"),
        (b"x" * 1000, {"size_bytes": 999}, "SIZE_MISMATCH"),
        (b"x" * 1000, {"sha256": "0" * 64}, "CHECKSUM_MISMATCH"),
        (b"x" * ((1 << 20) + 1), {}, "MEDIA_TOO_LARGE"),
        (b"", {"size_bytes": (1 << 20) + 1}, "MEDIA_TOO_LARGE"),
        (b"x", {"tags": [" "]}, "BAD_LABEL"),
        (b"x", {"request_id": "nonsense"}, "INVALID_FIELDS"),
        (media(video=True, audio_seconds=0, container="mp4"), {}, "MEDIA_WITHOUT_AUDIO"),
        (media(video=True, container="mp4")[:8000], {}, "MEDIA_UNREADABLE"),
    ],
)
async def test_bad_upload_leaves_nothing(
    files_gateway: Callable[..., Any], content: bytes, changes: dict[str, Any], reason: str
) -> None:
    async with files_gateway(max_upload_bytes=1 << 20) as files:
        assert (await refusal(stream(files, content, config(**changes)))).reason == reason
        assert nothing_is_left(files)
        assert await count(files) == 0


async def test_reader_that_was_started_early_is_used_or_ended(
    files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[module.Reader] = []
    start = module.start_media_reader

    async def noted(file_name: str) -> module.Reader | None:
        reader = await start(file_name)
        if reader is not None:
            started.append(reader)
        return reader

    monkeypatch.setattr(module, "start_media_reader", noted)
    monkeypatch.setattr(module, "LARGE_BYTES", 0)
    recording = await stream(files, TONE, config(size_bytes=len(TONE)))
    assert recording.media_type == "audio/wav"
    too_little = await refusal(stream(files, TONE[:-1], config(size_bytes=len(TONE))))
    assert too_little.reason == "SIZE_MISMATCH"
    # A text needs another one.
    await stream(files, b"Dear all,\n", config("letter.txt", size_bytes=10))
    assert len(started) == 2
    assert all(reader._process.returncode is not None for reader in started)
    assert module._WaitingReader.count == 0


async def test_stream_has_to_begin_with_its_configuration(files: Any) -> None:
    async def messages() -> AsyncIterator[upload_pb2.UploadRecordingRequest]:
        yield upload_pb2.UploadRecordingRequest(chunk=b"x")

    assert (await refusal(files.upload_stub.UploadRecording(messages()))).reason == "STREAM_PROTOCOL"


async def test_broken_off_upload_leaves_nothing(files: Any) -> None:
    going = asyncio.Event()

    async def messages() -> AsyncIterator[upload_pb2.UploadRecordingRequest]:
        yield upload_pb2.UploadRecordingRequest(config=config())
        for _ in range(50):
            yield upload_pb2.UploadRecordingRequest(chunk=TONE[:CHUNK])
        going.set()
        await asyncio.Event().wait()

    call = files.upload_stub.UploadRecording(messages())
    await asyncio.wait_for(going.wait(), 60)
    await until(lambda: bool(files_below(files.data_dir / "incoming")))
    call.cancel()
    await until(lambda: not files_below(files.data_dir / "incoming"))
    assert nothing_is_left(files)


async def test_full_disk_is_said() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 1000

    # /dev/full refuses every write like a full disk does.
    with pytest.raises(StorageFull):
        await _spool(chunks(), Path("/dev/full"))


async def test_left_overs_of_a_killed_process_are_cleared(files_gateway: Callable[..., Any]) -> None:
    first = files_gateway()
    first.blobs.incoming.mkdir()
    first.blobs.new_incoming().write_bytes(b"half")
    async with files_gateway() as files:
        assert files_below(files.blobs.incoming) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\talk.mp3", "talk.mp3"),
        ("a\x00b\n\x1b[31m.wav", "ab[31m.wav"),
        ("..", "recording"),
        ("가" * 300 + ".mp3", "가" * 300 + ".mp3"),
        ("  spaced name .mp3 ", "spaced name .mp3"),
    ],
)
def test_file_names_are_for_reading_only(sent: str, kept: str) -> None:
    assert clean_file_name(sent) == kept


@pytest.mark.parametrize(
    ("content", "seconds", "media_type"),
    [
        (media(video=True, audio_seconds=2, container="mp4"), 2, "video/mp4"),
        (media(container="mp4"), 1, "audio/mp4"),
        (media(container="wav"), 1, "audio/wav"),
        (media(container="wav", rate=96000, layout="5.1"), 1, "audio/wav"),
        (media(video=True, container="matroska"), 1, "video/x-matroska"),
        (media(container="adts"), 1, "audio/aac"),
    ],
)
async def test_unusual_media_is_taken(files: Any, content: bytes, seconds: float, media_type: str) -> None:
    recording = await stream(files, content)
    assert recording.media_type == media_type
    assert recording.duration.ToTimedelta().total_seconds() == pytest.approx(seconds, abs=0.2)


@pytest.mark.parametrize(
    ("container", "metadata", "expected"),
    [
        ("mp4", {"creation_time": "2023-05-06T07:08:09.000000Z"}, "2023-05-06T07:08:09+00:00"),
        ("matroska", {"creation_time": "2023-05-06T07:08:09Z"}, "2023-05-06T07:08:09+00:00"),
        # What says nothing of when it was recorded, or can't be true.
        ("mp4", {"creation_time": "1904-01-01T00:00:00.000000Z"}, None),
        ("matroska", {"creation_time": "2999-05-06T07:08:09Z"}, None),
        ("matroska", {"date": "1998"}, None),
    ],
)
async def test_time_of_recording_comes_from_the_file(
    files: Any, container: str, metadata: dict[str, str], expected: str | None
) -> None:
    recording = await stream(files, media(container=container, metadata=metadata))
    recorded_at = to_datetime(recording.recorded_at)
    if expected is None:
        assert recorded_at == to_datetime(recording.created_at)
    else:
        assert recorded_at.isoformat() == expected


async def test_duplicate_is_told_and_can_be_wanted(files: Any) -> None:
    first = await stream(files, TONE, config("first.wav"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream(files, TONE)
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert read_error(caught.value).reason == "DUPLICATE_RECORDING"
    told = details(caught.value)
    assert (told["recording_id"], told["title"]) == (first.id, "first")
    # Where the client says what it has, before a byte is sent.
    early = upload_pb2.CreateUploadRequest(config=config(size_bytes=len(TONE), sha256=sha256(TONE)))
    refused = await refusal(files.upload_stub.CreateUpload(early, timeout=CALL_SECONDS))
    assert refused.reason == "DUPLICATE_RECORDING"
    second = await stream(files, TONE, config(allow_duplicate=True))
    assert second.id != first.id
    # One that is in the bin is no reason.
    async with files.database.write() as connection:
        await connection.execute(update(recordings).values(deleted_at=datetime.now(UTC)))
    assert (await stream(files, TONE)).id not in (first.id, second.id)


async def test_duplicates_at_once_make_one_recording(files: Any) -> None:
    results = await asyncio.gather(*(stream(files, TONE) for _ in range(4)), return_exceptions=True)
    made = [result for result in results if isinstance(result, library_pb2.Recording)]
    assert len(made) == 1
    assert await stored(files, made[0]) == TONE
    reasons = {read_error(error).reason for error in results if isinstance(error, grpc.aio.AioRpcError)}
    assert reasons == {"DUPLICATE_RECORDING"}


async def test_quota_counts_what_is_there_and_what_is_coming(files_gateway: Callable[..., Any]) -> None:
    async with files_gateway(max_storage_bytes_per_user=2 * len(TONE) + 100) as files:
        await stream(files, TONE)
        open_upload = await create(files, TONE)
        # Announced, and not announced.
        for what in (config(size_bytes=len(TONE)), config()):
            refused = await refusal(stream(files, TONE, what))
            assert (refused.code, refused.reason) == (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "QUOTA_EXCEEDED",
            )
        request = upload_pb2.AbortUploadRequest(upload_id=open_upload.id)
        await files.upload_stub.AbortUpload(request, timeout=CALL_SECONDS)
        await stream(files, TONE, config(allow_duplicate=True))


# In chunks


@pytest.mark.parametrize("blobs_url", ["", "memory:///"])
async def test_chunks_come_in_any_order_and_twice(files_gateway: Callable[..., Any], blobs_url: str) -> None:
    async with files_gateway(blobs_url=blobs_url) as files:
        upload = await create(files, TONE, tags=["t"], title="Named")
        assert upload.size_bytes == len(TONE)
        starts = list(range(0, len(TONE), 50_000))
        pieces = [(start, min(start + 50_000, len(TONE))) for start in starts]
        # Overlapping what others bring.
        pieces += [(start + 20_000, min(start + 90_000, len(TONE))) for start in starts[:-1]]
        random.Random(7).shuffle(pieces)
        await asyncio.gather(*(send(files, upload.id, TONE, *piece) for piece in pieces))
        answer = await send(files, upload.id, TONE, 0, 50_000)
        assert (answer.next_offset, answer.received_bytes) == (len(TONE), len(TONE))
        found = await get(files, upload.id)
        assert [(part.start, part.end) for part in found.received] == [(0, len(TONE))]
        recording = await complete(files, upload.id, TONE)
        assert await stored(files, recording) == TONE
        assert (recording.title, list(recording.tags)) == ("Named", ["t"])
        # Again: the same; and chunks that come late change nothing.
        assert (await complete(files, upload.id, TONE)).id == recording.id
        assert (await get(files, upload.id)).recording_id == recording.id
        late = await refusal(send(files, upload.id, b"\0" * len(TONE), 0, 1000))
        assert (late.code, late.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "UPLOAD_COMPLETED")
        assert await stored(files, recording) == TONE
        assert files_below(files.data_dir / "uploads") == []
        assert await files.chunked._chunks.old_ids() == []


async def test_upload_in_chunks_on_postgresql(
    files_gateway: Callable[..., Any], new_postgresql: Callable[[], str]
) -> None:
    url = new_postgresql().replace("postgresql://", "postgresql+asyncpg://")
    async with files_gateway(url=url) as files:
        upload = await create(files, TONE)
        pieces = [(start, min(start + CHUNK, len(TONE))) for start in range(0, len(TONE), CHUNK)]
        await asyncio.gather(*(send(files, upload.id, TONE, *piece) for piece in pieces))
        recording = await complete(files, upload.id, TONE)
        assert await stored(files, recording) == TONE
        assert (await refusal(stream(files, TONE))).reason == "DUPLICATE_RECORDING"


async def test_received_bytes_are_never_written_again(files: Any) -> None:
    upload = await create(files, TONE)
    await send(files, upload.id, TONE, 0, 100_000)
    # Another content for the same place, with a right checksum of its own.
    await send(files, upload.id, b"\xff" * len(TONE), 0, 100_000)
    await send(files, upload.id, TONE, 100_000, len(TONE))
    assert await stored(files, await complete(files, upload.id, TONE)) == TONE


async def test_chunks_in_order_are_not_read_again(files: Any) -> None:
    upload = await create(files, TONE)
    pieces = [(start, min(start + CHUNK, len(TONE))) for start in range(0, len(TONE), CHUNK)]
    # As clients do that have a few of them under way.
    pieces[1], pieces[3] = pieces[3], pieces[1]
    for piece in pieces:
        await send(files, upload.id, TONE, *piece)
    state = files.chunked._open[upload.id]
    await state.hashing
    assert state.prefix.position == len(TONE)
    await complete(files, upload.id, TONE)


async def test_database_follows_what_was_noted(
    files_gateway: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked_uploads, "NOTE_SECONDS", 0.01)
    async with files_gateway() as files:
        synced: list[str] = []
        sync = files.chunked._chunks.sync

        async def recorded(upload_id: str) -> None:
            await sync(upload_id)
            synced.append(upload_id)

        monkeypatch.setattr(files.chunked._chunks, "sync", recorded)
        upload = await create(files, TONE)
        await send(files, upload.id, TONE, 0, 60_000)
        await send(files, upload.id, TONE, 100_000, 150_000)
        await files.chunked._open[upload.id].noting
        # The bytes come first: what the database has is on disk.
        assert set(synced) == {upload.id}
    # As after a loss of power.
    (files.data_dir / "uploads" / f"{upload.id}.journal").unlink()
    async with files_gateway() as files:
        found = await get(files, upload.id)
        assert [(part.start, part.end) for part in found.received] == [(0, 60_000), (100_000, 150_000)]


async def test_upload_goes_on_after_a_restart(files_gateway: Callable[..., Any]) -> None:
    what = config(size_bytes=len(TONE))
    request = upload_pb2.CreateUploadRequest(config=what)
    async with files_gateway() as files:
        upload = (await files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS)).upload
        await send(files, upload.id, TONE, 100_000, 150_000)
        await send(files, upload.id, TONE, 0, 60_000)
    async with files_gateway() as files:
        again = (await files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS)).upload
        assert again.id == upload.id
        received = [(part.start, part.end) for part in again.received]
        assert received == [(0, 60_000), (100_000, 150_000)]
        incomplete = await refusal(complete(files, upload.id, TONE))
        assert incomplete.reason == "UPLOAD_INCOMPLETE"
        assert "60000" in incomplete.message
        await send(files, upload.id, TONE, 60_000, 100_000)
        await send(files, upload.id, TONE, 150_000, len(TONE))
        recording = await complete(files, upload.id, TONE)
        assert await stored(files, recording) == TONE
    async with files_gateway() as files:
        assert (await complete(files, upload.id, TONE)).id == recording.id


async def test_what_was_acknowledged_survives_a_kill(
    tmp_path: Path, files_gateway: Callable[..., Any]
) -> None:
    # A child that ends in the middle of everything, without a word.
    program = (
        "import asyncio, os, sys, uuid\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from conftest import FilesGateway\n"
        "from recordroute_gateway.library.intake import Upload\n"
        "from google_crc32c import value\n"
        "async def main():\n"
        "    folder = Path(sys.argv[1])\n"
        "    files = FilesGateway(folder, f'sqlite+aiosqlite:///{folder}/library.sqlite')\n"
        "    await files.load()\n"
        "    upload = await files.chunked.create(Upload('local', str(uuid.uuid4()), 'a.wav', size_bytes=4 << 20))\n"
        "    print(upload.id, flush=True)\n"
        "    async def put(n):\n"
        "        data = bytes([n]) * 65536\n"
        "        await files.chunked.write('local', upload.id, n * 65536, data, value(data))\n"
        "        print(n, flush=True)\n"
        "        if n == 40:\n"
        "            os._exit(9)\n"
        "    await asyncio.gather(*(put(n) for n in range(64)))\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    assert child.returncode == 9
    upload_id, *acknowledged = output.decode().split()
    assert acknowledged
    async with files_gateway() as files:
        found = await files.chunked.get("local", upload_id)
        content = (tmp_path / "uploads" / upload_id).read_bytes()
        for number in map(int, acknowledged):
            assert list(found.received.missing(number << 16, (number + 1) << 16)) == []
        for start, end in found.received:
            assert all(content[place] == place >> 16 for place in range(start, end, 4096))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"crc32c": 1}, "CHUNK_CHECKSUM_MISMATCH"),
        ({"offset": 10**18}, "CHUNK_OUT_OF_RANGE"),
        ({"offset": len(TONE) - 10}, "CHUNK_OUT_OF_RANGE"),
        ({"offset": 2**64 - 1}, "CHUNK_OUT_OF_RANGE"),
        ({"upload_id": str(uuid.uuid4())}, "UPLOAD_NOT_FOUND"),
        ({"upload_id": "../x"}, "INVALID_FIELDS"),
        ({"data": b""}, "INVALID_FIELDS"),
    ],
)
async def test_bad_chunks_are_refused(files: Any, change: dict[str, Any], reason: str) -> None:
    upload = await create(files, TONE)
    request = chunk(upload.id, TONE, 0, 1000)
    for name, value in change.items():
        setattr(request, name, value)
    assert (await refusal(files.upload_stub.UploadChunk(request, timeout=CALL_SECONDS))).reason == reason
    assert not (await get(files, upload.id)).received


async def test_wrong_checksum_asks_for_all_again(files: Any) -> None:
    changed = TONE[:50_000] + b"\0" + TONE[50_001:]
    upload = await create(files, TONE)
    await send(files, upload.id, changed, 0, len(changed))
    assert (await refusal(complete(files, upload.id, TONE))).reason == "CHECKSUM_MISMATCH"
    assert not (await get(files, upload.id)).received
    await send(files, upload.id, TONE, 0, len(TONE))
    assert await stored(files, await complete(files, upload.id, TONE)) == TONE


async def test_upload_that_is_no_media_stays_until_it_is_aborted(files: Any) -> None:
    content = b"no media at all " * 100
    upload = await create(files, content)
    await send(files, upload.id, content, 0, len(content))
    assert (await refusal(complete(files, upload.id, content))).reason == "MEDIA_UNREADABLE"
    assert (await get(files, upload.id)).received[0].end == len(content)
    request = upload_pb2.AbortUploadRequest(upload_id=upload.id)
    for _ in range(2):
        await files.upload_stub.AbortUpload(request, timeout=CALL_SECONDS)
    assert nothing_is_left(files)
    assert (await refusal(get(files, upload.id))).reason == "UPLOAD_NOT_FOUND"


async def test_duplicate_in_chunks_can_be_wanted_afterwards(files: Any) -> None:
    await stream(files, TONE)
    what = config(size_bytes=len(TONE))
    request = upload_pb2.CreateUploadRequest(config=what)
    upload = (await files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS)).upload
    await send(files, upload.id, TONE, 0, len(TONE))
    assert (await refusal(complete(files, upload.id, TONE))).reason == "DUPLICATE_RECORDING"
    request.config.allow_duplicate = True
    await files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS)
    await complete(files, upload.id, TONE)
    assert await count(files) == 2


async def test_completing_twice_at_once_makes_one_recording(files: Any) -> None:
    upload = await create(files, TONE)
    await send(files, upload.id, TONE, 0, len(TONE))
    made = await asyncio.gather(*(complete(files, upload.id, TONE) for _ in range(3)))
    assert len({recording.id for recording in made}) == 1
    assert await count(files) == 1


async def test_completing_while_another_call_comes_to_its_end_returns_the_same(
    files_gateway: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with files_gateway() as files:
        upload = await create(files, TONE)
        await send(files, upload.id, TONE, 0, len(TONE))
    # Another process, which remembers nothing of it.
    async with files_gateway() as files:
        read, has_read, go_on = files.chunked._in_database, asyncio.Event(), asyncio.Event()

        async def first_is_slow(owner: str, upload_id: str) -> Any:
            found = await read(owner, upload_id)
            if not has_read.is_set():
                has_read.set()
                await go_on.wait()
            return found

        monkeypatch.setattr(files.chunked, "_in_database", first_is_slow)
        slow = asyncio.create_task(complete(files, upload.id, TONE))
        await asyncio.wait_for(has_read.wait(), 60)
        recording = await complete(files, upload.id, TONE)
        go_on.set()
        assert (await slow).id == recording.id
        assert await count(files) == 1
        late = await refusal(send(files, upload.id, TONE, 0, 1000))
        assert late.reason == "UPLOAD_COMPLETED"


async def test_crash_between_blob_and_recording_loses_nothing(
    files_gateway: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with files_gateway() as files:
        upload = await create(files, TONE)
        await send(files, upload.id, TONE, 0, len(TONE))

        async def die(*_: object) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(files.library, "log_change", die)
        assert (await refusal(complete(files, upload.id, TONE))).code is grpc.StatusCode.INTERNAL
    async with files_gateway() as files:
        assert await stored(files, await complete(files, upload.id, TONE)) == TONE


async def test_abandoned_uploads_are_thrown_away(files_gateway: Callable[..., Any]) -> None:
    async with files_gateway() as files:
        kept, abandoned = await create(files, TONE), await create(files, TONE)
        done = await create(files, TONE)
        await send(files, done.id, TONE, 0, len(TONE))
        await complete(files, done.id, TONE)
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with files.database.write() as connection:
            await connection.execute(
                update(uploads).where(uploads.c.id.in_([abandoned.id, done.id])).values(expires_at=past)
            )
        # Of an upload whose row was never written.
        stray = files.data_dir / "uploads" / str(uuid.uuid4())
        stray.write_bytes(b"x")
        hours_ago = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
        os.utime(stray, (hours_ago, hours_ago))
        await files.chunked.sweep()
        assert [path.name for path in files_below(files.data_dir / "uploads")] == [kept.id]
        assert (await refusal(get(files, abandoned.id))).reason == "UPLOAD_NOT_FOUND"
        refused = await refusal(send(files, abandoned.id, TONE, 0, 1000))
        assert refused.reason == "UPLOAD_NOT_FOUND"
        assert await count(files) == 1
        # A chunk puts the end off.
        before = (await get(files, kept.id)).expires_at.ToDatetime()
        await send(files, kept.id, TONE, 0, 1000)
        await files.chunked._open[kept.id].noting
        assert (await get(files, kept.id)).expires_at.ToDatetime() > before


async def test_open_uploads_are_bounded(files_gateway: Callable[..., Any]) -> None:
    async with files_gateway(max_open_uploads=2) as files:
        for _ in range(2):
            await create(files, TONE)
        request = upload_pb2.CreateUploadRequest(config=config(size_bytes=len(TONE)))
        refused = await refusal(files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS))
        assert refused.reason == "TOO_MANY_UPLOADS"
        assert len(files_below(files.data_dir / "uploads")) == 2
        no_size = upload_pb2.CreateUploadRequest(config=config())
        refused = await refusal(files.upload_stub.CreateUpload(no_size, timeout=CALL_SECONDS))
        assert refused.reason == "INVALID_FIELDS"
        too_large = upload_pb2.CreateUploadRequest(config=config(size_bytes=2**62))
        refused = await refusal(files.upload_stub.CreateUpload(too_large, timeout=CALL_SECONDS))
        assert refused.reason == "MEDIA_TOO_LARGE"


async def test_other_users_see_no_upload(files: Any) -> None:
    from recordroute_runtime.errors import NotFound

    upload = await create(files, TONE)
    await send(files, upload.id, TONE, 0, 1000)
    data = TONE[1000:2000]
    with pytest.raises(NotFound):
        await files.chunked.get("somebody else", upload.id)
    with pytest.raises(NotFound):
        await files.chunked.write("somebody else", upload.id, 1000, data, google_crc32c.value(data))
    with pytest.raises(NotFound):
        await files.chunked.complete("somebody else", upload.id, sha256(TONE))
    await files.chunked.abort("somebody else", upload.id)
    assert (await get(files, upload.id)).received[0].end == 1000


async def test_memory_stays_flat(files: Any) -> None:
    # 200 MiB by each way: a WAV file of zeros with a right header.
    size = 200 << 20
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size + 36,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8000,
        16000,
        2,
        16,
        b"data",
        size,
    )
    block = bytes(1 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    recording = await stream(files, [head, *([block] * 200)])
    assert recording.size_bytes == size + 44
    request = upload_pb2.CreateUploadRequest(
        config=config(size_bytes=size, allow_duplicate=True, file_name="b.wav")
    )
    upload = (await files.upload_stub.CreateUpload(request, timeout=CALL_SECONDS)).upload
    crc, slots = google_crc32c.value(block), asyncio.Semaphore(4)

    async def put(number: int) -> None:
        async with slots:
            part = upload_pb2.UploadChunkRequest(
                upload_id=upload.id, offset=number << 20, data=block, crc32c=crc
            )
            await files.upload_stub.UploadChunk(part, timeout=CALL_SECONDS)

    # Backwards: nothing fits to what came before.
    await asyncio.gather(*(put(number) for number in reversed(range(200))))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # Client and server share this process, whose every thread keeps some of what it has freed: 60 MiB on two cores,
    # more where there are more. Whoever held the file would add 200 to that.
    assert grown < 150 << 10, f"{grown >> 10} MiB"


# Parts of it


def test_ranges_are_what_a_set_of_bytes_is() -> None:
    generator = random.Random(1)
    for _ in range(300):
        have, ranges = set[int](), Ranges()
        for _ in range(generator.randrange(1, 12)):
            start = generator.randrange(40)
            end = start + generator.randrange(1, 10)
            expected = [place for place in range(start, end) if place not in have]
            found = [place for part in ranges.missing(start, end) for place in range(*part)]
            assert found == expected
            have |= set(range(start, end))
            ranges = ranges.add(start, end)
        assert {place for part in ranges for place in range(*part)} == have
        assert list(ranges.ends[:-1]) < list(ranges.starts[1:]) or len(ranges) < 2
        assert ranges.total == len(have)
        assert ranges.prefix == next(place for place in range(99) if place not in have)
        assert Ranges.unpack(ranges.pack()) == ranges
        assert Ranges.of(ranges) == ranges


async def test_artifact_of_an_upload_is_its_media(files: Any) -> None:
    recording = await stream(files, TONE)
    record = await files.library.get("local", recording.id)
    assert [artifact.kind for artifact in record.artifacts] == [ArtifactKind.MEDIA]
