"""LibraryService: what comes out of the library as files, and what goes into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Any

from recordroute.gateway.v1 import library_pb2
from recordroute_runtime.errors import NotFound, OutOfRange
from recordroute_runtime.threads import in_thread
from recordroute_runtime.wire import enum_name, to_duration

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.export import render
from recordroute_gateway.library.records import ArtifactKind, Recording
from recordroute_gateway.servicers.library_parts import LibraryCalls

EXPORT_CHUNK_BYTES = 1 << 20
DEFAULT_PEAKS = 2000


class FileCalls(LibraryCalls):
    async def GetWaveform(
        self, request: library_pb2.GetWaveformRequest, context: Any
    ) -> library_pb2.GetWaveformResponse:
        recording = await self._parts.library.get(current_caller().user, request.recording_id)
        waveform = await self._parts.waveforms.get(recording)
        return library_pb2.GetWaveformResponse(
            peaks=waveform.reduced(request.peak_count or DEFAULT_PEAKS).peaks,
            duration=to_duration(waveform.duration_seconds),
        )

    async def DownloadArtifact(
        self, request: library_pb2.DownloadArtifactRequest, context: Any
    ) -> AsyncIterator[library_pb2.DownloadArtifactResponse]:
        library = self._parts.library
        recording = await library.get(current_caller().user, request.recording_id)
        kind = ArtifactKind(enum_name(request, "kind"))
        artifact = recording.artifact(kind)
        if artifact is None:
            raise NotFound(
                "ARTIFACT_NOT_READY",
                f"recording {recording.id} has no {kind.value}",
                metadata={"artifact": kind.value},
            )
        if request.offset > artifact.size_bytes:
            raise OutOfRange(
                "RANGE",
                f"byte {request.offset} is behind the end, which is at {artifact.size_bytes}",
                metadata={"size_bytes": str(artifact.size_bytes)},
            )
        end = artifact.size_bytes
        if request.HasField("length"):
            end = min(end, request.offset + request.length)
        yield library_pb2.DownloadArtifactResponse(
            info=library_pb2.ArtifactInfo(
                file_name=_file_name(recording, kind),
                media_type=_media_type(recording, kind),
                size_bytes=artifact.size_bytes,
                sha256=artifact.sha256,
            )
        )
        if request.offset < end:
            async for chunk in library.blobs.stream(artifact.sha256, request.offset, end):
                yield library_pb2.DownloadArtifactResponse(chunk=chunk)

    async def Export(
        self, request: library_pb2.ExportRequest, context: Any
    ) -> AsyncIterator[library_pb2.ExportResponse]:
        library = self._parts.library
        recording = await library.get(current_caller().user, request.recording_id)
        transcript = await library.transcript(recording)
        has_minutes = recording.artifact(ArtifactKind.MINUTES) is not None
        minutes = await library.minutes(recording) if has_minutes else None
        name = enum_name(request, "format")
        data = await in_thread(render, name, recording, transcript, minutes)
        for start in range(0, len(data), EXPORT_CHUNK_BYTES):
            yield library_pb2.ExportResponse(chunk=data[start : start + EXPORT_CHUNK_BYTES])


def _file_name(recording: Recording, kind: ArtifactKind) -> str:
    if kind is ArtifactKind.MEDIA:
        return recording.file_name
    return f"{PurePosixPath(recording.file_name).stem or 'recording'}.{kind.value}.json"


def _media_type(recording: Recording, kind: ArtifactKind) -> str:
    if kind is ArtifactKind.MEDIA:
        return recording.media_type or "application/octet-stream"
    return "application/json"
