"""The gateway's client of the vector service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc.aio
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.errors import UpstreamUnavailable
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.clients.segments import segment_messages
from recordroute_gateway.library.records import Recording, Transcript

CALL_SECONDS = 120.0
# Small enough for live progress and quick cancel, large enough to fill the encoder's batches.
PASSAGES_PER_CALL = 16

Report = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class EmbeddedTranscript:
    """Passages with their vectors, in the contract's binary form, and the model that made them."""

    data: bytes
    model: str


class VectorClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._embedding = embedding_pb2_grpc.EmbeddingServiceStub(channel)
        self._index = index_pb2_grpc.IndexServiceStub(channel)

    async def embed(
        self, transcript: Transcript, *, report: Report, previous: EmbeddedTranscript | None = None
    ) -> EmbeddedTranscript | None:
        """Splits a transcript and embeds its passages; None where it holds no text.

        Passages that `previous`, the transcript before an edit, has as well keep their vectors.
        """
        split = await self._embedding.SplitPassages(
            _split_request(transcript),
            timeout=CALL_SECONDS,
        )
        if not split.passages:
            return None
        vectors = _vectors(previous, split.model)
        new = [passage for passage in split.passages if passage.content_hash not in vectors]
        for start in range(0, len(new), PASSAGES_PER_CALL):
            passages = new[start : start + PASSAGES_PER_CALL]
            answer = await self._embedding.Embed(
                embedding_pb2.EmbedRequest(
                    texts=[passage.text for passage in passages],
                    kind=embedding_pb2.EMBEDDING_KIND_PASSAGE,
                ),
                timeout=CALL_SECONDS,
            )
            if answer.model != split.model:
                # It was started anew in between, with another model.
                raise UpstreamUnavailable("vector")
            for passage, embedding in zip(passages, answer.embeddings, strict=True):
                vectors[passage.content_hash] = embedding.values
            await report(min(99.0, 100 * (start + len(passages)) / len(new)))
        embedded = index_pb2.EmbeddedPassages(
            passages=[
                index_pb2.EmbeddedPassage(passage=passage, vector=vectors[passage.content_hash])
                for passage in split.passages
            ]
        )
        return EmbeddedTranscript(embedded.SerializeToString(deterministic=True), split.model)

    async def upsert(self, recording: Recording, data: bytes, *, model: str, report: Report) -> None:
        """Replaces what the index holds of a recording by `data`, as `embed` made it."""
        embedded = index_pb2.EmbeddedPassages.FromString(data)

        async def requests() -> AsyncIterator[index_pb2.UpsertRequest]:
            yield index_pb2.UpsertRequest(
                config=index_pb2.UpsertConfig(
                    owner=recording.owner,
                    document_id=recording.id,
                    language=recording.language,
                    recorded_at=to_timestamp(recording.recorded_at),
                    model=model,
                    folder=recording.folder,
                    tags=recording.tags,
                )
            )
            for start in range(0, len(embedded.passages), PASSAGES_PER_CALL):
                await report(min(99.0, 100 * start / len(embedded.passages)))
                batch = embedded.passages[start : start + PASSAGES_PER_CALL]
                yield index_pb2.UpsertRequest(batch=index_pb2.EmbeddedPassages(passages=batch))

        await self._index.Upsert(requests())

    async def delete(self, owner: str, recording_id: str) -> None:
        """Deletes what the index holds of a recording."""
        await self._index.Delete(
            index_pb2.DeleteRequest(owner=owner, document_id=recording_id), timeout=CALL_SECONDS
        )


def _split_request(transcript: Transcript) -> embedding_pb2.SplitPassagesRequest:
    if not transcript.is_document:
        return embedding_pb2.SplitPassagesRequest(segments=segment_messages(transcript))
    return embedding_pb2.SplitPassagesRequest(
        blocks=[
            embedding_pb2.TextBlock(
                text=segment.text, page=segment.page, line=segment.line, starts_paragraph=True
            )
            for segment in transcript.segments
        ]
    )


def _vectors(previous: EmbeddedTranscript | None, model: str) -> dict[str, Sequence[float]]:
    """Returns the vectors by the hash of their passage's text, as far as the same model made them."""
    if previous is None or previous.model != model:
        return {}
    return {
        item.passage.content_hash: item.vector
        for item in index_pb2.EmbeddedPassages.FromString(previous.data).passages
        if item.passage.content_hash
    }
