"""LibraryService on the wire: put together from its parts."""

from __future__ import annotations

from recordroute.gateway.v1 import library_pb2_grpc

from recordroute_gateway.servicers.library_files import FileCalls
from recordroute_gateway.servicers.library_recordings import RecordingCalls
from recordroute_gateway.servicers.library_sharing import SharingCalls
from recordroute_gateway.servicers.library_transcripts import TranscriptCalls
from recordroute_gateway.servicers.library_transfer import TransferCalls


class LibraryServicer(
    RecordingCalls,
    TranscriptCalls,
    FileCalls,
    SharingCalls,
    TransferCalls,
    library_pb2_grpc.LibraryServiceServicer,
):
    """Each part has its own file; all share the stores of `LibraryParts`."""
