"""LibraryService: with whom recordings are shared."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import library_pb2
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.records import Access
from recordroute_gateway.library.sharing import Share
from recordroute_gateway.servicers.library_parts import LibraryCalls

ACCESSES = {library_pb2.ACCESS_READ: Access.READ, library_pb2.ACCESS_WRITE: Access.WRITE}


class SharingCalls(LibraryCalls):
    async def ShareRecording(
        self, request: library_pb2.ShareRecordingRequest, context: Any
    ) -> library_pb2.ShareRecordingResponse:
        share = await self._parts.shares.share(
            current_caller().user,
            request.request_id,
            request.recording_id,
            request.user,
            ACCESSES[request.access],
        )
        return library_pb2.ShareRecordingResponse(share=_share_message(share))

    async def UnshareRecording(
        self, request: library_pb2.UnshareRecordingRequest, context: Any
    ) -> library_pb2.UnshareRecordingResponse:
        await self._parts.shares.unshare(
            current_caller().user, request.request_id, request.recording_id, request.user
        )
        return library_pb2.UnshareRecordingResponse()

    async def ListShares(
        self, request: library_pb2.ListSharesRequest, context: Any
    ) -> library_pb2.ListSharesResponse:
        shares = await self._parts.shares.shares(current_caller().user, request.recording_id)
        return library_pb2.ListSharesResponse(shares=map(_share_message, shares))


def _share_message(share: Share) -> library_pb2.Share:
    return library_pb2.Share(
        user=share.user,
        access=f"ACCESS_{share.access.name}",
        created_at=to_timestamp(share.created_at),
    )
