"""Answers questions from passages: code finds the places and decides whether they hold the answer, the model phrases,
code checks every sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Generation, StreamingEngine, Usage
from recordroute_llm.evidence import EvidenceIndex
from recordroute_llm.facts import Names
from recordroute_llm.injection import gives_orders
from recordroute_llm.language import detect_language, written_in
from recordroute_llm.places import Passage, Place, find_places
from recordroute_llm.prompts import answer_prompt
from recordroute_llm.questions import Exchange, standalone
from recordroute_llm.reading import read
from recordroute_llm.rules import tidy
from recordroute_llm.said import FIRST_PERSON
from recordroute_llm.streaming import stream_text
from recordroute_llm.terms import is_stopword, stem, words
from recordroute_llm.transcript import Segment, Sentence, split_sentences

SENTENCES = 3
# Places this near to the best may be meant as well.
AS_GOOD = 0.02


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
    generation: Generation | None = None
    prompt = answer_prompt(asked, "\n".join(f"- {_note(place)}" for place in places), language)
    for part in stream_text(lambda on_text: engine.stream(prompt, token, on_text), token):
        if isinstance(part, str):
            yield part
        else:
            generation = part
    assert generation is not None, "the stream ends with what was generated"
    sentences, unsupported = check(generation, places, language)
    yield from sentences or quote(places)
    yield AnswerResult(
        found=True,
        question=asked,
        unsupported=tuple(unsupported),
        model=engine.model_id,
        usage=generation.usage,
        cached=generation.cached,
    )


def _note(place: Place) -> str:
    said = f"{place.before} {place.text}".strip()
    return f"{place.speaker}: {said}" if place.speaker and FIRST_PERSON.search(said) else said


def check(
    generation: Generation, places: Sequence[Place], language: str
) -> tuple[list[AnswerSentence], list[str]]:
    """Returns the sentences that one of the places supports and that hold what is asked for, with their citations, and
    the others."""
    parts = list(split_sentences(" ".join(generation.text.split())))
    if not generation.complete and len(parts) > 1:
        parts.pop()
    sentences: list[AnswerSentence] = []
    unsupported: list[str] = []
    for part in parts:
        place = None
        if len(sentences) < SENTENCES and written_in(part, language) and not gives_orders(part):
            place = next((place for place in places if _supports(place, part)), None)
        if place is None or FIRST_PERSON.search(part):
            unsupported.append(part)
        else:
            sentences.append(AnswerSentence(part, (_citation(place),)))
    return sentences, unsupported


def _supports(place: Place, line: str) -> bool:
    """Says whether a place, with what it goes on from, holds all that a line says, and the line what is asked for."""
    evidence = [
        Sentence(text, (Segment(0, 0.0, 0.0, text, place.speaker),))
        for text in (place.before, place.text)
        if text
    ]
    if evidence[-1] not in EvidenceIndex(evidence).find(line) or _repeats(line, place):
        return False
    if not place.facts:
        return True
    known = Names([place.speaker], [place.before, place.text])
    stated = read(line, known, line=True).facts
    return any(fact.agrees(other) for fact in place.facts for other in stated)


def _repeats(line: str, place: Place) -> bool:
    """Says whether a word stands in a line more than once, and more often than where it is from: then one of them is in
    the place of another, as in "visitors must accompany visitors"."""
    said = _term_counts(f"{place.before} {place.text}")
    return any(1 < count > said[term] for term, count in _term_counts(line).items())


def _term_counts(text: str) -> Counter[str]:
    return Counter(stem(word) for word in words(text) if not is_stopword(word))


def quote(places: Sequence[Place]) -> Iterator[AnswerSentence]:
    """Yields the places themselves: the best one, and a second one that is as good."""
    for place in places[:2]:
        if place.score >= places[0].score - AS_GOOD:
            said = f"{place.before} {tidy(place.text) if not place.before else place.text}".strip()
            text = f"{place.speaker}: {said}" if place.speaker and FIRST_PERSON.search(said) else said
            yield AnswerSentence(text, (_citation(place),))


def _citation(place: Place) -> Citation:
    start = place.start - len(place.before) - 1 if place.before else place.start
    return Citation(place.passage.id, start, place.start + len(place.text))
