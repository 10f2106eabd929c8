"""The gateway's client of the llm service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc.aio
import stamina
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.errors import ProcessingFailed
from recordroute_runtime.remote import read_error

from recordroute_gateway.clients.minutes import minutes_record
from recordroute_gateway.clients.segments import segment_messages
from recordroute_gateway.library.records import Minutes, Transcript

TITLE_SECONDS = 300.0
# About what the model writes in one step: how far a step is that has not ended.
STEP_CHARACTERS = 800


def _is_overloaded(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and read_error(error).reason == "OVERLOADED"


class LlmClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = llm_pb2_grpc.LlmServiceStub(channel)

    async def summarize(
        self, transcript: Transcript, *, model: str, report: Callable[[float], Awaitable[None]]
    ) -> Minutes:
        """Makes minutes of a transcript."""
        request = llm_pb2.SummarizeRequest(
            segments=segment_messages(transcript), language=transcript.language, model=model
        )
        progress, written = llm_pb2.SummarizeProgress(), 0
        async for response in self._stub.Summarize(request):
            match response.WhichOneof("payload"):
                case "progress":
                    progress, written = response.progress, 0
                case "delta":
                    written += len(response.delta.text)
                case "result":
                    return minutes_record(response.result.minutes)
            if progress.total_steps:
                step = min(0.9, written / STEP_CHARACTERS)
                await report(min(99.0, 100 * (progress.completed_steps + step) / progress.total_steps))
        raise ProcessingFailed("GENERATION_FAILED", "the llm service ended without minutes")

    async def title(self, transcript: Transcript, *, model: str) -> str:
        """Makes a title of one line."""
        request = llm_pb2.TitleRequest(
            segments=segment_messages(transcript), language=transcript.language, model=model
        )
        return await self._title(request)

    # The minutes before it are done: waiting for a slot here costs less than making them again.
    @stamina.retry(on=_is_overloaded, attempts=None, timeout=TITLE_SECONDS, wait_initial=0.5, wait_max=5.0)
    async def _title(self, request: llm_pb2.TitleRequest) -> str:
        return (await self._stub.Title(request, timeout=TITLE_SECONDS)).title
