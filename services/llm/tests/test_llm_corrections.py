"""Corrections: towards the vocabulary by sound, by the model only where code agrees, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordroute_llm.corrections import Correction, Reason, correct, towards_vocabulary
from recordroute_llm.engine import Prompt, StreamingEngine, Usage
from recordroute_llm.minutes import Progress
from recordroute_llm.phonetics import alikeness
from recordroute_llm.transcript import Segment
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.inference import CancelToken

Scripted = Callable[[Callable[[Prompt], str]], StreamingEngine]
VOCABULARY = [
    "RecordRoute",
    "Qdrant",
    "Kubernetes",
    "Kim Minji",
    "쿠버네티스",
    "김민지",
    "리코드루트",
    "gRPC",
]


def changed(text: str, corrections: list[Correction]) -> str:
    for made in reversed(corrections):
        assert text[made.start : made.end] == made.original
        text = text[: made.start] + made.replacement + text[made.end :]
    return text


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("We use record root with quadrant.", "We use RecordRoute with Qdrant."),
        ("It runs on kubernetics, Kim Minchi said.", "It runs on Kubernetes, Kim Minji said."),
        ("김민재가 쿠버네티즈를 설치했습니다.", "김민지가 쿠버네티스를 설치했습니다."),
        ("레코드 루트를 씁니다.", "리코드루트를 씁니다."),
    ],
)
def test_misheard_terms(heard: str, said: str) -> None:
    assert changed(heard, towards_vocabulary(Segment(0, 0, 1, heard), VOCABULARY)) == said


@pytest.mark.parametrize(
    "text",
    [
        "We deploy with Kubernetes and Qdrant.",
        "The record was broken by the root of the tree.",
        "The cat sat on the mat and the quarter is over.",
        "We met 20 people on the 3rd of May.",
        "민지 씨가 말했습니다.",
        "",
    ],
)
def test_what_is_right_stays(text: str) -> None:
    assert towards_vocabulary(Segment(0, 0, 1, text), VOCABULARY) == []


def test_word_that_the_recogniser_was_sure_of_needs_more() -> None:
    segment = Segment(0, 0, 1, "Kim Minchi said it.")
    unsure = towards_vocabulary(segment, VOCABULARY, [0.4, 0.3, 0.9, 0.9])
    assert unsure[0].confidence > towards_vocabulary(segment, VOCABULARY, [0.8, 0.85, 0.9, 0.9])[0].confidence
    assert towards_vocabulary(segment, VOCABULARY, [0.99, 0.98, 0.9, 0.9]) == []


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=12), max_size=4))
def test_proposals_stand_in_the_text_and_never_overlap(text: str, vocabulary: list[str]) -> None:
    proposals = towards_vocabulary(Segment(3, 0, 1, text), vocabulary)
    changed(text, proposals)
    for before, after in pairwise(proposals):
        assert before.end <= after.start
    assert all(0 < made.confidence <= 1 and made.replacement in vocabulary for made in proposals)


def test_sounds() -> None:
    assert alikeness("there", "their") > 0.7
    assert alikeness("에너지", "애너지") == 1.0
    assert alikeness("launch", "budget") < 0.4
    assert alikeness("", "budget") == 0.0


def test_model_is_believed_only_where_it_sounds_alike_and_is_neither_name_nor_number(
    scripted: Scripted,
) -> None:
    text = "They left there coats. Paul paid two euros for the launch."
    wishes = [
        ("there", "their"),
        ("Paul", "Poll"),
        ("two", "too"),
        ("launch", "budget"),
        ("missing", "kissing"),
    ]
    reply = json.dumps({"corrections": [{"wrong": wrong, "right": right} for wrong, right in wishes]})
    parts = list(correct([Segment(7, 0, 5, text)], [], {}, scripted(lambda _: reply), 200, CancelToken()))
    made = [part for part in parts if isinstance(part, Correction)]
    assert [(part.original, part.replacement, part.reason) for part in made] == [
        ("there", "their", Reason.MODEL)
    ]
    assert text[made[0].start : made[0].end] == "there"
    assert parts[0] == Progress(0, 1)
    assert parts[-2:] == [Progress(1, 1), Usage(20, 10, 0.1)]


@pytest.mark.parametrize("reply", ["", "no json", "[]", '{"corrections": [1, {"wrong": 2}]}'])
def test_answer_that_is_not_understood_proposes_nothing(scripted: Scripted, reply: str) -> None:
    parts = correct(
        [Segment(0, 0, 1, "We use quadrant.")],
        VOCABULARY,
        {},
        scripted(lambda _: reply),
        200,
        CancelToken(),
    )
    made = [part for part in parts if isinstance(part, Correction)]
    assert [part.replacement for part in made] == ["Qdrant"]


def test_empty_transcript(scripted: Scripted) -> None:
    with pytest.raises(InvalidInput, match="no text"):
        list(correct([Segment(0, 0, 1, " ... ")], [], {}, scripted(lambda _: ""), 200, CancelToken()))
