"""Libraries as archives: out of one and into another byte for byte, damaged ones refused, old ones taken over."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import uuid
import zipfile
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.archive import MANIFEST
from recordroute_gateway.library.archive_export import LibraryExporter
from recordroute_gateway.library.archive_import import LibraryImporter, Outcome, Result
from recordroute_gateway.library.artifact_json import minutes_bytes, transcript_bytes
from recordroute_gateway.library.legacy import parse_transcript
from recordroute_gateway.library.records import (
    Artifact,
    ArtifactKind,
    Bookmark,
    Minutes,
    Recording,
    Segment,
    Speaker,
    Transcript,
)
from recordroute_gateway.library.revisions import RevisionStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.transcript_edits import ReplaceText
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.tables import index_tasks
from recordroute_gateway.workflow.records import Options, Stage
from recordroute_runtime.errors import InvalidInput, QuotaExceeded
from sqlalchemy import select

MEDIA = bytes(range(256)) * 5000
EMBEDDINGS = struct.pack("<100f", *range(100))
TRANSCRIPT = Transcript(
    language="ko",
    language_probability=0.9,
    duration=12.5,
    model="m",
    segments=(
        Segment(0, 0.0, 5.0, "안녕하세요 여러분", "S1"),
        Segment(1, 5.0, 12.5, "회의를 시작합니다", "S2"),
    ),
    speakers=(Speaker("S1", 5.0, "김민지"), Speaker("S2", 7.5)),
)
MINUTES = Minutes(language="ko", overview="짧은 회의", model="m", sections=())
NewLibrary = Callable[[Path], str]


@dataclass
class Place:
    """A library of its own."""

    database: Database
    library: LibraryStore
    vocabulary: VocabularyStore
    revisions: RevisionStore
    quota: StorageQuota
    started: list[tuple[str, str, Options]] = field(default_factory=list)

    @classmethod
    async def at(cls, folder: Path, new_library: NewLibrary, *, limit_bytes: int = 0) -> Place:
        folder.mkdir()
        database = Database(new_library(folder))
        blobs = BlobStore(folder, "")
        blobs.open()
        library, vocabulary = LibraryStore(database, blobs), VocabularyStore(database)
        revisions = RevisionStore(database, library, vocabulary)
        return cls(database, library, vocabulary, revisions, StorageQuota(database, limit_bytes))

    async def start(self, owner: str, recording_id: str, request_id: str, options: Options) -> str:
        self.started.append((owner, recording_id, options))
        return str(uuid.uuid4())

    async def export(self, user: str = "local", ids: Iterable[str] = ()) -> bytes:
        exporter = LibraryExporter(self.library, self.revisions, self.vocabulary)
        return b"".join([chunk async for chunk in await exporter.stream(user, list(ids))])

    async def take(
        self, archive: bytes, user: str = "local", *, skip_index: bool = False, request_id: str = ""
    ) -> list[Result]:
        importer = LibraryImporter(self.database, self.library, self.vocabulary, self.quota, self.start)

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(archive), 100_000):
                yield archive[start : start + 100_000]

        results = importer.run(user, request_id or str(uuid.uuid4()), chunks(), skip_index=skip_index)
        return [result async for result in results]

    async def blobs_of(self, recording_id: str, user: str = "local") -> dict[str, bytes]:
        recording = await self.library.get(user, recording_id)
        return {
            artifact.kind.value: await self.library.blobs.get(artifact.sha256)
            for artifact in recording.artifacts
            if artifact.sha256
        }

    def incoming(self) -> list[Path]:
        return list(self.library.blobs.incoming.iterdir())

    async def add(self, title: str = "주간 회의") -> Recording:
        path = self.library.blobs.new_incoming()
        content = MEDIA + title.encode()
        path.write_bytes(content)
        name, now = hashlib.sha256(content).hexdigest(), datetime.now(UTC)
        recording = Recording(
            id=str(uuid.uuid4()),
            owner="local",
            title=title,
            title_is_set=True,
            file_name="주간 회의.mp3",
            media_type="audio/mpeg",
            duration_seconds=12.5,
            language="ko",
            created_at=now,
            recorded_at=datetime(2026, 5, 3, 9, tzinfo=UTC),
            folder="회사/2026",
            tags=("주간", "team"),
            bookmarks=(Bookmark(3.25, "결정"),),
        )
        media = Artifact(ArtifactKind.MEDIA, name, len(content), model="", workflow_id="", created_at=now)
        made = await self.library.create(
            recording, str(uuid.uuid4()), media, adopt=lambda: self.library.blobs.adopt(path, name)
        )
        for kind, data in (
            (ArtifactKind.TRANSCRIPT, transcript_bytes(TRANSCRIPT)),
            (ArtifactKind.MINUTES, minutes_bytes(MINUTES)),
            (ArtifactKind.EMBEDDINGS, EMBEDDINGS),
            (ArtifactKind.INDEX, None),
        ):
            await self.library.put_artifact(made.id, kind, data, model="m", workflow_id="w")
        return await self.library.get("local", made.id)


@pytest.fixture
async def here(tmp_path: Path, new_library: NewLibrary) -> AsyncIterator[Place]:
    place = await Place.at(tmp_path / "here", new_library)
    yield place
    await place.database.close()


@pytest.fixture
async def there(tmp_path: Path, new_library: NewLibrary) -> AsyncIterator[Place]:
    place = await Place.at(tmp_path / "there", new_library)
    yield place
    await place.database.close()


def rewritten(archive: bytes, **changes: bytes | None) -> bytes:
    """Returns the archive with files of these endings replaced, or left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data: bytes | None = old.read(info)
            for ending, changed in changes.items():
                if info.filename.endswith(ending.replace("_", ".")):
                    data = changed
            if data is not None:
                new.writestr(info, data)
    return target.getvalue()


