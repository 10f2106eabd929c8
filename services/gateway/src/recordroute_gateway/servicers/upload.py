"""UploadService on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from recordroute.gateway.v1 import upload_pb2, upload_pb2_grpc
from recordroute_runtime.wire import read_configured, to_timestamp

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.chunked_uploads import CHUNK_BYTES, ChunkedUpload, ChunkedUploads
from recordroute_gateway.library.intake import Intake, Upload
from recordroute_gateway.library.labels import clean_folder, clean_line, clean_tags
from recordroute_gateway.library.uploads import receive
from recordroute_gateway.servicers.records import recording_message, time_of
from recordroute_gateway.servicers.upload_messages import ChunkMessage, read_upload_message

UploadMessage = upload_pb2.UploadRecordingRequest | ChunkMessage


def add_upload_servicer(servicer: UploadServicer, server: grpc.aio.Server) -> None:
    """Adds the servicer as the generated function does, but for the messages of `UploadRecording`, which are read
    without a copy of their bytes."""
    handler = grpc.stream_unary_rpc_method_handler(
        servicer.UploadRecording,
        request_deserializer=read_upload_message,
        response_serializer=upload_pb2.UploadRecordingResponse.SerializeToString,
    )
    upload_pb2_grpc.add_UploadServiceServicer_to_server(servicer, server)
    service = upload_pb2.DESCRIPTOR.services_by_name["UploadService"].full_name
    # What is registered last counts.
    server.add_registered_method_handlers(service, {"UploadRecording": handler})


class UploadServicer(upload_pb2_grpc.UploadServiceServicer):
    def __init__(self, intake: Intake, uploads: ChunkedUploads) -> None:
        self._intake = intake
        self._uploads = uploads

    async def UploadRecording(
        self, request_iterator: AsyncIterator[UploadMessage], context: Any
    ) -> upload_pb2.UploadRecordingResponse:
        first, rest = await read_configured(request_iterator)
        assert isinstance(first, upload_pb2.UploadRecordingRequest), "it has the configuration"
        chunks = (message.chunk async for message in rest)
        recording = await receive(_upload(first.config), chunks, self._intake)
        return upload_pb2.UploadRecordingResponse(recording=recording_message(recording))

    async def CreateUpload(
        self, request: upload_pb2.CreateUploadRequest, context: Any
    ) -> upload_pb2.CreateUploadResponse:
        upload = await self._uploads.create(_upload(request.config))
        return upload_pb2.CreateUploadResponse(upload=_message(upload))

    async def GetUpload(
        self, request: upload_pb2.GetUploadRequest, context: Any
    ) -> upload_pb2.GetUploadResponse:
        upload = await self._uploads.get(current_caller().user, request.upload_id)
        return upload_pb2.GetUploadResponse(upload=_message(upload))

    async def UploadChunk(
        self, request: upload_pb2.UploadChunkRequest, context: Any
    ) -> upload_pb2.UploadChunkResponse:
        received = await self._uploads.write(
            current_caller().user, request.upload_id, request.offset, request.data, request.crc32c
        )
        return upload_pb2.UploadChunkResponse(next_offset=received.prefix, received_bytes=received.total)

    async def CompleteUpload(
        self, request: upload_pb2.CompleteUploadRequest, context: Any
    ) -> upload_pb2.CompleteUploadResponse:
        recording = await self._uploads.complete(current_caller().user, request.upload_id, request.sha256)
        return upload_pb2.CompleteUploadResponse(recording=recording_message(recording))

    async def AbortUpload(
        self, request: upload_pb2.AbortUploadRequest, context: Any
    ) -> upload_pb2.AbortUploadResponse:
        await self._uploads.abort(current_caller().user, request.upload_id)
        return upload_pb2.AbortUploadResponse()


def _upload(config: upload_pb2.UploadConfig) -> Upload:
    return Upload(
        owner=current_caller().user,
        request_id=config.request_id,
        file_name=config.file_name,
        size_bytes=config.size_bytes if config.HasField("size_bytes") else None,
        sha256=config.sha256 if config.HasField("sha256") else None,
        recorded_at=time_of(config, "recorded_at"),
        allow_duplicate=config.allow_duplicate,
        title=clean_line(config.title),
        folder=clean_folder(config.folder),
        tags=clean_tags(config.tags),
    )


def _message(upload: ChunkedUpload) -> upload_pb2.Upload:
    return upload_pb2.Upload(
        id=upload.id,
        file_name=upload.upload.file_name,
        size_bytes=upload.size_bytes,
        received=[upload_pb2.ByteRange(start=start, end=end) for start, end in upload.received],
        chunk_size_bytes=CHUNK_BYTES,
        expires_at=to_timestamp(upload.expires_at),
        recording_id=upload.recording_id,
    )
