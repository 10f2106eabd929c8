"""What recordings can be filtered by, with how many there are of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from recordroute_gateway.database import Database
from recordroute_gateway.library.access import seen
from recordroute_gateway.library.labels import title_key
from recordroute_gateway.library.speaker_names import count_by_name
from recordroute_gateway.tables import recording_tags, recordings

MAX_VALUES = 1000


@dataclass(frozen=True)
class Facets:
    """Values with the number of recordings outside the bin that have them, by name."""

    tags: dict[str, int]
    folders: dict[str, int]
    languages: dict[str, int]
    speakers: dict[str, int]
    bin_count: int


async def read_facets(database: Database, user: str) -> Facets:
    """Returns the facets of what a user sees; a folder's number has those below it in it."""
    here = seen(user) & recordings.c.deleted_at.is_(None)
    tags = (
        select(recording_tags.c.tag, func.count().label("recordings"))
        .join(recordings, recordings.c.id == recording_tags.c.recording_id)
        .where(here)
        .group_by(recording_tags.c.tag)
    )
    folders = select(recordings.c.folder, func.count()).where(here).group_by(recordings.c.folder)
    languages = select(recordings.c.language, func.count()).where(here).group_by(recordings.c.language)
    in_bin = select(func.count()).where(recordings.c.owner == user, recordings.c.deleted_at.is_not(None))
    async with database.read() as connection:
        tag_counts = {row.tag: row.recordings for row in await connection.execute(tags)}
        folder_counts: Counter[str] = Counter()
        for folder, count in await connection.execute(folders):
            names = folder.split("/") if folder else []
            for depth in range(1, len(names) + 1):
                folder_counts["/".join(names[:depth])] += count
        language_counts: Counter[str] = Counter()
        for language, count in await connection.execute(languages):
            if language:
                language_counts[language.partition("-")[0]] += count
        speakers = await connection.execute(count_by_name(here))
        speaker_counts = {row.name: row.recordings for row in speakers}
        bin_count = (await connection.execute(in_bin)).scalar_one()
    return Facets(
        _by_name(tag_counts),
        _by_name(folder_counts),
        _by_name(language_counts),
        _by_name(speaker_counts),
        bin_count,
    )


def _by_name(counts: dict[str, int]) -> dict[str, int]:
    names = sorted(counts, key=lambda name: (title_key(name), name))
    return {name: counts[name] for name in names[:MAX_VALUES]}
