"""UploadService on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from recordroute.gateway.v1 import upload_pb2, upload_pb2_grpc
from recordroute_runtime.wire import read_configured, to_datetime

from recordroute_gateway.library.records import LOCAL_OWNER
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.uploads import Upload, receive
from recordroute_gateway.servicers.records import recording_message


class UploadServicer(upload_pb2_grpc.UploadServiceServicer):
    def __init__(self, library: LibraryStore, max_upload_bytes: int) -> None:
        self._library = library
        self._max_upload_bytes = max_upload_bytes

    async def UploadRecording(
        self, request_iterator: AsyncIterator[upload_pb2.UploadRecordingRequest], context: Any
    ) -> upload_pb2.UploadRecordingResponse:
        first, rest = await read_configured(request_iterator)
        config = first.config
        upload = Upload(
            owner=LOCAL_OWNER,
            request_id=config.request_id,
            file_name=config.file_name,
            size_bytes=config.size_bytes if config.HasField("size_bytes") else None,
            sha256=config.sha256 if config.HasField("sha256") else None,
            recorded_at=to_datetime(config.recorded_at) if config.HasField("recorded_at") else None,
        )
        chunks = (message.chunk async for message in rest)
        recording = await receive(upload, chunks, self._library, self._max_upload_bytes)
        return upload_pb2.UploadRecordingResponse(recording=recording_message(recording))
