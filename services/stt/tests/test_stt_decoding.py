"""The rules around the decoder: prompts, token limits, timestamps, word times, and the guard."""

from __future__ import annotations

from itertools import pairwise

import ctranslate2
import numpy as np
import pytest
from faster_whisper.tokenizer import Tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_stt.domain import Word
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Language, Profile
from recordroute_stt.engines import whisper
from recordroute_stt.engines.whisper_guard import (
    Decoded,
    Fault,
    compression_ratio,
    faults,
    has_loop,
    uncovered_seconds,
)
from recordroute_stt.engines.whisper_tokens import (
    MAX_HOTWORD_TOKENS,
    MAX_PROMPT_TOKENS,
    TimedTokens,
    max_length,
    prompt,
    split_at_times,
)
from recordroute_stt.engines.whisper_words import Alignment, merge_punctuation, words_of
from recordroute_stt.vad import FRAME_SECONDS

TEXT_END, ZERO = 50257, 50364


def english(base: whisper.WhisperEngine) -> Tokenizer:
    return base._tokenizer(Language("en", 1.0), DecodingOptions())


def at(seconds: float) -> int:
    return ZERO + round(seconds / 0.02)


def split(*tokens: int, seconds: float = 10.0) -> tuple[TimedTokens, ...]:
    return split_at_times(tokens, text_end=TEXT_END, first_timestamp=ZERO, seconds=seconds)


def test_text_stands_between_its_times() -> None:
    assert split(at(0), 1, 2, at(2), at(3), 3, at(5)) == (
        TimedTokens(0.0, 2.0, (1, 2)),
        TimedTokens(3.0, 5.0, (3,)),
    )


def test_text_without_times_fills_the_window() -> None:
    assert split(1, 2) == (TimedTokens(0.0, 10.0, (1, 2)),)
    assert split(at(1), 1, at(4), 2) == (TimedTokens(1.0, 4.0, (1,)), TimedTokens(4.0, 10.0, (2,)))
    assert split() == ()


@given(st.lists(st.integers(1, 1000) | st.integers(ZERO, ZERO + 1500) | st.just(TEXT_END)), st.floats(0, 30))
def test_times_are_ordered_and_no_text_is_lost(tokens, seconds) -> None:
    parts = split(*tokens, seconds=seconds)
    assert [t for part in parts for t in part.tokens] == [t for t in tokens if t < TEXT_END]
    times = [time for part in parts for time in (part.start, part.end)]
    assert times == sorted(times)
    assert all(0 <= time <= seconds for time in times)


def test_prompt_keeps_within_half_the_context(base) -> None:
    tokenizer = english(base)
    assert prompt(tokenizer, DecodingOptions()) == tokenizer.sot_sequence
    options = DecodingOptions(hotwords=("RecordRoute",) * 200, initial_prompt="so he said " * 200 + "goodbye")
    tokens = prompt(tokenizer, options)
    assert tokens[0] == tokenizer.sot_prev
    assert tokens[-3:] == tokenizer.sot_sequence
    assert len(tokens) == 1 + MAX_PROMPT_TOKENS + 3
    assert tokenizer.decode(tokens[1:5]).startswith(" RecordRoute")
    assert tokenizer.decode(tokens[-6:-3]).endswith("goodbye")
    hotwords = prompt(tokenizer, DecodingOptions(hotwords=("RecordRoute",) * 200))
    assert len(hotwords) == 1 + MAX_HOTWORD_TOKENS + 3


@pytest.mark.parametrize("new_tokens", [5, 30])
@pytest.mark.parametrize("before", [0, 40])
def test_decoder_stops_at_the_token_limit(new_tokens, before, base, data, decode) -> None:
    tokenizer = english(base)
    start = [tokenizer.sot_prev, *[11] * before] if before else []
    tokens = [*start, *tokenizer.sot_sequence]
    window = whisper._Window(decode(data / "jfk.flac"), None, None)
    base._encode([window], 3.0)
    (result,) = base._whisper.generate(
        ctranslate2.StorageView.from_array(window.encoded),
        [tokens],
        beam_size=1,
        max_length=max_length(len(tokens), new_tokens),
    )
    # The whole sentence has 28 tokens; beside a prompt there is one more than asked for.
    assert min(new_tokens, 27) <= len(result.sequences_ids[0]) <= new_tokens + 1


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        ("to be or not to be that is the question", False),
        ("no no no no no it is one two three one two three one two three four", False),
        (
            "the lights feats thy lights feats thy lights feats thy lights feats thy lights feats thy lights",
            True,
        ),
        ("na na na na na na na na na na na na", True),
    ],
)
def test_loops_are_told_from_language(text, loop) -> None:
    words = text.split()
    tokens = [words.index(word) for word in words]
    assert has_loop(tokens) is loop


def decoded(
    text: str, *, tokens: int | None = None, log_probability: float = -0.3, ended: bool = True
) -> Decoded:
    count = len(text.split()) if tokens is None else tokens
    part = TimedTokens(0.0, 10.0, tuple(range(count)))
    return Decoded((part,), text, log_probability, 0.1, ended)


@pytest.mark.parametrize(
    ("attempt", "found"),
    [
        (decoded("ask not what your country can do for you"), set()),
        (decoded("ask not what your country can do for you", log_probability=-1.2), {Fault.UNSURE}),
        (decoded("ask not what your country", ended=False), {Fault.CUT_OFF}),
        (decoded("thank you very much " * 20, tokens=8), {Fault.LOOP, Fault.TOO_FAST}),
        (decoded(" ".join(str(n) for n in range(100)), tokens=60), {Fault.TOO_FAST}),
        (decoded("word", tokens=400), {Fault.TOO_FAST}),
        (decoded(""), set()),
    ],
)
def test_guard_sees_what_went_wrong(attempt, found) -> None:
    assert faults(attempt, 10.0, None) == found


