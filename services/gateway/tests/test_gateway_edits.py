"""Edits of transcripts: properties that hold for every edit, and what single edits do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_gateway.library.records import Segment, Speaker, Transcript, Word
from recordroute_gateway.library.transcript_edits import (
    AssignSpeaker,
    Edit,
    FindAndReplace,
    MergeSegments,
    RenameSpeaker,
    ReplaceText,
    SplitSegment,
    apply_edits,
)
from recordroute_gateway.library.word_times import realign, tile, words_of
from recordroute_runtime.errors import InvalidInput

ENGLISH = ["well", "-known", " the", " cat", " Anna", " sat,", " there", " on", " 12", " mats."]
KOREAN = [" 안녕하세요", " 민지가", " 회의를", " 시작했습니다.", " 예산은", " 삼백만", " 원입니다"]
CHINESE = ["我", "们", "今", "天", "开", "会", "。"]
TEXTS = st.one_of(
    st.text(max_size=12),
    st.lists(st.sampled_from([*ENGLISH, *KOREAN, *CHINESE, " ", "  \n"]), max_size=6).map("".join),
)


@st.composite
def word_lists(draw: st.DrawFn) -> tuple[Word, ...]:
    texts = draw(
        st.lists(st.sampled_from(draw(st.sampled_from([ENGLISH, KOREAN, CHINESE]))), min_size=1, max_size=12)
    )
    at = draw(st.integers(0, 50)) / 10
    words = []
    for text in texts:
        start = at + draw(st.sampled_from([0.0, 0.0, 0.1, 0.7]))
        at = start + draw(st.sampled_from([0.0, 0.08, 0.3]))
        words.append(Word(text, start, at, 0.5))
    return tuple(words)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    segments: list[Segment] = []
    at = 0.0
    for index in range(draw(st.integers(1, 5))):
        words = tuple(replace(word, start=word.start + at, end=word.end + at) for word in draw(word_lists()))
        start, end = words[0].start, words[-1].end + draw(st.sampled_from([0.0, 0.2]))
        text = "".join(word.text for word in words).strip()
        segments.append(
            Segment(
                index,
                start,
                end,
                text,
                speaker=draw(st.sampled_from(["", "S1", "S2"])),
                words=words if draw(st.booleans()) else (),
            )
        )
        at = end
    labels = sorted({segment.speaker for segment in segments} - {""})
    return Transcript(
        "ko", 1.0, at, "m", tuple(segments), speakers=tuple(Speaker(label, 1.0) for label in labels)
    )


@st.composite
def edits_of(draw: st.DrawFn, transcript: Transcript) -> Edit:
    count = max(1, len(transcript.segments))
    index = draw(st.integers(0, count - 1))
    length = len(transcript.segments[index].text) if transcript.segments else 0
    start = draw(st.integers(0, length))
    kinds = {
        "replace": lambda: ReplaceText(index, start, draw(st.integers(start, length)), draw(TEXTS)),
        "split": lambda: SplitSegment(index, max(1, start)),
        "merge": lambda: MergeSegments(index, draw(st.integers(index, count - 1))),
        "assign": lambda: AssignSpeaker((index,), draw(st.sampled_from(["S1", "S2", "Anna"]))),
        "rename": lambda: RenameSpeaker(
            draw(st.sampled_from(["S1", "S2"])), draw(st.sampled_from(["", "Anna"]))
        ),
        "find": lambda: FindAndReplace(
            draw(st.sampled_from(["cat", "민지", "们", " ", "e", "."])),
            draw(TEXTS),
            match_case=draw(st.booleans()),
            whole_words=draw(st.booleans()),
        ),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


def spoken(words: tuple[Word, ...]) -> Segment:
    text = "".join(word.text for word in words).strip()
    return Segment(0, words[0].start, words[-1].end, text, words=words)


def of_segments(*segments: Segment) -> Transcript:
    return Transcript("en", 1.0, segments[-1].end, "m", segments)


def timed(word: Word) -> tuple[str, float, float, float]:
    return word.text.strip(), word.start, word.end, word.probability


def check_times(words: tuple[Word, ...], start: float, end: float) -> None:
    at = start
    for word in words:
        assert at <= word.start <= word.end <= end
        at = word.end


@settings(max_examples=150, deadline=None)
@given(word_lists(), TEXTS)
def test_any_text_gets_words_in_order_inside_the_segment(words: tuple[Word, ...], raw: str) -> None:
    text = " ".join(raw.split())
    before = words_of(
        Segment(0, words[0].start, words[-1].end, "".join(w.text for w in words).strip(), words=words)
    )
    made = realign(before, text, words[0].start, words[-1].end).words
    assert "".join(word.text for word in made) == text
    check_times(made, words[0].start, words[-1].end)


@settings(max_examples=200, deadline=None)
@given(st.data(), word_lists())
def test_words_around_a_change_keep_their_exact_times(data: st.DataObject, words: tuple[Word, ...]) -> None:
    first = data.draw(st.integers(0, len(words)))
    last = data.draw(st.integers(first, len(words)))
    new = data.draw(st.sampled_from(["", " new", " two words", " 새 낱말"]))
    segment = spoken(words)
    before = words_of(segment)
    texts = [word.text for word in before]
    start, end = len("".join(texts[:first])), len("".join(texts[:last]))
    if last < len(texts) and not texts[last][0].isspace():
        # Where there was no space the words would become one.
        new += " "
    edited = apply_edits(of_segments(segment), [ReplaceText(0, start, end, new)]).transcript
    made = edited.segments[0].words if edited.segments else ()
    kept = [timed(word) for word in (*before[:first], *before[last:])]
    assert [timed(word) for word in made[:first]] == kept[:first]
    assert [timed(word) for word in made[len(made) - len(kept) + first :]] == kept[first:]


@settings(max_examples=150, deadline=None)
@given(st.data(), transcripts())
def test_any_edits_leave_a_whole_transcript(data: st.DataObject, transcript: Transcript) -> None:
    for _ in range(4):
        edit = data.draw(edits_of(transcript))
        spoken = [word for segment in transcript.segments for word in segment.words]
        try:
            edited = apply_edits(transcript, [edit])
        except InvalidInput:
            continue  # what is refused, and how, is another test's
        after = edited.transcript
        assert [segment.index for segment in after.segments] == list(range(len(after.segments)))
        at = 0.0
        for segment in after.segments:
            assert segment.text == segment.text.strip() != ""
            assert at <= segment.start <= segment.end
            at = segment.end
            if segment.words:
                assert "".join(word.text for word in segment.words).strip() == segment.text
                check_times(segment.words, segment.start, segment.end)
        unchanged = [replace(segment, index=0) for segment in transcript.segments]
        for index, segment in enumerate(after.segments):
            assert index in edited.changed or replace(segment, index=0) in unchanged
        if isinstance(edit, MergeSegments) and all(segment.words for segment in transcript.segments):
            times = [(word.text.strip(), word.start, word.end) for word in spoken]
            assert [(w.text.strip(), w.start, w.end) for s in after.segments for w in s.words] == times
        labels = {segment.speaker for segment in after.segments} - {""}
        assert labels <= {speaker.label for speaker in after.speakers}
        transcript = after


@settings(max_examples=100, deadline=None)
@given(st.data(), word_lists())
def test_split_and_merge_give_the_words_back(data: st.DataObject, words: tuple[Word, ...]) -> None:
    segment = Segment(0, words[0].start, words[-1].end, "".join(w.text for w in words).strip(), words=words)
    transcript = Transcript("en", 1.0, 60.0, "m", (segment,))
    if len(segment.text) < 2:
        return
    position = data.draw(st.integers(1, len(segment.text) - 1))
    halves = apply_edits(transcript, [SplitSegment(0, position)]).transcript.segments
    assert [half.text for half in halves] == [
        segment.text[:position].rstrip(),
        segment.text[position:].lstrip(),
    ]
    assert halves[0].end <= halves[1].start
    whole = [word for half in halves for word in half.words]
    edges = {0, *(sum(len(w.text) for w in words_of(segment)[:n]) for n in range(len(words) + 1))}
    if position in edges:
        assert [(w.start, w.end) for w in whole] == [(w.start, w.end) for w in words_of(segment)]


def of(*texts: str, speaker: str = "S1") -> Transcript:
    segments = []
    at = 0.0
    for index, text in enumerate(texts):
        words = []
        for piece in tile(text):
            words.append(Word(piece, at, at + 0.5, 0.5))
            at += 1.0
        segments.append(Segment(index, words[0].start, at, text, speaker, tuple(words)))
    return Transcript("en", 1.0, at, "m", tuple(segments), speakers=(Speaker(speaker, at),))


def times(segment: Segment) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.start, 3), round(word.end, 3)) for word in segment.words]


def test_changed_words_share_the_time_of_those_they_replace() -> None:
    edited = apply_edits(of("we use comfy you eye daily"), [ReplaceText(0, 7, 20, "ComfyUI")])
    assert times(edited.transcript.segments[0]) == [
        ("we", 0.0, 0.5),
        (" use", 1.0, 1.5),
        (" ComfyUI", 2.0, 4.5),
        (" daily", 5.0, 5.5),
    ]
    assert [word.probability for word in edited.transcript.segments[0].words] == [0.5, 0.5, 1.0, 0.5]
    assert [(made.heard, made.written) for made in edited.corrections] == [("comfy you eye", "ComfyUI")]
    assert edited.summary == "3 words"


def test_inserted_words_get_the_pause() -> None:
    edited = apply_edits(of("we go"), [ReplaceText(0, 2, 2, " all do")])
    assert times(edited.transcript.segments[0]) == [
        ("we", 0.0, 0.5),
        (" all", 0.5, 0.8),
        (" do", 0.8, 1.0),
        (" go", 1.0, 1.5),
    ]


def test_korean_rewriting_keeps_what_was_said() -> None:
    edited = apply_edits(
        of("오늘 민지가 회의를 시작했습니다"), [ReplaceText(0, 0, 17, "오늘은 민지가 큰 회의를 시작했습니다")]
    )
    assert times(edited.transcript.segments[0]) == [
        ("오늘은", 0.0, 0.5),
        (" 민지가", 1.0, 1.5),
        (" 큰", 1.5, 2.0),
        (" 회의를", 2.0, 2.5),
        (" 시작했습니다", 3.0, 3.5),
    ]


def test_find_and_replace_counts_and_deletes() -> None:
    transcript = of("the cat sat", "Cat", "concatenate the cats")
    edited = apply_edits(
        transcript,
        [
            FindAndReplace("cat", "dog", whole_words=True),
            FindAndReplace("Cat", "", match_case=True),
            FindAndReplace("dog", ""),
        ],
    )
    assert edited.replaced_counts == (2, 0, 2)
    assert [segment.text for segment in edited.transcript.segments] == ["the sat", "concatenate the cats"]
    assert edited.changed == (0,)
    assert edited.transcript.segments[1].index == 1


def test_speakers_follow_their_segments() -> None:
    transcript = of("one", "two", "three")
    edited = apply_edits(
        transcript,
        [AssignSpeaker((1, 2), "S2"), RenameSpeaker("S2", " Anna "), AssignSpeaker((2,), "Guest")],
    )
    assert [segment.speaker for segment in edited.transcript.segments] == ["S1", "S2", "Guest"]
    assert [
        (speaker.label, speaker.name, speaker.speech_seconds) for speaker in edited.transcript.speakers
    ] == [
        ("S1", "", 1.0),
        ("S2", "Anna", 1.0),
        ("Guest", "", 1.0),
    ]
    assert edited.summary == "2 segments by S2, speaker S2 is Anna, 1 segment by Guest"


def test_a_name_of_ones_own_is_no_recognised_voice() -> None:
    transcript = replace(of("one"), speakers=(Speaker("S1", 1.0, "Berta", "v", 0.8),))
    (speaker,) = apply_edits(transcript, [RenameSpeaker("S1", "Anna")]).transcript.speakers
    assert (speaker.name, speaker.voice_id, speaker.voice_similarity) == ("Anna", "", None)


@pytest.mark.parametrize(
    "edit",
    [
        ReplaceText(3, 0, 0, "x"),
        ReplaceText(0, 2, 1, "x"),
        ReplaceText(0, 0, 99, "x"),
        ReplaceText(0, 0, 1, "x" * 65537),
        SplitSegment(0, 99),
        SplitSegment(9, 1),
        MergeSegments(0, 0),
        MergeSegments(1, 0),
        MergeSegments(0, 7),
        AssignSpeaker((0, 9), "S2"),
        AssignSpeaker((0,), " \n"),
        RenameSpeaker("S9", "Anna"),
    ],
)
def test_edits_that_do_not_fit_change_nothing(edit: Edit) -> None:
    transcript = of("one two", "three")
    with pytest.raises(InvalidInput) as caught:
        apply_edits(transcript, [ReplaceText(0, 0, 3, "1"), edit])
    is_too_long = isinstance(edit, ReplaceText) and len(edit.text) > 65536
    told = {"edit": "1", "limit": "65536"} if is_too_long else {"edit": "1"}
    assert (caught.value.reason, caught.value.metadata) == ("BAD_EDIT", told)
    assert transcript == of("one two", "three")
