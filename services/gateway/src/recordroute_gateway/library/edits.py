"""Changes what people set on recordings: title, labels, times, bookmarks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from recordroute_runtime.errors import InvalidInput, Outdated
from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.library.access import not_found
from recordroute_gateway.library.index_tasks import add_index_task
from recordroute_gateway.library.labels import clean_folder, clean_line, clean_tags
from recordroute_gateway.library.records import Access, ArtifactKind, Bookmark, Recording
from recordroute_gateway.library.requests import is_repeated
from recordroute_gateway.library.store import LibraryStore, lock_recording, recording_tags_of
from recordroute_gateway.tables import artifacts

MAX_TAGS = 64
# What the index knows of a recording, and filters by.
INDEXED = frozenset(("tags", "folder", "recorded_at"))


@dataclass(frozen=True)
class RecordingChanges:
    """New values; None: as it was. An empty title gives it back to the language model."""

    title: str | None = None
    tags: Sequence[str] | None = None
    folder: str | None = None
    recorded_at: datetime | None = None
    bookmarks: Sequence[Bookmark] | None = None


MakeValues = Callable[[Row[Any], Sequence[str]], Mapping[str, Any]]


class RecordingEditor:
    """Edits recordings for those who may write. The same request id again changes nothing.

    All raise NotFound, PermissionDenied (READ_ONLY), PreconditionFailed (RECORDING_IN_BIN) and InvalidInput
    (BAD_LABEL).
    """

    def __init__(self, database: Database, library: LibraryStore) -> None:
        self._database = database
        self._library = library

    async def update(
        self, user: str, request_id: str, recording_id: str, changes: RecordingChanges, *, etag: str = ""
    ) -> Recording:
        """Sets values. Raises Outdated (ETAG_MISMATCH) where `etag` is not that of the recording."""

        def values(row: Row[Any], tags: Sequence[str]) -> dict[str, Any]:
            if etag and etag != str(row.version):
                raise Outdated(
                    "ETAG_MISMATCH", "the recording was changed meanwhile: look at it, and try again"
                )
            new: dict[str, Any] = {}
            if changes.title is not None:
                new |= _title(row, changes.title)
            if changes.tags is not None:
                new["tags"] = clean_tags(changes.tags)
            if changes.folder is not None:
                new["folder"] = clean_folder(changes.folder)
            if changes.recorded_at is not None:
                new["recorded_at"] = changes.recorded_at
            if changes.bookmarks is not None:
                ordered = sorted(changes.bookmarks, key=lambda bookmark: bookmark.position)
                new["bookmarks"] = [
                    asdict(Bookmark(bookmark.position, clean_line(bookmark.label))) for bookmark in ordered
                ]
            return new

        return await self._change(user, request_id, recording_id, values)

    async def label(
        self,
        user: str,
        request_id: str,
        recording_id: str,
        *,
        add_tags: Collection[str] = (),
        remove_tags: Collection[str] = (),
        folder: str | None = None,
    ) -> Recording:
        """Adds and takes away tags, and moves to a folder ("": out of all; None: stays)."""

        def values(row: Row[Any], tags: Sequence[str]) -> dict[str, Any]:
            kept = (set(tags) | set(clean_tags(add_tags))) - set(clean_tags(remove_tags))
            new: dict[str, Any] = {"tags": tuple(sorted(kept))}
            if folder is not None:
                new["folder"] = clean_folder(folder)
            return new

        return await self._change(user, request_id, recording_id, values)

    async def _change(
        self, user: str, request_id: str, recording_id: str, make_values: MakeValues
    ) -> Recording:
        await self._library.get(user, recording_id, Access.WRITE)
        async with self._database.write() as connection:
            row = await lock_recording(connection, recording_id)
            if row is None:
                raise not_found(recording_id)
            if not await is_repeated(connection, user, request_id, recording_id):
                values = make_values(row, await recording_tags_of(connection, recording_id))
                if len(values.get("tags", ())) > MAX_TAGS:
                    raise InvalidInput(
                        "BAD_LABEL",
                        f"a recording has {MAX_TAGS} tags at most",
                        metadata={"limit": str(MAX_TAGS)},
                    )
                changed = await self._library.set_values(connection, row, values)
                if INDEXED & changed and await _is_indexed(connection, recording_id):
                    await add_index_task(connection, row.owner, recording_id)
                if changed:
                    await self._library.log_change(connection, recording_id)
        return await self._library.get(user, recording_id)


def _title(row: Row[Any], title: str) -> dict[str, Any]:
    title = clean_line(title)
    if title:
        return {"title": title, "title_is_set": True}
    return {"title": row.made_title or PurePosixPath(row.file_name).stem, "title_is_set": False}


async def _is_indexed(connection: AsyncConnection, recording_id: str) -> bool:
    place = (artifacts.c.recording_id == recording_id) & (artifacts.c.kind == ArtifactKind.INDEX.value)
    return bool((await connection.execute(select(exists().where(place)))).scalar_one())
