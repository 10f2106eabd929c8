"""Finds the sentences of passages that answer a question, or finds that none does.

A sentence answers where it holds what is asked for (see `asked`) and where everything that the question names stands in
it, or in what it goes on from: the question that it is the answer to, the sentence that its pronouns point at, or what
was said just before where it brings in no subject of its own. Sharing words is not enough: most of what nobody said
shares its words with something that was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recordroute_llm.asked import KOREAN_SUBJECT, asked_facts
from recordroute_llm.facts import Fact, FactKind, Names
from recordroute_llm.injection import gives_orders
from recordroute_llm.questions import Asked, Wanted, understand
from recordroute_llm.reading import canonical, read
from recordroute_llm.said import FIRST_PERSON, Line, Said
from recordroute_llm.terms import is_stopword, words
from recordroute_llm.transcript import split_sentences

# What a sentence goes on from counts less than what it says itself.
NEAR = 0.7
KIND = 0.1
# As many sentences back a subject may stand that a sentence does not repeat.
LOOK_BACK = 3
# Places that are worse than this, against the best, are left out.
RELEVANT = 0.85
PLACES = 4

_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|these|those|ones|one(?! more))\b"
    r"|\bthat(?=[.,]|['’]s\b| (?:is|was|will|would|can|could|has|had|one)\b)"
    r"|(?:^|\s)(?:그|이)(?:것|건|게|분|때|중|날|런|\s)|거기|여기서",
    re.IGNORECASE,
)
_DETERMINER = re.compile(
    r"\b(?:an?|the|our|my|your|his|her|its|their|every|each|no|another)\s+([a-z][\w-]*)", re.IGNORECASE
)
_SECOND_PERSON = re.compile(r"\byour?s?\b|님[은이께]|고객님|선생님", re.IGNORECASE)
# The words that a subject stands among, where nothing tells where it ends.
_SUBJECT_WORDS = 3
# What these ask for many sentences hold: they need to name more.
_OPEN = (Asked.ANYTHING, Asked.PERSON, Asked.PLACE, Asked.REASON)
_PRESENT = ("today", "this year", "this week", "this month")
_RATES = {
    "day": r"하루|일당|매일|a day",
    "week": r"주에|주일|매주|a week",
    "month": r"달에|월|매달|a month",
    "year": r"년|해마다|a year",
}


@dataclass(frozen=True)
class Turn:
    """Who speaks from a code point of a passage's text on."""

    start: int
    speaker: str


@dataclass(frozen=True)
class Passage:
    """A passage that an answer may rest on; `date` is as people read it. `turns`, in order, tell who says what, where
    that is known; `speakers` are all who speak in it."""

    id: str
    text: str
    title: str = ""
    speakers: tuple[str, ...] = ()
    date: str = ""
    turns: tuple[Turn, ...] = ()

    def speaker_at(self, place: int) -> str:
        """Returns who speaks at a code point; empty where that is not known."""
        if self.turns:
            return next((turn.speaker for turn in reversed(self.turns) if turn.start <= place), "")
        return self.speakers[0] if len(self.speakers) == 1 else ""


@dataclass(frozen=True)
class Place:
    """A sentence of a passage that answers, with the sentence that it goes on from, empty where it goes on from none.

    `score` is how much of the question stands in it itself, 1 for all, and a little more; `facts` are those that may be
    what is asked for.
    """

    passage: Passage
    start: int
    text: str
    speaker: str
    score: float
    facts: tuple[Fact, ...]
    before: str


def find_places(question: str, passages: Sequence[Passage]) -> list[Place]:
    """Returns the sentences that answer the question, best first, at most PLACES; empty where none do."""
    known = Names(
        (speaker for passage in passages for speaker in passage.speakers),
        (passage.text for passage in passages),
    )
    wanted = understand(question, known)
    if not wanted.terms and not wanted.facts:
        return []
    found: dict[str, Place] = {}
    for passage in passages:
        for place in _Finder(wanted, passage, known).places():
            if place.text not in found or found[place.text].score < place.score:
                found[place.text] = place
    ranked = sorted(found.values(), key=lambda place: -place.score)
    return [place for place in ranked if place.score >= RELEVANT * ranked[0].score][:PLACES]


def _lines(passage: Passage, known: Names) -> Iterator[Line]:
    position = 0
    for sentence in split_sentences(passage.text):
        start = passage.text.index(sentence, position)
        position = start + len(sentence)
        if not gives_orders(sentence):
            speaker = passage.speaker_at(start)
            yield Line(start, sentence, speaker, read(sentence, known, speaker))


