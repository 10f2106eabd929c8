"""Takes recordings out of the library, for a while or for good, with everything that other parts hold of them."""

from __future__ import annotations

from datetime import datetime

from recordroute_gateway.answer_keeper import AnswerKeeper
from recordroute_gateway.library.bin import Bin
from recordroute_gateway.library.records import Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.store import WorkflowStore


class Removal:
    """The bin with what goes with it: running work, files, answers. The index has its own keeper."""

    def __init__(
        self,
        recordings_bin: Bin,
        library: LibraryStore,
        workflows: WorkflowStore,
        engine: WorkflowEngine,
        answers: AnswerKeeper,
    ) -> None:
        self._bin = recordings_bin
        self._library = library
        self._workflows = workflows
        self._engine = engine
        self._answers = answers

    async def delete(self, user: str, request_id: str, recording_id: str, *, purge: bool) -> datetime | None:
        """Puts a recording into the bin and stops the work on it; with `purge` it is gone at once. Returns when it is
        going to be purged, or None where it is gone. It is no error if it was gone before.

        Raises PermissionDenied (NOT_OWNER).
        """
        recording = await self._bin.put(user, request_id, recording_id, due=purge)
        if recording is None or recording.deleted_at is None:
            # Gone, or restored since this request was made for the first time.
            return None
        await self._stop_work(recording.id)
        if purge:
            await self._purge(recording)
            return None
        return recording.purge_at

    async def settle(self) -> None:
        """Has the answers that rest on what was purged forgotten, and waits a moment for it."""
        await self._answers.settle()

    async def purge_due(self) -> None:
        """Purges what has been in the bin for long enough."""
        while due := await self._bin.due():
            for recording in due:
                await self._stop_work(recording.id)
                await self._purge(recording)

    async def _stop_work(self, recording_id: str) -> None:
        for workflow in await self._workflows.of_recording(recording_id):
            if not workflow.state.ended:
                await self._engine.cancel(workflow)

    async def _purge(self, recording: Recording) -> None:
        # The row goes last: if this process dies before, the recording is in the bin and due, and all is done again.
        await self._engine.forget(await self._workflows.of_recording(recording.id))
        await self._library.delete(recording.id)
