"""Reads and writes recordings and artifacts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from obstore.exceptions import BaseError
from recordroute_runtime.errors import NotFound
from recordroute_runtime.threads import in_thread
from sqlalchemy import Row, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.access import accesses, check_access, not_found, seen
from recordroute_gateway.library.answer_tasks import add_answer_tasks
from recordroute_gateway.library.artifact_json import read_minutes, read_transcript
from recordroute_gateway.library.changes import ChangeKind, append_changes, seen_by
from recordroute_gateway.library.index_tasks import add_index_task
from recordroute_gateway.library.labels import search_text, title_key
from recordroute_gateway.library.listing import ListQuery, make_token, select_count, select_page
from recordroute_gateway.library.records import (
    Access,
    Artifact,
    ArtifactKind,
    Bookmark,
    FailedArtifact,
    Minutes,
    Recording,
    RecordingKind,
    Speaker,
    Transcript,
    made_of,
)
from recordroute_gateway.library.transcripts import TranscriptReader
from recordroute_gateway.tables import (
    artifacts,
    blob_columns,
    done_requests,
    live_sessions,
    orphan_blobs,
    recording_tags,
    recordings,
    uploads,
    workflow_events,
    workflow_stages,
    workflows,
)
from recordroute_gateway.workflow.records import ARTIFACT_OF_STAGE, Stage, State

log = structlog.get_logger(__name__)

Read = TypeVar("Read")
EVERYTHING = ListQuery()
# What a change of makes a new version of a recording.
VERSIONED = frozenset(("title", "tags", "folder", "recorded_at", "bookmarks", "title_is_set"))


class LibraryStore:
    """The library of all users; every method but those that workflows use is told who asks."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self.blobs = blobs
        self.transcripts = TranscriptReader(blobs)

    async def create(
        self,
        recording: Recording,
        request_id: str,
        media: Artifact,
        *,
        adopt: Callable[[], Awaitable[None]] | None = None,
    ) -> Recording:
        """Adds a recording with its media. The same request id again returns the recording of the first time.

        `adopt` puts the media's blob in its place: done here, nobody deletes the blob as nobody's in between.
        """
        known = await self.find_request(recording.owner, request_id)
        if known is not None:
            return known
        row = {
            "id": recording.id,
            "owner": recording.owner,
            "request_id": request_id,
            "title": recording.title,
            "title_is_set": recording.title_is_set,
            "file_name": recording.file_name,
            "duration_seconds": recording.duration_seconds,
            "language": recording.language,
            "created_at": recording.created_at,
            "recorded_at": recording.recorded_at,
            "folder": recording.folder,
            "kind": recording.kind.value,
            "media_type": recording.media_type,
            "page_count": recording.page_count,
            "speakers": [asdict(speaker) for speaker in recording.speakers],
            "bookmarks": [asdict(bookmark) for bookmark in recording.bookmarks],
            "title_key": title_key(recording.title),
            "search_text": search_text(
                recording.title, recording.file_name, recording.tags, _names(recording.speakers)
            ),
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(recordings).values(row))
                await connection.execute(insert(artifacts).values(_artifact_row(recording.id, media)))
                if recording.tags:
                    await set_tags(connection, recording.id, recording.tags)
                if adopt is not None:
                    await self._database.hold(connection, _blob_lock(media.sha256))
                    await adopt()
                await self.log_change(connection, recording.id)
        except IntegrityError:
            # The same request came twice at once, and the other one won.
            known = await self.find_request(recording.owner, request_id)
            if known is None:
                raise
            return known
        return await self.get(recording.owner, recording.id)

    async def find_request(self, owner: str, request_id: str) -> Recording | None:
        """Returns the recording that an upload with this request id made, or None."""
        async with self._database.read() as connection:
            query = select(recordings.c.id).where(
                recordings.c.owner == owner, recordings.c.request_id == request_id
            )
            found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else await self.get(owner, found)

    async def find_by_sha256(self, owner: str, sha256: str) -> Recording | None:
        """Returns the owner's oldest recording outside the bin that was made of a file with this SHA-256, or None."""
        query = (
            select(recordings.c.id)
            .join(artifacts, artifacts.c.recording_id == recordings.c.id)
            .where(
                recordings.c.owner == owner,
                recordings.c.deleted_at.is_(None),
                artifacts.c.kind == ArtifactKind.MEDIA.value,
                artifacts.c.sha256 == sha256,
            )
            .order_by(recordings.c.created_at, recordings.c.id)
            .limit(1)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else await self.get(owner, found)

    async def get(self, user: str, recording_id: str, access: Access = Access.READ) -> Recording:
        """Returns a recording that the user may do this with; to be read only, also its own in the bin.

        Raises NotFound where the user may not see it, PermissionDenied (READ_ONLY, NOT_OWNER) where the user may not do
        this with it, and PreconditionFailed (RECORDING_IN_BIN).
        """
        query = select(recordings).where(recordings.c.id == recording_id, seen(user))
        async with self._database.read() as connection:
            found = await self._load(connection, (await connection.execute(query)).all(), user)
        if not found:
            raise not_found(recording_id)
        check_access(found[0], access)
        return found[0]

    async def find(self, recording_id: str) -> Recording | None:
        """Returns a recording, whoever's it is, as its owner sees it, or None."""
        query = select(recordings).where(recordings.c.id == recording_id)
        async with self._database.read() as connection:
            found = await self._load(connection, (await connection.execute(query)).all(), None)
        return found[0] if found else None

    async def get_many(self, user: str, ids: Sequence[str], *, in_bin: bool = False) -> dict[str, Recording]:
        """Returns those of the recordings that the user sees, by id; those in its bin only with `in_bin`."""
        query = select(recordings).where(recordings.c.id.in_(ids), seen(user))
        if not in_bin:
            query = query.where(recordings.c.deleted_at.is_(None))
        async with self._database.read() as connection:
            found = await self._load(connection, (await connection.execute(query)).all(), user)
        return {recording.id: recording for recording in found}

    async def list_page(
        self, user: str, page_size: int, page_token: str, query: ListQuery = EVERYTHING
    ) -> tuple[list[Recording], str]:
        """Returns a page of the recordings that the user sees, and the next page's token (empty at the end).

        Raises InvalidInput (PAGE_TOKEN).
        """
        statement = select_page(user, query, page_size, page_token)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
            page = await self._load(connection, rows[:page_size], user)
        more = len(rows) > page_size
        return page, make_token(query, user, rows[page_size - 1].sort_key, page[-1].id) if more else ""

    async def count(self, user: str, query: ListQuery = EVERYTHING) -> int:
        """Returns how many recordings `list_page` gives on all pages."""
        async with self._database.read() as connection:
            return (await connection.execute(select_count(user, query))).scalar_one()

    async def put_artifact(
        self,
        recording_id: str,
        kind: ArtifactKind,
        data: bytes | None,
        *,
        model: str,
        workflow_id: str,
        recording_values: Mapping[str, Any] | None = None,
        indexed_version: int | None = None,
        source: Artifact | None = None,
    ) -> Artifact:
        """Writes an artifact (no data: it lives elsewhere) in place of an older one, and what it tells about the
        recording (`recording_values`: title, language, duration_seconds, page_count). What was made of another one is
        stale from then on. A title that a person has set stays.

        `indexed_version` is the version of the recording that its place in the index was made with: where there is a
        newer one, or the recording is in the bin by now, the index is seen to again. `source` is what the artifact was
        made from: where that has changed meanwhile the artifact is stale from the beginning, and the index is seen to.
        Raises NotFound if the recording is gone.
        """
        values = dict(recording_values or {})
        if "title" in values:
            values["made_title"] = values["title"]
        if kind is ArtifactKind.TRANSCRIPT and data is not None:
            values["speakers"] = _speaker_rows(await in_thread(read_transcript, data))
        async with self._database.write() as connection:
            row = await lock_recording(connection, recording_id)
            if row is None:
                raise not_found(recording_id)
            sha256 = ""
            if data is not None:
                sha256 = await self.put_blob(connection, data)
            artifact = Artifact(
                kind=kind,
                sha256=sha256,
                size_bytes=len(data) if data is not None else 0,
                model=model,
                workflow_id=workflow_id,
                created_at=datetime.now(UTC),
                stale=source is not None and await _has_changed(connection, recording_id, source),
            )
            place = (artifacts.c.recording_id == recording_id) & (artifacts.c.kind == kind.value)
            replaced = (
                await connection.execute(select(artifacts.c.sha256).where(place))
            ).scalar_one_or_none()
            await connection.execute(delete(artifacts).where(place))
            in_bin = row.deleted_at is not None
            if (artifact.stale and kind in (ArtifactKind.EMBEDDINGS, ArtifactKind.INDEX)) or (
                kind is ArtifactKind.INDEX
                and (in_bin or (indexed_version is not None and indexed_version != row.version))
            ):
                await add_index_task(connection, row.owner, recording_id)
            if not (kind is ArtifactKind.INDEX and in_bin):
                await connection.execute(insert(artifacts).values(_artifact_row(recording_id, artifact)))
            if replaced is not None and replaced != sha256:
                await _set_stale(connection, recording_id, made_of(kind))
            if row.title_is_set:
                values.pop("title", None)
            await self.set_values(connection, row, values)
            orphans = [replaced] if replaced and replaced != sha256 else []
            await add_orphans(connection, orphans)
            await self.log_change(connection, recording_id)
        await self.delete_orphans(orphans)
        return artifact

    async def drop_artifacts(self, recording_id: str, kinds: Collection[ArtifactKind]) -> None:
        """Takes artifacts away that are true no more; nothing else changes."""
        place = (artifacts.c.recording_id == recording_id) & artifacts.c.kind.in_(
            [kind.value for kind in kinds]
        )
        async with self._database.write() as connection:
            names = list((await connection.execute(select(artifacts.c.sha256).where(place))).scalars())
            await connection.execute(delete(artifacts).where(place))
            orphans = [name for name in names if name]
            await add_orphans(connection, orphans)
            await self.log_change(connection, recording_id)
        await self.delete_orphans(orphans)

    async def mark_stale(self, recording_id: str, kinds: Iterable[ArtifactKind]) -> None:
        """Notes that what artifacts were made from has changed; kinds that there are not are left out."""
        async with self._database.write() as connection:
            await _set_stale(connection, recording_id, kinds)
            await self.log_change(connection, recording_id)

    async def set_values(
        self, connection: AsyncConnection, row: Row[Any], values: Mapping[str, Any]
    ) -> frozenset[str]:
        """Changes a locked recording's columns, and its tags under "tags", with what follows from them; returns the
        names of those that have changed."""
        before = dict(row._mapping)
        before["tags"] = await recording_tags_of(connection, row.id)
        changed = {name: value for name, value in values.items() if before[name] != value}
        names = frozenset(changed)
        if not changed:
            return names
        after = {**before, **changed}
        if "tags" in changed:
            await set_tags(connection, row.id, changed.pop("tags"))
        changed["title_key"] = title_key(after["title"])
        changed["search_text"] = search_text(
            after["title"],
            after["file_name"],
            after["tags"],
            _names(_speakers(after["speakers"])),
        )
        if names & VERSIONED:
            changed["version"] = row.version + 1
        await connection.execute(update(recordings).where(recordings.c.id == row.id).values(changed))
        return names

    async def log_change(self, connection: AsyncConnection, recording_id: str) -> None:
        """Logs, last in a transaction, that a recording has changed, for all who see it."""
        users = await seen_by(connection, recording_id)
        await append_changes(self._database, connection, users, [(ChangeKind.RECORDING, recording_id)])

    async def put_blob(self, connection: AsyncConnection, data: bytes) -> str:
        """Writes a blob in the transaction that adds a row with its name, and returns the name."""
        # Until the row is there the blob may be taken for nobody's: whoever deletes those waits.
        await self._database.hold(connection, _blob_lock(hashlib.sha256(data).hexdigest()))
        return await self.blobs.put(data)

    async def delete_orphans(self, names: Iterable[str]) -> None:
        """Deletes those of the blobs that no row names any more; what can't be deleted now is tried again later."""
        for name in sorted(set(names)):
            try:
                async with self._database.write() as connection:
                    await self._database.hold(connection, _blob_lock(name))
                    if not await _is_used(connection, name):
                        await self.blobs.delete(name)
                        self.transcripts.forget(name)
                    await connection.execute(delete(orphan_blobs).where(orphan_blobs.c.sha256 == name))
            except (BaseError, OSError) as error:
                log.warning("blob can't be deleted", sha256=name, error=str(error))

    async def delete_all_orphans(self) -> None:
        """Deletes the blobs that were left when a process died or the object store was away."""
        async with self._database.read() as connection:
            names = (await connection.execute(select(orphan_blobs.c.sha256).limit(1000))).scalars().all()
        await self.delete_orphans(names)

    async def read_old_speakers(self) -> None:
        """Fills in the speakers of recordings that were transcribed before they were kept with the recording."""
        query = select(recordings.c.id).where(recordings.c.speakers.is_(None)).limit(1000)
        while True:
            async with self._database.read() as connection:
                ids = (await connection.execute(query)).scalars().all()
            if not ids:
                return
            for recording_id in ids:
                artifact = await self.find_artifact(recording_id, ArtifactKind.TRANSCRIPT)
                speakers = _speaker_rows(await self.transcripts.read(artifact.sha256)) if artifact else []
                async with self._database.write() as connection:
                    row = await lock_recording(connection, recording_id)
                    if row is not None and row.speakers is None:
                        await self.set_values(connection, row, {"speakers": speakers})

    async def delete(self, recording_id: str) -> None:
        """Deletes a recording for good, with all that hangs on it and the blobs that nobody else shares. It is no error
        if it is gone. Its vectors, and answers that rest on it, are left to tasks."""
        async with self._database.write() as connection:
            row = await lock_recording(connection, recording_id)
            if row is None:
                return
            users = await seen_by(connection, recording_id)
            names: set[str] = set()
            for column in blob_columns():
                owned = select(column).where(column.table.c.recording_id == recording_id)
                names.update((await connection.execute(owned)).scalars())
            names.discard("")
            await connection.execute(delete(recordings).where(recordings.c.id == recording_id))
            # How it came in says what it was called, and what was said in it.
            for table in (done_requests, uploads, live_sessions):
                await connection.execute(delete(table).where(table.c.recording_id == recording_id))
            await add_orphans(connection, names)
            await add_index_task(connection, row.owner, recording_id)
            await add_answer_tasks(connection, users)
            thing = [(ChangeKind.RECORDING, recording_id)]
            await append_changes(self._database, connection, users, thing, removed=True)
        await self.delete_orphans(names)

    async def find_artifact(self, recording_id: str, kind: ArtifactKind) -> Artifact | None:
        """Returns a recording's artifact of a kind, or None."""
        query = select(artifacts).where(
            artifacts.c.recording_id == recording_id, artifacts.c.kind == kind.value
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _artifact(row)

    async def read_artifact(self, recording: Recording, kind: ArtifactKind) -> bytes:
        """Returns an artifact's bytes. Raises NotFound where it has not been made."""
        return await self._read(recording, kind, self.blobs.get)

    async def transcript(self, recording: Recording) -> Transcript:
        """Returns the transcript. Raises NotFound where it has not been made."""
        return await self._read(recording, ArtifactKind.TRANSCRIPT, self.transcripts.read)

    async def _read(
        self, recording: Recording, kind: ArtifactKind, read: Callable[[str], Awaitable[Read]]
    ) -> Read:
        """Reads an artifact's blob, or the one that has come into its place since."""
        artifact = recording.artifact(kind)
        if artifact is None:
            raise NotFound(
                "ARTIFACT_NOT_READY",
                f"recording {recording.id} has no {kind.value}",
                metadata={"artifact": kind.value},
            )
        try:
            return await read(artifact.sha256)
        except FileNotFoundError:
            newer = await self.find_artifact(recording.id, kind)
            if newer is None or newer.sha256 == artifact.sha256:
                raise
            return await read(newer.sha256)

    async def minutes(self, recording: Recording) -> Minutes:
        """Returns the minutes. Raises NotFound where they have not been made."""
        return read_minutes(await self.read_artifact(recording, ArtifactKind.MINUTES))

    async def replace_artifact(
        self, connection: AsyncConnection, row: Row[Any], artifact: Artifact, values: Mapping[str, Any]
    ) -> None:
        """Puts an artifact, whose blob is there, in the place of another, whose blob stays in use; in the transaction
        that holds the recording's row. `values` are what it tells about the recording. What was made of the other one
        is stale from then on."""
        place = (artifacts.c.recording_id == row.id) & (artifacts.c.kind == artifact.kind.value)
        await connection.execute(delete(artifacts).where(place))
        await connection.execute(insert(artifacts).values(_artifact_row(row.id, artifact)))
        await _set_stale(connection, row.id, made_of(artifact.kind))
        await self.set_values(connection, row, values)

    async def _load(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]], user: str | None
    ) -> list[Recording]:
        """`user` None: as their owners see them."""
        ids = [row.id for row in rows]
        if not ids:
            return []
        made: dict[str, list[Artifact]] = defaultdict(list)
        query = select(artifacts).where(artifacts.c.recording_id.in_(ids)).order_by(artifacts.c.created_at)
        for artifact in (await connection.execute(query)).mappings():
            made[artifact["recording_id"]].append(_artifact(artifact))
        tags: dict[str, list[str]] = defaultdict(list)
        tagged = select(recording_tags).where(recording_tags.c.recording_id.in_(ids))
        for row in await connection.execute(tagged):
            tags[row.recording_id].append(row.tag)
        newest = (
            select(workflows.c.recording_id, workflows.c.id, workflows.c.state)
            .where(workflows.c.recording_id.in_(ids))
            .order_by(workflows.c.created_at, workflows.c.id)
        )
        latest = {row.recording_id: row for row in await connection.execute(newest)}
        failed = await _failed(connection, [row.id for row in latest.values()])
        others = [row.id for row in rows if user is not None and row.owner != user]
        given = await accesses(connection, user, others) if user is not None and others else {}
        return [
            Recording(
                id=row.id,
                owner=row.owner,
                title=row.title,
                file_name=row.file_name,
                duration_seconds=row.duration_seconds,
                language=row.language,
                created_at=row.created_at,
                recorded_at=row.recorded_at,
                artifacts=tuple(made[row.id]),
                latest_workflow_id=latest[row.id].id if row.id in latest else "",
                latest_workflow_state=latest[row.id].state if row.id in latest else "",
                failed_artifacts=tuple(
                    failure
                    for failure in (failed[latest[row.id].id] if row.id in latest else ())
                    if all(failure.kind is not artifact.kind for artifact in made[row.id])
                ),
                title_is_set=row.title_is_set,
                folder=row.folder,
                tags=tuple(sorted(tags[row.id])),
                kind=RecordingKind(row.kind),
                media_type=row.media_type,
                page_count=row.page_count,
                speakers=_speakers(row.speakers),
                bookmarks=tuple(Bookmark(**bookmark) for bookmark in row.bookmarks),
                deleted_at=row.deleted_at,
                purge_at=row.purge_at,
                version=row.version,
                access=Access.OWNER if user in (None, row.owner) else given.get(row.id, Access.READ),
            )
            for row in rows
        ]


