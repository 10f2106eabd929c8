"""Searches over a real socket, with the real model and index: filters, pages, groups, reranking, cache."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.remote import read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_duration, to_seconds, to_timestamp
from recordroute_vector.encoder import Encoder
from recordroute_vector.service import VectorService
from recordroute_vector.settings import VectorSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "multilingual-e5-small"
INVALID = grpc.StatusCode.INVALID_ARGUMENT
SEOUL = timezone(timedelta(hours=9))
MEETING = [
    "The servers were slow on Friday because the database ran out of connections.",
    "Good morning. The budget meeting is moved to Monday at nine in the large room. Bring the figures.",
    "We should hire two more engineers for the mobile team this year.",
    "The new logo is blue, and the old one will be gone by summer.",
]
KOREAN = [
    "배포는 매주 목요일 오후에 합니다.",
    "신입 사원 교육은 삼월에 시작합니다. 서버가 느려서 교육이 늦어졌습니다.",
    "예산 회의는 다음 주로 미뤄졌고, 예산안 검토 회의는 그대로입니다.",
]


class Client:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.index = index_pb2_grpc.IndexServiceStub(channel)
        self.embedding = embedding_pb2_grpc.EmbeddingServiceStub(channel)

    async def upsert(self, owner: str, document: str, texts: Sequence[str], **config: object) -> None:
        fields = {
            "model": MODEL,
            "language": "en",
            "recorded_at": to_timestamp(datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
            **config,
        }
        speakers = fields.pop("speakers", ["Kim"])
        embedded = await self.embedding.Embed(
            embedding_pb2.EmbedRequest(texts=texts, kind=embedding_pb2.EMBEDDING_KIND_PASSAGE), timeout=60
        )
        passages = [
            index_pb2.EmbeddedPassage(
                passage=embedding_pb2.Passage(
                    index=number,
                    text=text,
                    start=to_duration(number * 10),
                    end=to_duration(number * 10 + 10),
                    speakers=speakers,
                ),
                vector=embedding.values,
            )
            for number, (text, embedding) in enumerate(zip(texts, embedded.embeddings, strict=True))
        ]
        messages = [
            index_pb2.UpsertRequest(
                config=index_pb2.UpsertConfig(owner=owner, document_id=document, **fields)
            ),
            index_pb2.UpsertRequest(batch=index_pb2.EmbeddedPassages(passages=passages)),
        ]
        await self.index.Upsert(iter(messages), timeout=60)

    async def search(self, owner: str, query: str, **values: object) -> index_pb2.SearchResponse:
        return await self.index.Search(
            index_pb2.SearchRequest(owner=owner, query=query, **values), timeout=60
        )

    async def documents(self, owner: str, query: str, **values: object) -> set[str]:
        return {hit.document_id for hit in (await self.search(owner, query, **values)).hits}

    async def similar(self, owner: str, document: str, **values: object):
        request = index_pb2.FindSimilarRequest(owner=owner, document_id=document, **values)
        return (await self.index.FindSimilar(request, timeout=60)).documents


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> AsyncIterator[Client]:
    values = {"listen": "127.0.0.1:0", "drain_grace_seconds": 1.0, "page_token_secret": "secret"}
    settings = VectorSettings(**values)
    folder: Path = tmp_path_factory.mktemp("vector")
    with pytest.MonkeyPatch.context() as patch:
        # One loaded model a process: reading it takes longer than these tests.
        patch.setattr("recordroute_vector.service.Encoder", lambda model, **_: encoder)
        server = RunningServer(VectorService(settings, CommonSettings(data_dir=folder)), settings)
        await server.start()
        try:
            await server.loaded()
            async with open_channel(f"127.0.0.1:{server.port}") as channel:
                yield Client(channel)
        finally:
            await server.stop()


async def refusal(call) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = read_error(caught.value)
    return error.code, error.reason


def texts(response: index_pb2.SearchResponse) -> list[str]:
    return [hit.passage.text for hit in response.hits]


async def test_every_filter_and_all_of_them(client: Client) -> None:
    owner = "filters"
    # Still 28 February in UTC.
    await client.upsert(
        owner,
        "seoul",
        MEETING[:2],
        recorded_at=to_timestamp(datetime(2026, 3, 1, 3, 0, tzinfo=SEOUL)),
        kind="transcript",
        folder="work/team",
        tags=["urgent", "budget"],
        speakers=["Kim", "이"],
    )
    await client.upsert(
        owner,
        "korean",
        KOREAN,
        language="ko",
        recorded_at=to_timestamp(datetime(2026, 3, 1, 12, 0, tzinfo=UTC)),
        kind="pdf",
        folder="home",
        tags=["budget"],
        speakers=["박"],
    )
    await client.upsert("somebody else", "secret", ["My secret budget is large."], tags=["budget"])

    march_in_seoul = to_timestamp(datetime(2026, 3, 1, tzinfo=SEOUL))
    march_in_utc = to_timestamp(datetime(2026, 3, 1, tzinfo=UTC))
    both = {"seoul", "korean"}
    for values, found in [
        ({}, both),
        ({"document_ids": ["seoul", "secret"]}, {"seoul"}),
        ({"recorded_from": march_in_seoul}, both),
        ({"recorded_from": march_in_utc}, {"korean"}),
        ({"recorded_before": march_in_utc}, {"seoul"}),
        ({"recorded_before": march_in_seoul}, set()),
        ({"tags": ["budget"]}, both),
        ({"tags": ["budget", "urgent"]}, {"seoul"}),
        ({"folder": "work"}, {"seoul"}),
        ({"folder": "work/team"}, {"seoul"}),
        ({"folder": "work/te"}, set()),
        ({"speakers": ["이", "nobody"]}, {"seoul"}),
        ({"languages": ["ko"]}, {"korean"}),
        ({"languages": ["ko", "en"]}, both),
        ({"kinds": ["pdf"]}, {"korean"}),
        ({"kinds": ["pdf"], "tags": ["urgent"]}, set()),
    ]:
        for mode in (index_pb2.SEARCH_MODE_HYBRID, index_pb2.SEARCH_MODE_DENSE):
            assert await client.documents(owner, "budget 예산", mode=mode, **values) == found, values


async def test_phrases_and_beginnings_of_words(client: Client) -> None:
    owner = "phrases"
    await client.upsert(owner, "meeting", MEETING)
    await client.upsert(owner, "korean", KOREAN, language="ko")
    modes = (index_pb2.SEARCH_MODE_HYBRID, index_pb2.SEARCH_MODE_DENSE, index_pb2.SEARCH_MODE_LEXICAL)
    for mode in modes:
        for query, found in [
            ('"budget meeting"', [MEETING[1]]),
            ('"meeting budget"', []),
            ('"예산 회의"', [KOREAN[2]]),
            ('engin* "mobile team"', [MEETING[2]]),
            ("conn*", [MEETING[0]]),
            ("서버*", [KOREAN[1]]),
            ("zebra*", []),
        ]:
            assert texts(await client.search(owner, query, mode=mode)) == found, (mode, query)
    (hit,) = (await client.search(owner, "conn*")).hits
    assert [hit.snippet[place.start : place.end] for place in hit.highlights] == ["connections"]


async def test_snippets_tell_the_sentence_and_when_it_was_said(client: Client) -> None:
    await client.upsert("snippets", "meeting", MEETING)
    hit = (await client.search("snippets", "When is the budget meeting?")).hits[0]
    sentence = hit.snippet[hit.sentence.start : hit.sentence.end]
    assert sentence == "The budget meeting is moved to Monday at nine in the large room."
    start, end = to_seconds(hit.snippet_start), to_seconds(hit.snippet_end)
    assert 10 < start < end < 20
    assert (end - start) / 10 == pytest.approx(len(sentence) / len(MEETING[1]))


async def test_pages_hold_every_result_once(client: Client) -> None:
    owner = "pages"
    await client.upsert(
        owner, "numbers", [f"Point {number} of the budget plan is topic {number}." for number in range(23)]
    )
    whole = await client.search(owner, "budget plan", limit=100, keep_duplicates=True)
    assert len(whole.hits) == 23
    assert whole.next_page_token == ""
    seen, token = [], ""
    for limit in (5, 7, 7, 7):
        page = await client.search(owner, "budget plan", limit=limit, keep_duplicates=True, page_token=token)
        seen += texts(page)
        token = page.next_page_token
    assert token == ""
    assert seen == texts(whole)


async def test_a_tampered_or_strange_page_token_is_refused(client: Client) -> None:
    owner = "tokens"
    await client.upsert(owner, "meeting", MEETING)
    token = (await client.search(owner, "budget", limit=1)).next_page_token
    assert token
    refused = (INVALID, "PAGE_TOKEN_INVALID")
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    for query, other, text in [
        (owner, changed, "budget"),
        (owner, token + "x", "budget"),
        (owner, "1", "budget"),
        (owner, token, "server"),
        ("somebody else", token, "budget"),
    ]:
        assert await refusal(client.search(query, text, limit=1, page_token=other)) == refused
    assert (await client.search(owner, "budget", limit=1, page_token=token)).hits


async def test_groups_are_documents_with_their_best_passages(client: Client) -> None:
    owner = "groups"
    await client.upsert(owner, "meeting", MEETING)
    await client.upsert(owner, "korean", KOREAN, language="ko")
    await client.upsert(owner, "other", ["Nothing of note."])
    answer = await client.search(owner, "When is the budget meeting?", hits_per_document=2, limit=2)
    assert list(answer.hits) == []
    assert len(answer.groups) == 2
    assert answer.groups[0].document_id == "meeting"
    assert answer.groups[0].hits[0].passage.text == MEETING[1]
    assert [len(group.hits) for group in answer.groups] == [2, 2]
    assert answer.groups[0].found_count == 4
    best = [group.hits[0].score for group in answer.groups]
    assert best == sorted(best, reverse=True)
    last = await client.search(
        owner,
        "When is the budget meeting?",
        hits_per_document=2,
        limit=2,
        page_token=answer.next_page_token,
    )
    assert [group.document_id for group in last.groups] == ["other"]
    assert last.next_page_token == ""


async def test_passages_that_say_the_same_are_one_result(client: Client) -> None:
    owner = "duplicates"
    await client.upsert(owner, "first", [MEETING[1], MEETING[2]])
    await client.upsert(owner, "second", [MEETING[1].replace("Good morning.", "Morning."), MEETING[3]])
    found = await client.search(owner, "budget meeting")
    assert len(found.hits) == 3
    best = found.hits[0]
    assert [other.document_id for other in best.duplicates] == [
        {"first": "second", "second": "first"}[best.document_id]
    ]
    assert best.duplicates[0].passage_index == 0
    assert len((await client.search(owner, "budget meeting", keep_duplicates=True)).hits) == 4


async def test_the_answer_says_how_it_was_reranked(client: Client) -> None:
    owner = "rerank"
    await client.upsert(owner, "meeting", MEETING)
    plain = await client.search(owner, "예산 회의는 언제 열리나요?")
    assert (plain.rerank, plain.rerank_model) == (embedding_pb2.RERANK_METHOD_NONE, "")
    assert not plain.hits[0].HasField("rerank_score")
    late = await client.search(
        owner, "예산 회의는 언제 열리나요?", rerank=embedding_pb2.RERANK_METHOD_LATE_INTERACTION
    )
    assert (late.rerank, late.rerank_model) == (embedding_pb2.RERANK_METHOD_LATE_INTERACTION, MODEL)
    assert late.hits[0].passage.text == MEETING[1]
    assert all(-1 <= hit.rerank_score <= 1 and 0 < hit.score < 1 for hit in late.hits)
    request = embedding_pb2.RerankRequest(query="예산 회의는 언제 열리나요?", texts=texts(late))
    scores = await client.embedding.Rerank(request, timeout=60)
    assert (scores.method, scores.model) == (embedding_pb2.RERANK_METHOD_LATE_INTERACTION, MODEL)
    assert list(scores.scores) == pytest.approx([hit.rerank_score for hit in late.hits], abs=1e-5)
    missing = embedding_pb2.RERANK_METHOD_CROSS_ENCODER
    precondition = (grpc.StatusCode.FAILED_PRECONDITION, "RERANKER_MISSING")
    assert await refusal(client.search(owner, "budget", rerank=missing)) == precondition
    request.method = missing
    assert await refusal(client.embedding.Rerank(request, timeout=60)) == precondition


async def test_no_write_is_followed_by_a_stale_result(client: Client) -> None:
    owner = "cache"

    def hits() -> float:
        return REGISTRY.get_sample_value("recordroute_search_cache_total", {"result": "hit"}) or 0.0

    await client.upsert(owner, "meeting", MEETING)
    first = await client.search(owner, "budget meeting")
    before = hits()
    assert await client.search(owner, "budget meeting") == first
    assert hits() == before + 1
    assert (await client.search("cache of another", "budget meeting")).hits == []
    assert hits() == before + 1

    await client.upsert(owner, "meeting", ["The budget meeting is cancelled."])
    assert texts(await client.search(owner, "budget meeting")) == ["The budget meeting is cancelled."]
    await client.upsert("cache of another", "other", ["The budget meeting of others."])
    before = hits()
    await client.search(owner, "budget meeting")
    assert hits() == before + 1, "the writes of others end nothing"
    for number in range(5):
        text = f"The budget meeting number {number}."
        await client.upsert(owner, "meeting", [text])
        assert texts(await client.search(owner, "budget meeting")) == [text]
    await client.index.Delete(index_pb2.DeleteRequest(owner=owner, document_id="meeting"), timeout=60)
    assert (await client.search(owner, "budget meeting")).hits == []


async def test_similar_documents_and_passages(client: Client) -> None:
    owner = "similar"
    await client.upsert(owner, "source", [MEETING[0], MEETING[1]])
    await client.upsert(
        owner,
        "servers",
        ["The database server had no free connections, so it was slow.", "Lunch is at noon."],
    )
    await client.upsert(
        owner, "budget", ["On Monday at nine there is a meeting about the budget.", "It rained in Busan."]
    )
    await client.upsert(
        owner,
        "cooking",
        ["김치를 담글 때 배추는 소금물에 절이세요.", "칼은 앞으로 밀면서 씁니다."],
        kind="pdf",
    )
    await client.upsert("somebody else", "copy", MEETING)

    whole = await client.similar(owner, "source")
    assert {document.document_id for document in whole[:2]} == {"servers", "budget"}
    assert {document.document_id for document in whole} == {"servers", "budget", "cooking"}
    assert all(0 <= document.score <= 1 for document in whole)
    by_id = {document.document_id: document for document in whole}
    assert by_id["servers"].matches[0].source_passage_index == 0
    assert by_id["budget"].matches[0].source_passage_index == 1
    assert by_id["budget"].matches[0].passage.text.startswith("On Monday")

    assert [
        document.document_id for document in await client.similar(owner, "source", passage_index=1, limit=1)
    ] == ["budget"]
    assert [document.document_id for document in await client.similar(owner, "source", kinds=["pdf"])] == [
        "cooking"
    ]
    missing = grpc.StatusCode.NOT_FOUND
    assert await refusal(client.similar(owner, "nothing")) == (missing, "DOCUMENT_NOT_FOUND")
    assert await refusal(client.similar(owner, "copy")) == (missing, "DOCUMENT_NOT_FOUND")
    assert await refusal(client.similar(owner, "source", passage_index=2)) == (missing, "PASSAGE_NOT_FOUND")


async def test_bad_input_is_refused(client: Client) -> None:
    refused = (INVALID, "INVALID_FIELDS")
    for owner, query, values in [
        ("", "x", {}),
        ("me", "", {}),
        ("me", " \n\t", {}),
        ("me", "x" * 8193, {}),
        ("me", "x", {"limit": 101}),
        ("me", "x", {"tags": ["tag"] * 100_000}),
        ("me", "x", {"tags": [""]}),
        ("me", "x", {"speakers": ["s"] * 65}),
        ("me", "x", {"languages": ["Korean"]}),
        ("me", "x", {"hits_per_document": 21}),
        ("me", "x", {"page_token": "x" * 257}),
        ("me", "x", {"mode": 9}),
        ("me", "x", {"rerank": 9}),
    ]:
        assert await refusal(client.search(owner, query, **values)) == refused, (
            owner,
            query[:9],
            list(values),
        )
    assert (await refusal(client.search("me", "x" * (3 << 20))))[0] is INVALID
    assert await refusal(client.similar("", "x")) == refused
    for values in (
        {"query": " ", "texts": ["x"]},
        {"query": "x"},
        {"query": "x", "texts": ["x"] * 257},
        {"query": "x", "texts": ["x"], "method": 1},
    ):
        assert (
            await refusal(client.embedding.Rerank(embedding_pb2.RerankRequest(**values), timeout=60))
            == refused
        )
