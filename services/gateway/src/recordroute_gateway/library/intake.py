"""The last step of every way into the library: a file that has come whole is looked at and becomes a recording."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from recordroute_runtime.errors import Conflict, InvalidInput
from sqlalchemy import func, select

from recordroute_gateway.database import Database
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.probe import probe_file
from recordroute_gateway.library.readers.process import Reader
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.tables import uploads


@dataclass(frozen=True)
class Upload:
    """What the client says of the file before it sends it."""

    owner: str
    request_id: str
    file_name: str
    size_bytes: int | None = None
    sha256: str | None = None
    recorded_at: datetime | None = None
    allow_duplicate: bool = False
    title: str = ""
    folder: str = ""
    tags: tuple[str, ...] = ()


def clean_file_name(name: str) -> str:
    """Returns the last part of a client's path without control characters: a name to read, never a path."""
    name = unicodedata.normalize("NFC", name)
    visible = "".join(character for character in name if unicodedata.category(character) not in ("Cc", "Cs"))
    last = re.split(r"[/\\]", visible.strip())[-1].strip()
    return last if last not in ("", ".", "..") else "recording"


def file_too_large(max_bytes: int) -> InvalidInput:
    """The error for a file that is larger than the limit."""
    return InvalidInput(
        "MEDIA_TOO_LARGE",
        f"the file is larger than the limit of {max_bytes} bytes",
        metadata={"limit_bytes": str(max_bytes)},
    )


class Intake:
    """Makes recordings of files."""

    def __init__(
        self, database: Database, library: LibraryStore, quota: StorageQuota, *, max_upload_bytes: int
    ) -> None:
        self._database = database
        self._quota = quota
        self.library = library
        self.max_upload_bytes = max_upload_bytes

    async def check(self, upload: Upload) -> None:
        """Refuses, before a byte is sent, what can be refused by what the client says.

        Raises InvalidInput (MEDIA_TOO_LARGE), Conflict (DUPLICATE_RECORDING), QuotaExceeded (QUOTA_EXCEEDED).
        """
        if upload.size_bytes is not None and upload.size_bytes > self.max_upload_bytes:
            raise file_too_large(self.max_upload_bytes)
        if upload.sha256 is not None:
            await self.check_duplicate(upload, upload.sha256)
        await self.check_quota(upload.owner, upload.size_bytes or 0)

    async def check_quota(self, owner: str, adding_bytes: int) -> None:
        """Raises QuotaExceeded where a user has no room for so many bytes beside those that are being uploaded."""
        if not self._quota.limit_bytes:
            return
        query = select(func.coalesce(func.sum(uploads.c.size_bytes), 0)).where(
            uploads.c.owner == owner, uploads.c.recording_id == ""
        )
        async with self._database.read() as connection:
            coming = int((await connection.execute(query)).scalar_one())
        await self._quota.check(owner, adding_bytes + coming)

    async def check_duplicate(self, upload: Upload, sha256: str) -> None:
        """Raises Conflict (DUPLICATE_RECORDING) where the owner has a recording of the same bytes outside the bin."""
        if upload.allow_duplicate:
            return
        found = await self.library.find_by_sha256(upload.owner, sha256)
        if found is None:
            return
        same = await self.library.find_request(upload.owner, upload.request_id)
        # The same request, sent twice at once, is no duplicate of itself.
        if same is None or same.id != found.id:
            raise Conflict(
                "DUPLICATE_RECORDING",
                f"the library has this file already: {found.title}",
                metadata={"recording_id": found.id, "title": found.title},
            )

    async def take_in(
        self,
        upload: Upload,
        path: Path,
        size_bytes: int,
        sha256: str,
        *,
        keep: bool = False,
        reader: Reader | None = None,
    ) -> Recording:
        """Makes a recording of a file that is on disk as a whole; with `keep` its path stays. `reader` as in
        `probe_file`.

        The same request id again returns the recording of the first time. Raises InvalidInput (MEDIA_EMPTY,
        SIZE_MISMATCH, CHECKSUM_MISMATCH, and what `probe_file` raises), Conflict (DUPLICATE_RECORDING), StorageFull.
        """
        _compare(upload, size_bytes, sha256)
        name = clean_file_name(upload.file_name)
        await self.check_duplicate(upload, sha256)
        probe = await probe_file(path, name, reader)
        now = datetime.now(UTC)
        recording = Recording(
            id=str(uuid.uuid4()),
            owner=upload.owner,
            title=upload.title or PurePosixPath(name).stem or name,
            title_is_set=bool(upload.title),
            file_name=name,
            duration_seconds=probe.duration_seconds,
            language="",
            created_at=now,
            recorded_at=upload.recorded_at or probe.recorded_at or now,
            folder=upload.folder,
            tags=upload.tags,
            kind=probe.kind,
            media_type=probe.media_type,
            page_count=probe.page_count,
        )
        artifact = Artifact(ArtifactKind.MEDIA, sha256, size_bytes, model="", workflow_id="", created_at=now)
        blobs = self.library.blobs
        if not blobs.is_local:
            # Sent before the transaction, which it would hold up.
            await blobs.adopt(path, sha256, keep=True)

        async def adopt() -> None:
            # Once more: another upload of the same bytes may have ended meanwhile.
            await self.check_duplicate(upload, sha256)
            if blobs.is_local or not await blobs.exists(sha256):
                await blobs.adopt(path, sha256, keep=keep)

        return await self.library.create(recording, upload.request_id, artifact, adopt=adopt)


def _compare(upload: Upload, size_bytes: int, sha256: str) -> None:
    if upload.size_bytes is not None and upload.size_bytes != size_bytes:
        raise InvalidInput(
            "SIZE_MISMATCH",
            f"{size_bytes} bytes came where {upload.size_bytes} were announced; upload the file again",
        )
    if upload.sha256 is not None and upload.sha256 != sha256:
        raise InvalidInput("CHECKSUM_MISMATCH", "the file was changed on its way here; upload it again")
    if size_bytes == 0:
        raise InvalidInput("MEDIA_EMPTY", "the file is empty")
