"""How loud recordings are over their length: computed once, in a process of its own, and kept."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass

import numpy as np
from recordroute_runtime.errors import NotFound, PreconditionFailed
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from recordroute_gateway.database import Database
from recordroute_gateway.library.readers.process import ReaderStopped, run_reader
from recordroute_gateway.library.records import ArtifactKind, Recording, RecordingKind
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.tables import waveforms

READER_SECONDS = 3600.0


@dataclass(frozen=True)
class Waveform:
    """Largest absolute sample of each stretch, 255 for full scale; all stretches are equally long."""

    peaks: bytes
    duration_seconds: float

    def reduced(self, count: int) -> Waveform:
        """Returns it with `count` stretches at most."""
        if len(self.peaks) <= count:
            return self
        starts = np.arange(count) * len(self.peaks) // count
        peaks = np.maximum.reduceat(np.frombuffer(self.peaks, np.uint8), starts)
        return Waveform(peaks.tobytes(), self.duration_seconds)


class WaveformStore:
    """Waveforms of all recordings."""

    def __init__(self, database: Database, library: LibraryStore) -> None:
        self._database = database
        self._library = library
        self._computing: dict[str, asyncio.Task[Waveform]] = {}
        # Others wait: a waveform is a drawing, and the machine has better things to do.
        self._slot = asyncio.Semaphore(1)

    async def get(self, recording: Recording) -> Waveform:
        """Returns a recording's waveform; it goes on being computed where the caller stops waiting.

        Raises PreconditionFailed (NO_AUDIO) for a document and for what can't be decoded, and NotFound
        (ARTIFACT_NOT_READY) where there is no media.
        """
        if recording.kind is RecordingKind.DOCUMENT:
            raise PreconditionFailed("NO_AUDIO", "a document has no waveform")
        task = self._computing.get(recording.id)
        if task is None:
            task = asyncio.create_task(self._find_or_compute(recording))
            self._computing[recording.id] = task
            task.add_done_callback(lambda done: self._forget(recording.id, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends what is being computed."""
        for task in list(self._computing.values()):
            task.cancel()
            await asyncio.wait([task])

    async def _find(self, recording_id: str) -> Waveform | None:
        query = select(waveforms).where(waveforms.c.recording_id == recording_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Waveform(row.peaks, row.duration_seconds)

    async def _find_or_compute(self, recording: Recording) -> Waveform:
        # In one task for all who ask meanwhile: who looked before it was kept would compute it once more.
        return await self._find(recording.id) or await self._compute(recording)

    async def _compute(self, recording: Recording) -> Waveform:
        media = recording.artifact(ArtifactKind.MEDIA)
        if media is None:
            raise NotFound(
                "ARTIFACT_NOT_READY",
                f"recording {recording.id} has no media",
                metadata={"artifact": ArtifactKind.MEDIA.value},
            )
        async with self._slot, self._library.blobs.local_path(media.sha256) as path:
            try:
                found = await run_reader("waveform", str(path), seconds=READER_SECONDS)
            except ReaderStopped as error:
                raise PreconditionFailed("NO_AUDIO", f"the audio can't be decoded: {error}") from error
        if "reason" in found:
            raise PreconditionFailed("NO_AUDIO", found["message"])
        waveform = Waveform(base64.b64decode(found["peaks"]), found["duration_seconds"])
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(waveforms).values(
                        recording_id=recording.id,
                        peaks=waveform.peaks,
                        duration_seconds=waveform.duration_seconds,
                    )
                )
        except IntegrityError:
            # Another replica was faster, or the recording is gone.
            return waveform
        return waveform

    def _forget(self, recording_id: str, task: asyncio.Task[Waveform]) -> None:
        del self._computing[recording_id]
        if not task.cancelled():
            # Whoever waited was told; nobody may be waiting any more.
            task.exception()