class _Finder:
    """Looks for answers to one question in one passage."""

    def __init__(self, wanted: Wanted, passage: Passage, known: Names) -> None:
        self._wanted = wanted
        self._passage = passage
        self._lines = list(_lines(passage, known))
        frame = read(f"{passage.title}. {passage.date}", known)
        self._frame = Said(frame.text, frame.terms, frame.facts)
        self._speakers = {speaker.casefold() for speaker in passage.speakers}

    def places(self) -> Iterator[Place]:
        """Yields the sentences that answer, in order."""
        for number, line in enumerate(self._lines):
            facts = None if line.asks else asked_facts(self._wanted, line)
            if facts is None or not self._is_said_by(line):
                continue
            score = self._score(number, line, facts)
            if score:
                before = self._before(number, line) if not self._is_whole(line) else ""
                yield Place(self._passage, line.start, line.text, line.speaker, score, tuple(facts), before)

    def _is_whole(self, line: Line) -> bool:
        said = line.said
        return all(map(said.says_verb, self._wanted.terms)) and all(map(said.has, self._wanted.facts))

    def _is_said_by(self, line: Line) -> bool:
        wanted = self._wanted.said_by
        return not wanted or bool(wanted & set(words(line.speaker.casefold())))

    def _score(self, number: int, line: Line, facts: Sequence[Fact]) -> float:
        """Returns how much of the question a sentence holds itself, 0 where something is missing."""
        wanted = self._wanted
        own = line.said
        answers = number > 0 and self._lines[number - 1].asks
        points_back = bool(_POINTS_BACK.search(_opening(line, facts)))
        around = self._goes_on_from(number, line, facts, points_back=points_back)
        near = own + around + self._frame
        verb = wanted.predicate
        if verb and not own.says_verb(verb) and not (answers and around.says_verb(verb)):
            return 0.0
        itself = sum(map(own.says_verb, wanted.terms)) + sum(map(own.has, wanted.facts))
        close = sum(map(around.says, wanted.terms)) + sum(map(around.has, wanted.facts))
        items = len(wanted.terms) + len(wanted.facts)
        held = sum(near.says(term) or own.says_verb(term) for term in wanted.terms)
        held += sum(near.has(fact) or self._is_understood(fact, line) for fact in wanted.facts)
        if held < items or not itself + close:
            return 0.0
        if not all(noun in near.text for noun in wanted.nouns):
            return 0.0
        if wanted.asked in _OPEN and (items + bool(wanted.about) < 2 or not (itself or answers)):
            return 0.0
        framed = sum(self._frame.says(term) and not own.says(term) for term in wanted.terms)
        if 2 * itself < items - framed and not (answers or points_back):
            return 0.0
        if wanted.about and not any((own + around).says(term) or near.names(term) for term in wanted.about):
            return 0.0
        # Of two that answer, the one with "date" is meant by "what date".
        kind = sum(map(own.says, wanted.kind_said)) / max(1, len(wanted.kind_said))
        return (itself + NEAR * (items - itself)) / items + KIND * kind

    def _goes_on_from(self, number: int, line: Line, facts: Sequence[Fact], *, points_back: bool) -> Said:
        said = Said()
        earlier = [other for other in self._lines[:number] if other.reading.terms or other.reading.facts]
        if not earlier:
            return said
        rival = self._has_own_subject(line, facts)
        if earlier[-1].asks:
            said += earlier[-1].said
            related = any(map(said.says, self._wanted.terms))
            if related and len(earlier) > 1 and (not rival or self._wanted.asked is Asked.REASON):
                said += earlier[-2].said
        if rival:
            return said
        if points_back:
            return said + earlier[-1].said
        if any(map(line.said.says, self._wanted.terms)):
            for other in earlier[-LOOK_BACK:]:
                said += other.said
        return said

    def _has_own_subject(self, line: Line, facts: Sequence[Fact]) -> bool:
        """Says whether a sentence brings in something that the question does not name before what is asked for."""
        until = len(_opening(line, facts))
        if not facts:
            # Behind the first words a noun is what is said of the subject.
            until = sum(len(word) + 1 for word in line.text.split()[:_SUBJECT_WORDS])
        names = {fact.value for fact in self._wanted.facts if fact.kind is FactKind.NAME}
        opening = line.text[:until]
        for fact in line.reading.facts:
            written = line.text[fact.start : fact.end]
            if fact.kind is not FactKind.NAME:
                opening = opening[: fact.start] + "#" * len(written) + opening[fact.end :]
            elif (
                fact.start < until
                and written
                and fact.value not in names
                and not FIRST_PERSON.fullmatch(written)
            ):
                return True
        nouns = [match.group(1) for match in _DETERMINER.finditer(opening)]
        nouns += [match.group(1) or match.group(2) for match in KOREAN_SUBJECT.finditer(opening)]
        asked = Said("", self._wanted.terms | self._wanted.kind)
        return any(not is_stopword(noun) and not asked.says(canonical(noun)) for noun in nouns)

    def _is_understood(self, fact: Fact, line: Line) -> bool:
        """Says whether nobody would say a fact there: his own name, that of whom he speaks to, the present, "one" of
        "a month"."""
        if fact.kind is FactKind.NAME:
            if fact.value not in self._speakers:
                return False
            if line.speaker.casefold() == fact.value:
                return bool(FIRST_PERSON.search(line.text)) or not _DETERMINER.search(line.text)
            addressed = bool(_SECOND_PERSON.search(line.text))
            return addressed or (not line.speaker and bool(FIRST_PERSON.search(line.text)))
        if fact.kind is FactKind.DAY and fact.value in _PRESENT:
            return all(other.kind is not FactKind.DAY or other.agrees(fact) for other in line.reading.facts)
        return fact.value == "1" and fact.unit in _RATES and bool(re.search(_RATES[fact.unit], line.text))

    def _before(self, number: int, line: Line) -> str:
        before = self._lines[number - 1] if number else None
        adjoins = before is not None and self._passage.text[before.start : line.start] == f"{before.text} "
        return before.text if before is not None and adjoins else ""


def _opening(line: Line, facts: Sequence[Fact]) -> str:
    """Returns what stands before what is asked for, all where that is no fact."""
    return line.text[: min((fact.start for fact in facts), default=0) or len(line.text)]
