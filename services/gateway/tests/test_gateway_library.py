"""Library and uploads on a real SQLite database and real files."""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.records import ArtifactKind
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.uploads import Upload, clean_file_name, receive
from recordroute_runtime.errors import DomainError, InvalidInput, NotFound, StorageFull

LIMIT = 10 << 20


@pytest.fixture
async def library(tmp_path: Path, database_url: str) -> AsyncIterator[LibraryStore]:
    database = Database(database_url)
    await database.migrate()
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    yield LibraryStore(database, blobs)
    await database.close()


async def in_chunks(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def upload_of(name: str = "speech.flac", **values: object) -> Upload:
    fields = {
        "size_bytes": None,
        "sha256": None,
        "recorded_at": None,
        "request_id": str(uuid.uuid4()),
        **values,
    }
    return Upload(owner="local", file_name=name, **fields)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_upload_becomes_a_recording_with_its_bytes(library: LibraryStore, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    recording = await receive(upload_of("회의 📼 [1].flac"), in_chunks(content), library, LIMIT)
    assert recording.file_name == "회의 📼 [1].flac"
    assert recording.title == "회의 📼 [1]"
    assert recording.duration_seconds == pytest.approx(11.0, abs=0.1)
    media = recording.artifact(ArtifactKind.MEDIA)
    assert media is not None
    assert media.sha256 == hashlib.sha256(content).hexdigest()
    assert b"".join([chunk async for chunk in library.blobs.stream(media.sha256)]) == content


async def test_same_request_makes_one_recording_even_at_once(library: LibraryStore, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    upload = upload_of()
    made = await asyncio.gather(*(receive(upload, in_chunks(content), library, LIMIT) for _ in range(3)))
    assert len({recording.id for recording in made}) == 1
    assert len((await library.list_page("local", 10, ""))[0]) == 1


@pytest.mark.parametrize(
    ("content", "changes", "reason"),
    [
        (b"", {}, "MEDIA_EMPTY"),
        (b"this is a text, renamed\n" * 500, {}, "MEDIA_UNREADABLE"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", {}, "MEDIA_UNREADABLE"),
        (b"x" * 1000, {"size_bytes": 1001}, "SIZE_MISMATCH"),
        (b"x" * 1000, {"sha256": "0" * 64}, "CHECKSUM_MISMATCH"),
        (b"x" * (LIMIT + 1), {}, "MEDIA_TOO_LARGE"),
        (b"", {"size_bytes": LIMIT + 1}, "MEDIA_TOO_LARGE"),
    ],
)
async def test_bad_upload_leaves_nothing(
    library: LibraryStore, content: bytes, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await receive(upload_of(**changes), in_chunks(content), library, LIMIT)
    assert caught.value.reason == reason
    assert files_below(library.blobs.incoming.parent / "blobs") == []
    assert files_below(library.blobs.incoming) == []
    assert await library.list_page("local", 10, "") == ([], "")


async def test_broken_off_upload_leaves_nothing(library: LibraryStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        raise ConnectionError("the client went away")

    with pytest.raises(ConnectionError):
        await receive(upload_of(), broken(), library, LIMIT)
    assert files_below(library.blobs.incoming) == []


async def test_full_disk_is_said_and_leaves_nothing(data: Path) -> None:
    # /dev/full refuses every write like a full disk does.
    from recordroute_gateway.library.uploads import _spool

    with pytest.raises(StorageFull):
        await _spool(in_chunks(b"x" * 1000), Path("/dev/full"), LIMIT)


async def test_left_overs_of_a_killed_process_are_cleared(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    blobs.new_incoming().write_bytes(b"half")
    BlobStore(tmp_path, "").open()
    assert files_below(blobs.incoming) == []


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


async def test_pages_survive_inserts(library: LibraryStore, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()

    async def add() -> str:
        return (await receive(upload_of(), in_chunks(content), library, LIMIT)).id

    ids = [await add() for _ in range(5)]
    page, token = await library.list_page("local", 2, "")
    assert [recording.id for recording in page] == [ids[4], ids[3]]
    await add()
    page, token = await library.list_page("local", 2, token)
    assert [recording.id for recording in page] == [ids[2], ids[1]]
    page, token = await library.list_page("local", 2, token)
    assert ([recording.id for recording in page], token) == ([ids[0]], "")
    for bad in ("nonsense", "W10=", "WyIyMDI2LTAxLTAxIiwgIngiXQ=="):
        with pytest.raises(InvalidInput):
            await library.list_page("local", 2, bad)


async def test_deleting_keeps_what_another_recording_shares(library: LibraryStore, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    first = await receive(upload_of(), in_chunks(content), library, LIMIT)
    second = await receive(upload_of(), in_chunks(content), library, LIMIT)
    await library.put_artifact(first.id, ArtifactKind.TRANSCRIPT, b"{}", model="m", workflow_id="w")
    await library.delete("local", first.id)
    with pytest.raises(NotFound):
        await library.get("local", first.id)
    media = second.artifact(ArtifactKind.MEDIA)
    assert media is not None
    assert await library.blobs.get(media.sha256) == content
    await library.delete("local", second.id)
    assert files_below(library.blobs.incoming.parent / "blobs") == []


async def test_other_owners_see_nothing(library: LibraryStore, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    recording = await receive(upload_of(), in_chunks(content), library, LIMIT)
    with pytest.raises(DomainError):
        await library.get("somebody else", recording.id)
    assert await library.list_page("somebody else", 10, "") == ([], "")


async def test_replaced_artifact_takes_its_blob_along(library: LibraryStore, data: Path) -> None:
    content = (data / "jfk.flac").read_bytes()
    recording = await receive(upload_of(), in_chunks(content), library, LIMIT)
    old = await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"old", model="m", workflow_id="1")
    new = await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"new", model="m", workflow_id="2")
    again = await library.put_artifact(recording.id, ArtifactKind.MINUTES, b"new", model="m", workflow_id="2")
    assert await library.blobs.get(again.sha256) == b"new"
    assert new.sha256 == again.sha256
    with pytest.raises(FileNotFoundError):
        await library.blobs.get(old.sha256)
    assert (await library.get("local", recording.id)).created_at <= datetime.now(UTC)


def media(
    *, video: bool, audio_seconds: float, container: str, rate: int = 48000, layout: str = "stereo"
) -> bytes:
    """Makes a small file: a grey picture, a tone, or both."""
    buffer = io.BytesIO()
    buffer.name = f"made.{container}"
    with av.open(buffer, "w", format=container) as output:
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


async def test_film_without_sound_is_refused(library: LibraryStore) -> None:
    content = media(video=True, audio_seconds=0, container="mp4")
    with pytest.raises(InvalidInput) as caught:
        await receive(upload_of("film.mp4"), in_chunks(content), library, LIMIT)
    assert caught.value.reason == "MEDIA_WITHOUT_AUDIO"


async def test_film_that_was_cut_off_is_refused(library: LibraryStore) -> None:
    content = media(video=True, audio_seconds=2, container="mp4")
    with pytest.raises(InvalidInput) as caught:
        await receive(upload_of("film.mp4"), in_chunks(content[: len(content) // 2]), library, LIMIT)
    assert caught.value.reason == "MEDIA_UNREADABLE"


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (media(video=True, audio_seconds=2, container="mp4"), 2),
        (media(video=False, audio_seconds=1, container="wav"), 1),
        (media(video=False, audio_seconds=1, container="wav", rate=96000, layout="5.1"), 1),
    ],
)
async def test_unusual_media_is_taken(library: LibraryStore, content: bytes, seconds: float) -> None:
    recording = await receive(upload_of(), in_chunks(content), library, LIMIT)
    assert recording.duration_seconds == pytest.approx(seconds, abs=0.1)
