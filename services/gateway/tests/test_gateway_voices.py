"""Remembered voices on both databases: only where the operator allows them, and gone when they are deleted."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.records import (
    Artifact,
    ArtifactKind,
    Recording,
    Segment,
    Speaker,
    Transcript,
)
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.voices import VoiceStore
from recordroute_runtime.errors import Conflict, NotFound, PreconditionFailed

OWNER = "somebody"
VOICE = bytes(range(256)) * 3
TRANSCRIPT = Transcript(
    language="en",
    language_probability=1.0,
    duration=3.0,
    model="tiny",
    segments=(Segment(0, 0.0, 3.0, "Hello.", speaker="S1"),),
    speakers=(Speaker("S1", 3.0),),
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def recording(database: Database, tmp_path: Path) -> Recording:
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    now = datetime.now(UTC)
    media = Artifact(ArtifactKind.MEDIA, await blobs.put(b"sound"), 5, "", "", now)
    new = Recording(str(uuid.uuid4()), OWNER, "Talk", "talk.wav", 3.0, "", now, now)
    return await LibraryStore(database, blobs).create(new, str(uuid.uuid4()), media)


@pytest.fixture
def voices(database: Database) -> VoiceStore:
    return VoiceStore(database, allowed=True)


async def remember(voices: VoiceStore, recording: Recording, name: str, request_id: str = ""):
    return await voices.remember(
        OWNER, request_id or str(uuid.uuid4()), recording.id, TRANSCRIPT, "S1", name=name
    )


async def test_voice_is_remembered_once_and_forgotten(voices: VoiceStore, recording: Recording) -> None:
    await voices.keep(recording.id, {"S1": VOICE})
    request_id = str(uuid.uuid4())
    anna = await remember(voices, recording, "Anna", request_id)
    assert await remember(voices, recording, "Anna", request_id) == anna
    assert [(voice.name, voice.embedding) for voice in await voices.list(OWNER)] == [("Anna", VOICE)]
    assert await voices.list("somebody else") == []
    with pytest.raises(Conflict, match="Anna"):
        await remember(voices, recording, "Anna")
    await voices.delete("somebody else", anna.id)
    assert len(await voices.list(OWNER)) == 1
    await voices.delete(OWNER, anna.id)
    await voices.delete(OWNER, anna.id)
    assert await voices.list(OWNER) == []


async def test_only_speakers_with_a_kept_voice(voices: VoiceStore, recording: Recording) -> None:
    with pytest.raises(PreconditionFailed, match="transcribed again"):
        await remember(voices, recording, "Anna")
    with pytest.raises(NotFound, match="S9"):
        await voices.remember(OWNER, str(uuid.uuid4()), recording.id, TRANSCRIPT, "S9", name="Anna")


async def test_disallowed_voices_are_neither_kept_nor_given_but_can_be_forgotten(
    voices: VoiceStore, recording: Recording, database: Database
) -> None:
    await voices.keep(recording.id, {"S1": VOICE})
    anna = await remember(voices, recording, "Anna")
    off = VoiceStore(database, allowed=False)
    with pytest.raises(PreconditionFailed, match="RECORDROUTE_GATEWAY_REMEMBER_VOICES"):
        await off.list(OWNER)
    with pytest.raises(PreconditionFailed):
        await remember(off, recording, "Berta")
    await off.keep(recording.id, {"S1": VOICE})
    with pytest.raises(PreconditionFailed, match="transcribed again"):
        await remember(voices, recording, "Berta")
    await off.delete(OWNER, anna.id)
    assert await voices.list(OWNER) == []


async def test_voices_of_a_deleted_recording(
    voices: VoiceStore, recording: Recording, database: Database, tmp_path: Path
) -> None:
    await voices.keep(recording.id, {"S1": VOICE})
    await remember(voices, recording, "Anna")
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    await LibraryStore(database, blobs).delete(recording.id)
    assert [(voice.name, voice.recording_id) for voice in await voices.list(OWNER)] == [("Anna", "")]
    with pytest.raises(NotFound):
        await voices.keep(recording.id, {"S1": VOICE})
