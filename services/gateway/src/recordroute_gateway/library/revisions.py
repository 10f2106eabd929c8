"""The history of transcripts: each state is a blob of its own, and going back makes a new one.

A transcript that nobody has edited has no rows: it is revision 1, and the recogniser made it. The rows begin with the
first edit. Where the artifact is not the last of them, the recording was transcribed again since: that is a revision,
too, written down with the next edit, so that an edit that was transcribed over can be gone back to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import InvalidInput, NotFound, Outdated
from recordroute_runtime.threads import in_thread
from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.library.access import not_found
from recordroute_gateway.library.artifact_json import transcript_bytes
from recordroute_gateway.library.index_tasks import add_index_task
from recordroute_gateway.library.learned_terms import learned_terms
from recordroute_gateway.library.pages import BAD_TOKEN
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording, Transcript
from recordroute_gateway.library.store import LibraryStore, lock_recording
from recordroute_gateway.library.transcript_edits import Edit, Edited, apply_edits
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.tables import artifacts, transcript_revisions

TRANSCRIBED = "transcribed"
TRANSCRIBED_AGAIN = "transcribed again"


def etag_of(sha256: str) -> str:
    """Returns what names a state of a transcript: the same text has the same etag."""
    return sha256[:32]


@dataclass(frozen=True)
class Revision:
    """A state of a transcript; the author is empty where the recogniser made it."""

    revision: int
    sha256: str
    author: str
    summary: str
    created_at: datetime
    reverted_to: int | None = None

    @property
    def etag(self) -> str:
        return etag_of(self.sha256)


@dataclass(frozen=True)
class Revised:
    """A revision with its transcript; `changed` are the indices of the segments that it changed."""

    revision: Revision
    transcript: Transcript
    changed: tuple[int, ...]
    replaced_counts: tuple[int, ...]


class RevisionStore:
    """The revisions of all transcripts."""

    def __init__(self, database: Database, library: LibraryStore, vocabulary: VocabularyStore) -> None:
        self._database = database
        self._library = library
        self._vocabulary = vocabulary

    async def current(self, recording: Recording) -> Revision:
        """Returns the newest revision. Raises NotFound (ARTIFACT_NOT_READY)."""
        artifact = _artifact(recording)
        async with self._database.read() as connection:
            return await _current(connection, recording.id, artifact)

    async def list_page(
        self, recording: Recording, page_size: int, page_token: str
    ) -> tuple[list[Revision], str]:
        """Returns a page of revisions, newest first, and the next page's token (empty at the end).

        Raises NotFound (ARTIFACT_NOT_READY) and InvalidInput (PAGE_TOKEN).
        """
        if page_token and not (page_token.isascii() and page_token.isdecimal() and len(page_token) < 10):
            raise InvalidInput("PAGE_TOKEN", BAD_TOKEN)
        table = transcript_revisions.c
        query = select(transcript_revisions).where(table.recording_id == recording.id)
        if page_token:
            query = query.where(table.revision < int(page_token))
        query = query.order_by(table.revision.desc()).limit(page_size + 1)
        async with self._database.read() as connection:
            newest = await _current(connection, recording.id, _artifact(recording))
            found = [_revision(row) for row in (await connection.execute(query)).all()]
        if not page_token and (not found or found[0].revision < newest.revision):
            found.insert(0, newest)
        page = found[:page_size]
        return page, str(page[-1].revision) if len(found) > page_size else ""

    async def edit(
        self,
        user: str,
        recording: Recording,
        request_id: str,
        etag: str,
        edits: Sequence[Edit],
        *,
        learn: bool,
    ) -> Revised:
        """Does edits. The same request id again returns what the first call did.

        Raises NotFound (ARTIFACT_NOT_READY), Outdated (ETAG_MISMATCH) and InvalidInput (BAD_EDIT).
        """

        def work(transcript: Transcript) -> tuple[bytes, Edited]:
            edited = apply_edits(transcript, edits)
            return transcript_bytes(edited.transcript), edited

        known = await self._find_request(recording.id, request_id)
        if known is not None:
            return known
        base = await self._base(recording, etag)
        data, edited = await in_thread(work, await self._library.transcripts.read(base.sha256))

        async def follow(connection: AsyncConnection) -> None:
            if learn:
                await self._vocabulary.learn(connection, user, learned_terms(edited.corrections))

        row = {
            "author": user,
            "request_id": request_id,
            "summary": edited.summary,
            "changed_segments": list(edited.changed),
            "replaced_counts": list(edited.replaced_counts),
        }
        revision = await self._write(recording, base, row, edited.transcript, data=data, follow=follow)
        if revision is None:
            return await self._lost(recording.id, request_id)
        return Revised(revision, edited.transcript, edited.changed, edited.replaced_counts)

    async def revert(
        self, user: str, recording: Recording, request_id: str, etag: str, revision: int
    ) -> Revised:
        """Makes a new revision that is like an earlier one. The same request id again returns what the first call did.

        Raises NotFound (ARTIFACT_NOT_READY, REVISION_NOT_FOUND) and Outdated (ETAG_MISMATCH).
        """
        known = await self._find_request(recording.id, request_id)
        if known is not None:
            return known
        base = await self._base(recording, etag)
        wanted = await self._find(recording, revision)
        transcript = await self._library.transcripts.read(wanted.sha256)
        row = {
            "author": user,
            "request_id": request_id,
            "summary": f"back to revision {revision}",
            "reverted_to": revision,
            "changed_segments": [],
            "replaced_counts": [],
        }
        made = await self._write(recording, base, row, transcript, sha256=wanted.sha256)
        return (
            await self._lost(recording.id, request_id) if made is None else Revised(made, transcript, (), ())
        )

    async def _base(self, recording: Recording, etag: str) -> Artifact:
        artifact = _artifact(recording)
        if etag_of(artifact.sha256) != etag:
            raise _outdated()
        return artifact

    async def _find(self, recording: Recording, revision: int) -> Revision:
        table = transcript_revisions.c
        query = select(transcript_revisions).where(
            table.recording_id == recording.id, table.revision == revision
        )
        newest = await self.current(recording)
        if revision == newest.revision:
            return newest
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("REVISION_NOT_FOUND", f"the transcript has no revision {revision}")
        return _revision(row)

    async def _write(
        self,
        recording: Recording,
        base: Artifact,
        row: dict[str, Any],
        transcript: Transcript,
        *,
        data: bytes | None = None,
        sha256: str = "",
        follow: Callable[[AsyncConnection], Any] | None = None,
    ) -> Revision | None:
        """Writes a revision, of new data or of an older revision's blob; None where the same request was faster."""
        try:
            async with self._database.write() as connection:
                locked = await lock_recording(connection, recording.id)
                if locked is None:
                    raise not_found(recording.id)
                place = (artifacts.c.recording_id == recording.id) & (
                    artifacts.c.kind == ArtifactKind.TRANSCRIPT.value
                )
                there = (
                    await connection.execute(select(artifacts.c.sha256).where(place))
                ).scalar_one_or_none()
                if there != base.sha256:
                    if await _requested(connection, recording.id, row["request_id"]) is not None:
                        return None
                    raise _outdated()
                newest = await self._materialise(connection, recording.id, base)
                if data is not None:
                    sha256 = await self._library.put_blob(connection, data)
                size = len(data) if data is not None else await self._size(connection, recording.id, sha256)
                revision = Revision(
                    newest.revision + 1,
                    sha256,
                    row["author"],
                    row["summary"],
                    datetime.now(UTC),
                    row.get("reverted_to"),
                )
                await _insert(connection, recording.id, revision, size, row)
                if sha256 != base.sha256:
                    artifact = Artifact(
                        ArtifactKind.TRANSCRIPT, sha256, size, base.model, "", revision.created_at
                    )
                    values = {"speakers": [dict(vars(speaker)) for speaker in transcript.speakers]}
                    await self._library.replace_artifact(connection, locked, artifact, values)
                    await add_index_task(connection, locked.owner, recording.id)
                if follow is not None:
                    await follow(connection)
                await self._library.log_change(connection, recording.id)
        except IntegrityError:
            if await self._find_request(recording.id, row["request_id"]) is None:
                raise
            return None
        return revision

    async def _materialise(
        self, connection: AsyncConnection, recording_id: str, artifact: Artifact
    ) -> Revision:
        """Writes the recogniser's revision down where that has not been done; returns the newest."""
        newest = await _current(connection, recording_id, artifact)
        known = select(transcript_revisions.c.revision).where(
            transcript_revisions.c.recording_id == recording_id,
            transcript_revisions.c.revision == newest.revision,
        )
        if (await connection.execute(known)).first() is None:
            row: dict[str, Any] = {"request_id": None, "changed_segments": [], "replaced_counts": []}
            await _insert(connection, recording_id, newest, artifact.size_bytes, row)
        return newest

    async def _size(self, connection: AsyncConnection, recording_id: str, sha256: str) -> int:
        query = select(transcript_revisions.c.size_bytes).where(
            transcript_revisions.c.recording_id == recording_id, transcript_revisions.c.sha256 == sha256
        )
        return int((await connection.execute(query.limit(1))).scalar_one())

    async def _find_request(self, recording_id: str, request_id: str) -> Revised | None:
        async with self._database.read() as connection:
            row = await _requested(connection, recording_id, request_id)
        if row is None:
            return None
        return Revised(
            _revision(row),
            await self._library.transcripts.read(row.sha256),
            tuple(row.changed_segments),
            tuple(row.replaced_counts),
        )

    async def _lost(self, recording_id: str, request_id: str) -> Revised:
        known = await self._find_request(recording_id, request_id)
        assert known is not None, "the same request was faster"
        return known


