"""Passages: what holds for every transcript, and what holds for typical ones."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_vector.domain import Passage, Segment, TextBlock
from recordroute_vector.encoder import Encoder
from recordroute_vector.passages import CHARACTERS_PER_TOKEN, PassageLimits, PassageSplitter, content_hash
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
        (
            "Dr. Kim met Mr. Lee at No. 5 in the U.S. office. No. He left, e.g. by train.",
            ["Dr. Kim met Mr. Lee at No. 5 in the U.S. office.", "No.", "He left, e.g. by train."],
        ),
        # As a recogniser writes it down that sets no signs.
        (
            "회의를 시작하겠습니다 서버가 느리니까 확인해 주세요 네 알겠습니다 왜 그런가요 개요부터 봅시다",
            [
                "회의를 시작하겠습니다",
                "서버가 느리니까 확인해 주세요",
                "네 알겠습니다",
                "왜 그런가요",
                "개요부터 봅시다",
            ],
        ),
        (
            "필요 없는 주요 수요입니까 그렇죠 가요 프로그램",
            ["필요 없는 주요 수요입니까", "그렇죠", "가요 프로그램"],
        ),
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
    splitter = PassageSplitter(encoder.tokenizer, PassageLimits(MAX_TOKENS, 0))
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
    plain = PassageSplitter(encoder.tokenizer, PassageLimits(MAX_TOKENS, 0)).split(segments)
    passages = PassageSplitter(encoder.tokenizer, PassageLimits(MAX_TOKENS, OVERLAP)).split(segments)
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


def splitter(
    encoder: Encoder, max_tokens: int = 40, overlap: int = 12, sentences: int | None = None
) -> PassageSplitter:
    return PassageSplitter(encoder.tokenizer, PassageLimits(max_tokens, overlap, sentences))


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


def test_a_long_sentence_is_cut_behind_a_clause(encoder: Encoder) -> None:
    english = "we moved the servers to the new room on Friday night, " * 12
    korean = "서버를 금요일 밤에 새 전산실로 옮기고 데이터베이스 연결을 모두 다시 확인했지만 " * 12
    for text, ends in ((english, ("night,", "night")), (korean, ("옮기고", "확인했지만"))):
        passages = splitter(encoder, overlap=0).split([Segment(0, 0.0, 60.0, text)])
        assert len(passages) > 2
        assert all(passage.text.endswith(ends) for passage in passages)


def test_overlap_in_sentences(encoder: Encoder) -> None:
    text = " ".join(f"Sentence {number} is here." for number in range(40))
    segments = [Segment(0, 0.0, 60.0, text)]
    for count in (0, 1, 2):
        passages = splitter(encoder, overlap=30, sentences=count).split(segments)
        numbers = [re.findall(r"\d+", passage.text) for passage in passages]
        for former, later in pairwise(numbers):
            assert [number for number in later if number in former] == former[len(former) - count :]


def sentence(number: int) -> str:
    names = ["budget", "server", "team", "logo", "room", "서버가", "예산을", "회의는"]
    words = [names[(number * factor) % len(names)] for factor in range(1, 3 + number % 7)]
    return f"In case {number} the {' '.join(words)} waits."


def test_an_edit_changes_the_passages_around_it_and_no_others(encoder: Encoder) -> None:
    texts = [sentence(number) for number in range(300)]

    def split(texts: list[str]) -> list[Passage]:
        segments = [Segment(i, i * 4.0, i * 4.0 + 3.0, text, "Kim") for i, text in enumerate(texts)]
        return splitter(encoder, max_tokens=192, overlap=32).split(segments)

    before = {passage.content_hash for passage in split(texts)}
    assert len(before) > 20
    changed = []
    for place in range(0, 300, 25):
        edited = split([*texts[:place], "A new remark was made here.", *texts[place:]])
        changed.append(sum(passage.content_hash not in before for passage in edited))
    assert min(changed) >= 1
    assert sum(changed) / len(changed) <= 3
    assert max(changed) <= 8


def test_passages_end_where_a_speaker_does(encoder: Encoder) -> None:
    segments = [
        Segment(i, i * 4.0, i * 4.0 + 4.0, sentence(i), "Kim" if i // 3 % 2 else "Lee") for i in range(60)
    ]
    passages = splitter(encoder, max_tokens=96, overlap=0).split(segments)
    assert all(segments[passage.last_segment_index].index % 3 == 2 for passage in passages)


def test_hash_is_of_the_text_and_of_nothing_else(encoder: Encoder) -> None:
    decomposed = "\u1109\u1165\u1107\u1165\u1100\u1161 slow"
    assert content_hash("서버가 slow") == content_hash("  서버가\n slow ") == content_hash(decomposed)
    assert content_hash("서버가 slow") != content_hash("서버가 Slow")
    (first,) = splitter(encoder).split([Segment(0, 0.0, 1.0, "The server is slow.")])
    (second,) = splitter(encoder).split([Segment(9, 50.0, 51.0, "The server is slow.", "Kim")])
    assert first.content_hash == second.content_hash == content_hash("The server is slow.")
    # Stored with the passages: it must never change.
    assert first.content_hash == "d42f93b6335b8514a55a9725ea0da632"


def test_a_document_keeps_its_pages_and_lines(encoder: Encoder) -> None:
    blocks = [
        TextBlock(0, "Quarterly report\n\nThe budget of the team was\nmoved to the next year.", 1, 1),
        TextBlock(1, "It is larger than before, and it", 1, 5),
        TextBlock(2, "pays for two servers. The logo is blue.", 2, 1),
        TextBlock(3, "Appendix", 3, 1, starts_paragraph=True),
        TextBlock(4, "   ", 3, 2),
        TextBlock(5, "Nothing else is known of the servers and of their room.", 3, 3),
    ]
    passages = splitter(encoder, max_tokens=16, overlap=0).split_document(blocks)
    assert [(passage.page, passage.line, passage.text) for passage in passages] == [
        (1, 1, "Quarterly report The budget of the team was moved to the next year."),
        (1, 5, "It is larger than before, and it pays for two servers."),
        (2, 1, "The logo is blue. Appendix"),
        (3, 3, "Nothing else is known of the servers and of their room."),
    ]
    assert (passages[1].first_segment_index, passages[1].last_segment_index) == (1, 2)
    assert {(passage.start, passage.end) for passage in passages} == {(0.0, 0.0)}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(texts, st.booleans()), max_size=12))
def test_documents_are_kept_whole(encoder: Encoder, drawn: list[tuple[str, bool]]) -> None:
    blocks = [TextBlock(i, text, i // 2, i + 1, opens) for i, (text, opens) in enumerate(drawn)]
    passages = splitter(encoder, MAX_TOKENS, 0).split_document(blocks)
    assert squeezed([passage.text for passage in passages]) == squeezed([block.text for block in blocks])
    for passage in passages:
        assert encoder.tokenizer.count([passage.text])[0] <= MAX_TOKENS + 2
        assert passage.page == passage.first_segment_index // 2
