"""Facts and evidence: what counts as the same, and what no line may change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import pytest
from eval_llm import check_claims, read_meetings
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_llm.evidence import SIMILARITY, EvidenceIndex
from recordroute_llm.facts import FactKind, Names, find_facts
from recordroute_llm.fields import due_of, first_of_type, owner_of, said, task_of
from recordroute_llm.reading import canonical
from recordroute_llm.servicer_similarity import VectorSimilarity
from recordroute_llm.templates import FieldType
from recordroute_llm.transcript import Segment, Sentence, sentences_of


def facts(text: str) -> list[tuple[str, str, str]]:
    return [(fact.kind.name, fact.value, fact.unit) for fact in find_facts(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5천만 원", [("NUMBER", "50000000", "KRW")]),
        ("오천만 원을", [("NUMBER", "50000000", "KRW")]),
        ("50,000,000원입니다", [("NUMBER", "50000000", "KRW")]),
        ("$5,000 and €3.5 million", [("NUMBER", "5000", "USD"), ("NUMBER", "3500000", "EUR")]),
        ("two and a half million dollars", [("NUMBER", "2500000", "USD")]),
        ("sixty two percent", [("NUMBER", "62", "%")]),
        ("62퍼센트", [("NUMBER", "62", "%")]),
        ("사흘", [("NUMBER", "3", "day")]),
        ("three days", [("NUMBER", "3", "day")]),
        ("이 주 정도", [("NUMBER", "2", "week")]),
        ("열두 명", [("NUMBER", "12", "person")]),
        ("오전 10시 30분", [("CLOCK", "10:30", "half")]),
        ("열 시 반에", [("CLOCK", "10:30", "")]),
        ("at half past two", [("CLOCK", "2:30", "")]),
        ("at nine thirty", [("CLOCK", "9:30", "")]),
        ("7 p.m.", [("CLOCK", "19:00", "half")]),
        ("October 15", [("MONTH", "10", ""), ("NUMBER", "15", "일")]),
        ("10월 15일", [("MONTH", "10", ""), ("NUMBER", "15", "일")]),
        ("the fifteenth of October", [("NUMBER", "15", "ordinal"), ("MONTH", "10", "")]),
        ("다음 주 화요일", [("DAY", "next week", ""), ("WEEKDAY", "1", "")]),
        ("Tuesday next week", [("WEEKDAY", "1", ""), ("DAY", "next week", "")]),
        ("We may march in May", [("MONTH", "5", "")]),
        ("in 1885", [("NUMBER", "1885", "AD")]),
        ("다섯 번째", [("NUMBER", "5", "ordinal")]),
        ("이 일을 하겠습니다", []),
    ],
)
def test_facts_have_one_form_in_both_languages(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert facts(text) == expected


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("ten o'clock", "10:00", True),
        ("오전 10시", "10 a.m.", True),
        ("3시", "오후 3시", True),
        ("오전 3시", "오후 3시", False),
        ("15일", "October 15", True),
        ("forty euros", "forty dollars", False),
        ("forty", "forty dollars", True),
        ("수요일", "Wednesday", True),
    ],
)
def test_facts_agree_over_languages_and_halves_of_the_day(left: str, right: str, same: bool) -> None:
    assert any(a.agrees(b) for a in find_facts(left) for b in find_facts(right)) is same


def test_names_of_one_speaker_are_one_and_i_is_who_speaks() -> None:
    names = Names(["Ben Miller", "김민수"], ["We met Paula in Berlin."])
    assert [fact.value for fact in names.find("Ben Miller told Ben and Paula", "")] == [
        "ben miller",
        "ben miller",
        "paula",
    ]
    assert [fact.value for fact in names.find("I'll do it.", "Ben Miller")] == ["ben miller"]
    assert [fact.value for fact in names.find("민수 씨가 확인합니다.")] == ["김민수"]
    assert [fact.value for fact in names.find("내일 확인하겠습니다.", "김민수")] == ["김민수"]
    assert all(fact.kind is FactKind.NAME for fact in names.find("Paula and Ben"))


def test_titles_are_shared_and_name_nobody() -> None:
    names = Names(["Mr. Weber", "Dr. Adams", "Mr. Bauer", "박지훈 팀장", "이수민님"], [])
    assert [fact.value for fact in names.find("Ask Mr. Weber, Mr. Bauer and Dr. Adams.")] == [
        "mr. weber",
        "mr. bauer",
        "dr. adams",
    ]
    assert [fact.value for fact in names.find("박지훈 님과 이수민 씨가 갑니다.")] == [
        "박지훈 팀장",
        "이수민님",
    ]
    assert names.find("팀장님이 확인합니다.") == []
    # Somebody who is known by nothing else.
    assert [fact.value for fact in Names(["Doctor"], []).find("The Doctor agrees.")] == ["doctor"]


def test_forms_of_korean_verbs_have_one_key() -> None:
    assert len({canonical(word) for word in ("올려", "올립니다", "올리고", "올렸습니다")}) == 1
    assert canonical("발송했습니다") == canonical("보냅니다")
    assert canonical("결정했습니다") == canonical("합의했습니다")
    assert canonical("입금") != canonical("출금")


def index(*turns: tuple[str, str]) -> EvidenceIndex:
    return EvidenceIndex(
        sentences_of(Segment(place, place, place + 1, text, who) for place, (who, text) in enumerate(turns))
    )


TALK = (
    (
        "Ann",
        "The company Lindgren offered forty eight thousand euros for a roof, or nine thousand for patching it.",
    ),
    ("Ann", "Carla sends Ben the draft on Monday, and Ben checks the contract on Friday."),
    ("Ben", "I will fix the upload crash by Thursday and tell Anna."),
    ("Ann", "The rate fell from four percent to two percent."),
    ("Ann", "Patching won't last two winters."),
    ("Ann", "We paid for a machine without pedals."),
    ("민수", "최도현 님은 이지은 님에게 계약서를 보내 주세요."),
    ("민수", "로그인 기능은 완료했고 검색 기능은 절반 정도 진행했습니다."),
    ("민수", "압축 작업은 제가 수요일까지 끝내겠습니다."),
)


@pytest.mark.parametrize(
    "line",
    [
        "Lindgren offered 48,000 euros for a roof.",
        "Lindgren offered €9,000 for patching.",
        "Carla sends Ben the draft on Monday.",
        "Ben checks the contract on Friday.",
        "Ben will repair the upload crash by Thursday.",
        "The rate fell from 4% to 2%.",
        "Patching does not last two winters.",
        "A machine without pedals was paid for.",
        "최도현 님이 이지은 님에게 계약서를 보냅니다.",
        "검색 기능은 절반 정도 진행했습니다.",
        "민수 님이 수요일까지 압축 작업을 끝냅니다.",
    ],
)
def test_true_lines_hold(line: str) -> None:
    assert index(*TALK).find(line)


@pytest.mark.parametrize(
    "line",
    [
        "Lindgren offered 48,000 euros for patching.",
        "Lindgren offered 48,000 dollars for a roof.",
        "Ben sends Carla the draft on Monday.",
        "Carla sends Ben the draft on Friday.",
        "Carla checks the contract on Friday.",
        "Anna will fix the upload crash by Thursday.",
        "The rate fell from 2% to 4%.",
        "The rate rose from 4% to 2%.",
        "Patching lasts two winters.",
        "Patching never fails to not last two winters.",
        "A machine with pedals was paid for.",
        "이지은 님이 최도현 님에게 계약서를 보냅니다.",
        "로그인 기능은 절반 정도 진행했습니다.",
        "검색 기능은 완료했습니다.",
        "최도현 님이 수요일까지 압축 작업을 끝냅니다.",
        "압축 작업은 수요일까지 끝내지 않습니다.",
    ],
)
def test_exchanged_and_turned_round_lines_fall(line: str) -> None:
    found = index(*TALK)
    assert found.find(line) == ()
    assert found.find_parts(line) == ()


def test_nearest_sentence_is_where_a_line_is_repaired_from() -> None:
    assert index(*TALK).nearest("The rate fell from nine percent.")[0].text.startswith("The rate fell")
    assert index(*TALK).nearest("Elephants are pink and large.") == ()


@pytest.mark.parametrize(
    ("text", "speaker", "owner", "task", "due"),
    [
        ("I will call the agency tomorrow morning.", "Ben", "Ben", "call the agency", "tomorrow morning"),
        (
            "Mrs. Bauer needs to give him a key before the weekend.",
            "Ann",
            "Mrs. Bauer",
            "give him a key",
            "the weekend",
        ),
        ("Could you update the page by May 20, Tom?", "Ann", "Tom", "update the page", "May 20"),
        ("We need to review it.", "Ann", "", "", ""),
        (
            "보고서는 다음 주 월요일까지 작성해 주세요.",
            "민수",
            "",
            "보고서는 작성해 주세요",
            "다음 주 월요일",
        ),
        ("제가 내일 확인하겠습니다.", "민수", "민수", "확인하겠습니다", "내일"),
    ],
)
def test_owner_task_and_due(text: str, speaker: str, owner: str, task: str, due: str) -> None:
    assert owner_of(text, speaker) == owner
    assert due_of(text) == due
    if task:
        assert task_of(text, owner) == task


def test_fields_have_to_be_said() -> None:
    sentences = [Sentence("I'll pay forty euros on Monday.", (Segment(0, 0, 1, "", "Ben"),))]
    assert said("Ben", sentences)
    assert said("40 euros", sentences)
    assert not said("50 euros", sentences)
    assert not said("Tuesday", sentences)
    assert not said("", sentences)
    assert [first_of_type(kind, sentences) for kind in FieldType] == ["", "Ben", "Monday", "forty euros"]


class Embeddings(embedding_pb2_grpc.EmbeddingServiceServicer):
    """Every text that has "roof" in it is another one."""

    async def Embed(self, request, context):
        assert request.kind == embedding_pb2.EMBEDDING_KIND_PASSAGE
        vectors = [[1.0, 0.0] if "roof" in text else [0.6, 0.8] for text in request.texts]
        return embedding_pb2.EmbedResponse(
            embeddings=[embedding_pb2.Embedding(values=vector) for vector in vectors]
        )


@pytest.fixture
async def vector_target() -> AsyncIterator[str]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(Embeddings(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_line_that_the_encoder_finds_unlike_its_evidence_falls(vector_target: str) -> None:
    similarity = VectorSimilarity(vector_target)
    try:
        assert await asyncio.to_thread(similarity, "a roof", "two roofs") == pytest.approx(1.0)
        assert await asyncio.to_thread(similarity, "a roof", "a cellar") == pytest.approx(0.6)
        sentences = sentences_of([Segment(0, 0, 1, "The rate fell.")])
        assert await asyncio.to_thread(EvidenceIndex(sentences, similarity).find, "The rate fell.")
    finally:
        await similarity.close()
    unlike = EvidenceIndex(sentences, lambda line, evidence: SIMILARITY - 0.01)
    assert unlike.find("The rate fell.") == ()


async def test_evidence_is_checked_without_embeddings_where_nobody_answers(
    vector_target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    similarity = VectorSimilarity("127.0.0.1:1")
    try:
        assert await asyncio.to_thread(similarity, "a", "b") is None
        assert "evidence is checked without embeddings" in capsys.readouterr().out
        # Nothing waits for it a second time.
        assert await asyncio.to_thread(similarity, "a", "b") is None
        assert capsys.readouterr().out == ""
    finally:
        await similarity.close()


def test_no_seeded_false_claim_is_shown_and_few_true_lines_are_lost() -> None:
    true, false = check_claims(read_meetings())
    assert sum(false.total.values()) >= 200
    assert dict(false.wrong) == {}
    lost = sum(map(len, true.wrong.values()))
    assert lost <= 0.05 * sum(true.total.values())


SAID = [
    ("Ben", "I will fix the upload crash by Thursday and send a new build to the testers."),
    ("Anna", "Are the testers happy with the new build?"),
    ("Carla", "We should repair the roof, and the invoice was paid in March."),
    ("Ben", "The login is finished, and the search is half done."),
    ("강민재", "로그인 기능은 완료했고 검색 기능은 절반 정도 진행했습니다."),
    ("배준호", "압축 작업은 제가 수요일까지 끝내겠습니다."),
    ("남기철", "보상금은 언제 나옵니까?"),
    ("구미영", "기술자에게 전화해 주세요. 품삯을 올리기로 합의했습니다."),
]


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("Ben will fix the upload crash by Thursday.", True),
        ("Ben fixes the upload crash by Thursday.", True),
        ("Ben fixed the upload crash by Thursday.", False),
        ("Ben sent a new build to the testers.", False),
        ("The testers are happy with the new build.", False),
        ("The roof should be repaired.", True),
        ("The roof was repaired.", False),
        ("The invoice was paid in March.", True),
        ("The invoice will be paid in March.", False),
        ("The login is finished.", True),
        ("로그인 기능은 완료했습니다.", True),
        ("로그인 기능과 검색 기능이 완료되었습니다.", False),
        ("배준호 님이 압축 작업을 수요일까지 끝냅니다.", True),
        ("배준호 님이 압축 작업을 수요일까지 끝냈습니다.", False),
        ("보상금은 언제나 나옵니다.", False),
        ("구미영은 기술자에게 전화했습니다.", False),
        ("품삯을 올리기로 합의했습니다.", True),
        ("품삯을 올렸습니다.", False),
    ],
)
def test_plans_are_not_deeds_nor_questions_answers(line: str, holds: bool) -> None:
    segments = [Segment(place, place, place + 1, text, who) for place, (who, text) in enumerate(SAID)]
    index = EvidenceIndex(sentences_of(segments))
    assert bool(index.find(line)) == holds
    assert bool(index.find_parts(line)) == holds


def test_what_is_said_of_one_thing_is_not_said_of_two() -> None:
    segments = [Segment(place, place, place + 1, text, who) for place, (who, text) in enumerate(SAID)]
    index = EvidenceIndex(sentences_of(segments))
    assert not index.find("The login and the search are finished.")
    assert EvidenceIndex(sentences_of([Segment(0, 0, 1, "The login and the search are finished.")])).find(
        "The login and the search are finished."
    )
