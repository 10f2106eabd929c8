"""A library of the version before revisions comes through, and what is in it can be edited."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import recordroute_gateway
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording
from recordroute_gateway.library.revisions import RevisionStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.transcript_edits import FindAndReplace
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.tables import metadata
from sqlalchemy import Connection

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NEW = {"transcript_revisions", "vocabulary_terms", "minutes_templates"}
# As the first version wrote it.
OLD_TRANSCRIPT = {
    "language": "en",
    "language_probability": 1.0,
    "duration": 2.0,
    "model": "tiny",
    "segments": [
        {
            "index": 0,
            "start": 0.0,
            "end": 2.0,
            "text": "Hello wold.",
            "speaker": "",
            "words": [
                {"text": " Hello", "start": 0.0, "end": 1.0, "probability": 0.9},
                {"text": " wold.", "start": 1.0, "end": 2.0, "probability": 0.4},
            ],
            "average_log_probability": None,
            "no_speech_probability": None,
        }
    ],
    "warnings": [],
}


def migrate(connection: Connection, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(recordroute_gateway.__path__[0]) / "migrations"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


async def test_old_transcripts_are_edited_and_gone_back_to(empty_database_url: str, tmp_path: Path) -> None:
    database = Database(empty_database_url)
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    library = LibraryStore(database, blobs)
    async with database.write() as connection:
        await connection.run_sync(migrate, "upgrade", "0004")
        await connection.run_sync(migrate, "downgrade", "0003")
    await database.migrate()
    media = Artifact(ArtifactKind.MEDIA, await blobs.put(b"sound"), 5, "", "", NOW)
    made = await library.create(
        Recording(str(uuid.uuid4()), "anna", "Talk", "talk.wav", 2.0, "en", NOW, NOW), "r", media
    )
    await library.put_artifact(
        made.id, ArtifactKind.TRANSCRIPT, json.dumps(OLD_TRANSCRIPT).encode(), model="tiny", workflow_id="w"
    )
    revisions = RevisionStore(database, library, VocabularyStore(database))
    recording = await library.get("anna", made.id)
    first = await revisions.current(recording)
    edits = [FindAndReplace("wold", "world")]
    revised = await revisions.edit("anna", recording, "q", first.etag, edits, learn=True)
    assert [word.text for word in revised.transcript.segments[0].words] == ["Hello", " world."]
    recording = await library.get("anna", made.id)
    back = await revisions.revert("anna", recording, "p", revised.revision.etag, 1)
    assert (back.revision.revision, back.revision.etag) == (3, first.etag)
    recording = await library.get("anna", made.id)
    assert json.loads(await library.read_artifact(recording, ArtifactKind.TRANSCRIPT)) == OLD_TRANSCRIPT
    await database.close()


async def test_the_migrated_tables_are_those_that_the_code_knows(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    await database.migrate()

    def differences(connection: Connection) -> list[Any]:
        def is_ours(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
            return (name if kind == "table" else thing.table.name) in NEW

        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": True}
        )
        return list(compare_metadata(context, metadata))

    async with database.write() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()