async def test_everything_arrives_byte_for_byte(here: Place, there: Place) -> None:
    first, second = await here.add(), await here.add("다른 회의")
    etag = (await here.revisions.current(first)).etag
    await here.revisions.edit(
        "local", first, str(uuid.uuid4()), etag, [ReplaceText(0, 6, 9, "동료들")], learn=False
    )
    await here.vocabulary.add("local", ["ComfyUI", "김민지"])
    archive = await here.export()
    results = await there.take(archive)
    assert [(result.outcome, result.failure) for result in results] == [(Outcome.IMPORTED, None)] * 2
    assert [result.done for result in results] == [1, 2]
    for recording in (first, second):
        before = await here.library.get("local", recording.id)
        after = await there.library.get("local", recording.id)
        assert await there.blobs_of(recording.id) == await here.blobs_of(recording.id)
        for name in (
            *("title", "title_is_set", "file_name", "media_type", "duration_seconds", "language"),
            *("created_at", "recorded_at", "folder", "tags", "bookmarks", "kind", "speakers"),
        ):
            assert getattr(after, name) == getattr(before, name), name
    history, _ = await there.revisions.list_page(await there.library.get("local", first.id), 10, "")
    assert [revision.revision for revision in history] == [2, 1]
    assert (
        "동료들"
        in (await there.library.transcript(await there.library.get("local", first.id))).segments[0].text
    )
    terms, _ = await there.vocabulary.list_page("local", 10, "")
    assert {term.text for term in terms} == {"ComfyUI", "김민지"}
    # The vectors came along: the index gets them without any embedding.
    assert there.started == []
    async with there.database.read() as connection:
        tasks = (await connection.execute(select(index_tasks.c.recording_id))).scalars().all()
    assert set(tasks) == {first.id, second.id}
    assert [result.outcome for result in await there.take(archive)] == [Outcome.PRESENT] * 2
    assert there.incoming() == []


async def test_only_what_was_asked_for_goes_out(here: Place, there: Place) -> None:
    first, second = await here.add(), await here.add("다른 회의")
    results = await there.take(await here.export(ids=[second.id]))
    assert [result.recording_id for result in results] == [second.id]
    assert first.id not in await there.library.get_many("local", [first.id])


