"""WatchService on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from recordroute.gateway.v1 import library_pb2, watch_pb2, watch_pb2_grpc, workflow_pb2
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.changes import Change, ChangeFeed, ChangeKind, WatchStart
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.servicers.records import recording_message, workflow_message
from recordroute_gateway.workflow.outlook import Forecaster
from recordroute_gateway.workflow.store import WorkflowStore


class WatchServicer(watch_pb2_grpc.WatchServiceServicer):
    """Messages are made once for all streams of a user."""

    def __init__(
        self, database: Database, library: LibraryStore, workflows: WorkflowStore, forecaster: Forecaster
    ) -> None:
        self._library = library
        self._workflows = workflows
        self._forecaster = forecaster
        loaders = {ChangeKind.RECORDING: self._load_recordings, ChangeKind.WORKFLOW: self._load_workflows}
        self._feed = ChangeFeed(database, loaders)

    async def WatchLibrary(
        self, request: watch_pb2.WatchLibraryRequest, context: Any
    ) -> AsyncIterator[watch_pb2.WatchLibraryResponse]:
        after = request.after_sequence if request.HasField("after_sequence") else None
        async with aclosing(self._feed.watch(current_caller().user, after)) as news:
            async for one in news:
                yield _message(one)

    async def close(self) -> None:
        """Ends the streams, so that their clients go on elsewhere."""
        await self._feed.close()

    async def _load_recordings(self, user: str, ids: Sequence[str]) -> Mapping[str, library_pb2.Recording]:
        found = await self._library.get_many(user, ids, in_bin=True)
        return {recording_id: recording_message(recording) for recording_id, recording in found.items()}

    async def _load_workflows(self, user: str, ids: Sequence[str]) -> Mapping[str, workflow_pb2.Workflow]:
        found = await self._workflows.get_many(ids)
        outlooks = await self._forecaster.outlooks(list(found.values()))
        return {
            workflow_id: workflow_message(workflow, outlooks.get(workflow_id))
            for workflow_id, workflow in found.items()
        }


def _message(one: WatchStart | Change) -> watch_pb2.WatchLibraryResponse:
    answer = watch_pb2.WatchLibraryResponse(sequence=one.sequence, time=to_timestamp(one.time))
    if isinstance(one, WatchStart):
        if one.reset:
            answer.reset.SetInParent()
    elif isinstance(one.item, workflow_pb2.Workflow):
        answer.workflow.CopyFrom(one.item)
    elif isinstance(one.item, library_pb2.Recording):
        answer.recording.CopyFrom(one.item)
    else:
        answer.recording_removed.recording_id = one.id
    return answer
