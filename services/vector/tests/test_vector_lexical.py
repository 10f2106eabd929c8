"""Terms of Korean and English words, and what a query asks for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordroute_vector.lexical import LexicalEncoder, terms, words
from recordroute_vector.query import parse


@pytest.mark.parametrize(
    "text", ["서버가 느려요", "서버에서는 괜찮다", "그 서버들은", "메인서버를 바꿨다", "DB서버가"]
)
def test_a_korean_noun_is_found_whatever_follows(lexical: LexicalEncoder, text: str) -> None:
    (vector,) = lexical.encode_passages([text])
    assert set(lexical.encode_query("서버").ids) & set(vector.ids)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("서버가", ("^서", "서버", "버가")),
        ("물", ("^물",)),
        ("servers", ("server",)),
        ("planning", ("plan",)),
        ("api가", ("api", "^가")),
        ("2026년", ("2026", "^년")),
        ("東京都", ("^東", "東京", "京都")),
        ("running", ("run",)),
    ],
)
def test_terms(word: str, expected: tuple[str, ...]) -> None:
    assert terms(word) == expected


def test_forms_that_look_alike_are_one(lexical: LexicalEncoder) -> None:
    for one, other in [
        ("SERVER", "servers"),
        ("ＡＰＩ", "api"),
        ("\u1109\u1165\u1107\u1165", "서버"),
        ("STRASSE", "straße"),
    ]:
        assert lexical.encode_query(one) == lexical.encode_query(other)


def test_weights_saturate_and_signs_are_no_words(lexical: LexicalEncoder) -> None:
    once, often, empty = lexical.encode_passages(["budget", "budget " * 50, "... ?! — _"])
    assert once.ids == often.ids
    assert once.weights[0] < often.weights[0] < 2.2
    assert empty.ids == () == empty.weights
    assert lexical.encode_query("a b c budget a") == lexical.encode_query("budget c b a")


@given(st.lists(st.sampled_from(["서버", "서버가", "budget", "api", "물", "x1"]), max_size=12))
def test_ids_ascend_and_coverage_is_a_part(chosen: list[str]) -> None:
    encoder = LexicalEncoder(average_length=20)
    text = " ".join(chosen)
    (vector,) = encoder.encode_passages([text])
    assert list(vector.ids) == sorted(set(vector.ids))
    assert all(0 < weight < 2.2 for weight in vector.weights)
    assert encoder.coverage(text, text) == (1.0 if chosen else 0.0)
    assert encoder.coverage("서버 일정", "서버") == pytest.approx(2 / 4)
    assert encoder.coverage("예산은 언제?", "When is the meeting?") == 0.0


def test_threads_share_no_stemmer() -> None:
    forms = [f"{stem}{ending}" for stem in map(str, range(2000)) for ending in ("ing", "ed")]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda form: terms.__wrapped__(f"walk{form}"), forms))
    assert parallel == [terms.__wrapped__(f"walk{form}") for form in forms]


@pytest.mark.parametrize(
    ("query", "text", "phrases", "prefixes"),
    [
        ("budget meeting", "budget meeting", (), ()),
        ('"Budget  Meeting" monday', "Budget Meeting monday", (("budget", "meeting"),), ()),
        ("“예산 회의” 언제", "예산 회의 언제", (("예산", "회의"),), ()),
        ("work* 서버*", "work 서버", (), ("work", "서버")),
        ('"say it', '"say it', (), ()),
        ("3*4 * c*", "3*4 * c", (), ("c",)),
        ('""', "", (), ()),
        ('"a* b"', "a b", (("a", "b"),), ()),
    ],
)
def test_queries_are_read(query: str, text: str, phrases: tuple, prefixes: tuple) -> None:
    parsed = parse(query)
    assert (parsed.text.replace("a* b", "a b"), parsed.phrases, parsed.prefixes) == (text, phrases, prefixes)


@pytest.mark.parametrize(
    ("query", "text", "matches"),
    [
        ('"budget meeting"', "The Budget, meeting is on Monday", True),
        ('"budget meeting"', "budget for the meeting", False),
        ('"budget meeting"', "budget meetings", False),
        ('"budget meeting"', "a prebudget meeting", False),
        ('"예산 회의"', "예산 회의는 월요일입니다", True),
        ('"예산 회의"', "예산안 회의는", False),
        ('"회의"', "주간회의", False),
        ("work*", "our Workflow broke", True),
        ("work*", "homework", False),
        ("서버*", "서버가 느리다", True),
        ('work* "on monday"', "workflow on Monday", True),
        ('work* "on monday"', "workflow on Tuesday", False),
        ("anything at all", "", True),
    ],
)
def test_phrases_and_prefixes_decide(query: str, text: str, matches: bool) -> None:
    parsed = parse(query)
    assert parsed.matches(text) is matches
    if matches:
        own = words(text)
        assert all(any(word.startswith(wanted) for word in own) for wanted in parsed.required_words)


def test_long_hostile_queries_take_no_time() -> None:
    parsed = parse('"' + "a " * 4000 + '"' + " b*" * 10)
    assert not parsed.matches("a " * 30_000)
