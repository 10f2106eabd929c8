"""Which recordings a user may see, and what it may do with them."""

from __future__ import annotations

from collections.abc import Sequence

from recordroute_runtime.errors import NotFound, PermissionDenied, PreconditionFailed
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.library.records import Access, Recording
from recordroute_gateway.tables import recordings, shares


def not_found(recording_id: str) -> NotFound:
    """Returns what is said of a recording that is not there, or not for the caller to see."""
    return NotFound("RECORDING_NOT_FOUND", f"there is no recording {recording_id}")


def seen(user: str) -> ColumnElement[bool]:
    """Returns the condition for the recordings that a user sees: its own, and those shared with it that are not in
    their owner's bin."""
    shared = select(shares.c.recording_id).where(shares.c.user == user)
    return or_(recordings.c.owner == user, recordings.c.id.in_(shared) & recordings.c.deleted_at.is_(None))


async def accesses(connection: AsyncConnection, user: str, ids: Sequence[str]) -> dict[str, Access]:
    """Returns what the user was given on recordings of others, by id."""
    query = select(shares.c.recording_id, shares.c.access).where(
        shares.c.user == user, shares.c.recording_id.in_(ids)
    )
    return {row.recording_id: Access[row.access.upper()] for row in await connection.execute(query)}


def check_access(recording: Recording, wanted: Access) -> None:
    """Raises PermissionDenied (READ_ONLY, NOT_OWNER) where a recording's access is not enough, and PreconditionFailed
    (RECORDING_IN_BIN) where it is in the bin and was not to be read only."""
    if recording.access < wanted:
        if wanted is Access.OWNER:
            raise PermissionDenied("NOT_OWNER", "only the owner of the recording may do this")
        raise PermissionDenied("READ_ONLY", "the recording is shared with you to be read only")
    if wanted > Access.READ and recording.deleted_at is not None:
        raise PreconditionFailed("RECORDING_IN_BIN", "the recording is in the bin: take it out first")
