"""vector.v1.EmbeddingService by a blocking client."""

from __future__ import annotations

import grpc
import pytest
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_runtime.remote import read_error

SOCKET = "vector"
QUERY, PASSAGE = embedding_pb2.EMBEDDING_KIND_QUERY, embedding_pb2.EMBEDDING_KIND_PASSAGE


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[embedding_pb2_grpc.EmbeddingServiceStub]:
    return embedding_pb2_grpc.EmbeddingServiceStub


def test_embed(grpc_stub) -> None:
    texts = ["도서관은 언제 여나요?", "The library opens in May.", "Bread is baked at night."]
    question = grpc_stub.Embed(embedding_pb2.EmbedRequest(texts=texts[:1], kind=QUERY), timeout=60)
    answers = grpc_stub.Embed(embedding_pb2.EmbedRequest(texts=texts[1:], kind=PASSAGE), timeout=60)
    vectors = [embedding.values for embedding in (*question.embeddings, *answers.embeddings)]
    assert all(len(vector) == 384 for vector in vectors)
    assert all(sum(value * value for value in vector) == pytest.approx(1, abs=1e-4) for vector in vectors)
    library, bread = (sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:])
    assert library > bread


@pytest.mark.parametrize(
    "request_",
    [
        embedding_pb2.EmbedRequest(kind=QUERY),
        embedding_pb2.EmbedRequest(texts=[""], kind=QUERY),
        embedding_pb2.EmbedRequest(texts=["x"]),
        embedding_pb2.EmbedRequest(texts=["x"] * 257, kind=QUERY),
    ],
)
def test_bad_requests(grpc_stub, request_: embedding_pb2.EmbedRequest) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        grpc_stub.Embed(request_, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert read_error(caught.value).reason == "INVALID_FIELDS"


def test_stream_embed(grpc_stub) -> None:
    texts = ["도서관은 언제 여나요?", "The library opens in May.", "Bread is baked at night."]
    config = embedding_pb2.StreamEmbedConfig(kind=PASSAGE, dimensions=128)
    messages = [
        embedding_pb2.StreamEmbedRequest(config=config),
        embedding_pb2.StreamEmbedRequest(batch=embedding_pb2.EmbedBatch(texts=texts[:2])),
        embedding_pb2.StreamEmbedRequest(batch=embedding_pb2.EmbedBatch(texts=texts[2:])),
    ]
    first, second = grpc_stub.StreamEmbed(iter(messages), timeout=60)
    assert [len(answer.embeddings) for answer in (first, second)] == [2, 1]
    request = embedding_pb2.EmbedRequest(texts=texts, kind=PASSAGE, dimensions=128)
    alone = grpc_stub.Embed(request, timeout=60).embeddings
    for embedding, wanted in zip([*first.embeddings, *second.embeddings], alone, strict=True):
        assert embedding.values == pytest.approx(wanted.values, abs=1e-6)


def test_split_passages(grpc_stub, meeting) -> None:
    passages = grpc_stub.SplitPassages(
        embedding_pb2.SplitPassagesRequest(segments=meeting), timeout=60
    ).passages
    assert [passage.index for passage in passages] == list(range(len(passages)))
    assert passages[0].start == meeting[0].start
    assert passages[-1].end == meeting[-1].end
    together = " ".join(passage.text for passage in passages)
    assert all(segment.text in together for segment in meeting)


def test_rerank(grpc_stub) -> None:
    request = embedding_pb2.RerankRequest(
        query="도서관은 언제 여나요?", texts=["Bread is baked at night.", "The library opens in May."]
    )
    answer = grpc_stub.Rerank(request, timeout=60)
    assert answer.method == embedding_pb2.RERANK_METHOD_LATE_INTERACTION
    assert answer.model == "multilingual-e5-small"
    assert -1 <= answer.scores[0] < answer.scores[1] <= 1


def test_list_models(grpc_stub) -> None:
    models = grpc_stub.ListModels(embedding_pb2.ListModelsRequest(), timeout=60).models
    assert [model.id for model in models if model.is_default] == ["multilingual-e5-small"]


def test_every_rpc_was_called(called) -> None:
    service = embedding_pb2.DESCRIPTOR.services_by_name["EmbeddingService"]
    assert called.methods == {method.name for method in service.methods}