async def lock_recording(connection: AsyncConnection, recording_id: str) -> Row[Any] | None:
    """Returns a recording's row, which nobody else changes up to the end of the transaction, or None."""
    query = select(recordings).where(recordings.c.id == recording_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def set_tags(connection: AsyncConnection, recording_id: str, tags: Iterable[str]) -> None:
    """Gives a recording these tags in place of those that it has."""
    await connection.execute(delete(recording_tags).where(recording_tags.c.recording_id == recording_id))
    rows = [{"recording_id": recording_id, "tag": tag} for tag in tags]
    if rows:
        await connection.execute(insert(recording_tags), rows)


async def add_orphans(connection: AsyncConnection, names: Iterable[str]) -> None:
    """Notes blobs that a row names no more, for `delete_orphans`."""
    for name in set(names):
        await connection.execute(delete(orphan_blobs).where(orphan_blobs.c.sha256 == name))
        await connection.execute(insert(orphan_blobs).values(sha256=name))


async def recording_tags_of(connection: AsyncConnection, recording_id: str) -> tuple[str, ...]:
    """Returns a recording's tags, sorted."""
    query = select(recording_tags.c.tag).where(recording_tags.c.recording_id == recording_id)
    return tuple(sorted((await connection.execute(query)).scalars()))


async def _set_stale(connection: AsyncConnection, recording_id: str, kinds: Iterable[ArtifactKind]) -> None:
    await connection.execute(
        update(artifacts)
        .where(artifacts.c.recording_id == recording_id, artifacts.c.kind.in_([kind.value for kind in kinds]))
        .values(stale=True)
    )


async def _has_changed(connection: AsyncConnection, recording_id: str, source: Artifact) -> bool:
    """Says whether there is another artifact, or none, in the place of one that was read before, or it is stale."""
    query = select(artifacts.c.sha256, artifacts.c.stale).where(
        artifacts.c.recording_id == recording_id, artifacts.c.kind == source.kind.value
    )
    row = (await connection.execute(query)).one_or_none()
    return row is None or row.stale or row.sha256 != source.sha256


async def _is_used(connection: AsyncConnection, name: str) -> bool:
    for column in blob_columns():
        if (await connection.execute(select(exists().where(column == name)))).scalar_one():
            return True
    return False


async def _failed(connection: AsyncConnection, workflow_ids: list[str]) -> dict[str, list[FailedArtifact]]:
    """Returns what workflows could not make: of each failed stage the last failure, by workflow."""
    query = (
        select(workflow_events)
        .join(
            workflow_stages,
            (workflow_stages.c.workflow_id == workflow_events.c.workflow_id)
            & (workflow_stages.c.stage == workflow_events.c.stage),
        )
        .where(
            workflow_events.c.workflow_id.in_(workflow_ids),
            workflow_events.c.state == State.FAILED.value,
            workflow_stages.c.state == State.FAILED.value,
        )
        .order_by(workflow_events.c.sequence)
    )
    last = {(row.workflow_id, row.stage): row for row in await connection.execute(query)}
    failed: dict[str, list[FailedArtifact]] = defaultdict(list)
    for (workflow_id, stage), row in last.items():
        failed[workflow_id].append(
            FailedArtifact(
                kind=ARTIFACT_OF_STAGE[Stage(stage)],
                reason=row.error_reason or "",
                message=row.error_message or "",
                workflow_id=workflow_id,
                failed_at=row.time,
                metadata=row.error_metadata or {},
            )
        )
    return failed


def _blob_lock(sha256: str) -> str:
    return f"blob/{sha256}"


def _speakers(value: Iterable[Mapping[str, Any]] | None) -> tuple[Speaker, ...]:
    return tuple(Speaker(**speaker) for speaker in value or ())


def _speaker_rows(transcript: Transcript) -> list[dict[str, Any]]:
    return [asdict(speaker) for speaker in transcript.speakers]


def _names(speakers: Iterable[Speaker]) -> list[str]:
    return [speaker.name for speaker in speakers if speaker.name]


def _artifact_row(recording_id: str, artifact: Artifact) -> dict[str, Any]:
    return {
        "recording_id": recording_id,
        "kind": artifact.kind.value,
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "model": artifact.model,
        "workflow_id": artifact.workflow_id,
        "created_at": artifact.created_at,
        "stale": artifact.stale,
    }


def _artifact(row: Any) -> Artifact:
    return Artifact(
        kind=ArtifactKind(row["kind"]),
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        model=row["model"],
        workflow_id=row["workflow_id"],
        created_at=row["created_at"],
        stale=row["stale"],
    )
