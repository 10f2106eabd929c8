"""Recordings that their owners let other users see or change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from recordroute_runtime.errors import InvalidInput, PermissionDenied
from sqlalchemy import delete, insert, select, update

from recordroute_gateway.database import Database
from recordroute_gateway.library.access import not_found
from recordroute_gateway.library.changes import ChangeKind, append_changes
from recordroute_gateway.library.records import Access
from recordroute_gateway.library.requests import is_repeated
from recordroute_gateway.library.store import LibraryStore, lock_recording
from recordroute_gateway.tables import shares


@dataclass(frozen=True)
class Share:
    """An access that was given to a user."""

    user: str
    access: Access
    created_at: datetime


class ShareStore:
    """The shares of all users. The same request id again changes nothing.

    All raise NotFound and PermissionDenied (NOT_OWNER).
    """

    def __init__(self, database: Database, library: LibraryStore) -> None:
        self._database = database
        self._library = library

    async def share(self, user: str, request_id: str, recording_id: str, other: str, access: Access) -> Share:
        """Gives another user this access to a recording, in place of the one that it has; since when stays.

        Raises InvalidInput (SHARED_WITH_OWNER) and PreconditionFailed (RECORDING_IN_BIN).
        """
        recording = await self._library.get(user, recording_id, Access.OWNER)
        if other == recording.owner:
            raise InvalidInput("SHARED_WITH_OWNER", "the recording is the user's own")
        place = (shares.c.recording_id == recording_id) & (shares.c.user == other)
        async with self._database.write() as connection:
            if await lock_recording(connection, recording_id) is None:
                raise not_found(recording_id)
            known = (await connection.execute(select(shares).where(place))).one_or_none()
            if not await is_repeated(connection, user, request_id, recording_id):
                if known is None:
                    row = {
                        "recording_id": recording_id,
                        "user": other,
                        "access": access.name.lower(),
                        "created_at": datetime.now(UTC),
                    }
                    await connection.execute(insert(shares).values(row))
                else:
                    await connection.execute(update(shares).where(place).values(access=access.name.lower()))
                await append_changes(
                    self._database, connection, [other], [(ChangeKind.RECORDING, recording_id)]
                )
            found = (await connection.execute(select(shares).where(place))).one_or_none()
        if found is None:
            # A repeated request, and the access was taken away since.
            return Share(other, access, datetime.now(UTC))
        return Share(found.user, Access[found.access.upper()], found.created_at)

    async def unshare(self, user: str, request_id: str, recording_id: str, other: str) -> None:
        """Takes a user's access to a recording away; users may leave a recording themselves. It is no error if there is
        none."""
        recording = await self._library.get(user, recording_id)
        if user not in (recording.owner, other):
            raise PermissionDenied("NOT_OWNER", "only the owner of the recording may do this")
        async with self._database.write() as connection:
            if await lock_recording(connection, recording_id) is None:
                raise not_found(recording_id)
            if await is_repeated(connection, user, request_id, recording_id):
                return
            removed = await connection.execute(
                delete(shares).where(shares.c.recording_id == recording_id, shares.c.user == other)
            )
            if removed.rowcount:
                thing = [(ChangeKind.RECORDING, recording_id)]
                await append_changes(self._database, connection, [other], thing, removed=True)

    async def shares(self, user: str, recording_id: str) -> list[Share]:
        """Returns with whom a recording is shared, by user; also of one in the bin."""
        recording = await self._library.get(user, recording_id)
        if recording.access is not Access.OWNER:
            raise PermissionDenied("NOT_OWNER", "only the owner of the recording may do this")
        query = select(shares).where(shares.c.recording_id == recording_id).order_by(shares.c.user)
        async with self._database.read() as connection:
            return [
                Share(row.user, Access[row.access.upper()], row.created_at)
                for row in await connection.execute(query)
            ]
