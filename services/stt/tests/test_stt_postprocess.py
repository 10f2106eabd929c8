"""Loops are taken out and language stays; spacing; joining."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_stt.domain import RemovalReason, Segment, Word
from recordroute_stt.postprocess import (
    MAX_JOINED_CHARACTERS,
    MAX_JOINED_SECONDS,
    SegmentMerger,
    normalise_spacing,
    remove_loops,
    syllables,
)
from recordroute_stt.vad import FRAME_SAMPLES, FRAME_SECONDS
from recordroute_stt.windows import SpeechWindow


def segment(text: str, start: float = 0.0, end: float = 10.0, **values) -> Segment:
    return Segment(
        **{
            "start": start,
            "end": end,
            "text": text,
            "average_log_probability": -0.3,
            "no_speech_probability": 0.1,
            "compression_ratio": 1.2,
            "language": "en",
            **values,
        }
    )


def spoken(texts: list[str], rate: float = 5.0, start: float = 0.0, **values) -> Segment:
    """Words said one after the other at `rate` syllables a second."""
    words, now = [], start
    for text in texts:
        end = now + max(syllables(text), 0.5) / rate
        words.append(Word(text, now, end, 0.9))
        now = end
    return segment("".join(texts).strip(), start, now, words=tuple(words), **values)


def with_words(said: Segment, *more: Word) -> Segment:
    words = (*said.words, *more)
    return segment("".join(word.text for word in words).strip(), said.start, words[-1].end, words=words)


REAL_REPETITION = [
    "to be or not to be to be or not to be to be or not to be",
    "아니 아니 아니",
    "아니 아니 아니 아니 아니 아니 아니 아니 아니 아니",
    "네, 네, 네, 네.",
    "no no no no no no no no no no",
    "one two three one two three one two three one two three",
    "1 1 1 2 2 2 3 3 3 3 3 3",
    "0 1 0 0 0 0 0 0 0 0 0 0",
    "ha ha ha ha ha ha ha ha",
    "row row row your boat gently down the stream " * 4,
    "we will we will rock you we will we will rock you we will we will rock you",
    "하나 둘 셋 하나 둘 셋 하나 둘 셋",
]


@pytest.mark.parametrize("text", REAL_REPETITION)
@pytest.mark.parametrize("rate", [2.0, 11.0])
def test_what_people_repeat_stays(text: str, rate: float) -> None:
    said = spoken([f" {word}" for word in text.split()], rate, compression_ratio=6.0)
    assert remove_loops(said) == (said, None)
    without_words = segment(said.text, 0.0, said.end, compression_ratio=6.0)
    assert remove_loops(without_words) == (without_words, None)


alphabet = st.sampled_from("abcdefghijklmnop가나다라마바사あいうえお一二三0123456789")
vocabulary = st.lists(st.text(alphabet, min_size=1, max_size=9), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    phrase=vocabulary,
    repeats=st.integers(1, 30),
    around=st.tuples(vocabulary, vocabulary),
    rate=st.floats(0.5, 11.0),
    ratio=st.floats(0.5, 20.0),
    wrong=st.integers(0, 10_000),
)
def test_nothing_said_at_a_speakers_pace_is_taken(phrase, repeats, around, rate, ratio, wrong) -> None:
    texts = [f" {word}" for word in [*around[0], *phrase * repeats, *around[1]]]
    said = spoken(texts, rate, compression_ratio=ratio)
    assert remove_loops(said) == (said, None)
    # One word whose time is wrong changes nothing.
    words = list(said.words)
    at = wrong % len(words)
    words[at] = Word(words[at].text, words[at].end, words[at].end, 0.9)
    squeezed = segment(said.text, said.start, said.end, words=tuple(words), compression_ratio=ratio)
    assert remove_loops(squeezed) == (squeezed, None)


@settings(max_examples=150, deadline=None)
@given(
    before=vocabulary,
    phrase=vocabulary,
    repeats=st.integers(3, 60),
    said_repeats=st.integers(1, 3),
    rate=st.floats(1.0, 11.0),
)
def test_repetitions_in_no_time_are_taken(before, phrase, repeats, said_repeats, rate) -> None:
    loop = [f" {word}" for word in phrase]
    said = spoken([f" {word}" for word in [*before, *phrase * said_repeats]], rate)
    squeezed = [Word(word, said.end, said.end + 0.002, 0.9) for word in loop * repeats]
    whole = with_words(said, *squeezed)
    kept, removal = remove_loops(whole)
    assert kept is not None
    if sum(map(syllables, loop)) * repeats < 24:
        # Too little to be sure; what was said stays in any case, but for one repetition.
        assert len(kept.words) >= len(said.words) - len(phrase) * said_repeats
        return
    assert removal is not None
    assert removal.reason is RemovalReason.LOOP
    assert Counter(kept.words) + Counter(removal.segment.words) == Counter(whole.words)
    assert sum(word in squeezed for word in kept.words) <= 2 * len(phrase)
    assert len(kept.words) >= len(said.words) - len(phrase) * said_repeats


def test_a_loop_at_the_end_goes_and_the_text_before_it_stays() -> None:
    said = spoken([" And", " so,", " my", " fellow", " Americans,", " I'm", " sorry."])
    loop = [Word(text, said.end, said.end, 0.99) for text in [" I'm", " sorry."] * 20 + [" I'm"]]
    kept, removal = remove_loops(with_words(said, *loop))
    assert kept is not None
    assert kept.text == said.text
    assert kept.words == said.words
    assert kept.end == said.end
    assert removal is not None
    assert removal.segment.text.startswith("I'm sorry. I'm sorry.")
    assert len(removal.segment.words) == 41
    assert "repetitions" in removal.detail


def test_text_behind_a_loop_stays() -> None:
    said = spoken([" yes"])
    loop = [Word(" thank", 1.0, 1.0, 0.9), Word(" you", 1.0, 1.01, 0.9)] * 25
    after = [Word(" goodbye", 1.5, 2.0, 0.9), Word(" everyone", 2.0, 2.6, 0.9)]
    kept, removal = remove_loops(with_words(said, *loop, *after))
    assert kept is not None
    assert kept.text.startswith("yes")
    assert kept.text.endswith("goodbye everyone")
    assert removal is not None
    assert len(kept.words) + len(removal.segment.words) == 53


def test_every_loop_of_a_segment_goes() -> None:
    said = spoken([" yes"])
    one = [Word(" thank", 1.0, 1.0, 0.9), Word(" you", 1.0, 1.01, 0.9)] * 25
    between = [Word(" well", 1.5, 2.0, 0.9)]
    other = [Word(" goodbye", 2.0, 2.01, 0.9)] * 30
    kept, removal = remove_loops(with_words(said, *one, *between, *other))
    assert kept is not None
    assert removal is not None
    assert kept.text == "yes thank you well goodbye"
    assert len(removal.segment.words) == 48 + 29


def test_loops_without_spaces_and_within_words_go() -> None:
    loop = segment("今夜は、" * 30, 0.0, 1.0, language="ja")
    kept, removal = remove_loops(loop)
    assert kept is not None
    assert kept.text == "今夜は、"
    assert removal is not None
    one_word = segment("おう" + "う" * 200, 0.0, 2.0, words=(Word("おう" + "う" * 200, 0.0, 2.0, 0.9),))
    kept, removal = remove_loops(one_word)
    assert kept is not None
    assert len(kept.text) <= 3
    assert kept.words[0].end < 0.1
    spoken_slowly = segment("あ" * 100, 0.0, 20.0, language="ja")
    assert remove_loops(spoken_slowly) == (spoken_slowly, None)


def test_repetitions_where_nobody_speaks_go() -> None:
    voiced = np.zeros(round(12 / FRAME_SECONDS), np.bool_)
    voiced[: round(2 / FRAME_SECONDS)] = True
    window = SpeechWindow(
        0.0, np.zeros(len(voiced) * FRAME_SAMPLES, np.float32), voiced, voiced.astype(np.float32)
    )
    said = spoken([" thank", " you", " all."] * 12, rate=1.5)
    assert remove_loops(said) == (said, None)
    kept, removal = remove_loops(said, window)
    assert kept is not None
    assert removal is not None
    assert 2.0 <= kept.words[-1].end <= 5.0
    assert len(kept.words) % 3 == 0


def test_a_segment_that_the_model_gives_up_on_goes_whole() -> None:
    lost = spoken([" la"] * 50, 3.0, average_log_probability=-1.4, compression_ratio=9.0)
    kept, removal = remove_loops(lost)
    assert kept is None
    assert removal is not None
    assert removal.segment == lost
    assert "-1.40" in removal.detail
    unsure = spoken([" la"] * 50, 3.0, average_log_probability=-1.4, compression_ratio=2.0)
    assert remove_loops(unsure) == (unsure, None)


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("en", "Hello  ,  world !", "Hello, world!"),
        ("en", "and then . . . nothing", "and then… nothing"),
        ("en", "wait... what?", "wait… what?"),
        ("en", "( in brackets ) yes", "(in brackets) yes"),
        ("en", "first,second and 1,000 or 3.14 of .5", "first, second and 1,000 or 3.14 of .5"),
        ("en", "see example.org and the U.S. again", "see example.org and the U.S. again"),
        ("fr", "Vraiment ? Oui !", "Vraiment ? Oui !"),
        ("ko", "회의를  시작 하겠 습니다 .", "회의를 시작 하겠 습니다."),
        ("ko", "아버지가방에 들어가신다…  네", "아버지가방에 들어가신다… 네"),
        ("ja", "はい、 そうです。 次", "はい、そうです。次"),
        ("ja", "ええ。。。はい", "ええ…はい"),
        ("en", "", ""),
    ],
)
def test_spacing(language: str, before: str, after: str) -> None:
    assert normalise_spacing(segment(before, language=language)).text == after
    words = tuple(
        Word(text, index, index + 1.0, 0.9) for index, text in enumerate(re.findall(r"\s*\S+", before))
    )
    spaced = normalise_spacing(segment(before, words=words, language=language))
    assert spaced.text == after
    assert "".join(word.text for word in spaced.words).strip() == after


def test_punctuation_joins_the_word_before_it_and_digits_keep_their_times() -> None:
    words = (
        Word(" It", 0.0, 0.2, 0.9),
        Word(" costs", 0.2, 0.6, 0.9),
        Word(" 1", 0.6, 0.8, 0.5),
        Word(",000", 0.8, 1.6, 0.6),
        Word(" .", 1.6, 1.7, 0.1),
    )
    spaced = normalise_spacing(segment("It costs 1,000 .", words=words))
    assert spaced.text == "It costs 1,000."
    assert [(word.text, word.start, word.end) for word in spaced.words] == [
        (" It", 0.0, 0.2),
        (" costs", 0.2, 0.6),
        (" 1", 0.6, 0.8),
        (",000.", 0.8, 1.6),
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("ab 1.,!?…가나、()", min_size=1, max_size=6), max_size=8),
    st.sampled_from(["en", "ko", "fr"]),
)
def test_spacing_changes_no_letter_and_is_done_once(texts: list[str], language: str) -> None:
    words = tuple(Word(text, index, index + 1.0, 0.9) for index, text in enumerate(texts))
    made = segment("".join(texts).strip(), words=words, language=language)
    spaced = normalise_spacing(made)
    letters = re.sub(r"[^\w]", "", made.text)
    assert re.sub(r"[^\w]", "", spaced.text) == letters
    assert normalise_spacing(spaced).text == spaced.text
    times = {word.start: word.end for word in words}
    assert all(times[word.start] == word.end for word in spaced.words)
    if letters:
        assert "".join(word.text for word in spaced.words).strip() == spaced.text


def merged(*segments: Segment) -> list[Segment]:
    merger = SegmentMerger()
    return [out for one in segments for out in merger.feed(one)] + list(merger.flush())


def test_pieces_of_a_sentence_are_joined() -> None:
    one = spoken([" ask", " not", " what"], start=0.0)
    two = spoken(["your", " country", " can", " do."], start=one.end + 0.3, average_log_probability=-0.9)
    (joined,) = merged(one, two)
    assert joined.text == "ask not what your country can do."
    assert (joined.start, joined.end) == (one.start, two.end)
    assert "".join(word.text for word in joined.words).strip() == joined.text
    assert [word.start for word in joined.words] == [word.start for word in (*one.words, *two.words)]
    assert -0.9 < joined.average_log_probability < -0.3


def test_japanese_is_joined_without_a_space() -> None:
    (joined,) = merged(segment("今日は", 0, 1, language="ja"), segment("晴れです。", 1, 2, language="ja"))
    assert joined.text == "今日は晴れです。"


@pytest.mark.parametrize(
    "other",
    [
        {"speaker": "S2"},
        {"channel": 1},
        {"language": "ko"},
        {"start": 2.5, "end": 3.0},
        {"end": MAX_JOINED_SECONDS + 0.1},
        {"text": "x" * MAX_JOINED_CHARACTERS},
        {"start": -1.0, "end": 3.0},
    ],
)
def test_what_does_not_belong_together_stays_apart(other: dict) -> None:
    one = segment("I think", 0.0, 1.0)
    two = segment(**{"text": "so too", "start": 1.2, "end": 2.0, **other})
    assert merged(one, two) == [one, two]


def test_a_sentence_ends_where_it_ends() -> None:
    segments = [
        segment(text, index, index + 0.9) for index, text in enumerate(["Yes.", "Really?", "네…", "and"])
    ]
    assert merged(*segments) == segments


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("ab .", min_size=1, max_size=120), st.floats(0, 2), st.floats(0.1, 12), st.booleans()
        ),
        max_size=12,
    )
)
def test_joining_keeps_every_word_and_its_bounds(pieces) -> None:
    segments, now = [], 0.0
    for text, pause, length, speaker in pieces:
        now += pause
        segments.append(segment(text, now, now + length, speaker="S1" if speaker else "S2"))
        now += length
    merger, out, held = SegmentMerger(), [], 0
    for one in segments:
        held += 1
        for given_out in merger.feed(one):
            out.append(given_out)
            held = 1
    out += merger.flush()
    assert list(merger.flush()) == []
    assert " ".join(one.text for one in out) == " ".join(one.text for one in segments)
    assert [one.start for one in out] == sorted(one.start for one in out)
    for one in out:
        parts = [part for part in segments if one.start <= part.start < one.end]
        assert len({part.speaker for part in parts}) == 1
        assert len(parts) == 1 or one.end - one.start <= MAX_JOINED_SECONDS


def test_sentence_said_again_after_the_end_has_no_time() -> None:
    text = "He began a confused complaint against the wizard who had vanished behind the curtain on the left."
    for seconds in (0.0, 0.2):
        kept, removed = remove_loops(Segment(36.4, 36.4 + seconds, text, -0.26, 0.01, 1.3))
        assert kept is None
        assert removed is not None
        assert removed.reason is RemovalReason.LOOP
    assert remove_loops(Segment(31.6, 36.4, text, -0.26, 0.01, 1.3)) == (
        Segment(31.6, 36.4, text, -0.26, 0.01, 1.3),
        None,
    )
    # A short word whose times are wrong is no loop.
    assert remove_loops(Segment(1.0, 1.0, "Yes, sir.", -0.2, 0.01, 1.0))[1] is None
