"""Languages, terms, cue rules and evidence: the code that decides what stands in minutes."""

from __future__ import annotations

import pytest
from recordroute_llm.evidence import EvidenceIndex, segments_of
from recordroute_llm.extractive import key_phrases, pick_sentences
from recordroute_llm.language import detect_language, written_in
from recordroute_llm.rules import is_action, is_decision, tidy
from recordroute_llm.terms import names, numbers, terms
from recordroute_llm.transcript import Segment, sentences_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We have to talk about the budget and the date of the launch.", "en"),
        ("Hello there", "en"),
        ("오늘 회의는 API 설계에 대해 논의하겠습니다.", "ko"),
        ("今日は会議について話します。", "ja"),
        ("我们今天讨论预算。", "zh"),
        ("Wir müssen heute über den Haushalt und die Termine für das nächste Jahr sprechen.", "und"),
        ("Сегодня мы говорим о бюджете.", "und"),
        ("12345 ...", "und"),
    ],
)
def test_language_is_told_from_the_text(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_script_of_a_line() -> None:
    assert written_in("API 설계를 논의합니다.", "ko")
    assert not written_in("We discuss the design.", "ko")
    assert not written_in("오늘 회의", "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("forty thousand euros and sixty two percent", {"40000", "62"}),
        ("1,200 of 3.50, on the fifteenth", {"1200", "3.5", "15"}),
        ("twelve hundred, two million five hundred thousand", {"1200", "2500000"}),
        ("5천만 원, 50,000,000원, 3만 5천", {"50000000", "35000"}),
        ("10월 15일 오전 10시", {"10", "15"}),
        ("one of them, nobody else", set()),
        ("twenty, thirty, three four", {"20", "30", "3", "4"}),
    ],
)
def test_numbers_are_compared_by_value(text: str, expected: set[str]) -> None:
    assert numbers(text) == expected


def test_names_are_capitals_inside_of_sentences_and_speakers_anywhere() -> None:
    assert names("Yesterday Paula met the API team in Berlin. Then they left.") == {"paula", "api", "berlin"}
    assert names("Carla pays, 박서준 씨가 확인합니다.", ["Carla", "박서준"]) == {"carla", "박서준"}


def test_forms_of_a_word_have_one_stem() -> None:
    assert terms("launching") == terms("launches") == terms("launched") == terms("launch")
    assert terms("출시일은") == terms("출시를")


DECISIONS = [
    "We decided to move dark mode to version two.",
    "So let's go with twenty five thousand.",
    "The launch date stays the fifteenth of October.",
    "Then let us leave speech recognition out.",
    "Okay, we will stick with the old supplier.",
    "It was agreed that the office closes at noon.",
    "온라인 광고에 3천만 원을 쓰기로 결정했습니다.",
    "출시일은 10월 15일로 확정합니다.",
    "다크 모드는 다음 버전에서 개발하기로 했습니다.",
    "예산안이 승인되었습니다.",
]
NO_DECISIONS = [
    "Have we decided on the date?",
    "We still have to decide on the price.",
    "We have not agreed on anything.",
    "The crash happens on every start.",
    "Ask not what your country can do for you.",
    "가격은 아직 결정하지 못했습니다.",
    "무엇을 쓰기로 했습니까?",
    "다음 주에 결정해야 합니다.",
    "오류가 계속 발생하고 있습니다.",
]
ACTIONS = [
    "I will fix the upload crash by Thursday.",
    "Then I'll prepare the contract with the agency.",
    "Could you please update the roadmap page, Ben?",
    "Sarah, can you do the interface concept until the next meeting?",
    "Carla is going to call the agency.",
    "Please send me the slides.",
    "We need to review the contract before Friday.",
    "Tom is responsible for the test plan.",
    "제가 목요일까지 결제 오류를 수정하고 결과를 공유하겠습니다.",
    "광고 대행사 계약서는 제가 준비하겠습니다.",
    "제품 소개 자료를 월요일까지 보내 주세요.",
    "보고서는 다음 주까지 작성해야 합니다.",
]
NO_ACTIONS = [
    "How long will the fix take?",
    "Ask not what your country can do for you, ask what you can do for your country.",
    "The marketing team has forty thousand euros left.",
    "It will rain tomorrow.",
    "So can you just remind me, I don't have to tick the note until I finish writing.",
    "You can see the result on the screen.",
    "오늘 회의를 시작하겠습니다.",
    "네, 알겠습니다.",
    "얼마나 걸릴까요?",
    "다음 시간에는 신경망의 구조를 배우겠습니다.",
]