def _artifact(recording: Recording) -> Artifact:
    artifact = recording.artifact(ArtifactKind.TRANSCRIPT)
    if artifact is None:
        raise NotFound(
            "ARTIFACT_NOT_READY",
            f"recording {recording.id} has no transcript",
            metadata={"artifact": ArtifactKind.TRANSCRIPT.value},
        )
    return artifact


def _outdated() -> Outdated:
    return Outdated("ETAG_MISMATCH", "the transcript has changed meanwhile: read it again, then edit it")


async def _requested(connection: AsyncConnection, recording_id: str, request_id: str) -> Row[Any] | None:
    query = select(transcript_revisions).where(
        transcript_revisions.c.recording_id == recording_id, transcript_revisions.c.request_id == request_id
    )
    return (await connection.execute(query)).one_or_none()


async def _current(connection: AsyncConnection, recording_id: str, artifact: Artifact) -> Revision:
    table = transcript_revisions.c
    query = select(transcript_revisions).where(table.recording_id == recording_id)
    row = (await connection.execute(query.order_by(table.revision.desc()).limit(1))).one_or_none()
    if row is not None and row.sha256 == artifact.sha256:
        return _revision(row)
    return Revision(
        revision=1 if row is None else row.revision + 1,
        sha256=artifact.sha256,
        author="",
        summary=TRANSCRIBED if row is None else TRANSCRIBED_AGAIN,
        created_at=artifact.created_at,
    )


async def _insert(
    connection: AsyncConnection, recording_id: str, revision: Revision, size_bytes: int, row: dict[str, Any]
) -> None:
    await connection.execute(
        insert(transcript_revisions).values(
            recording_id=recording_id,
            revision=revision.revision,
            sha256=revision.sha256,
            size_bytes=size_bytes,
            author=revision.author,
            request_id=row["request_id"],
            summary=revision.summary,
            reverted_to=revision.reverted_to,
            changed_segments=row["changed_segments"],
            replaced_counts=row["replaced_counts"],
            created_at=revision.created_at,
        )
    )


def _revision(row: Row[Any]) -> Revision:
    return Revision(row.revision, row.sha256, row.author, row.summary, row.created_at, row.reverted_to)
