"""Transcripts by the names of their blobs. Those that were read last are kept as they were parsed: whoever looks at one
reads it page by page, and edits it again and again."""

from __future__ import annotations

from collections import OrderedDict

from recordroute_runtime.threads import in_thread

from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.library.artifact_json import read_transcript
from recordroute_gateway.library.records import Transcript

KEPT_BYTES = 64 << 20
# What a transcript takes in memory: with the times of its words 3.4, without them less.
MEMORY_PER_BYTE = 4


class TranscriptReader:
    """Reads transcripts.

    A blob's name is the hash of its bytes, so nothing that is kept can be out of date. Names come from rows of
    recordings that the caller was let see: what is kept decides over nobody's access.
    """

    def __init__(self, blobs: BlobStore, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._blobs = blobs
        self._kept_bytes = kept_bytes
        # Least recently read first, each with the memory that it takes.
        self._kept: OrderedDict[str, tuple[Transcript, int]] = OrderedDict()
        self._bytes = 0
        self._forgotten = 0

    async def read(self, sha256: str) -> Transcript:
        """Returns the transcript in a blob. Raises FileNotFoundError where there is none."""
        kept = self._kept.get(sha256)
        if kept is not None:
            self._kept.move_to_end(sha256)
            return kept[0]
        forgotten = self._forgotten
        data = await self._blobs.get(sha256)
        transcript = await in_thread(read_transcript, data)
        if forgotten == self._forgotten:
            self._keep(sha256, transcript, len(data) * MEMORY_PER_BYTE)
        return transcript

    def forget(self, sha256: str) -> None:
        """Keeps a transcript no longer: its blob is gone."""
        # It may be on its way to be kept, too.
        self._forgotten += 1
        self._drop(sha256)

    def _keep(self, sha256: str, transcript: Transcript, size: int) -> None:
        # Two that asked at once have both read it.
        self._drop(sha256)
        self._kept[sha256] = transcript, size
        self._bytes += size
        while self._bytes > self._kept_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, sha256: str) -> None:
        _, size = self._kept.pop(sha256, (None, 0))
        self._bytes -= size
