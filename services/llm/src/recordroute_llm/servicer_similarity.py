"""Compares a line of minutes with its evidence by the vector service's encoder, where there is one."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence

import grpc.aio
import structlog
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.tls import ClientTls

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 5.0
# After a failure nothing waits for the vector service for so long.
PAUSE_SECONDS = 60.0
_EMBED = "recordroute.vector.v1.EmbeddingService/Embed"


class VectorSimilarity:
    """Cosines of texts from EmbeddingService.Embed. Called from inference threads; its channel belongs to the event
    loop that makes it."""

    def __init__(self, target: str, tls: ClientTls | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._channel = open_channel(target, idempotent=[_EMBED], tls=tls)
        self._stub = embedding_pb2_grpc.EmbeddingServiceStub(self._channel)
        self._paused_until = 0.0

    def __call__(self, line: str, evidence: str) -> float | None:
        """Returns the cosine of two texts; None where the vector service does not answer, which the log tells."""
        if time.monotonic() < self._paused_until:
            return None
        answer = asyncio.run_coroutine_threadsafe(self._embed(line, evidence), self._loop)
        try:
            left, right = answer.result()
        except grpc.aio.AioRpcError as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning(
                "evidence is checked without embeddings", code=error.code().name, details=error.details()
            )
            return None
        return _cosine(left, right)

    async def _embed(self, line: str, evidence: str) -> tuple[Sequence[float], Sequence[float]]:
        request = embedding_pb2.EmbedRequest(
            texts=[line, evidence], kind=embedding_pb2.EMBEDDING_KIND_PASSAGE
        )
        response = await self._stub.Embed(request, timeout=TIMEOUT_SECONDS)
        left, right = response.embeddings
        return left.values, right.values

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()


def _cosine(left: Sequence[float], right: Sequence[float]) -> float:
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / (math.hypot(*left) * math.hypot(*right) or 1.0)
