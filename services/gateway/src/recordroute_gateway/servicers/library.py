"""LibraryService on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from recordroute.gateway.v1 import library_pb2, library_pb2_grpc
from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.clients.minutes import minutes_message
from recordroute_gateway.clients.segments import segment_message
from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.library.export import RENDERERS
from recordroute_gateway.library.records import LOCAL_OWNER, ArtifactKind
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.servicers.records import (
    DEFAULT_PAGE_SIZE,
    recording_message,
    removed_message,
    speaker_message,
)
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.store import WorkflowStore

DEFAULT_SEGMENTS = 1000
# Below the message limit with room to spare, words and all.
PAGE_BYTES = 2 << 20
EXPORT_CHUNK_BYTES = 1 << 20


class LibraryServicer(library_pb2_grpc.LibraryServiceServicer):
    def __init__(
        self, library: LibraryStore, workflows: WorkflowStore, engine: WorkflowEngine, vector: VectorClient
    ) -> None:
        self._library = library
        self._workflows = workflows
        self._engine = engine
        self._vector = vector

    async def GetRecording(
        self, request: library_pb2.GetRecordingRequest, context: Any
    ) -> library_pb2.GetRecordingResponse:
        recording = await self._library.get(LOCAL_OWNER, request.recording_id)
        return library_pb2.GetRecordingResponse(recording=recording_message(recording))

    async def ListRecordings(
        self, request: library_pb2.ListRecordingsRequest, context: Any
    ) -> library_pb2.ListRecordingsResponse:
        page, token = await self._library.list_page(
            LOCAL_OWNER, request.page_size or DEFAULT_PAGE_SIZE, request.page_token
        )
        return library_pb2.ListRecordingsResponse(
            recordings=[recording_message(recording) for recording in page], next_page_token=token
        )

    async def DeleteRecording(
        self, request: library_pb2.DeleteRecordingRequest, context: Any
    ) -> library_pb2.DeleteRecordingResponse:
        found = await self._library.get_many(LOCAL_OWNER, [request.recording_id])
        recording = found.get(request.recording_id)
        if recording is not None:
            if recording.latest_workflow_id:
                await self._engine.cancel(
                    await self._workflows.get(LOCAL_OWNER, recording.latest_workflow_id)
                )
            # First: if the vector service is away, the recording stays, and can be deleted later.
            await self._vector.delete(LOCAL_OWNER, recording.id)
            await self._library.delete(LOCAL_OWNER, recording.id)
        return library_pb2.DeleteRecordingResponse()

    async def GetTranscript(
        self, request: library_pb2.GetTranscriptRequest, context: Any
    ) -> library_pb2.GetTranscriptResponse:
        transcript = await self._library.transcript(
            await self._library.get(LOCAL_OWNER, request.recording_id)
        )
        if request.page_token and not request.page_token.isdecimal():
            raise InvalidInput("PAGE_TOKEN", "page_token is not one that this server gave")
        position, size = int(request.page_token or 0), 0
        wanted = request.page_size or DEFAULT_SEGMENTS
        answer = library_pb2.GetTranscriptResponse(
            language=transcript.language,
            warnings=transcript.warnings,
            speakers=map(speaker_message, transcript.speakers),
        )
        if request.include_removed_text and not position:
            for removed in transcript.removed:
                answer.removed.append(removed_message(removed))
                size += answer.removed[-1].ByteSize()
                if size > PAGE_BYTES // 2:
                    break
        for segment in transcript.segments[position : position + wanted]:
            message = segment_message(segment, words=True)
            size += message.ByteSize()
            if size > PAGE_BYTES and answer.segments:
                break
            answer.segments.append(message)
        end = position + len(answer.segments)
        answer.next_page_token = str(end) if end < len(transcript.segments) and answer.segments else ""
        return answer

    async def GetMinutes(
        self, request: library_pb2.GetMinutesRequest, context: Any
    ) -> library_pb2.GetMinutesResponse:
        minutes = await self._library.minutes(await self._library.get(LOCAL_OWNER, request.recording_id))
        return library_pb2.GetMinutesResponse(minutes=minutes_message(minutes))

    async def Export(
        self, request: library_pb2.ExportRequest, context: Any
    ) -> AsyncIterator[library_pb2.ExportResponse]:
        recording = await self._library.get(LOCAL_OWNER, request.recording_id)
        transcript = await self._library.transcript(recording)
        has_minutes = recording.artifact(ArtifactKind.MINUTES) is not None
        minutes = await self._library.minutes(recording) if has_minutes else None
        name = library_pb2.ExportFormat.Name(request.format).removeprefix("EXPORT_FORMAT_").lower()
        data = RENDERERS[name](recording, transcript, minutes).encode()
        for start in range(0, len(data), EXPORT_CHUNK_BYTES):
            yield library_pb2.ExportResponse(chunk=data[start : start + EXPORT_CHUNK_BYTES])
