"""Looks at an uploaded file: what it is, whether it can be worked on, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.library.documents import DOCUMENT_SECONDS, read_error
from recordroute_gateway.library.readers.process import Reader, ReaderStopped, run_reader, start_reader
from recordroute_gateway.library.records import RecordingKind

MEDIA_SECONDS = 30.0
PDF_MAGIC = b"%PDF-"
# Readers of PDF look no further for its beginning.
MAGIC_WITHIN_BYTES = 1024
PDF_TYPE = "application/pdf"
TEXT_TYPES = {
    ".txt": "text/plain",
    ".text": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
}


@dataclass(frozen=True)
class FileProbe:
    """What a file is. What does not apply, or what the file does not say, is unset, empty or 0."""

    kind: RecordingKind
    media_type: str
    duration_seconds: float | None = None
    container: str = ""
    codec: str = ""
    sample_rate_hertz: int = 0
    channels: int = 0
    page_count: int = 0
    recorded_at: datetime | None = None


async def start_media_reader(file_name: str) -> Reader | None:
    """Starts what looks at media while the file is still coming; None where its name is that of a document."""
    suffix = PurePosixPath(file_name).suffix.lower()
    return None if suffix == ".pdf" or suffix in TEXT_TYPES else await start_reader("media")


async def probe_file(path: Path, file_name: str, reader: Reader | None = None) -> FileProbe:
    """Opens a media file and decodes its first audio, or reads a document through. A `reader` that was started for it
    is used where it fits.

    Raises InvalidInput: MEDIA_UNREADABLE, MEDIA_WITHOUT_AUDIO, DOCUMENT_WITHOUT_TEXT, DOCUMENT_ENCRYPTED,
    DOCUMENT_TOO_LONG.
    """
    document_type = _document_type(path, file_name)
    if document_type:
        return await _probe_document(path, document_type)
    try:
        media = reader if reader is not None else await start_reader("media")
        found = await media.ask(str(path), seconds=MEDIA_SECONDS)
    except ReaderStopped as error:
        raise InvalidInput("MEDIA_UNREADABLE", f"the file can't be read: {error}") from error
    if "reason" in found:
        raise InvalidInput(found["reason"], found["message"])
    recorded_at = found.pop("recorded_at")
    return FileProbe(kind=RecordingKind.MEDIA, recorded_at=_plausible(recorded_at), **found)


async def _probe_document(path: Path, media_type: str) -> FileProbe:
    form = "pdf" if media_type == PDF_TYPE else "text"
    try:
        found = await run_reader("documents", "look", str(path), form, seconds=DOCUMENT_SECONDS)
    except ReaderStopped as error:
        raise read_error(error) from error
    if "reason" in found:
        raise InvalidInput(found["reason"], found["message"])
    return FileProbe(
        kind=RecordingKind.DOCUMENT,
        media_type=media_type,
        page_count=found["page_count"],
        recorded_at=_plausible(found["recorded_at"]),
    )


def _document_type(path: Path, file_name: str) -> str:
    with path.open("rb") as file:
        if PDF_MAGIC in file.read(MAGIC_WITHIN_BYTES):
            return PDF_TYPE
    # Bytes of a text say nothing of themselves: its name has to.
    return TEXT_TYPES.get(PurePosixPath(file_name).suffix.lower(), "")


def _plausible(text: str | None) -> datetime | None:
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        # A local time of the device that made it: this machine's zone is the best guess.
        time = time.astimezone()
    return time.astimezone(UTC) if time < datetime.now(UTC) + timedelta(days=1) else None
