"""The bin: recordings in it are found by nobody, and purged when their time has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from recordroute_runtime.errors import PermissionDenied
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.library.access import not_found
from recordroute_gateway.library.changes import ChangeKind, append_changes, seen_by
from recordroute_gateway.library.index_tasks import add_index_task
from recordroute_gateway.library.records import Access, ArtifactKind, Recording
from recordroute_gateway.library.requests import is_repeated
from recordroute_gateway.library.store import LibraryStore, lock_recording
from recordroute_gateway.tables import artifacts, recordings

DUE_AT_ONCE = 100


class Bin:
    """The bins of all users. The same request id again changes nothing."""

    def __init__(self, database: Database, library: LibraryStore, *, retention: timedelta) -> None:
        self._database = database
        self._library = library
        self._retention = retention

    async def put(
        self, user: str, request_id: str, recording_id: str, *, due: bool = False
    ) -> Recording | None:
        """Puts a recording into the bin, to be purged after the retention time or, with `due`, at once. What is in the
        bin already stays as it is, but for being due. Returns the recording, or None where there is none.

        Raises PermissionDenied (NOT_OWNER).
        """
        if await self._own(user, recording_id) is None:
            return None
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            row = await lock_recording(connection, recording_id)
            if row is None:
                return None
            if not await is_repeated(connection, user, request_id, recording_id):
                purge_at = now if due else row.purge_at or now + self._retention
                values = {"deleted_at": row.deleted_at or now, "purge_at": purge_at}
                await connection.execute(
                    update(recordings).where(recordings.c.id == recording_id).values(values)
                )
                if row.deleted_at is None:
                    await self._leave_index(connection, row.owner, recording_id)
                others = (await seen_by(connection, recording_id))[1:]
                thing = [(ChangeKind.RECORDING, recording_id)]
                await append_changes(self._database, connection, [row.owner], thing)
                await append_changes(self._database, connection, others, thing, removed=True)
        return await self._own(user, recording_id)

    async def restore(self, user: str, request_id: str, recording_id: str) -> Recording:
        """Takes a recording out of the bin; it is no error if it is not there.

        Raises NotFound, PermissionDenied (NOT_OWNER).
        """
        if await self._own(user, recording_id) is None:
            raise not_found(recording_id)
        async with self._database.write() as connection:
            row = await lock_recording(connection, recording_id)
            if row is None:
                raise not_found(recording_id)
            repeated = await is_repeated(connection, user, request_id, recording_id)
            if row.deleted_at is not None and not repeated:
                await connection.execute(
                    update(recordings)
                    .where(recordings.c.id == recording_id)
                    .values(deleted_at=None, purge_at=None)
                )
                await add_index_task(connection, row.owner, recording_id)
                await self._library.log_change(connection, recording_id)
        return await self._library.get(user, recording_id)

    async def due(self) -> list[Recording]:
        """Returns recordings that are to be purged now, the longest due first, `DUE_AT_ONCE` at most."""
        query = (
            select(recordings.c.id)
            .where(recordings.c.purge_at <= datetime.now(UTC))
            .order_by(recordings.c.purge_at)
            .limit(DUE_AT_ONCE)
        )
        async with self._database.read() as connection:
            ids = (await connection.execute(query)).scalars().all()
        found = [await self._library.find(recording_id) for recording_id in ids]
        return [recording for recording in found if recording is not None]

    async def _own(self, user: str, recording_id: str) -> Recording | None:
        found = await self._library.get_many(user, [recording_id], in_bin=True)
        recording = found.get(recording_id)
        if recording is not None and recording.access is not Access.OWNER:
            raise PermissionDenied("NOT_OWNER", "only the owner of the recording may do this")
        return recording

    async def _leave_index(self, connection: AsyncConnection, owner: str, recording_id: str) -> None:
        await connection.execute(
            delete(artifacts).where(
                artifacts.c.recording_id == recording_id, artifacts.c.kind == ArtifactKind.INDEX.value
            )
        )
        await add_index_task(connection, owner, recording_id)