@pytest.mark.parametrize(
    ("sentence", "expected"), [(s, True) for s in DECISIONS] + [(s, False) for s in NO_DECISIONS]
)
def test_decisions_by_cue(sentence: str, expected: bool) -> None:
    assert is_decision(sentence) is expected


@pytest.mark.parametrize(
    ("sentence", "expected"), [(s, True) for s in ACTIONS] + [(s, False) for s in NO_ACTIONS]
)
def test_actions_by_cue(sentence: str, expected: bool) -> None:
    assert is_action(sentence) is expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Um, so, I'll send it.", "I'll send it."),
        ("Then I'll prepare it.", "I'll prepare it."),
        ("And Mr. Dashwood had leisure.", "Mr. Dashwood had leisure."),
        ("So far nothing broke.", "So far nothing broke."),
        ("그러면 예산을 정하겠습니다.", "예산을 정하겠습니다."),
        ("Okay.", "Okay."),
    ],
)
def test_fillers_go(sentence: str, expected: str) -> None:
    assert tidy(sentence) == expected


def index_of(segments: list[Segment]) -> EvidenceIndex:
    return EvidenceIndex(sentences_of(segments))


TRUE_LINES = [
    ("The iOS build crashes when a photo larger than 12 megabytes is uploaded.", 1),
    ("The marketing team has 40,000 euros left this year.", 4),
    ("Carla prepares the contract with the agency and shares the draft on Monday.", 6),
    ("Sixty two percent want dark mode, the most requested feature in the survey.", 7),
    ("Dark mode moves to version two and will not be part of this launch.", 8),
]


@pytest.mark.parametrize(("line", "segment"), TRUE_LINES)
def test_true_line_finds_its_segment(english_meeting: list[Segment], line: str, segment: int) -> None:
    found = segments_of(index_of(english_meeting).find(line))
    assert segment in [place.index for place in found]


@pytest.mark.parametrize(
    "line",
    [
        "The iOS build crashes when a photo larger than 20 megabytes is uploaded.",
        "The marketing team has 45,000 euros left this year.",
        "Ben prepares the contract with the agency and shares the draft on Monday.",
        "Carla prepares the contract with the agency and shares the draft on Tuesday.",
        "Ninety percent want dark mode, the most requested feature in the survey.",
        "Dark mode moves to version two and will be part of this launch.",
        "The Android build is not ready for testing.",
        "The launch date stays the fifteenth of November.",
        "The customers are unhappy about the price of the subscription.",
    ],
)
def test_changed_number_name_date_or_denial_is_unsupported(english_meeting: list[Segment], line: str) -> None:
    index = index_of(english_meeting)
    assert index.find(line) == ()
    assert index.find_parts(line) == ()


def test_korean_lines(korean_meeting: list[Segment]) -> None:
    index = index_of(korean_meeting)
    supported = index.find("마케팅 예산은 50,000,000원이 남아 있습니다.")
    assert [segment.index for segment in segments_of(supported)] == [4]
    assert index.find("마케팅 예산은 6천만 원이 남아 있습니다.") == ()
    assert index.find("이지은 님이 광고 대행사 계약서를 준비합니다.") == ()
    assert index.find("출시일은 11월 15일로 확정합니다.") == ()


def test_summing_sentence_may_rest_on_many_places(english_meeting: list[Segment]) -> None:
    line = "the launch of a mobile app, the budget for a campaign, and customers asking for dark mode."
    index = index_of(english_meeting)
    assert index.find(line) == ()
    assert {segment.index for segment in segments_of(index.find_parts(line))} >= {0, 7}


def test_names_of_two_places_don_t_make_one_statement() -> None:
    segments = [
        Segment(0, 0, 5, "My fellow Americans, ask what you can do for your country."),
        Segment(1, 5, 10, "The weather was cold and rather dull in the whole county."),
        Segment(2, 10, 15, "Then John Dashwood had leisure to consider what was in his power."),
    ]
    assert index_of(segments).find_parts("John Dashwood asks Americans to consider their country.") == ()


def test_extractive_floor(english_meeting: list[Segment], korean_meeting: list[Segment]) -> None:
    for meeting, phrase in ((english_meeting, "dark mode"), (korean_meeting, "다크 모드")):
        sentences = sentences_of(meeting)
        picked = pick_sentences(sentences, 3)
        assert len(picked) == 3
        assert [sentences.index(sentence) for sentence in picked] == sorted(map(sentences.index, picked))
        assert not any(sentence.text.endswith("?") for sentence in picked)
        assert phrase in [found for found, _ in key_phrases(sentences, 6)]
