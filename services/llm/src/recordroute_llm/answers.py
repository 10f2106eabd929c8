"""Answers questions from passages: code finds the places and decides whether they hold the answer, the model phrases,
code checks every sentence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Generation, StreamingEngine, Usage
from recordroute_llm.evidence import EvidenceIndex
from recordroute_llm.injection import gives_orders
from recordroute_llm.language import detect_language, written_in
from recordroute_llm.prompts import answer_prompt
from recordroute_llm.questions import Asked, Exchange, asked_for, standalone
from recordroute_llm.rules import is_question, tidy
from recordroute_llm.streaming import stream_text
from recordroute_llm.terms import names, numbers, terms, words
from recordroute_llm.transcript import Segment, Sentence, split_sentences

# Share of the question's weight that one place has to hold.
COVERAGE = 0.5
# A place whose neighbour, and not itself, holds what is asked for is worth less.
ELSEWHERE = 0.85
# How much a word of the sentence before or after counts, and one of the passage's title.
NEAR, TITLE = 0.6, 0.5
# Places that are worse than this, against the best, have nothing to do with the answer.
RELEVANT = 0.6
PLACES = 6
SENTENCES = 3

_INTERROGATIVE = re.compile(
    r"언제|얼마|누[가구굴]|무엇|무슨|뭐|뭘|어디|어떤|어느|어떻|왜|몇|[가-힣]?[가나]요"
)
_KOREAN_PERSON = re.compile(r"씨|님|팀|부장|과장|대리|사원")
_TIME = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:january|february|march|april|may|june|july|august|september"
    r"|october|november|december)\b|\b(?:today|tomorrow|tonight|yesterday|noon|morning|afternoon|evening|week|month"
    r"|year|quarter|spring|summer|autumn|winter)s?\b|o['’]clock|요일|내일|오늘|어제|모레|오전|오후|다음\s?(?:주|달)|이번\s?(?:주|달)"
    r"|[가-힣\d]\s?(?:월|일|시|주|년)(?![가-힣])|까지",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Passage:
    """A passage that an answer may rest on; `date` is as people read it."""

    id: str
    text: str
    title: str = ""
    speakers: tuple[str, ...] = ()
    date: str = ""


@dataclass(frozen=True)
class Citation:
    """A part of a passage, in code points of its text."""

    passage_id: str
    start: int
    end: int


@dataclass(frozen=True)
class AnswerSentence:
    """A sentence that the passages support; `citations` are never empty."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class AnswerResult:
    """The end of an answer. `model` is empty where none was needed."""

    found: bool
    question: str
    unsupported: tuple[str, ...] = ()
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    cached: bool = False


@dataclass(frozen=True)
class _Place:
    """A sentence of a passage, and how much of the question it holds, 0 to 1."""

    passage: Passage
    start: int
    text: str
    score: float = 0.0

    @property
    def citation(self) -> Citation:
        return Citation(self.passage.id, self.start, self.start + len(self.text))


def answer(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Exchange],
    language: str,
    engine: StreamingEngine,
    token: CancelToken,
    *,
    rewrite_only: bool = False,
) -> Iterator[str | AnswerSentence | AnswerResult]:
    """Yields text as the model writes it, the checked sentences, and the result. An empty `language` is that of the
    question.

    Where the passages are written in another script than the question they can't be compared, and nothing is found.
    Raises what the engine raises.
    """
    asked = standalone(question, history, engine, token)
    if rewrite_only:
        yield AnswerResult(found=False, question=asked, model=engine.model_id)
        return
    places = find_places(asked, passages)
    if not places:
        yield AnswerResult(found=False, question=asked)
        return
    language = language or detect_language(question)
    notes = "\n".join(f"- {place.text}" for place in sorted(places, key=lambda place: -place.score))
    generation: Generation | None = None
    prompt = answer_prompt(asked, notes, language)
    for part in stream_text(lambda on_text: engine.stream(prompt, token, on_text), token):
        if isinstance(part, str):
            yield part
        else:
            generation = part
    assert generation is not None, "the stream ends with what was generated"
    sentences, unsupported = check(generation, asked, places, language)
    yield from sentences or quote(asked, places)
    yield AnswerResult(
        found=True,
        question=asked,
        unsupported=tuple(unsupported),
        model=engine.model_id,
        usage=generation.usage,
        cached=generation.cached,
    )


