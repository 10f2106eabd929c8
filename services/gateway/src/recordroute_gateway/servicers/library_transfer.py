"""LibraryService: whole libraries, out of here and in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from recordroute.gateway.v1 import library_pb2
from recordroute_runtime.errors import InvalidInput

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.servicers.library_parts import LibraryCalls
from recordroute_gateway.servicers.records import failure_message


class TransferCalls(LibraryCalls):
    async def ExportLibrary(
        self, request: library_pb2.ExportLibraryRequest, context: Any
    ) -> AsyncIterator[library_pb2.ExportLibraryResponse]:
        stream = await self._parts.exporter.stream(current_caller().user, request.recording_ids)
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                yield library_pb2.ExportLibraryResponse(chunk=chunk)

    async def ImportLibrary(
        self, requests: AsyncIterator[library_pb2.ImportLibraryRequest], context: Any
    ) -> AsyncIterator[library_pb2.ImportLibraryResponse]:
        first = await anext(aiter(requests), None)
        if first is None or first.WhichOneof("payload") != "config":
            raise InvalidInput("STREAM_PROTOCOL", "the first message has to be the configuration")

        async def chunks() -> AsyncIterator[bytes]:
            async for request in requests:
                if request.WhichOneof("payload") != "chunk":
                    raise InvalidInput("STREAM_PROTOCOL", "after the configuration only bytes may come")
                yield request.chunk

        config = first.config
        results = self._parts.importer.run(
            current_caller().user, config.request_id, chunks(), skip_index=config.skip_index
        )
        async with aclosing(results):
            async for result in results:
                yield library_pb2.ImportLibraryResponse(
                    entry=result.entry,
                    outcome=f"IMPORT_OUTCOME_{result.outcome.name}",
                    recording_id=result.recording_id,
                    error=failure_message(result.failure),
                    done_count=result.done,
                    total_count=result.total,
                )
