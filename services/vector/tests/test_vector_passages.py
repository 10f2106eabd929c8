"""Passages: what holds for every transcript, and what holds for typical ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_vector.domain import Passage, Segment
from recordroute_vector.encoder import Encoder
from recordroute_vector.passages import CHARACTERS_PER_TOKEN, PassageSplitter
from recordroute_vector.sentences import ends_sentence, sentence_spans

MAX_TOKENS, OVERLAP = 24, 8

texts = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "서버가",
                "느려요.",
                "the",
                "budget",
                "is",
                "3.5",
                "million.",
                "왜?",
                "x" * 90,
                "😀" * 40,
                "예산은",
                "끝！",
            ]
        ),
        max_size=40,
    ).map(" ".join),
)


@st.composite
def transcripts(draw: st.DrawFn) -> list[Segment]:
    segments, clock = [], 0.0
    for index, text in enumerate(draw(st.lists(texts, max_size=12))):
        clock += draw(st.sampled_from([0.0, 0.5, 4.0]))
        end = clock + draw(st.sampled_from([0.0, 1.0, 7.5]))
        segments.append(Segment(index, clock, end, text, draw(st.sampled_from(["", "Kim", "Lee"]))))
        clock = end
    return segments


def squeezed(parts: list[str]) -> str:
    return "".join("".join(parts).split())


@given(st.text())
def test_sentences_hold_all_text(text: str) -> None:
    spans = sentence_spans(text)
    assert squeezed([text[start:end] for start, end in spans]) == squeezed([text])
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is 3.5 percent. Really? Yes!", ["It is 3.5 percent.", "Really?", "Yes!"]),
        ("서버가 느려요. 왜요? 몰라요", ["서버가 느려요.", "왜요?", "몰라요"]),
        ('He said "stop." Then he left...', ['He said "stop."', "Then he left..."]),
        ("行きます。はい。", ["行きます。", "はい。"]),
        ("   ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_end_of_a_sentence() -> None:
    assert ends_sentence("Yes.")
    assert ends_sentence('"Yes."')
    assert not ends_sentence("3.5 percent")
    assert not ends_sentence("")


@settings(max_examples=150, deadline=None)
@given(transcripts())
def test_passages_hold_every_segment_within_the_limit(encoder: Encoder, segments: list[Segment]) -> None:
    splitter = PassageSplitter(encoder.tokenizer, max_tokens=MAX_TOKENS, overlap_tokens=0)
    passages = splitter.split(segments)
    assert squeezed([passage.text for passage in passages]) == squeezed(
        [segment.text for segment in segments]
    )
    spoken = [segment for segment in segments if segment.text.strip()]
    covered = {index for p in passages for index in range(p.first_segment_index, p.last_segment_index + 1)}
    assert covered >= {segment.index for segment in spoken}
    for passage in passages:
        check(passage, encoder, segments)
    assert [passage.index for passage in passages] == list(range(len(passages)))
    assert all(former.start <= later.start for former, later in pairwise(passages))


@settings(max_examples=100, deadline=None)
@given(transcripts())
def test_overlap_repeats_the_end_of_the_passage_before(encoder: Encoder, segments: list[Segment]) -> None:
    plain = PassageSplitter(encoder.tokenizer, max_tokens=MAX_TOKENS, overlap_tokens=0).split(segments)
    passages = PassageSplitter(encoder.tokenizer, max_tokens=MAX_TOKENS, overlap_tokens=OVERLAP).split(
        segments
    )
    words = [word for passage in passages for word in passage.text.split()]
    assert set(words) >= {word for passage in plain for word in passage.text.split() if len(word) < 20}
    for passage in passages:
        check(passage, encoder, segments)
    for former, later in pairwise(passages):
        assert (
            former.first_segment_index
            <= later.first_segment_index
            <= former.last_segment_index + len(segments)
        )
        assert former.end <= later.end


def check(passage: Passage, encoder: Encoder, segments: list[Segment]) -> None:
    assert encoder.tokenizer.count([passage.text])[0] <= MAX_TOKENS + 2
    assert len(passage.text) <= MAX_TOKENS * (CHARACTERS_PER_TOKEN + 1)
    assert passage.text == passage.text.strip() != ""
    assert passage.first_segment_index <= passage.last_segment_index
    first, last = segments[passage.first_segment_index], segments[passage.last_segment_index]
    assert first.start <= passage.start + 1e-9
    assert passage.start <= passage.end <= last.end + 1e-9
    known = {
        s.speaker for s in segments[passage.first_segment_index : passage.last_segment_index + 1] if s.speaker
    }
    assert set(passage.speakers) <= known


def splitter(encoder: Encoder, max_tokens: int = 40, overlap: int = 12) -> PassageSplitter:
    return PassageSplitter(encoder.tokenizer, max_tokens=max_tokens, overlap_tokens=overlap)


def test_sentences_go_over_the_borders_of_segments(encoder: Encoder) -> None:
    segments = [
        Segment(0, 0.0, 3.0, "The budget meeting is moved", "Kim"),
        Segment(1, 3.0, 6.0, "to Monday at nine. The room stays the same,", "Kim"),
        Segment(2, 6.0, 9.0, "and lunch is served there as on every other day of the week.", "Kim"),
        Segment(3, 9.0, 12.0, "Good, then let us go on to the servers that were so slow.", "Lee"),
    ]
    passages = splitter(encoder).split(segments)
    assert passages[0].text.startswith(
        "The budget meeting is moved to Monday at nine. The room stays the same, and"
    )
    assert (passages[0].first_segment_index, passages[0].last_segment_index) == (0, 2)
    assert passages[0].speakers == ("Kim",)
    assert passages[-1].text.endswith("so slow.")
    assert passages[-1].end == 12.0
    for passage in passages:
        assert passage.text[-1] == "."


def test_a_long_segment_is_cut_at_sentences_with_times_between(encoder: Encoder) -> None:
    text = " ".join(f"This is sentence number {number} of the talk." for number in range(30))
    passages = splitter(encoder, overlap=0).split([Segment(7, 100.0, 160.0, text)])
    assert len(passages) > 5
    assert all(passage.text.endswith("talk.") for passage in passages)
    assert passages[0].start == 100.0
    assert passages[-1].end == 160.0
    for former, later in pairwise(passages):
        assert former.end == pytest.approx(later.start, abs=0.1)
    share = len(passages[0].text) / len(text)
    assert passages[0].end == pytest.approx(100.0 + 60.0 * share, abs=0.1)


def test_overlap_is_whole_sentences(encoder: Encoder) -> None:
    text = " ".join(f"Sentence {number} is here." for number in range(20))
    passages = splitter(encoder).split([Segment(0, 0.0, 60.0, text)])
    for former, later in pairwise(passages):
        head = later.text.split(". ")[0] + "."
        assert former.text.endswith(head) or head in former.text


def test_a_word_without_end_and_unknown_signs_stay_within_the_limits(encoder: Encoder) -> None:
    segments = [Segment(0, 0.0, 1.0, "가" * 5000), Segment(1, 1.0, 2.0, "\U00010348" * 16000)]
    passages = splitter(encoder).split(segments)
    assert (
        squeezed([p.text for p in splitter(encoder, overlap=0).split(segments)])
        == "가" * 5000 + "\U00010348" * 16000
    )
    assert all(len(passage.text.encode()) < 65536 for passage in passages)
    assert max(encoder.tokenizer.count([passage.text for passage in passages])) <= 40


def test_nothing_said_is_no_passage(encoder: Encoder) -> None:
    assert splitter(encoder).split([]) == []
    assert splitter(encoder).split([Segment(0, 0.0, 5.0, "  \n ")]) == []
