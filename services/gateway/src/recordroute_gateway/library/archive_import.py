"""Takes in archives: recordings of another library byte for byte, and those of the first RecordRoute.

An archive is untrusted: nothing in it is a path, every file is checked against the manifest's size and SHA-256 before
anything of its recording is kept, and a recording that can't be taken in does not keep the others out.
"""

from __future__ import annotations

import hashlib
import mimetypes
import uuid
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError
from recordroute_runtime.errors import DomainError
from recordroute_runtime.threads import in_thread
from sqlalchemy import insert, select

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.database import Database
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.archive import (
    MANIFEST,
    VOCABULARY,
    ArchivedFile,
    ArchivedRecording,
    ArchivedRevision,
    ArchivedTerm,
    Manifest,
    bad_archive,
)
from recordroute_gateway.library.artifact_json import (
    damage_of,
    minutes_bytes,
    read_minutes,
    read_transcript,
    transcript_bytes,
)
from recordroute_gateway.library.index_tasks import add_index_task
from recordroute_gateway.library.intake import clean_file_name
from recordroute_gateway.library.legacy import (
    LegacyRecord,
    is_legacy,
    parse_transcript,
    read_records,
    read_text,
    record_uuid,
)
from recordroute_gateway.library.probe import probe_file
from recordroute_gateway.library.records import (
    Artifact,
    ArtifactKind,
    Minutes,
    Recording,
    RecordingKind,
    Transcript,
)
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.tables import recordings, transcript_revisions
from recordroute_gateway.workflow.records import Failure, Options, Stage

log = structlog.get_logger(__name__)

COPY_BYTES = 1 << 20
# A file that unpacks to more than this times its packed size is no text and no medium.
MOST_RATIO = 200
RATIO_COUNTS_FROM = 16 << 20
TEXT_LANGUAGES = {"ko": range(0xAC00, 0xD7A4)}
_TERMS = TypeAdapter(tuple[ArchivedTerm, ...])
StartWorkflow = Callable[[str, str, str, Options], Awaitable[str]]


class Outcome(StrEnum):
    IMPORTED = "imported"
    PRESENT = "present"
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """What became of one recording of the archive."""

    entry: str
    outcome: Outcome
    recording_id: str
    failure: Failure | None
    done: int
    total: int


class LibraryImporter:
    """Takes in archives for a user."""

    def __init__(
        self,
        database: Database,
        library: LibraryStore,
        vocabulary: VocabularyStore,
        quota: StorageQuota,
        start_workflow: StartWorkflow,
    ) -> None:
        self.database = database
        self.library = library
        self.vocabulary = vocabulary
        self.quota = quota
        self.start_workflow = start_workflow

    async def run(
        self, user: str, request_id: str, chunks: AsyncIterator[bytes], *, skip_index: bool
    ) -> AsyncGenerator[Result]:
        """Receives an archive and yields what becomes of its recordings.

        Raises InvalidInput (BAD_ARCHIVE), QuotaExceeded and StorageFull.
        """
        path = self.library.blobs.new_incoming()
        try:
            await self._receive(user, path, chunks)
            try:
                archive = await in_thread(zipfile.ZipFile, path)
            except (zipfile.BadZipFile, OSError, ValueError) as error:
                raise bad_archive("it is no ZIP file, or was cut off") from error
            with archive:
                _check_sizes(archive)
                work = _Import(self, archive, user, request_id, skip_index=skip_index)
                if MANIFEST in archive.namelist():
                    entries = work.archived()
                elif is_legacy(archive):
                    entries = work.legacy()
                else:
                    raise bad_archive(f"it has no {MANIFEST}: it was cut off, or is not of RecordRoute")
                async for result in entries:
                    yield result
        finally:
            path.unlink(missing_ok=True)

    async def _receive(self, user: str, path: Path, chunks: AsyncIterator[bytes]) -> None:
        size = 0
        with path.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                await self.quota.check(user, size)
                try:
                    await in_thread(file.write, chunk)
                except OSError as error:
                    raise_if_full(error)
                    raise
        if not size:
            raise bad_archive("it is empty")


