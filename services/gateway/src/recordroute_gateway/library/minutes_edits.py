"""Changes that people make in minutes: their words, what is done, what does not belong there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from recordroute_runtime.errors import InvalidInput, Outdated
from recordroute_runtime.threads import in_thread
from sqlalchemy import select

from recordroute_gateway.database import Database
from recordroute_gateway.library.access import not_found
from recordroute_gateway.library.artifact_json import minutes_bytes
from recordroute_gateway.library.records import (
    Access,
    Artifact,
    ArtifactKind,
    Minutes,
    MinutesItem,
    Recording,
)
from recordroute_gateway.library.requests import is_repeated
from recordroute_gateway.library.revisions import etag_of
from recordroute_gateway.library.store import LibraryStore, add_orphans, lock_recording
from recordroute_gateway.tables import artifacts


@dataclass(frozen=True)
class SetOverview:
    text: str


@dataclass(frozen=True)
class RewriteLine:
    """`section` and `item` are the line's indices, here and below."""

    section: int
    item: int
    text: str


@dataclass(frozen=True)
class RemoveLine:
    section: int
    item: int


@dataclass(frozen=True)
class TickLine:
    section: int
    item: int
    done: bool


MinutesEdit = SetOverview | RewriteLine | RemoveLine | TickLine


def apply_edits(minutes: Minutes, edits: Sequence[MinutesEdit]) -> Minutes:
    """Returns minutes with the changes, which name lines by their places in `minutes`. Lines keep their evidence and
    fields. Raises InvalidInput (BAD_EDIT)."""
    lines: list[list[MinutesItem | None]] = [list(section.items) for section in minutes.sections]
    for position, edit in enumerate(edits):
        if isinstance(edit, SetOverview):
            text = edit.text.strip()
            if text != minutes.overview:
                minutes = replace(minutes, overview=text, overview_edited=True)
            continue
        item = _line(lines, edit.section, edit.item, position)
        match edit:
            case RewriteLine():
                text = " ".join(edit.text.split())
                if not text:
                    raise _bad(position, "a line can't be empty: remove it instead")
                if text != item.text:
                    item = replace(item, text=text, edited=True)
                lines[edit.section][edit.item] = item
            case RemoveLine():
                lines[edit.section][edit.item] = None
            case TickLine():
                lines[edit.section][edit.item] = replace(item, done=edit.done)
    sections = (
        replace(section, items=tuple(item for item in kept if item is not None))
        for section, kept in zip(minutes.sections, lines, strict=True)
    )
    return replace(minutes, sections=tuple(section for section in sections if section.items))


def _line(lines: list[list[MinutesItem | None]], section: int, item: int, position: int) -> MinutesItem:
    there = lines[section][item] if section < len(lines) and item < len(lines[section]) else None
    if there is None:
        raise _bad(position, f"section {section} has no line {item}")
    return there


def _bad(position: int, message: str) -> InvalidInput:
    return InvalidInput("BAD_EDIT", f"edit {position}: {message}", metadata={"edit": str(position)})


def minutes_etag(recording: Recording) -> str:
    """Returns what names the state of a recording's minutes; empty where there are none."""
    artifact = recording.artifact(ArtifactKind.MINUTES)
    return "" if artifact is None else etag_of(artifact.sha256)


class MinutesEditor:
    """Edits minutes for those who may write."""

    def __init__(self, database: Database, library: LibraryStore) -> None:
        self._database = database
        self._library = library

    async def edit(
        self, user: str, request_id: str, recording_id: str, etag: str, edits: Sequence[MinutesEdit]
    ) -> tuple[Minutes, str]:
        """Returns the minutes as they are then, and their etag. The same request id again changes nothing.

        Raises NotFound, PermissionDenied (READ_ONLY), PreconditionFailed (RECORDING_IN_BIN), Outdated (ETAG_MISMATCH)
        and InvalidInput (BAD_EDIT).
        """
        recording = await self._library.get(user, recording_id, Access.WRITE)
        before = await self._library.minutes(recording)
        base = recording.artifact(ArtifactKind.MINUTES)
        assert base is not None, "minutes that were read are there"
        is_current = etag_of(base.sha256) == etag
        # Changes that fail leave no trace of their request; those of other minutes are refused below.
        after = await in_thread(apply_edits, before, edits) if is_current else before
        sha256 = base.sha256
        async with self._database.write() as connection:
            row = await lock_recording(connection, recording_id)
            if row is None:
                raise not_found(recording_id)
            is_done = await is_repeated(connection, user, request_id, recording_id)
            if not is_done:
                query = select(artifacts.c.sha256, artifacts.c.stale).where(
                    artifacts.c.recording_id == recording_id, artifacts.c.kind == ArtifactKind.MINUTES.value
                )
                there = (await connection.execute(query)).one_or_none()
                if not is_current or there is None or there.sha256 != base.sha256:
                    raise Outdated(
                        "ETAG_MISMATCH", "the minutes have changed meanwhile: read them again, then edit them"
                    )
                if after != before:
                    data = minutes_bytes(after)
                    sha256 = await self._library.put_blob(connection, data)
                    made = Artifact(
                        ArtifactKind.MINUTES,
                        sha256,
                        len(data),
                        base.model,
                        "",
                        datetime.now(UTC),
                        there.stale,
                    )
                    await self._library.replace_artifact(connection, row, made, {})
                    await add_orphans(connection, [base.sha256])
                    await self._library.log_change(connection, recording_id)
        if is_done:
            # What the first time has made may have been changed since.
            recording = await self._library.get(user, recording_id)
            return await self._library.minutes(recording), minutes_etag(recording)
        if sha256 != base.sha256:
            await self._library.delete_orphans([base.sha256])
        return after, etag_of(sha256)