def find_places(question: str, passages: Sequence[Passage]) -> list[_Place]:
    """Returns the sentences that answer the question, best first, at most PLACES; empty where none do.

    A sentence is worth the share of the question's terms that it holds, rare ones counting more (inverse document
    frequency, Spärck Jones 1972), with its neighbours and its passage's title counting in part. What the question
    names and counts has to be there, and so has what it asks for: somebody, a time, a number.
    """
    wanted = terms(" ".join(word for word in words(question) if not _INTERROGATIVE.match(word)))
    if not wanted:
        return []
    sentences = [_sentences(passage) for passage in passages]
    bags = [[terms(place.text) for place in places] for places in sentences]
    spread = Counter(term for passage_bags in bags for bag in passage_bags for term in bag)
    total = sum(map(len, bags))
    weight = {term: math.log(1 + (total + 1) / (spread[term] + 1)) for term in wanted}
    whole = sum(weight.values())
    asked = asked_for(question)
    found: list[_Place] = []
    for places, passage_bags in zip(sentences, bags, strict=True):
        for number, place in enumerate(places):
            near = set().union(*passage_bags[max(0, number - 1) : number + 2])
            title = terms(place.passage.title)
            share = sum(
                weight[term]
                * max(float(term in passage_bags[number]), NEAR * (term in near), TITLE * (term in title))
                for term in wanted
            )
            window = " ".join(other.text for other in places[max(0, number - 1) : number + 2])
            if is_question(place.text) or not _agrees(question, place.passage):
                continue
            if not _holds(asked, place.passage, place.text):
                if not _holds(asked, place.passage, window):
                    continue
                share *= ELSEWHERE
            found.append(_Place(place.passage, place.start, place.text, share / whole))
    found.sort(key=lambda place: -place.score)
    if not found or found[0].score < COVERAGE:
        return []
    return [place for place in found if place.score >= RELEVANT * found[0].score][:PLACES]


def _sentences(passage: Passage) -> list[_Place]:
    places: list[_Place] = []
    position = 0
    for sentence in split_sentences(passage.text):
        start = passage.text.index(sentence, position)
        position = start + len(sentence)
        if not gives_orders(sentence):
            places.append(_Place(passage, start, sentence))
    return places


def _agrees(question: str, passage: Passage) -> bool:
    """Says whether whom and what the question names, and its numbers, are in the passage or known of it."""
    around = f"{passage.title} {passage.date} {' '.join(passage.speakers)} {passage.text}"
    known = {word.casefold() for word in words(around)}
    return names(question) <= known and numbers(question) <= numbers(around)


def _holds(asked: Asked, passage: Passage, text: str) -> bool:
    match asked:
        case Asked.NUMBER:
            return bool(numbers(text))
        case Asked.TIME:
            return bool(_TIME.search(text) or numbers(text))
        case Asked.PERSON:
            return bool(passage.speakers or names(text) or _KOREAN_PERSON.search(text))
        case Asked.ANYTHING:
            return True


def check(
    generation: Generation, question: str, places: Sequence[_Place], language: str
) -> tuple[list[AnswerSentence], list[str]]:
    """Returns the sentences that one or two of the places support, with their citations, and the others."""
    index = EvidenceIndex(
        [
            Sentence(place.text, (Segment(number, 0.0, 0.0, place.text),))
            for number, place in enumerate(places)
        ]
    )
    parts = list(split_sentences(" ".join(generation.text.split())))
    if not generation.complete and len(parts) > 1:
        parts.pop()
    sentences: list[AnswerSentence] = []
    unsupported: list[str] = []
    for part in parts:
        evidence = () if gives_orders(part) or not written_in(part, language) else index.find(part)
        if not evidence or len(sentences) == SENTENCES:
            unsupported.append(part)
            continue
        cited = [places[sentence.segments[0].index] for sentence in evidence]
        sentences.append(AnswerSentence(part, tuple(place.citation for place in cited)))
    asked = asked_for(question)
    if asked is Asked.NUMBER and not any(numbers(sentence.text) for sentence in sentences):
        # True, but no answer.
        return [], parts
    return sentences, unsupported


def quote(question: str, places: Sequence[_Place]) -> Iterator[AnswerSentence]:
    """Yields the places themselves: the best one, and a second one that is nearly as good."""
    for place in places[:2]:
        if place.score >= 0.9 * places[0].score:
            yield AnswerSentence(tidy(place.text), (place.citation,))
