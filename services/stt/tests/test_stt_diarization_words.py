"""Words are given to speakers, and nothing happens to them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordroute_stt.diarization import Diarization, SpeakerVoice, label_segments, numbered_by_words
from recordroute_stt.domain import Segment, Turn, Word

TIMES = st.integers(0, 400).map(lambda tenths: tenths / 10)


def segment(words: list[Word], start: float | None = None, end: float | None = None) -> Segment:
    return Segment(
        start=words[0].start if start is None else start,
        end=words[-1].end if end is None else end,
        text="".join(word.text for word in words).strip(),
        average_log_probability=-0.25,
        no_speech_probability=0.125,
        compression_ratio=1.5,
        words=tuple(words),
        language="en",
    )


def spoken(text: str, start: float, seconds: float = 0.3) -> list[Word]:
    """Words of `seconds` each, without pauses."""
    return [
        Word(f" {word}", start + index * seconds, start + (index + 1) * seconds, 0.9)
        for index, word in enumerate(text.split())
    ]


def said(segments: list[Segment]) -> list[tuple[str, str]]:
    return [(segment.speaker, segment.text) for segment in segments]


def test_a_segment_is_cut_where_the_speaker_changes() -> None:
    words = spoken("are you coming yes of course I am", 0)
    labelled = label_segments(
        [segment(words, start=-0.2, end=2.8)], [Turn("S1", 0, 0.95), Turn("S2", 0.95, 2.6)]
    )
    assert said(labelled) == [("S1", "are you coming"), ("S2", "yes of course I am")]
    assert (labelled[0].start, labelled[0].end) == (-0.2, words[2].end)
    assert (labelled[1].start, labelled[1].end) == (words[3].start, 2.8)
    assert [piece.average_log_probability for piece in labelled] == [-0.25, -0.25]


def test_a_single_stray_word_stays_with_its_neighbours() -> None:
    turns = [Turn("S1", 0, 0.8), Turn("S2", 0.8, 1.3), Turn("S1", 1.3, 3)]
    assert said(label_segments([segment(spoken("we should leave at nine then", 0))], turns)) == [
        ("S1", "we should leave at nine then")
    ]


def test_a_single_word_between_pauses_is_someone_elses() -> None:
    words = [*spoken("we leave at nine.", 0), *spoken("Good.", 2), *spoken("Then we meet here.", 3)]
    turns = [Turn("S1", 0, 1.3), Turn("S2", 1.9, 2.4), Turn("S1", 3, 4.3)]
    assert said(label_segments([segment(words)], turns)) == [
        ("S1", "we leave at nine."),
        ("S2", "Good."),
        ("S1", "Then we meet here."),
    ]


def test_overlapped_words_stay_with_who_speaks_already() -> None:
    turns = [Turn("S1", 0, 3), Turn("S2", 1, 1.6)]
    assert said(label_segments([segment(spoken("so this is what I mean by that", 0))], turns)) == [
        ("S1", "so this is what I mean by that")
    ]


def test_a_segment_without_words_goes_to_who_speaks_most_in_it() -> None:
    whole = Segment(0, 4, "and so on", -0.2, 0.1, 1.1)
    labelled = label_segments([whole], [Turn("S1", 0, 1), Turn("S2", 1, 2.5), Turn("S1", 2.5, 3)])
    assert said(labelled) == [("S1", "and so on")]
    labelled = label_segments([whole], [Turn("S1", 0, 1), Turn("S2", 1, 3.5)])
    assert said(labelled) == [("S2", "and so on")]


@pytest.mark.parametrize("turns", [[], [Turn("S1", 20, 30)]])
def test_nobody_is_made_up(turns: list[Turn]) -> None:
    assert said(label_segments([segment(spoken("thank you", 5))], turns)) == [("", "thank you")]


@st.composite
def transcripts(draw: st.DrawFn) -> list[Segment]:
    segments = []
    position = 0.0
    for _ in range(draw(st.integers(0, 4))):
        words = []
        for index in range(draw(st.integers(1, 8))):
            start = position + draw(st.sampled_from([0.0, 0.1, 0.7]))
            position = start + draw(st.sampled_from([0.0, 0.1, 0.4, 1.0]))
            text = draw(st.sampled_from([" 네", " yes", " no.", "-no", " 1,000", " ", ""]))
            words.append(Word(text, start, position, index / 8))
        segments.append(segment(words))
    return segments


TURNS = st.lists(
    st.tuples(st.sampled_from(["S1", "S2", "S3"]), TIMES, TIMES).map(
        lambda parts: Turn(parts[0], min(parts[1:]), max(parts[1:]))
    ),
    max_size=6,
)


@given(transcripts(), TURNS)
def test_no_word_is_lost_moved_or_altered(segments: list[Segment], turns: list[Turn]) -> None:
    labelled = label_segments(segments, turns)
    assert [word for piece in labelled for word in piece.words] == [
        word for whole in segments for word in whole.words
    ]
    for whole in segments:
        pieces = [piece for piece in labelled if set(map(id, piece.words)) <= set(map(id, whole.words))]
        assert pieces[0].start == whole.start
        assert pieces[-1].end == whole.end
        assert all(before.speaker != after.speaker for before, after in pairwise(pieces))
    for piece in labelled:
        assert piece.text == "".join(word.text for word in piece.words).strip()
        assert piece.start <= piece.words[0].start
        assert piece.end >= piece.words[-1].end
        assert piece.speaker in {"", *(turn.speaker for turn in turns)}


def test_speakers_are_numbered_as_a_reader_meets_them() -> None:
    voice = np.ones(192, np.float32)
    found = Diarization(
        (Turn("S1", 0.0, 0.4), Turn("S2", 0.2, 3.0), Turn("S3", 4.0, 6.0)),
        tuple(SpeakerVoice(label, 1.0, voice) for label in ("S1", "S2", "S3")),
    )

    def said(start: float, speaker: str) -> Segment:
        return Segment(start, start + 1, "word", -0.1, 0.0, 1.0, speaker=speaker)

    renamed, segments = numbered_by_words(found, [said(0.5, "S2"), said(3.1, ""), said(4.0, "S3")])
    assert [segment.speaker for segment in segments] == ["S1", "", "S2"]
    assert [turn.speaker for turn in renamed.turns] == ["S3", "S1", "S2"]
    assert [speaker.label for speaker in renamed.speakers] == ["S1", "S2", "S3"]