async def test_two_users_take_in_the_same_archive(here: Place, there: Place) -> None:
    recording = await here.add()
    archive = await here.export()
    (one,) = await there.take(archive, "one")
    (two,) = await there.take(archive, "two")
    assert one.recording_id == recording.id != two.recording_id
    assert two.outcome is Outcome.IMPORTED
    assert await there.blobs_of(two.recording_id, "two") == await there.blobs_of(one.recording_id, "one")
    assert [result.outcome for result in await there.take(archive, "two")] == [Outcome.PRESENT]


async def test_without_vectors_the_texts_are_embedded(here: Place, there: Place) -> None:
    recording = await here.add()
    await here.library.drop_artifacts(recording.id, [ArtifactKind.EMBEDDINGS, ArtifactKind.INDEX])
    await there.take(await here.export())
    ((owner, started, options),) = there.started
    assert (owner, started) == ("local", recording.id)
    assert options.first_stage is Stage.EMBED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        b"PK\x03\x04" + b"\0" * 100,
    ],
)
async def test_no_archive_at_all(there: Place, content: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        await there.take(content)
    assert caught.value.reason == "BAD_ARCHIVE"
    assert there.incoming() == []


async def test_cut_off_and_damaged_archives(here: Place, there: Place) -> None:
    await here.add()
    archive = await here.export()
    for bad in (
        archive[: len(archive) // 2],
        rewritten(archive, manifest_json=None),
        rewritten(archive, manifest_json=b"{"),
        rewritten(
            archive, manifest_json=b'{"format": 99, "version": "9", "created_at": "", "recordings": []}'
        ),
        rewritten(
            archive, manifest_json=b'{"format": 1, "version": "9", "created_at": "", "recordings": [{}]}'
        ),
    ):
        with pytest.raises(InvalidInput) as caught:
            await there.take(bad)
        assert caught.value.reason == "BAD_ARCHIVE"
    for bad in (
        rewritten(archive, mp3=MEDIA),
        rewritten(archive, transcript_json=b"[]"),
        rewritten(archive, embeddings_bin=None),
    ):
        (result,) = await there.take(bad)
        assert result.outcome is Outcome.FAILED
        assert result.failure is not None
        assert result.failure.reason == "BAD_ARCHIVE"
    page, _ = await there.library.list_page("local", 10, "")
    assert page == []
    assert there.incoming() == []
    blobs = [path for path in (there.library.blobs.incoming.parent / "blobs").rglob("*") if path.is_file()]
    assert blobs == []


def forged(archive: bytes, name: str, data: bytes) -> bytes:
    """Returns the archive with a file replaced, and the manifest to match."""
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        manifest = json.loads(old.read(MANIFEST))
    (recording,) = manifest["recordings"]
    for file in [*recording["files"], *recording["revisions"]]:
        if file["path"].endswith(name):
            file |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    changed = rewritten(archive, manifest_json=json.dumps(manifest).encode())
    return rewritten(changed, **{name.replace(".", "_"): data})


@pytest.mark.parametrize(
    ("name", "data", "damage"),
    [
        ("transcript.json", b"[]", "Input should be an object"),
        ("transcript.json", b'{"language": "ko"', "Invalid JSON: EOF while parsing"),
        ("transcript.json", b'{"language": "ko"}', "language_probability: Field required"),
        (
            "transcript.json",
            json.dumps(asdict(TRANSCRIPT) | {"segments": [{"index": 0, "start": "soon"}]}).encode(),
            "segments.0.start: Input should be a valid number",
        ),
        (
            "minutes.json",
            json.dumps(asdict(MINUTES) | {"sections": [{"kind": "decisions", "items": "none"}]}).encode(),
            "sections.0.items: Input should be a valid array",
        ),
        ("0002.json", b"{}", "language: Field required"),
    ],
)
async def test_it_is_said_which_file_is_damaged_and_where(
    here: Place, there: Place, name: str, data: bytes, damage: str
) -> None:
    recording = await here.add()
    etag = (await here.revisions.current(recording)).etag
    await here.revisions.edit(
        "local", recording, str(uuid.uuid4()), etag, [ReplaceText(0, 6, 9, "동료들")], learn=False
    )
    (result,) = await there.take(forged(await here.export(), name, data))
    assert result.failure is not None
    assert result.failure.reason == "BAD_ARCHIVE"
    assert f"{name} is damaged: {damage}" in result.failure.message
    assert await there.library.list_page("local", 10, "") == ([], "")


async def test_a_file_that_is_missing_is_named(here: Place, there: Place) -> None:
    recording = await here.add()
    for name in ("transcript.json", "media/주간 회의.mp3"):
        archive = rewritten(await here.export(), **{name.replace(".", "_"): None})
        (result,) = await there.take(archive)
        assert result.failure is not None
        assert f"recordings/{recording.id}/{name} is missing" in result.failure.message


async def test_what_a_newer_version_has_added_is_passed_over(here: Place, there: Place) -> None:
    await here.add()
    newer = asdict(TRANSCRIPT) | {"mood": "calm"}
    newer["speakers"][0]["role"] = "chair"
    (result,) = await there.take(forged(await here.export(), "transcript.json", json.dumps(newer).encode()))
    assert result.failure is None
    recording = await there.library.get("local", result.recording_id)
    assert recording.speakers == TRANSCRIPT.speakers
    assert await there.library.transcript(recording) == TRANSCRIPT


async def test_it_is_said_what_is_wrong_with_the_manifest_and_the_vocabulary(
    here: Place, there: Place
) -> None:
    await here.add()
    await here.vocabulary.add("local", ["ComfyUI"])
    archive = await here.export()
    with pytest.raises(InvalidInput, match=r"manifest\.json is damaged: recordings\.0\.id: Field required"):
        await there.take(
            rewritten(
                archive, manifest_json=b'{"format": 1, "version": "9", "created_at": "", "recordings": [{}]}'
            )
        )
    with pytest.raises(InvalidInput, match="it has format 99, and this version reads up to 1"):
        await there.take(rewritten(archive, manifest_json=b'{"format": 99}'))
    with pytest.raises(InvalidInput, match=r"vocabulary\.json is damaged: 0\.text: Field required"):
        await there.take(rewritten(archive, vocabulary_json=b"[{}]"))


async def test_names_in_an_archive_are_no_paths(here: Place, there: Place, tmp_path: Path) -> None:
    await here.add()
    archive = await here.export()
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        manifest = json.loads(old.read(MANIFEST))
        media = next(file for file in manifest["recordings"][0]["files"] if file["kind"] == "media")
        data = old.read(media["path"])
    manifest["recordings"][0]["file_name"] = "../../../evil.mp3"
    media["path"] = "../../../../evil.mp3"
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            if not info.filename.endswith((MANIFEST, ".mp3")):
                new.writestr(info, old.read(info))
        new.writestr("../../../../evil.mp3", data)
        new.writestr(MANIFEST, json.dumps(manifest))
    (result,) = await there.take(target.getvalue())
    recording = await there.library.get("local", result.recording_id)
    assert recording.file_name == "evil.mp3"
    assert not list(tmp_path.parent.rglob("evil.mp3"))


async def test_a_bomb_is_refused(there: Place) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * (64 << 20))
    with pytest.raises(InvalidInput) as caught:
        await there.take(target.getvalue())
    assert "unpacks" in caught.value.message


async def test_the_quota_holds_for_imports(here: Place, tmp_path: Path, new_library: NewLibrary) -> None:
    await here.add()
    archive = await here.export()
    small = await Place.at(tmp_path / "small", new_library, limit_bytes=100_000)
    with pytest.raises(QuotaExceeded):
        await small.take(archive)
    await small.database.close()


def test_old_transcripts() -> None:
    text = (
        "\ufeff# 회의록\n\n[00:00:01 - 00:00:04] 안녕하세요.\n이어지는 말입니다.\n"
        "[00:00:04 - 01:02:03.5] 화자 2: 네, 시작하겠습니다.\n[00:00:09 – 00:00:08] 뒤집힌 시간\n"
        "[00:00:10 - 00:00:11]\n"
    )
    segments = parse_transcript(text)
    assert [(segment.start, segment.end, segment.text, segment.speaker) for segment in segments] == [
        (1.0, 4.0, "안녕하세요. 이어지는 말입니다.", ""),
        (4.0, 3723.5, "네, 시작하겠습니다.", "화자 2"),
        (9.0, 9.0, "뒤집힌 시간", ""),
    ]
    assert [segment.text for segment in parse_transcript("first\n\nsecond")] == ["first", "second"]
    assert parse_transcript("") == ()


async def test_the_first_recordroute_is_taken_over(there: Place, data: Path) -> None:
    record, lost = str(uuid.uuid4()), str(uuid.uuid4())
    history = [
        {
            "id": record,
            "timestamp": "2025-03-04T10:00:00",
            "filename": "jfk.flac",
            "file_type": "audio",
            "folder_name": "f1",
            "completed_tasks": {"stt": True, "embedding": True, "summary": True},
            "download_links": {},
            "title_summary": "취임 연설",
            "tags": ["speech", "speech"],
            "deleted": False,
        },
        {"id": lost, "timestamp": "2025-03-05T10:00:00", "filename": "gone.mp3", "folder_name": "f2"},
        {"id": str(uuid.uuid4()), "filename": "x.mp3", "folder_name": "f3", "deleted": True},
        {"id": str(uuid.uuid4()), "filename": "nothing.mp3", "folder_name": "f4"},
        {"id": str(uuid.uuid4()), "timestamp": "?", "filename": "new.wav", "folder_name": "f6"},
    ]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("DB/upload_history.json", json.dumps(history, ensure_ascii=False))
        archive.writestr("DB/file_registry.json", "{}")
        archive.write(data / "jfk.flac", "DB/uploads/f1/jfk.flac")
        archive.writestr("DB/whisper_output/f1/jfk.md", "[00:00:00 - 00:00:11] 여러분 안녕하십니까")
        archive.writestr("DB/whisper_output/f1/jfk.summary.md", "# 요약\n- 인사")
        archive.writestr("DB/whisper_output/f2/gone.md", "[00:00:00 - 00:00:02] 녹음은 없습니다")
        archive.writestr("DB/uploads/f3/x.mp3", b"deleted")
        archive.writestr("DB/whisper_output/f5/older.md", "Only the text of this one is left.")
        archive.write(data / "librivox_0880.wav", "DB/uploads/f6/new.wav")
        archive.writestr("DB/vector_store/index.json", "{}")
    results = await there.take(target.getvalue())
    assert [result.failure for result in results] == [None] * 4
    known = {result.entry.split("/")[2]: result.recording_id for result in results}
    assert known["f1"] == record
    first = await there.library.get("local", record)
    assert (first.title, first.tags, first.language) == ("취임 연설", ("speech",), "ko")
    assert first.recorded_at.astimezone().isoformat().startswith("2025-03-04T10:00:00")
    assert 10 < (first.duration_seconds or 0) < 12
    assert (await there.blobs_of(record))["media"] == (data / "jfk.flac").read_bytes()
    assert (await there.library.minutes(first)).overview == "# 요약\n- 인사"
    assert (await there.library.transcript(first)).segments[0].end == 11.0
    second = await there.library.get("local", lost)
    assert second.kind.value == "document"
    third = await there.library.get("local", known["f5"])
    assert (third.title, third.language) == ("older", "en")
    options = {recording_id: options for _, recording_id, options in there.started}
    assert options[record] == Options(first_stage=Stage.EMBED, skip_summary=True)
    assert options[lost] == Options(first_stage=Stage.EMBED)
    assert options[known["f6"]] == Options()
    again = await there.take(target.getvalue())
    assert {result.outcome for result in again} == {Outcome.PRESENT}
    page, _ = await there.library.list_page("local", 10, "")
    assert len(page) == 4