def test_speech_without_words_is_seen() -> None:
    voiced = np.zeros(round(20 / FRAME_SECONDS), np.bool_)
    voiced[: round(9 / FRAME_SECONDS)] = True
    attempt = decoded("ask not what your country can do for you")
    assert faults(attempt, 9.0, voiced) == set()
    voiced[round(14 / FRAME_SECONDS) :] = True
    assert faults(attempt, 15.0, voiced) == {Fault.UNCOVERED}
    assert uncovered_seconds(attempt.parts, voiced) == pytest.approx(6.0, abs=0.1)


def test_compression_ratio_of_nothing() -> None:
    assert compression_ratio("") == 0


def test_a_loop_of_the_real_decoder_is_seen_and_undone(
    base, data, decode, word_error_rate, references
) -> None:
    audio = decode(data / "librivox_0890.wav")
    window = whisper._Window(audio, None, Language("en", 1.0))
    bare = whisper.Attempt(padding=0.0)
    base._attempt([window], bare, DecodingOptions())
    assert window.faults == {Fault.LOOP, Fault.CUT_OFF}, window.best
    base._attempt([window], whisper.Attempt(), DecodingOptions())
    assert not window.faults
    assert word_error_rate(references["librivox_0890.wav"], window.best.text) < 0.1


def test_plans_are_bounded() -> None:
    for profile in Profile:
        for beam_size in (None, 1, 5):
            plan = whisper.attempts(profile, beam_size)
            assert len(plan) <= 4
            assert plan[-1].temperature > 0
            assert beam_size is None or plan[0].beam_size == beam_size
            assert len(set(plan)) == len(plan)


def test_a_window_alone_gets_a_beam_only_in_doubt_and_a_batch_at_once() -> None:
    alone = whisper.attempts(Profile.BALANCED, None)
    assert [(attempt.beam_size, attempt.if_doubtful) for attempt in alone[:2]] == [(1, False), (5, True)]
    together = whisper.attempts(Profile.BALANCED, None, 6)
    assert together[0] == whisper.Attempt(whisper.PADDING_SECONDS, 5)
    assert not any(attempt.if_doubtful for attempt in together)


def test_second_opinion_only_where_scores_are_poor(base, data, decode) -> None:
    window = whisper._Window(decode(data / "librivox_0870.wav"), None, Language("en", 1.0))
    doubtful = whisper.Attempt(whisper.PADDING_SECONDS, 5, if_doubtful=True)
    assert window.wants(doubtful)
    base._attempt([window], whisper.Attempt(whisper.PADDING_SECONDS), DecodingOptions())
    assert not window.wants(doubtful)
    part = TimedTokens(0.0, 5.0, (1, 2))
    window.best = Decoded((part,), "and mister", whisper.DOUBT_LOG_PROBABILITY - 0.01, 0.1, ended=True)
    assert window.wants(doubtful)
    assert not window.wants(whisper.Attempt())
    window.consider(Decoded((part,), "and mister", -1.5, 0.1, ended=True))
    assert window.best.average_log_probability > -1


def test_punctuation_belongs_to_its_word() -> None:
    texts = [" “", "Well", ",", " he", " said", ".", " -", " then", "!", "?"]
    words = [(index, Word(text, index, index + 1, 1.0)) for index, text in enumerate(texts)]
    merged = merge_punctuation(words)
    assert [word.text for _, word in merged] == [" “Well,", " he", " said.", " - then!?"]
    assert [owner for owner, _ in merged] == [1, 3, 4, 7]


@st.composite
def aligned_parts(draw):
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    count = sum(lengths)
    seconds = draw(st.floats(0.5, 30))
    frames = draw(
        st.lists(st.integers(0, round(seconds / 0.02)), min_size=count + 1, max_size=count + 1).map(sorted)
    )
    tokens = draw(st.lists(st.sampled_from([291, 11, 1029, 456, 13, 7, 938]), min_size=count, max_size=count))
    times = draw(
        st.lists(st.floats(0, seconds), min_size=2 * len(lengths), max_size=2 * len(lengths)).map(sorted)
    )
    parts, used = [], 0
    for index, length in enumerate(lengths):
        parts.append(TimedTokens(times[2 * index], times[2 * index + 1], tuple(tokens[used : used + length])))
        used += length
    return parts, Alignment([*enumerate(frames)], [0.5] * (count + 1)), seconds


@settings(deadline=None)
@given(aligned_parts())
def test_word_times_are_monotonic_and_inside_the_window(base, case) -> None:
    parts, alignment, seconds = case
    tokenizer = english(base)
    words = words_of(parts, alignment, tokenizer, seconds=seconds)
    assert len(words) == len(parts)
    everything = [word for own in words for word in own]
    assert all(0 <= word.start <= word.end <= seconds for word in everything)
    assert all(before.end <= after.start for before, after in pairwise(everything))
    assert "".join(word.text for word in everything) == tokenizer.decode([t for p in parts for t in p.tokens])


def test_audio_longer_than_the_window_is_cut(tiny) -> None:
    noise = np.random.default_rng(0).normal(0, 0.001, 40 * SAMPLE_RATE).astype(np.float32)
    for segment in tiny.transcribe(noise, DecodingOptions(language="en"), lambda: False).segments:
        assert segment.end <= 30
