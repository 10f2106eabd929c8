"""vector.v1.IndexService by a blocking client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import grpc
import pytest
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.remote import read_error
from recordroute_runtime.wire import to_timestamp

SOCKET = "vector"
OWNER, DOCUMENT = "contract", "meeting"


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[index_pb2_grpc.IndexServiceStub]:
    return index_pb2_grpc.IndexServiceStub


@pytest.fixture(scope="module")
def upsert(grpc_channel, meeting) -> list[index_pb2.UpsertRequest]:
    """The messages that index the meeting, one passage a segment."""
    stub = embedding_pb2_grpc.EmbeddingServiceStub(grpc_channel)
    request = embedding_pb2.EmbedRequest(
        texts=[segment.text for segment in meeting], kind=embedding_pb2.EMBEDDING_KIND_PASSAGE
    )
    embedded = stub.Embed(request, timeout=60)
    config = index_pb2.UpsertConfig(
        owner=OWNER,
        document_id=DOCUMENT,
        language="en",
        recorded_at=to_timestamp(datetime(2026, 5, 3, tzinfo=UTC)),
        model=embedded.model,
    )
    batch = index_pb2.EmbeddedPassages(
        passages=[
            index_pb2.EmbeddedPassage(
                passage=embedding_pb2.Passage(
                    index=segment.index,
                    text=segment.text,
                    start=segment.start,
                    end=segment.end,
                    first_segment_index=segment.index,
                    last_segment_index=segment.index,
                ),
                vector=embedding.values,
            )
            for segment, embedding in zip(meeting, embedded.embeddings, strict=True)
        ]
    )
    return [index_pb2.UpsertRequest(config=config), index_pb2.UpsertRequest(batch=batch)]


def count(grpc_stub, owner: str = OWNER) -> int:
    return grpc_stub.GetStats(index_pb2.GetStatsRequest(owner=owner), timeout=60).passage_count


def test_upsert_twice_is_upsert_once(grpc_stub, upsert, meeting) -> None:
    for _ in range(2):
        assert grpc_stub.Upsert(iter(upsert), timeout=60).passage_count == len(meeting)
    assert count(grpc_stub) == len(meeting)
    assert count(grpc_stub, "somebody else") == 0


@pytest.mark.parametrize(
    "mode", [index_pb2.SEARCH_MODE_DENSE, index_pb2.SEARCH_MODE_LEXICAL, index_pb2.SEARCH_MODE_HYBRID]
)
def test_search(grpc_stub, upsert, meeting, mode: int) -> None:
    grpc_stub.Upsert(iter(upsert), timeout=60)
    answer = grpc_stub.Search(
        index_pb2.SearchRequest(owner=OWNER, query="Who sends the invitations?", mode=mode), timeout=60
    )
    assert answer.hits[0].passage.text == meeting[2].text
    assert answer.mode == mode
    other = index_pb2.SearchRequest(owner="somebody else", query="invitations", mode=mode)
    assert not grpc_stub.Search(other, timeout=60).hits


def test_search_by_date(grpc_stub, upsert) -> None:
    grpc_stub.Upsert(iter(upsert), timeout=60)

    def hits(**values: datetime) -> int:
        times = {name: to_timestamp(value) for name, value in values.items()}
        request = index_pb2.SearchRequest(owner=OWNER, query="library", **times)
        return len(grpc_stub.Search(request, timeout=60).hits)

    day, next_day = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)
    assert hits(recorded_from=day, recorded_before=next_day) > 0
    assert hits(recorded_from=next_day) == 0
    assert hits(recorded_before=day) == 0


def test_find_similar(grpc_stub, upsert, meeting) -> None:
    other = index_pb2.UpsertRequest()
    other.CopyFrom(upsert[0])
    other.config.document_id = "another meeting"
    for messages in (iter(upsert), iter([other, *upsert[1:]])):
        grpc_stub.Upsert(messages, timeout=60)
    request = index_pb2.FindSimilarRequest(owner=OWNER, document_id=DOCUMENT)
    (found,) = grpc_stub.FindSimilar(request, timeout=60).documents
    assert found.document_id == "another meeting"
    assert found.matches[0].passage.text == meeting[found.matches[0].source_passage_index].text
    assert found.matches[0].score == pytest.approx(1, abs=0.02)
    grpc_stub.Delete(index_pb2.DeleteRequest(owner=OWNER, document_id="another meeting"), timeout=60)


def changed(upsert: list[index_pb2.UpsertRequest], **config: str) -> Iterator[index_pb2.UpsertRequest]:
    first = index_pb2.UpsertRequest()
    first.CopyFrom(upsert[0])
    for name, value in config.items():
        setattr(first.config, name, value)
    return iter([first, *upsert[1:]])


def test_bad_upserts(grpc_stub, upsert) -> None:
    short = index_pb2.UpsertRequest()
    short.CopyFrom(upsert[1])
    del short.batch.passages[0].vector[10:]
    nan = index_pb2.UpsertRequest()
    nan.CopyFrom(upsert[1])
    nan.batch.passages[0].vector[0] = float("nan")
    cases = [
        (iter(upsert[1:]), "STREAM_PROTOCOL"),
        (changed(upsert, owner=""), "INVALID_FIELDS"),
        (iter([upsert[0], short]), "DIMENSION_MISMATCH"),
        (iter([upsert[0], nan]), "INVALID_FIELDS"),
    ]
    for messages, reason in cases:
        with pytest.raises(grpc.RpcError) as caught:
            grpc_stub.Upsert(messages, timeout=60)
        assert read_error(caught.value).reason == reason


def test_get_document(grpc_stub, upsert, meeting) -> None:
    grpc_stub.Upsert(iter(upsert), timeout=60)
    request = index_pb2.GetDocumentRequest(owner=OWNER, document_id=DOCUMENT, page_size=3)
    first = grpc_stub.GetDocument(request, timeout=60)
    request.page_token = first.next_page_token
    second = grpc_stub.GetDocument(request, timeout=60)
    texts = [passage.text for page in (first, second) for passage in page.passages]
    assert texts == [segment.text for segment in meeting]
    assert second.next_page_token == ""
    request.owner = "somebody else"
    with pytest.raises(grpc.RpcError) as caught:
        grpc_stub.GetDocument(request, timeout=60)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_snapshot_is_put_back(grpc_stub, upsert, meeting) -> None:
    grpc_stub.Upsert(iter(upsert), timeout=60)
    grpc_stub.Optimize(index_pb2.OptimizeRequest(), timeout=60)
    chunks = [part.chunk for part in grpc_stub.Snapshot(index_pb2.SnapshotRequest(), timeout=60)]
    grpc_stub.Delete(index_pb2.DeleteRequest(owner=OWNER, document_id=DOCUMENT), timeout=60)
    assert count(grpc_stub) == 0
    requests = [index_pb2.RestoreRequest(chunk=chunk) for chunk in chunks if chunk]
    # Of all owners.
    assert grpc_stub.Restore(iter(requests), timeout=60).passage_count >= len(meeting)
    assert count(grpc_stub) == len(meeting)


def test_delete(grpc_stub, upsert, meeting) -> None:
    grpc_stub.Upsert(iter(upsert), timeout=60)
    request = index_pb2.DeleteRequest(owner=OWNER, document_id=DOCUMENT)
    assert grpc_stub.Delete(request, timeout=60).deleted_passage_count == len(meeting)
    assert grpc_stub.Delete(request, timeout=60).deleted_passage_count == 0
    assert count(grpc_stub) == 0


def test_every_rpc_was_called(called) -> None:
    service = index_pb2.DESCRIPTOR.services_by_name["IndexService"]
    assert {method.name for method in service.methods} <= called.methods
