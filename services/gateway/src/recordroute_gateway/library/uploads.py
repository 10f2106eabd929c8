"""Receives a file: to disk as it comes, checked, probed, and only then a recording."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import unicodedata
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.library.probe import probe_media
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording
from recordroute_gateway.library.store import LibraryStore


@dataclass(frozen=True)
class Upload:
    """What the client says of the file before it sends it."""

    owner: str
    request_id: str
    file_name: str
    size_bytes: int | None
    sha256: str | None
    recorded_at: datetime | None


def clean_file_name(name: str) -> str:
    """Returns the last part of a client's path without control characters: a name to read, never a path."""
    name = unicodedata.normalize("NFC", name)
    visible = "".join(character for character in name if unicodedata.category(character) not in ("Cc", "Cs"))
    last = re.split(r"[/\\]", visible.strip())[-1].strip()
    return last if last not in ("", ".", "..") else "recording"


async def receive(
    upload: Upload, chunks: AsyncIterator[bytes], library: LibraryStore, max_bytes: int
) -> Recording:
    """Receives a file and adds its recording. Nothing is kept of a file that fails.

    Raises InvalidInput (MEDIA_EMPTY, MEDIA_TOO_LARGE, SIZE_MISMATCH, CHECKSUM_MISMATCH, MEDIA_UNREADABLE,
    MEDIA_WITHOUT_AUDIO) and StorageFull.
    """
    if upload.size_bytes is not None and upload.size_bytes > max_bytes:
        raise _too_large(max_bytes)
    known = await library.find_request(upload.owner, upload.request_id)
    if known is not None:
        return known
    path = library.blobs.new_incoming()
    try:
        size, sha256 = await _spool(chunks, path, max_bytes)
        _check(upload, size, sha256)
        media = await probe_media(path)
        await library.blobs.adopt(path, sha256)
    finally:
        path.unlink(missing_ok=True)
    now = datetime.now(UTC)
    name = clean_file_name(upload.file_name)
    recording = Recording(
        id=str(uuid.uuid4()),
        owner=upload.owner,
        title=PurePosixPath(name).stem or name,
        file_name=name,
        duration_seconds=media.duration_seconds,
        language="",
        created_at=now,
        recorded_at=upload.recorded_at or now,
    )
    artifact = Artifact(ArtifactKind.MEDIA, sha256, size, model="", workflow_id="", created_at=now)
    return await library.create(recording, upload.request_id, artifact)


async def _spool(chunks: AsyncIterator[bytes], path: Path, max_bytes: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with path.open("wb", buffering=0) as file:

        def write(chunk: bytes) -> None:
            digest.update(chunk)
            written = 0
            while written < len(chunk):
                written += file.write(memoryview(chunk)[written:])

        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                await asyncio.to_thread(write, chunk)
            await asyncio.to_thread(os.fsync, file.fileno())
        except OSError as error:
            raise_if_full(error)
            raise
    return size, digest.hexdigest()


def _check(upload: Upload, size: int, sha256: str) -> None:
    if upload.size_bytes is not None and upload.size_bytes != size:
        raise InvalidInput(
            "SIZE_MISMATCH",
            f"{size} bytes came where {upload.size_bytes} were announced; upload the file again",
        )
    if upload.sha256 is not None and upload.sha256 != sha256:
        raise InvalidInput("CHECKSUM_MISMATCH", "the file was changed on its way here; upload it again")
    if size == 0:
        raise InvalidInput("MEDIA_EMPTY", "the file is empty")


def _too_large(max_bytes: int) -> InvalidInput:
    return InvalidInput("MEDIA_TOO_LARGE", f"the file is larger than the limit of {max_bytes} bytes")
