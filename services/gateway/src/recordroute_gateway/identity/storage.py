"""How much of the disk a user's files take, and how much they may take."""

from __future__ import annotations

from recordroute_runtime.errors import QuotaExceeded
from sqlalchemy import func, select

from recordroute_gateway.database import Database
from recordroute_gateway.tables import artifacts, recordings


class StorageQuota:
    """Counts the artifacts of a user's own recordings, those in the bin included; `limit_bytes` 0 allows all."""

    def __init__(self, database: Database, limit_bytes: int) -> None:
        self._database = database
        self.limit_bytes = limit_bytes

    async def used_bytes(self, user: str) -> int:
        """Returns the bytes that a user's files take."""
        query = (
            select(func.coalesce(func.sum(artifacts.c.size_bytes), 0))
            .select_from(artifacts.join(recordings))
            .where(recordings.c.owner == user)
        )
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def check(self, user: str, adding_bytes: int) -> None:
        """Raises QuotaExceeded (QUOTA_EXCEEDED) where a user may not have so many more bytes."""
        if not self.limit_bytes:
            return
        used = await self.used_bytes(user)
        if used + adding_bytes > self.limit_bytes:
            raise QuotaExceeded(
                "QUOTA_EXCEEDED",
                f"your recordings take {used} of {self.limit_bytes} bytes: {adding_bytes} more have no room; "
                "delete recordings, or ask whoever runs the system for more",
                metadata={"used_bytes": str(used), "limit_bytes": str(self.limit_bytes)},
            )