def _check_sizes(archive: zipfile.ZipFile) -> None:
    for info in archive.infolist():
        if info.flag_bits & 1:
            raise bad_archive("it is encrypted")
        unpacked = max(info.compress_size, 1) * MOST_RATIO
        if info.file_size > max(RATIO_COUNTS_FROM, unpacked):
            raise bad_archive(f"{info.filename[:200]} unpacks to far more than a recording would")


class _Import:
    """One archive on its way in."""

    def __init__(
        self,
        importer: LibraryImporter,
        archive: zipfile.ZipFile,
        user: str,
        request_id: str,
        *,
        skip_index: bool,
    ) -> None:
        self._importer = importer
        self._library = importer.library
        self._database = importer.database
        self._archive = archive
        self._user = user
        self._request_id = request_id
        self._skip_index = skip_index

    async def archived(self) -> AsyncGenerator[Result]:
        """Takes in an archive of `ExportLibrary`."""
        manifest = Manifest.from_json(await in_thread(self._archive.read, MANIFEST))
        total = len(manifest.recordings)
        for done, entry in enumerate(manifest.recordings, 1):
            yield await self._result(f"recordings/{entry.id}", done, total, self._take(entry))
        await self._take_terms()

    async def legacy(self) -> AsyncGenerator[Result]:
        """Takes in a packed data folder of the first RecordRoute."""
        records = await in_thread(read_records, self._archive)
        records = [record for record in records if not record.is_deleted]
        for done, record in enumerate(records, 1):
            name = record.media or record.transcript
            yield await self._result(name, done, len(records), self._take_legacy(record))

    async def _result(
        self, entry: str, done: int, total: int, work: Awaitable[tuple[Outcome, str]]
    ) -> Result:
        try:
            outcome, recording_id = await work
        except DomainError as error:
            return Result(entry, Outcome.FAILED, "", Failure.of(error), done, total)
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
            log.info("entry of an archive", entry=entry, error=str(error))
            failure = Failure.of(bad_archive(f"what it has of {entry} is damaged"))
            return Result(entry, Outcome.FAILED, "", failure, done, total)
        return Result(entry, outcome, recording_id, None, done, total)

    async def _take(self, entry: ArchivedRecording) -> tuple[Outcome, str]:
        recording_id, is_present = await self._place(str(uuid.UUID(entry.id)))
        if is_present:
            return Outcome.PRESENT, recording_id
        media = entry.file(ArtifactKind.MEDIA)
        if media is None:
            raise bad_archive(f"recording {entry.id} has no media")
        # All of it before anything is kept: a recording is taken in whole or not at all.
        texts = {
            file.kind: await in_thread(self._read, file)
            for file in entry.files
            if file.kind != ArtifactKind.MEDIA.value
        }
        revisions = [(each, await in_thread(self._read, each)) for each in entry.revisions]
        recording = entry.recording(recording_id, self._user)
        recording = replace(recording, file_name=clean_file_name(recording.file_name))
        await self._add(recording, media)
        for file in entry.files:
            if file.kind in texts:
                await self._library.put_artifact(
                    recording_id,
                    ArtifactKind(file.kind),
                    texts[file.kind],
                    model=file.model,
                    workflow_id="",
                )
        if revisions:
            await self._add_revisions(recording_id, revisions)
        if not self._skip_index:
            await self._make_searchable(recording_id, texts, is_indexed=entry.is_indexed)
        return Outcome.IMPORTED, recording_id

    async def _take_legacy(self, record: LegacyRecord) -> tuple[Outcome, str]:
        recording_id, is_present = await self._place(record_uuid(record))
        if is_present:
            return Outcome.PRESENT, recording_id
        text = await in_thread(read_text, self._archive, record.transcript) if record.transcript else ""
        summary = await in_thread(read_text, self._archive, record.summary) if record.summary else ""
        segments = parse_transcript(text)
        name = record.media or record.transcript
        path, sha256, size = await in_thread(self._unpack, name, None, discard=_throw_away)
        try:
            now = datetime.now(UTC)
            recording = Recording(
                id=recording_id,
                owner=self._user,
                title=record.title,
                title_is_set=False,
                # Where the recording itself is lost its transcript is what there is: a document.
                kind=RecordingKind.MEDIA if record.media else RecordingKind.DOCUMENT,
                file_name=clean_file_name(record.file_name if record.media else name),
                media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
                duration_seconds=segments[-1].end if segments and segments[-1].end else None,
                language=_language(text),
                created_at=now,
                recorded_at=record.recorded_at or now,
                tags=record.tags,
            )
            if record.media:
                media = await probe_file(path, recording.file_name)
                recording = replace(
                    recording,
                    kind=media.kind,
                    media_type=media.media_type,
                    duration_seconds=media.duration_seconds or recording.duration_seconds,
                    page_count=media.page_count,
                )
            await self._create(recording, path, sha256, size)
        finally:
            path.unlink(missing_ok=True)
        if segments:
            transcript = Transcript(
                language=recording.language,
                language_probability=0.0,
                duration=recording.duration_seconds or 0.0,
                model="",
                segments=segments,
            )
            await self._put(recording_id, ArtifactKind.TRANSCRIPT, transcript_bytes(transcript))
        if summary.strip():
            minutes = Minutes(language=recording.language, overview=summary.strip(), model="", sections=())
            await self._put(recording_id, ArtifactKind.MINUTES, minutes_bytes(minutes))
        await self._go_on(recording_id, has_text=bool(segments), has_summary=bool(summary.strip()))
        return Outcome.IMPORTED, recording_id

    async def _go_on(self, recording_id: str, *, has_text: bool, has_summary: bool) -> None:
        """Starts what is missing of an old record: the vectors were another model's."""
        if not has_text:
            await self._start(recording_id, Options(skip_index=self._skip_index))
        elif not self._skip_index:
            await self._start(recording_id, Options(first_stage=Stage.EMBED, skip_summary=has_summary))

    async def _make_searchable(self, recording_id: str, texts: dict[str, bytes], *, is_indexed: bool) -> None:
        if ArtifactKind.EMBEDDINGS.value in texts and is_indexed:
            recording = await self._library.get(self._user, recording_id)
            made = recording.artifact(ArtifactKind.EMBEDDINGS)
            await self._library.put_artifact(
                recording_id, ArtifactKind.INDEX, None, model=made.model if made else "", workflow_id=""
            )
            async with self._database.write() as connection:
                await add_index_task(connection, self._user, recording_id)
        elif ArtifactKind.TRANSCRIPT.value in texts:
            await self._start(recording_id, Options(first_stage=Stage.EMBED, skip_summary=True))

    async def _start(self, recording_id: str, options: Options) -> None:
        request_id = str(uuid.uuid5(uuid.UUID(self._request_id), recording_id))
        await self._importer.start_workflow(self._user, recording_id, request_id, options)

    async def _place(self, recording_id: str) -> tuple[str, bool]:
        """Returns the id that a recording gets here, and whether the user has it already."""
        for candidate in (recording_id, str(uuid.uuid5(uuid.UUID(recording_id), self._user))):
            query = select(recordings.c.owner).where(recordings.c.id == candidate)
            async with self._database.read() as connection:
                owner = (await connection.execute(query)).scalar_one_or_none()
            if owner is None:
                return candidate, False
            if owner == self._user:
                return candidate, True
        # Somebody else has both.
        return str(uuid.uuid4()), False

    async def _add(self, recording: Recording, media: ArchivedFile) -> None:
        path, sha256, size = await in_thread(self._unpack, media.path, media, discard=_throw_away)
        try:
            await self._create(recording, path, sha256, size)
        finally:
            path.unlink(missing_ok=True)

    async def _create(self, recording: Recording, path: Path, sha256: str, size: int) -> None:
        await self._importer.quota.check(self._user, size)
        artifact = Artifact(
            ArtifactKind.MEDIA, sha256, size, model="", workflow_id="", created_at=datetime.now(UTC)
        )
        request_id = str(uuid.uuid5(uuid.UUID(self._request_id), f"create {recording.id}"))
        await self._library.create(
            recording, request_id, artifact, adopt=lambda: self._library.blobs.adopt(path, sha256)
        )

    async def _put(self, recording_id: str, kind: ArtifactKind, data: bytes) -> None:
        await self._library.put_artifact(recording_id, kind, data, model="", workflow_id="")

    async def _add_revisions(
        self, recording_id: str, revisions: list[tuple[ArchivedRevision, bytes]]
    ) -> None:
        async with self._database.write() as connection:
            for revision, data in revisions:
                await connection.execute(
                    insert(transcript_revisions).values(
                        recording_id=recording_id,
                        revision=revision.revision,
                        sha256=await self._library.put_blob(connection, data),
                        size_bytes=len(data),
                        author=revision.author,
                        request_id=None,
                        summary=revision.summary,
                        reverted_to=revision.reverted_to,
                        changed_segments=[],
                        replaced_counts=[],
                        created_at=datetime.fromisoformat(revision.created_at),
                    )
                )

    async def _take_terms(self) -> None:
        if VOCABULARY in self._archive.namelist():
            data = await in_thread(self._archive.read, VOCABULARY)
            try:
                terms = _TERMS.validate_json(data)
            except ValidationError as error:
                raise bad_archive(f"{VOCABULARY} is damaged: {damage_of(error)}") from error
            texts = [term.text for term in terms if term.text]
            if texts:
                await self._importer.vocabulary.add(self._user, texts)

    def _read(self, file: ArchivedFile | ArchivedRevision) -> bytes:
        """Returns a file, checked. Raises InvalidInput (BAD_ARCHIVE)."""
        check = _check_of(file)
        data = self._archive.read(self._info(file.path, file.size_bytes))
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise bad_archive(f"{file.path[:200]} was changed")
        try:
            check(data)
        except ValidationError as error:
            raise bad_archive(f"{file.path[:200]} is damaged: {damage_of(error)}") from error
        return data

    def _info(self, path: str, size_bytes: int | None = None) -> zipfile.ZipInfo:
        try:
            info = self._archive.getinfo(path)
        except KeyError as error:
            raise bad_archive(f"{path[:200]} is missing") from error
        if size_bytes is not None and info.file_size != size_bytes:
            raise bad_archive(f"{path[:200]} has not the size that it should have")
        return info

    def _unpack(self, name: str, expected: ArchivedFile | None) -> tuple[Path, str, int]:
        """Unpacks a large file and returns where it is, its SHA-256 and its size."""
        info = self._info(name, expected.size_bytes if expected is not None else None)
        path, digest, size = self._library.blobs.new_incoming(), hashlib.sha256(), 0
        try:
            with self._archive.open(info) as source, path.open("wb") as target:
                while chunk := source.read(COPY_BYTES):
                    size += len(chunk)
                    digest.update(chunk)
                    target.write(chunk)
            if expected is not None and digest.hexdigest() != expected.sha256:
                raise bad_archive(f"{name[:200]} was changed")
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise_if_full(error)
            raise
        return path, digest.hexdigest(), size


def _check_of(file: ArchivedFile | ArchivedRevision) -> Callable[[bytes], object]:
    """Returns what reads a file; it raises ValidationError where that is damaged."""
    if isinstance(file, ArchivedRevision):
        datetime.fromisoformat(file.created_at)
        return read_transcript
    match ArtifactKind(file.kind):
        case ArtifactKind.TRANSCRIPT:
            return read_transcript
        case ArtifactKind.MINUTES:
            return read_minutes
        case _:
            return bytes


def _throw_away(unpacked: tuple[Path, str, int]) -> None:
    unpacked[0].unlink(missing_ok=True)


def _language(text: str) -> str:
    """Returns the language of an old transcript, which did not say it: it was made for Korean."""
    letters = [character for character in text if character.isalpha()]
    korean = sum(ord(letter) in TEXT_LANGUAGES["ko"] for letter in letters)
    return "" if not letters else "ko" if korean > len(letters) / 4 else "en"
