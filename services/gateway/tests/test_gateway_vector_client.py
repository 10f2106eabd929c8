"""The client of the vector service: an edited transcript embeds only what changed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2
from recordroute_gateway.clients.vector import EmbeddedTranscript, VectorClient
from recordroute_gateway.library.records import Segment, Transcript
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import UpstreamUnavailable
from recordroute_runtime.wire import to_duration


class OnePassageASegment(embedding_pb2_grpc.EmbeddingServiceServicer):
    """The wire of the vector service; it notes the texts that it embeds."""

    def __init__(self) -> None:
        self.model = self.embedding_model = "one"
        self.embedded: list[str] = []

    async def SplitPassages(self, request: Any, context: Any) -> embedding_pb2.SplitPassagesResponse:
        return embedding_pb2.SplitPassagesResponse(
            passages=[
                embedding_pb2.Passage(
                    index=index,
                    text=segment.text,
                    start=to_duration(index),
                    end=to_duration(index + 1),
                    content_hash=hashlib.blake2b(segment.text.encode(), digest_size=16).hexdigest(),
                )
                for index, segment in enumerate(request.segments)
            ],
            model=self.model,
        )

    async def Embed(self, request: Any, context: Any) -> embedding_pb2.EmbedResponse:
        self.embedded += request.texts
        return embedding_pb2.EmbedResponse(
            embeddings=[embedding_pb2.Embedding(values=[float(len(text)), 1.0]) for text in request.texts],
            model=self.embedding_model,
        )


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[OnePassageASegment, VectorClient]]:
    servicer = OnePassageASegment()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}") as channel:
            yield servicer, VectorClient(channel)
    finally:
        await server.stop(None)


def transcript(*texts: str) -> Transcript:
    segments = tuple(Segment(i, float(i), i + 1.0, text) for i, text in enumerate(texts))
    return Transcript("en", 1.0, duration=float(len(texts)), model="stt", segments=segments)


async def quiet(_: float) -> None:
    return None


def passages(embedded: EmbeddedTranscript | None) -> list[tuple[int, str, float]]:
    assert embedded is not None
    message = index_pb2.EmbeddedPassages.FromString(embedded.data)
    return [(item.passage.index, item.passage.text, item.vector[0]) for item in message.passages]


async def test_an_edited_transcript_embeds_what_changed() -> None:
    texts = [f"This is text {'x' * number}" for number in range(40)]
    async with serving() as (service, client):
        first = await client.embed(transcript(*texts), report=quiet)
        assert service.embedded == texts
        assert passages(first) == [(i, text, len(text)) for i, text in enumerate(texts)]
        service.embedded.clear()
        edited = [*texts[:7], "A new one.", *texts[8:], "And another."]
        second = await client.embed(transcript(*edited), report=quiet, previous=first)
        assert service.embedded == ["A new one.", "And another."]
        assert passages(second) == [(i, text, len(text)) for i, text in enumerate(edited)]
        service.embedded.clear()
        assert passages(await client.embed(transcript(*edited), report=quiet, previous=second))
        assert service.embedded == []
        # Vectors of another model are not its own.
        service.model = service.embedding_model = "two"
        third = await client.embed(transcript(*edited), report=quiet, previous=second)
        assert service.embedded == edited
        assert third is not None
        assert third.model == "two"


async def test_nothing_said_is_nothing_embedded() -> None:
    async with serving() as (service, client):
        assert await client.embed(transcript(), report=quiet) is None
        assert service.embedded == []


async def test_a_model_that_changes_in_between_is_no_result() -> None:
    async with serving() as (service, client):
        service.embedding_model = "two"
        with pytest.raises(UpstreamUnavailable):
            await client.embed(transcript("One."), report=quiet)
