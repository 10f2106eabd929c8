"""What the accuracy benchmark counts with, on written text and made turns."""

from __future__ import annotations

import pytest
from transcript_metrics import (
    Turn,
    character_errors,
    diarization_errors,
    kept_words,
    normalised,
    read_rttm,
    word_errors,
)


def test_words_are_compared_without_case_and_punctuation() -> None:
    errors = word_errors("It isn't Mr. Dashwood, is it?", "it isnt mister DASHWOOD is it")
    assert (errors.rate, errors.length) == (0, 6)
    errors = word_errors("one two three four", "one too three four five")
    assert (errors.substitutions, errors.deletions, errors.insertions) == (1, 0, 1)
    assert errors.rate == 0.5
    assert word_errors("one two", "").deletions == 2
    assert (errors + errors).length == 8


def test_korean_is_counted_by_characters_with_and_without_spaces() -> None:
    said, heard = (
        "회의를 시작하겠습니다. 안건은 세 가지입니다.",
        "회의를 시작 하겠습니다 안건은 세가지 입니다",
    )
    assert character_errors(said, heard, spaces=False).rate == 0
    spaced = character_errors(said, heard, spaces=True)
    assert (spaced.insertions, spaced.deletions) == (2, 1)
    assert word_errors(said, heard).rate > 0.5
    wrong = character_errors("안건은 세 가지입니다", "안건은 네 가지임니다", spaces=False)
    assert (wrong.substitutions, wrong.length) == (2, 9)
    # Hangul written as separate letters is the same text.
    assert normalised("\u1100\u1161\u11a8") == normalised("각")


def test_kept_words_ignore_what_was_added() -> None:
    assert kept_words("ask not what", "well ask not um what") == 1
    assert kept_words("ask not what you", "ask what") == 0.5


REFERENCE = [Turn("ann", 0, 4), Turn("bob", 4, 8), Turn("ann", 7, 10)]


def test_a_perfect_diarization_has_no_errors_whatever_the_names() -> None:
    renamed = [Turn({"ann": "S2", "bob": "S1"}[turn.speaker], turn.start, turn.end) for turn in REFERENCE]
    errors = diarization_errors(REFERENCE, renamed, collar=0)
    assert errors.rate == 0
    assert errors.total == pytest.approx(11)


def test_each_kind_of_diarization_error_is_counted() -> None:
    alone = diarization_errors(REFERENCE, [Turn("S1", 0, 10)], collar=0)
    # One of two at a time is missed from 7 to 8; Bob's time from 4 to 7 goes to Ann.
    assert (alone.missed, alone.false_alarm, alone.confused) == pytest.approx((1, 0, 3))
    nothing = diarization_errors(REFERENCE, [], collar=0)
    assert nothing.rate == 1
    late = diarization_errors([Turn("ann", 0, 4)], [Turn("S1", 0, 6)], collar=0)
    assert (late.false_alarm, late.rate) == pytest.approx((2, 0.5))
    assert diarization_errors([Turn("ann", 1, 4)], [Turn("S1", 0.8, 4.2)]).rate == 0


def test_rttm_is_read() -> None:
    lines = ["SPEAKER trn01 1 2.977 0.391 <NA> <NA> FEO066 <NA> <NA>", "", ";; a comment"]
    assert read_rttm(lines) == {"trn01": [Turn("FEO066", 2.977, pytest.approx(3.368))]}
