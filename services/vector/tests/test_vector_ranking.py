"""Snippets with their highlights, fusion, and duplicates."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordroute_vector.domain import Passage
from recordroute_vector.duplicates import DuplicateFinder
from recordroute_vector.fusion import RerankWeights, fuse, fuse_reranked, min_max
from recordroute_vector.snippets import (
    ELLIPSIS,
    MAX_CHARACTERS,
    QueryWords,
    TextRange,
    best_by_words,
    make_snippet,
    sentences,
)

scores = st.lists(st.one_of(st.none(), st.floats(-1, 30, allow_nan=False)), max_size=20)


def passage_of(text: str, start: float = 100.0, end: float = 200.0) -> Passage:
    return Passage(0, text, start, end, 0, 0)


def highlighted(query: str, text: str) -> list[str]:
    return [text[found.start : found.end] for found, _ in QueryWords(query).matches(text)]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("서버", "서버가 느려서 서버를 바꿨다. 메인 서버.", ["서버", "서버", "서버"]),
        ("서버가 왜 느렸나요?", "어제 서버는 정상이었다", ["서버"]),
        ("예산 회의는", "예산회의와 회의록, 예산안", ["예산", "회의", "예산"]),
        ("Server", "the servers and the SERVER, not serverless", ["servers", "SERVER"]),
        ("what is the budget", "The budget is what it is", ["budget"]),
        ("the who", "Who saw the film?", ["Who", "the"]),
        ("API", "API가 바뀌었다", ["API"]),
        ("이", "이것은 이 다", ["이"]),
        ("straße", "STRASSE straße Straße", ["straße", "Straße"]),
        ("3.5", "about 3.5 percent", ["3", "5"]),
        ("?!", "nothing here", []),
    ],
)
def test_highlights(query: str, text: str, found: list[str]) -> None:
    assert highlighted(query, text) == found


def test_the_beginning_of_a_word_marks_all_of_it() -> None:
    text = "Our workflow, 서버에서 and homework"
    found = QueryWords("wor", ["wor", "서버"]).matches(text)
    assert [text[place.start : place.end] for place, _ in found] == ["workflow", "서버에서"]


def test_decomposed_hangul_is_found_and_marked_whole() -> None:
    text = unicodedata.normalize("NFD", "서버가 느리다")
    assert highlighted("서버", text) == [unicodedata.normalize("NFD", "서버가")]


@given(st.text(max_size=30), st.text(max_size=400))
def test_highlights_stay_inside_of_the_snippet(query: str, text: str) -> None:
    words = QueryWords(query)
    shown = passage_of(text)
    spans = sentences(shown)
    for span in spans:
        snippet = make_snippet(shown, span, words)
        assert len(snippet.text) <= MAX_CHARACTERS + 2 * len(ELLIPSIS)
        assert snippet.text.removeprefix(ELLIPSIS).removesuffix(ELLIPSIS) in text
        assert shown.start <= snippet.start <= snippet.end <= shown.end
        assert 0 <= snippet.sentence.start <= snippet.sentence.end <= len(snippet.text)
        if span.end - span.start <= MAX_CHARACTERS:
            assert snippet.text[snippet.sentence.start : snippet.sentence.end] == text[span.start : span.end]
        ends = [0]
        for highlight in snippet.highlights:
            assert ends[-1] <= highlight.start < highlight.end <= len(snippet.text)
            ends.append(highlight.end)


def test_the_best_sentence_holds_most_of_the_query() -> None:
    shown = passage_of("The room is nice. The budget meeting is on Monday. The budget is small.")
    words = QueryWords("When is the budget meeting?")
    best = best_by_words(shown.text, sentences(shown), words)
    assert best is not None
    assert shown.text[best.start : best.end] == "The budget meeting is on Monday."
    assert best_by_words(shown.text, sentences(shown), QueryWords("holiday")) is None


def test_a_long_passage_is_shown_around_its_sentence_at_its_time() -> None:
    filler = "Nothing of note was said in this long sentence here. " * 8
    text = f"{filler}서버가 금요일에 느려졌습니다. {filler}".strip()
    shown = passage_of(text, 0.0, float(len(text)))
    words = QueryWords("서버")
    best = best_by_words(text, sentences(shown), words)
    assert best is not None
    snippet = make_snippet(shown, best, words)
    assert snippet.text.startswith(ELLIPSIS)
    assert snippet.text.endswith(ELLIPSIS)
    assert "서버가 금요일에 느려졌습니다." in snippet.text
    (highlight,) = snippet.highlights
    assert snippet.text[highlight.start : highlight.end] == "서버"
    assert snippet.start == pytest.approx(len(filler))
    assert snippet.end == pytest.approx(len(filler) + len("서버가 금요일에 느려졌습니다."))
    shown_sentence = snippet.text[snippet.sentence.start : snippet.sentence.end]
    assert shown_sentence == "서버가 금요일에 느려졌습니다."
    assert all(word in text.split() for word in snippet.text.strip(ELLIPSIS).split())


def test_a_sentence_without_end_is_cut_around_the_match() -> None:
    text = "word " * 200 + "budget " + "word " * 200
    snippet = make_snippet(passage_of(text), TextRange(0, len(text.strip())), QueryWords("budget"))
    assert "budget" in snippet.text
    assert len(snippet.text) <= MAX_CHARACTERS + 2
    assert snippet.start == pytest.approx(150, abs=10)


@given(scores)
def test_min_max_keeps_order_within_0_and_1(values: list[float | None]) -> None:
    mapped = min_max(values)
    assert all(0 <= value <= 1 for value in mapped)
    known = [(value, image) for value, image in zip(values, mapped, strict=True) if value is not None]
    assert not known or max(image for _, image in known) == 1
    for value, image in known:
        for other, other_image in known:
            assert value <= other or image >= other_image
    assert all(image == 0 for value, image in zip(values, mapped, strict=True) if value is None)


def test_fusion_weighs_meaning_and_words() -> None:
    assert fuse([0.9, 0.7, 0.8], [None, 10.0, 5.0], dense_weight=0.6) == pytest.approx([0.6, 0.4, 0.5])
    assert fuse([0.9, 0.7], [None, None], dense_weight=0.6) == pytest.approx([0.6, 0.0])
    assert fuse([0.8], [3.0], dense_weight=0.6) == pytest.approx([1.0])
    assert fuse([], [], dense_weight=0.6) == []


def test_words_have_as_much_to_say_as_they_cover() -> None:
    dense, lexical = [0.9, 0.7, 0.8], [None, 10.0, 5.0]
    assert fuse(dense, lexical, dense_weight=0.6, coverage=0.0) == pytest.approx([0.6, 0.0, 0.3])
    assert fuse(dense, lexical, dense_weight=0.6, coverage=0.5) == pytest.approx([0.6, 0.2, 0.4])


def test_reranked_scores_weigh_standard_scores() -> None:
    weights = RerankWeights(rerank=1.0, dense=0.5, lexical=0.25)
    scores = fuse_reranked([0.9, 0.8, 0.7], [0.5, 0.5, 0.5], [None, None, None], weights=weights)
    assert scores[0] > scores[1] > scores[2]
    assert scores[1] == pytest.approx(0.5)
    assert all(0 < score < 1 for score in scores)
    tie = fuse_reranked([0.8, 0.8], [0.5, 0.4], [None, 3.0], weights=weights, coverage=0.0)
    assert tie[0] > tie[1]
    swayed = fuse_reranked([0.8, 0.8], [0.5, 0.4], [None, 3.0], weights=RerankWeights(1.0, 0.1, 1.0))
    assert swayed[0] < swayed[1]
    assert fuse_reranked([], [], [], weights=weights) == []


def test_texts_that_say_the_same_are_one() -> None:
    finder = DuplicateFinder()
    first = "The budget meeting is moved to Monday at nine in the large room on the third floor."
    assert finder.add(first) is None
    assert finder.add("The new logo is blue, and the old one will be gone by summer.") is None
    assert finder.add(first.upper().replace(".", "!")) == 0
    assert finder.add(first.replace("the third floor", "the third floor today")) == 0
    assert finder.add(first.replace("Monday at nine", "Friday at ten")) is None
    assert finder.add("Budget meeting") is None
    assert finder.add("") is None
    assert finder.add("?!") is None
