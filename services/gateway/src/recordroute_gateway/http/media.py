"""GET /media/{recording_id}: the uploaded file for a player, whole or in parts (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from recordroute.gateway.v1 import library_pb2
from starlette.responses import Response

from recordroute_gateway.http.backend import CALL_SECONDS, BackendOf, MetadataOf, opened
from recordroute_gateway.http.rest import RecordingId
from recordroute_gateway.http.streams import CallResponse

router = APIRouter(tags=["library"])
_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")
# What a browser may show in place; anything else that people uploaded is for saving only.
_PLAYABLE = re.compile(r"(audio|video)/[a-z0-9.+-]+")
OTHER_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class ByteRange:
    """A part of a file: from `start` to before `end`."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Returns the part that a Range header asks for, or None for the whole file.

    Several parts at once are answered with the whole, as the RFC allows. Raises ValueError where nothing of the part
    is in the file.
    """
    match = _RANGE.fullmatch(header.strip().lower()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        if match[2] and int(match[2]) < start:
            return None
    if start >= end:
        raise ValueError("the range begins behind the end of the file")
    return ByteRange(start, end)


def _matches(header: str, etag: str) -> bool:
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(","))


@router.head("/media/{recording_id}", include_in_schema=False)
@router.get(
    "/media/{recording_id}",
    operation_id="media",
    response_class=Response,
    responses={
        200: {"description": "The file.", "content": {"audio/*": {}, "video/*": {}, OTHER_TYPE: {}}},
        206: {"description": "A part of the file."},
        304: {"description": "The file that the client has."},
        416: {"description": "Nothing of the part is in the file."},
    },
)
async def media(
    request: Request, recording_id: RecordingId, backend: BackendOf, metadata: MetadataOf
) -> Response:
    """Get the uploaded file, or with `Range` a part of it."""
    answer = await backend.library.GetRecording(
        library_pb2.GetRecordingRequest(recording_id=str(recording_id)),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    found = answer.recording
    etag = f'"{found.sha256}"'
    playable = _PLAYABLE.fullmatch(found.media_type) is not None
    name = quote(found.file_name, safe="")
    headers = {
        "etag": etag,
        "accept-ranges": "bytes",
        # Whether somebody may have it is asked each time; whether it has changed is told by the ETag.
        "cache-control": "private, no-cache",
        "content-disposition": f"{'inline' if playable else 'attachment'}; filename*=UTF-8''{name}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if "if-none-match" in request.headers and _matches(request.headers["if-none-match"], etag):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    try:
        part = parse_range(asked, found.size_bytes)
    except ValueError:
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{found.size_bytes}"})
    whole = part is None
    part = part or ByteRange(0, found.size_bytes)
    headers["content-length"] = str(part.end - part.start)
    if not whole:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{found.size_bytes}"
    status, media_type = 200 if whole else 206, found.media_type if playable else OTHER_TYPE
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    wanted = library_pb2.DownloadArtifactRequest(
        recording_id=str(recording_id),
        kind=library_pb2.ARTIFACT_KIND_MEDIA,
        offset=part.start,
        length=part.end - part.start,
    )
    call = backend.library.DownloadArtifact(wanted, metadata=metadata)
    stream = await opened(call, library_pb2.DownloadArtifactResponse)

    async def chunks() -> AsyncIterator[bytes]:
        async for message in stream:
            if message.WhichOneof("payload") == "chunk":
                yield message.chunk

    return CallResponse(
        chunks(), end_call=stream.close, headers=headers, status_code=status, media_type=media_type
    )
