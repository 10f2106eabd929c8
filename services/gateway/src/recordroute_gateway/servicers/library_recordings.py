"""LibraryService: recordings, their lists, labels and bin."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import library_pb2
from recordroute_runtime.errors import DomainError, InvalidInput
from recordroute_runtime.wire import enum_name, enum_names, to_seconds, to_timestamp

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.edits import RecordingChanges
from recordroute_gateway.library.facets import read_facets
from recordroute_gateway.library.listing import ListQuery, Order
from recordroute_gateway.library.records import Bookmark
from recordroute_gateway.servicers.library_parts import LibraryCalls
from recordroute_gateway.servicers.records import (
    DEFAULT_PAGE_SIZE,
    failure_message,
    recording_message,
    time_of,
)
from recordroute_gateway.workflow.records import Failure

UPDATABLE = frozenset(("title", "tags", "folder", "recorded_at", "bookmarks"))


class RecordingCalls(LibraryCalls):
    async def GetRecording(
        self, request: library_pb2.GetRecordingRequest, context: Any
    ) -> library_pb2.GetRecordingResponse:
        recording = await self._parts.library.get(current_caller().user, request.recording_id)
        return library_pb2.GetRecordingResponse(recording=recording_message(recording))

    async def ListRecordings(
        self, request: library_pb2.ListRecordingsRequest, context: Any
    ) -> library_pb2.ListRecordingsResponse:
        order = enum_name(request, "order_by")
        query = ListQuery(
            text=request.text,
            tags=tuple(request.tags),
            folder=request.folder,
            recorded_from=time_of(request, "recorded_from"),
            recorded_before=time_of(request, "recorded_before"),
            languages=tuple(request.languages),
            speakers=tuple(request.speakers),
            workflow_states=tuple(enum_names(request, "workflow_states")),
            kinds=tuple(enum_names(request, "kinds")),
            in_bin=request.in_bin,
            order=Order.CREATED_AT if order == "unspecified" else Order(order),
            ascending=request.ascending,
        )
        user, library = current_caller().user, self._parts.library
        page, token = await library.list_page(
            user, request.page_size or DEFAULT_PAGE_SIZE, request.page_token, query
        )
        # A list that ends on its first page has been counted already.
        is_first = not request.page_token
        total = await library.count(user, query) if is_first and token else len(page)
        return library_pb2.ListRecordingsResponse(
            recordings=map(recording_message, page),
            next_page_token=token,
            total_count=total if is_first else None,
        )

    async def ListFacets(
        self, request: library_pb2.ListFacetsRequest, context: Any
    ) -> library_pb2.ListFacetsResponse:
        facets = await read_facets(self._parts.database, current_caller().user)

        def messages(counts: dict[str, int]) -> list[library_pb2.Facet]:
            return [library_pb2.Facet(value=value, recording_count=count) for value, count in counts.items()]

        return library_pb2.ListFacetsResponse(
            tags=messages(facets.tags),
            folders=messages(facets.folders),
            languages=messages(facets.languages),
            speakers=messages(facets.speakers),
            bin_count=facets.bin_count,
        )

    async def UpdateRecording(
        self, request: library_pb2.UpdateRecordingRequest, context: Any
    ) -> library_pb2.UpdateRecordingResponse:
        recording = await self._parts.editor.update(
            current_caller().user,
            request.request_id,
            request.recording.id,
            _changes(request),
            etag=request.etag,
        )
        await self._parts.keeper.settle([recording.id])
        return library_pb2.UpdateRecordingResponse(recording=recording_message(recording))

    async def DeleteRecording(
        self, request: library_pb2.DeleteRecordingRequest, context: Any
    ) -> library_pb2.DeleteRecordingResponse:
        purge_at = await self._parts.removal.delete(
            current_caller().user, request.request_id, request.recording_id, purge=request.purge
        )
        await self._parts.keeper.settle([request.recording_id])
        if request.purge:
            await self._parts.removal.settle()
        return library_pb2.DeleteRecordingResponse(purge_at=to_timestamp(purge_at) if purge_at else None)

    async def RestoreRecording(
        self, request: library_pb2.RestoreRecordingRequest, context: Any
    ) -> library_pb2.RestoreRecordingResponse:
        user = current_caller().user
        await self._parts.bin.restore(user, request.request_id, request.recording_id)
        await self._parts.keeper.settle([request.recording_id])
        recording = await self._parts.library.get(user, request.recording_id)
        return library_pb2.RestoreRecordingResponse(recording=recording_message(recording))

    async def BulkEdit(
        self, request: library_pb2.BulkEditRequest, context: Any
    ) -> library_pb2.BulkEditResponse:
        user, errors = current_caller().user, {}
        for recording_id in request.recording_ids:
            try:
                await self._edit_one(user, request, recording_id)
            except DomainError as error:
                errors[recording_id] = failure_message(Failure.of(error))
        await self._parts.keeper.settle(request.recording_ids)
        if request.delete.purge:
            await self._parts.removal.settle()
        found = await self._parts.library.get_many(user, request.recording_ids, in_bin=True)
        return library_pb2.BulkEditResponse(
            results=[
                library_pb2.BulkEditResult(recording_id=recording_id, error=errors[recording_id])
                if recording_id in errors
                else library_pb2.BulkEditResult(
                    recording_id=recording_id,
                    recording=recording_message(found[recording_id]) if recording_id in found else None,
                )
                for recording_id in request.recording_ids
            ]
        )

    async def _edit_one(self, user: str, request: library_pb2.BulkEditRequest, recording_id: str) -> None:
        match request.WhichOneof("action"):
            case "labels":
                labels = request.labels
                await self._parts.editor.label(
                    user,
                    request.request_id,
                    recording_id,
                    add_tags=labels.add_tags,
                    remove_tags=labels.remove_tags,
                    folder=labels.folder if labels.HasField("folder") else None,
                )
            case "delete":
                await self._parts.removal.delete(
                    user, request.request_id, recording_id, purge=request.delete.purge
                )
            case "restore":
                await self._parts.bin.restore(user, request.request_id, recording_id)


def _changes(request: library_pb2.UpdateRecordingRequest) -> RecordingChanges:
    recording, paths = request.recording, set(request.update_mask.paths)
    if not paths or paths - UPDATABLE:
        wrong = ", ".join(sorted(paths - UPDATABLE)) or "no field"
        raise InvalidInput(
            "FIELD_MASK", f"update_mask names {wrong}; it may name {', '.join(sorted(UPDATABLE))}"
        )
    if "recorded_at" in paths and not recording.HasField("recorded_at"):
        raise InvalidInput("FIELD_MASK", "recorded_at can be changed, but not taken away")
    return RecordingChanges(
        title=recording.title if "title" in paths else None,
        tags=recording.tags if "tags" in paths else None,
        folder=recording.folder if "folder" in paths else None,
        recorded_at=time_of(recording, "recorded_at") if "recorded_at" in paths else None,
        bookmarks=[
            Bookmark(to_seconds(bookmark.position), bookmark.label) for bookmark in recording.bookmarks
        ]
        if "bookmarks" in paths
        else None,
    )
