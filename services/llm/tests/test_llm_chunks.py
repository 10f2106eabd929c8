"""Sentences and chunks: nothing of a transcript is lost, moved or doubled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from recordroute_llm.chunks import chunk_sentences
from recordroute_llm.transcript import (
    SENTENCE_CHARACTERS,
    Segment,
    clean,
    sentences_of,
    split_sentences,
)

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab c.d?! e\n\t\x00Mr…。가나다 라 마"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=700,
)


def letters(text: str) -> str:
    return "".join(clean(text).split())


@given(st.lists(st.tuples(st.sampled_from(["", "Anna", "Ben"]), TEXTS), max_size=8), st.integers(5, 300))
def test_chunks_hold_the_whole_transcript_in_order(turns: list[tuple[str, str]], limit: int) -> None:
    segments = [Segment(place, place, place + 1, text, who) for place, (who, text) in enumerate(turns)]
    sentences = sentences_of(segments)
    counts = [len(sentence.text) for sentence in sentences]
    chunks = chunk_sentences(sentences, counts, limit)
    assert letters("".join(chunk.text for chunk in chunks)) == letters("".join(text for _, text in turns))
    for chunk in chunks:
        assert chunk.tokens <= limit or len(chunk.sentences) == 1
        assert chunk.start <= chunk.end


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_sentences_know_their_segments(texts: list[str]) -> None:
    segments = [Segment(place, place, place + 1, text) for place, text in enumerate(texts)]
    for sentence in sentences_of(segments):
        assert len(sentence.text) <= SENTENCE_CHARACTERS
        assert letters(sentence.text) in letters("".join(segment.text for segment in sentence.segments))


def test_sentence_runs_over_the_segments_of_one_speaker() -> None:
    segments = [
        Segment(0, 0, 1, "We will ship", "Anna"),
        Segment(1, 1, 2, "on Friday. And then", "Anna"),
        Segment(2, 2, 3, "we rest.", "Anna"),
        Segment(3, 3, 4, "Good.", "Ben"),
    ]
    sentences = sentences_of(segments)
    assert [sentence.text for sentence in sentences] == [
        "We will ship on Friday.",
        "And then we rest.",
        "Good.",
    ]
    assert [[segment.index for segment in sentence.segments] for sentence in sentences] == [
        [0, 1],
        [1, 2],
        [3],
    ]


def test_endless_sentence_is_cut_between_clauses() -> None:
    clause = "and we found that the relative time did not fit the absolute time, "
    sentences = sentences_of([Segment(0, 0, 30, (clause * 8).strip())])
    assert len(sentences) == 3
    assert all(
        sentence.text.startswith("and we") and sentence.text.endswith("time,") for sentence in sentences
    )


def test_abbreviations_and_decimals_end_no_sentence() -> None:
    text = "Mr. J. Smith paid 3.5 million. Dr. Lee agreed."
    assert list(split_sentences(text)) == ["Mr. J. Smith paid 3.5 million.", "Dr. Lee agreed."]


def test_chunks_are_about_equal() -> None:
    sentences = sentences_of(
        Segment(place, place, place + 1, f"This is sentence {place}.") for place in range(22)
    )
    chunks = chunk_sentences(sentences, [10] * 22, 100)
    assert [len(chunk.sentences) for chunk in chunks] == [7, 8, 7]


def test_turns_are_lines_without_speakers() -> None:
    sentences = sentences_of(
        [
            Segment(0, 0, 1, "One. Two.", "Anna"),
            Segment(1, 1, 2, "Three.", "Ben"),
            Segment(2, 2, 3, "Four.", "Ben"),
        ]
    )
    [chunk] = chunk_sentences(sentences, [2, 2, 2, 2], 100)
    assert chunk.text == "One. Two.\nThree. Four."
