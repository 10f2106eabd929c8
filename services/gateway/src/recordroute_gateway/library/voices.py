"""Voices: those of a recording's speakers, and those that were remembered under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from recordroute_runtime.errors import Conflict, NotFound, PreconditionFailed
from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from recordroute_gateway.database import Database
from recordroute_gateway.library.records import Transcript
from recordroute_gateway.tables import recording_voices, voices

# As many as the stt service compares with.
MAX_VOICES = 256


@dataclass(frozen=True)
class Voice:
    """A remembered voice. `embedding` is what the stt service made of it; `recording_id` is empty where the recording
    is gone."""

    id: str
    name: str
    embedding: bytes
    recording_id: str
    created_at: datetime


class VoiceStore:
    """The voices of all owners. Where they are not `allowed` none are kept, given or compared, only deleted."""

    def __init__(self, database: Database, *, allowed: bool) -> None:
        self._database = database
        self.allowed = allowed

    async def keep(self, recording_id: str, embeddings: Mapping[str, bytes]) -> None:
        """Keeps the voices of a recording's speakers, by label, in place of earlier ones.

        Raises NotFound where the recording is gone.
        """
        rows = [
            {"recording_id": recording_id, "speaker": speaker, "embedding": embedding}
            for speaker, embedding in embeddings.items()
            if self.allowed
        ]
        async with self._database.write() as connection:
            await connection.execute(
                delete(recording_voices).where(recording_voices.c.recording_id == recording_id)
            )
            try:
                if rows:
                    await connection.execute(insert(recording_voices).values(rows))
            except IntegrityError as error:
                raise NotFound("RECORDING_NOT_FOUND", f"there is no recording {recording_id}") from error

    async def remember(
        self,
        owner: str,
        request_id: str,
        recording_id: str,
        transcript: Transcript,
        speaker: str,
        *,
        name: str,
    ) -> Voice:
        """Remembers the voice of a speaker under a name. The same request again returns the voice of the first time.

        Raises PreconditionFailed (VOICES_DISABLED, VOICE_NOT_KEPT, TOO_MANY_VOICES), NotFound (SPEAKER_NOT_FOUND) and
        Conflict (VOICE_EXISTS).
        """
        self._check_allowed()
        known = await self._find_request(owner, request_id)
        if known is not None:
            return known
        if all(speaker != other.label for other in transcript.speakers):
            raise NotFound("SPEAKER_NOT_FOUND", f"nobody in the recording is labelled {speaker!r}")
        source = select(recording_voices.c.embedding).where(
            recording_voices.c.recording_id == recording_id, recording_voices.c.speaker == speaker
        )
        async with self._database.read() as connection:
            embedding = (await connection.execute(source)).scalar_one_or_none()
            count = (
                await connection.execute(select(func.count()).where(voices.c.owner == owner))
            ).scalar_one()
        if embedding is None:
            raise PreconditionFailed(
                "VOICE_NOT_KEPT",
                "the recording was transcribed while voices were not allowed: have it transcribed again",
            )
        if count >= MAX_VOICES:
            raise PreconditionFailed("TOO_MANY_VOICES", f"{count} voices are remembered already")
        row = {
            "id": request_id,
            "owner": owner,
            "request_id": request_id,
            "name": name,
            "embedding": embedding,
            "recording_id": recording_id,
            "created_at": datetime.now(UTC),
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(voices).values(row))
        except IntegrityError as error:
            known = await self._find_request(owner, request_id)
            if known is not None:
                return known
            raise Conflict("VOICE_EXISTS", f"a voice is remembered as {name!r} already") from error
        return Voice(request_id, name, embedding, recording_id, row["created_at"])

    async def list(self, owner: str) -> list[Voice]:
        """Returns the remembered voices by name. Raises PreconditionFailed (VOICES_DISABLED)."""
        self._check_allowed()
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(voices).where(voices.c.owner == owner).order_by(voices.c.name)
            )
        return [_voice(row) for row in rows]

    async def delete(self, owner: str, voice_id: str) -> None:
        """Deletes a remembered voice; it is no error if there is none."""
        async with self._database.write() as connection:
            await connection.execute(delete(voices).where(voices.c.owner == owner, voices.c.id == voice_id))

    async def _find_request(self, owner: str, request_id: str) -> Voice | None:
        query = select(voices).where(voices.c.owner == owner, voices.c.request_id == request_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _voice(row)

    def _check_allowed(self) -> None:
        if not self.allowed:
            raise PreconditionFailed(
                "VOICES_DISABLED",
                "remembering voices is switched off; the operator allows it with "
                "RECORDROUTE_GATEWAY_REMEMBER_VOICES=1",
            )


def _voice(row: Row[tuple[object, ...]]) -> Voice:
    return Voice(row.id, row.name, row.embedding, row.recording_id or "", row.created_at)
