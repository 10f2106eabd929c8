"""The archive of a library: a ZIP file that `ExportLibrary` writes and `ImportLibrary` reads.

`manifest.json` comes last, so that an archive that was cut off has none. It names every file with its size and its
SHA-256. Each recording has a folder of its own with its metadata, its media and what was made of it, byte for byte as
the library has it; docs/export.md tells the format.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.library.artifact_json import damage_of
from recordroute_gateway.library.records import ArtifactKind, Bookmark, Recording, RecordingKind, Speaker

FORMAT = 1
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.json"
# What is in an archive of each kind; the media has its own name.
FILE_NAMES = {
    ArtifactKind.TRANSCRIPT: "transcript.json",
    ArtifactKind.MINUTES: "minutes.json",
    ArtifactKind.EMBEDDINGS: "embeddings.bin",
}


def bad_archive(why: str) -> InvalidInput:
    return InvalidInput("BAD_ARCHIVE", f"the archive can't be read: {why}")


@dataclass(frozen=True)
class ArchivedFile:
    """A file of the archive; `model` made it, empty for the media."""

    kind: str
    path: str
    sha256: str
    size_bytes: int
    model: str = ""


@dataclass(frozen=True)
class ArchivedRevision:
    """A state of a transcript."""

    revision: int
    path: str
    sha256: str
    size_bytes: int
    author: str
    summary: str
    created_at: str
    reverted_to: int | None = None


@dataclass(frozen=True)
class ArchivedRecording:
    """A recording's metadata and its files."""

    id: str
    title: str
    title_is_set: bool
    file_name: str
    kind: str
    media_type: str
    duration_seconds: float | None
    page_count: int
    language: str
    created_at: str
    recorded_at: str
    folder: str
    tags: tuple[str, ...]
    bookmarks: tuple[Bookmark, ...]
    speakers: tuple[Speaker, ...]
    files: tuple[ArchivedFile, ...]
    revisions: tuple[ArchivedRevision, ...] = ()
    is_indexed: bool = False

    @classmethod
    def of(
        cls, recording: Recording, files: list[ArchivedFile], revisions: list[ArchivedRevision]
    ) -> ArchivedRecording:
        """Returns the entry of a recording."""
        return cls(
            id=recording.id,
            title=recording.title,
            title_is_set=recording.title_is_set,
            file_name=recording.file_name,
            kind=recording.kind.value,
            media_type=recording.media_type,
            duration_seconds=recording.duration_seconds,
            page_count=recording.page_count,
            language=recording.language,
            created_at=recording.created_at.isoformat(),
            recorded_at=recording.recorded_at.isoformat(),
            folder=recording.folder,
            tags=recording.tags,
            bookmarks=recording.bookmarks,
            speakers=recording.speakers,
            files=tuple(files),
            revisions=tuple(revisions),
            is_indexed=recording.artifact(ArtifactKind.INDEX) is not None,
        )

    def recording(self, recording_id: str, owner: str) -> Recording:
        """Returns the recording as it is taken in."""
        return Recording(
            id=recording_id,
            owner=owner,
            title=self.title,
            title_is_set=self.title_is_set,
            file_name=self.file_name,
            kind=RecordingKind(self.kind),
            media_type=self.media_type,
            duration_seconds=self.duration_seconds,
            page_count=self.page_count,
            language=self.language,
            created_at=datetime.fromisoformat(self.created_at),
            recorded_at=datetime.fromisoformat(self.recorded_at),
            folder=self.folder,
            tags=self.tags,
            bookmarks=self.bookmarks,
            speakers=self.speakers,
        )

    def file(self, kind: ArtifactKind) -> ArchivedFile | None:
        return next((file for file in self.files if file.kind == kind.value), None)


@dataclass(frozen=True)
class ArchivedTerm:
    """A term of the vocabulary, with what was heard in its place."""

    text: str
    heard_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What an archive holds."""

    format: int
    version: str
    created_at: str
    recordings: tuple[ArchivedRecording, ...]

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Reads a manifest. Raises InvalidInput (BAD_ARCHIVE)."""
        try:
            version = _FORMAT.validate_json(data).format
            if version > FORMAT:
                raise bad_archive(f"it has format {version}, and this version reads up to {FORMAT}")
            return _MANIFEST.validate_json(data)
        except ValidationError as error:
            raise bad_archive(f"{MANIFEST} is damaged: {damage_of(error)}") from error


@dataclass(frozen=True)
class _Format:
    """What a manifest of any version has."""

    format: int


_FORMAT = TypeAdapter(_Format)
_MANIFEST = TypeAdapter(Manifest)
