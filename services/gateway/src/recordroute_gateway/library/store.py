"""Reads and writes recordings and artifacts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import NotFound
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.pages import after_token, encode_token
from recordroute_gateway.library.records import Artifact, ArtifactKind, Minutes, Recording, Transcript
from recordroute_gateway.tables import artifacts, recordings, workflows


class LibraryStore:
    """The library of all owners; every method but those that workflows use is told whose."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self.blobs = blobs

    async def create(self, recording: Recording, request_id: str, media: Artifact) -> Recording:
        """Adds a recording with its media. The same request id again returns the recording of the first time."""
        known = await self.find_request(recording.owner, request_id)
        if known is not None:
            return known
        row = {
            "id": recording.id,
            "owner": recording.owner,
            "request_id": request_id,
            "title": recording.title,
            "file_name": recording.file_name,
            "duration_seconds": recording.duration_seconds,
            "language": recording.language,
            "created_at": recording.created_at,
            "recorded_at": recording.recorded_at,
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(recordings).values(row))
                await connection.execute(insert(artifacts).values(_artifact_row(recording.id, media)))
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

    async def get(self, owner: str, recording_id: str) -> Recording:
        """Returns a recording. Raises NotFound."""
        query = select(recordings).where(recordings.c.owner == owner, recordings.c.id == recording_id)
        async with self._database.read() as connection:
            found = await self._load(connection, (await connection.execute(query)).mappings().all())
        if not found:
            raise NotFound("RECORDING_NOT_FOUND", f"there is no recording {recording_id}")
        return found[0]

    async def get_many(self, owner: str, ids: Sequence[str]) -> dict[str, Recording]:
        """Returns those of the recordings that there are, by id."""
        query = select(recordings).where(recordings.c.owner == owner, recordings.c.id.in_(ids))
        async with self._database.read() as connection:
            found = await self._load(connection, (await connection.execute(query)).mappings().all())
        return {recording.id: recording for recording in found}

    async def list_page(self, owner: str, page_size: int, page_token: str) -> tuple[list[Recording], str]:
        """Returns a page of recordings, newest first, and the next page's token (empty at the end)."""
        query = select(recordings).where(recordings.c.owner == owner)
        if page_token:
            query = query.where(after_token(recordings, page_token))
        query = query.order_by(recordings.c.created_at.desc(), recordings.c.id.desc()).limit(page_size + 1)
        async with self._database.read() as connection:
            found = await self._load(connection, (await connection.execute(query)).mappings().all())
        page = found[:page_size]
        token = encode_token(page[-1].created_at, page[-1].id) if len(found) > page_size else ""
        return page, token

    async def delete(self, owner: str, recording_id: str) -> None:
        """Deletes a recording, its artifacts, its workflows, and the blobs that no other recording shares."""
        recording = await self.get(owner, recording_id)
        names = {artifact.sha256 for artifact in recording.artifacts if artifact.sha256}
        async with self._database.write() as connection:
            await connection.execute(delete(recordings).where(recordings.c.id == recording_id))
            query = select(artifacts.c.sha256).where(artifacts.c.sha256.in_(names))
            shared = set((await connection.execute(query)).scalars())
        for name in names - shared:
            await self.blobs.delete(name)

    async def put_artifact(
        self,
        recording_id: str,
        kind: ArtifactKind,
        data: bytes | None,
        *,
        model: str,
        workflow_id: str,
        recording_values: dict[str, Any] | None = None,
    ) -> Artifact:
        """Writes an artifact (no data: it lives elsewhere) in place of an older one, and what it tells about the
        recording (`recording_values`: title, language, duration). Raises NotFound if the recording is gone."""
        sha256 = await self.blobs.put(data) if data is not None else ""
        artifact = Artifact(
            kind=kind,
            sha256=sha256,
            size_bytes=len(data) if data is not None else 0,
            model=model,
            workflow_id=workflow_id,
            created_at=datetime.now(UTC),
        )
        async with self._database.write() as connection:
            exists = select(recordings.c.id).where(recordings.c.id == recording_id)
            if (await connection.execute(exists)).scalar_one_or_none() is None:
                raise NotFound("RECORDING_NOT_FOUND", f"there is no recording {recording_id}")
            place = (artifacts.c.recording_id == recording_id) & (artifacts.c.kind == kind.value)
            replaced = (
                await connection.execute(select(artifacts.c.sha256).where(place))
            ).scalar_one_or_none()
            await connection.execute(delete(artifacts).where(place))
            await connection.execute(insert(artifacts).values(_artifact_row(recording_id, artifact)))
            if recording_values:
                await connection.execute(
                    update(recordings).where(recordings.c.id == recording_id).values(recording_values)
                )
            in_use = select(func.count()).select_from(artifacts).where(artifacts.c.sha256 == (replaced or ""))
            orphan = bool(replaced) and (await connection.execute(in_use)).scalar_one() == 0
        if orphan and replaced:
            await self.blobs.delete(replaced)
        return artifact

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
        artifact = recording.artifact(kind)
        if artifact is None:
            raise NotFound(
                "ARTIFACT_NOT_READY",
                f"recording {recording.id} has no {kind.value}",
                metadata={"artifact": kind.value},
            )
        return await self.blobs.get(artifact.sha256)

    async def transcript(self, recording: Recording) -> Transcript:
        """Returns the transcript. Raises NotFound where it has not been made."""
        return Transcript.from_json(json.loads(await self.read_artifact(recording, ArtifactKind.TRANSCRIPT)))

    async def minutes(self, recording: Recording) -> Minutes:
        """Returns the minutes. Raises NotFound where they have not been made."""
        return Minutes.from_json(json.loads(await self.read_artifact(recording, ArtifactKind.MINUTES)))

    async def _load(self, connection: AsyncConnection, rows: Sequence[Any]) -> list[Recording]:
        ids = [row["id"] for row in rows]
        made: dict[str, list[Artifact]] = defaultdict(list)
        query = select(artifacts).where(artifacts.c.recording_id.in_(ids)).order_by(artifacts.c.created_at)
        for row in (await connection.execute(query)).mappings():
            made[row["recording_id"]].append(_artifact(row))
        newest = (
            select(workflows.c.recording_id, workflows.c.id)
            .where(workflows.c.recording_id.in_(ids))
            .order_by(workflows.c.created_at, workflows.c.id)
        )
        latest = {row.recording_id: row.id for row in await connection.execute(newest)}
        return [
            Recording(
                id=row["id"],
                owner=row["owner"],
                title=row["title"],
                file_name=row["file_name"],
                duration_seconds=row["duration_seconds"],
                language=row["language"],
                created_at=row["created_at"],
                recorded_at=row["recorded_at"],
                artifacts=tuple(made[row["id"]]),
                latest_workflow_id=latest.get(row["id"], ""),
            )
            for row in rows
        ]


def _artifact_row(recording_id: str, artifact: Artifact) -> dict[str, Any]:
    return {
        "recording_id": recording_id,
        "kind": artifact.kind.value,
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "model": artifact.model,
        "workflow_id": artifact.workflow_id,
        "created_at": artifact.created_at,
    }


def _artifact(row: Any) -> Artifact:
    return Artifact(
        kind=ArtifactKind(row["kind"]),
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        model=row["model"],
        workflow_id=row["workflow_id"],
        created_at=row["created_at"],
    )
