"""Binds a written line to the sentences that it rests on, or finds that nothing supports it.

Code decides, not the model. A line holds where its content words stand close together in the transcript, where its
numbers, times, dates and names stand there with the same words around them, and where the same is denied. What says
the same in words that are not known to do so is lost: minutes rather miss a line than show a false one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from recordroute_llm.facts import Fact, FactKind, Names
from recordroute_llm.modality import claims_more
from recordroute_llm.reading import IGNORED, Clause, Reading, canonical, read
from recordroute_llm.rules import is_action, is_question
from recordroute_llm.terms import is_hangul, words
from recordroute_llm.transcript import Segment, Sentence

WINDOW_SENTENCES = 2
# Share of a line's content terms that its evidence has to hold: with less, one word of five may be another.
COVERAGE = 1.0
# Least cosine of a line and its evidence, where an encoder is at hand; see benchmarks/results/minutes.md.
SIMILARITY = 0.84
LOOSE_SENTENCES = 6

_PASSIVE = re.compile(r"\bby\b")
_SUBJECT = re.compile(
    r"(?:\s?(?:님|씨|팀장님?|부장님?|과장님?|대리님?|대표님?))?(은|는|이|가|께서)(?![가-힣])"
)
_RECEIVER = re.compile(r"(?:\s?(?:님|씨|팀장님?|부장님?|과장님?|대리님?|대표님?))?(에게|께|한테)(?![가-힣])")
_PHRASE = re.compile(r",\s*|\s+(?:and|or|as well as|및|그리고)\s+|(?<=[가-힣]{2})[와과](?=\s)")
_JOINED = re.compile(r"\w\s+(?:and|및)\s+\w|[가-힣]{2}[와과]\s|하고 ")
_JOINT_SUBJECT = re.compile(r"^[\w' ]{2,40} and [\w' ]{2,40}? (?:are|were|have|both)\b")
# From what to what: the words that tell two numbers apart.
_FROM = re.compile(r"(?:\bfrom|\bbetween)\s+$", re.IGNORECASE)
_TO = re.compile(r"\b(?:to|until|till)\s+$", re.IGNORECASE)


_COPULA = re.compile(r"이?입니다|이?고(?=[\s,])|이며|인데|이었|였")


class Similarity(Protocol):
    """Tells how alike texts are."""

    def __call__(self, line: str, evidence: str) -> float | None:
        """Returns the cosine of two texts, or None where no encoder answers."""
        ...


@dataclass(frozen=True)
class _Window:
    """Consecutive sentences that were read."""

    readings: tuple[Reading, ...]
    speakers: frozenset[str]

    @property
    def terms(self) -> frozenset[str]:
        return frozenset[str]().union(*(reading.terms for reading in self.readings))

    def facts(self) -> list[tuple[Reading, Fact]]:
        return [(reading, fact) for reading in self.readings for fact in reading.facts]

    def clauses(self) -> list[Clause]:
        return [clause for reading in self.readings for clause in reading.clauses]


class EvidenceIndex:
    """The sentences of a transcript, ready to be compared with lines."""

    def __init__(self, sentences: Sequence[Sentence], similarity: Similarity | None = None) -> None:
        self._sentences = sentences
        self._similarity = similarity
        self._names = Names(
            (sentence.speaker for sentence in sentences), (sentence.text for sentence in sentences)
        )
        self._readings = [read(sentence.text, self._names, sentence.speaker) for sentence in sentences]

    def find(self, line: str) -> tuple[Sentence, ...]:
        """Returns the fewest consecutive sentences, at most WINDOW_SENTENCES, that support a line; empty where none
        do."""
        found = self._find(read(line, self._names, line=True))
        if found and self._similarity is not None:
            cosine = self._similarity(line, " ".join(sentence.text for sentence in found))
            if cosine is not None and cosine < SIMILARITY:
                return ()
        return found

    def find_parts(self, line: str) -> tuple[Sentence, ...]:
        """Returns the sentences that support a line that names what a recording is about, in order; empty where none
        do.

        Such a line may put together what stands in different places, at most LOOSE_SENTENCES: each of its phrases has
        to hold in one. A line that counts, dates or denies has to hold as a whole.
        """
        close = self.find(line)
        reading = read(line, self._names, line=True)
        if close or any(clause.denials for clause in reading.clauses):
            return close
        if any(fact.kind is not FactKind.NAME for fact in reading.facts) or len(reading.names()) > 1:
            return ()
        found: dict[int, None] = {}
        for phrase in _PHRASE.split(line):
            part = read(phrase, self._names, line=True)
            if not part.terms and not part.facts:
                continue
            place = next(
                (
                    place
                    for place, other in enumerate(self._readings)
                    if not _claims_more(part, (other,)) and _holds(part, self._window(place, 1))
                ),
                None,
            )
            if place is None:
                return ()
            found[place] = None
        if not found or len(found) > LOOSE_SENTENCES:
            return ()
        return tuple(self._sentences[place] for place in sorted(found))

    def nearest(self, line: str) -> tuple[Sentence, ...]:
        """Returns the sentence that a line shares most with, and the one after it; empty where it shares nothing."""
        wanted = read(line, self._names, line=True).terms
        best = max(range(len(self._readings)), key=lambda place: len(wanted & self._readings[place].terms))
        shared = len(wanted & self._readings[best].terms)
        return tuple(self._sentences[best : best + WINDOW_SENTENCES]) if 2 * shared >= len(wanted) > 0 else ()

    def _find(self, line: Reading) -> tuple[Sentence, ...]:
        if not line.terms:
            return ()
        for width in range(1, WINDOW_SENTENCES + 1):
            for start in range(len(self._sentences) - width + 1):
                parts = self._readings[start : start + width]
                if len(line.terms & frozenset[str]().union(*(part.terms for part in parts))) < COVERAGE * len(
                    line.terms
                ):
                    continue
                if _claims_more(line, parts) or not _holds(line, self._window(start, width)):
                    continue
                return tuple(self._sentences[start : start + width])
        return ()

    def _window(self, start: int, width: int) -> _Window:
        speakers = (sentence.speaker.casefold() for sentence in self._sentences[start : start + width])
        return _Window(tuple(self._readings[start : start + width]), frozenset(filter(None, speakers)))


def _claims_more(line: Reading, parts: Sequence[Reading]) -> bool:
    """Says whether a line tells what its evidence asks, or as done what it plans. "Can you call them?" asks nothing."""
    for part in parts:
        if is_question(part.text) and not is_action(part.text) and line.terms <= part.terms:
            return True
    # The sentence that a line is most like decides; one beside it may do something else with the same verb.
    likest = max(parts, key=lambda part: len(line.terms & part.terms))
    return claims_more(line.text, likest.text) or claims_more(
        line.text, " ".join(part.text for part in parts)
    )


def _holds(line: Reading, window: _Window) -> bool:
    return (
        len(line.terms & window.terms) >= COVERAGE * len(line.terms)
        and all(_stands(line, fact, window) for fact in line.facts)
        and all(_same_denial(clause, window) for clause in line.clauses)
        and all(_nothing_replaced(line, clause, window) for clause in line.clauses)
        and all(_all_do_it(line, clause, window) for clause in line.clauses)
        and _same_order(line, window)
    )


def _stands(line: Reading, fact: Fact, window: _Window) -> bool:
    """Says whether a fact of the line stands in the window, nearer to the line's words than any other of its kind."""
    facts = window.facts()
    matches = [(reading, other) for reading, other in facts if fact.agrees(other)]
    if not matches and fact.kind is FactKind.NAME:
        # At the beginning of a sentence a name looks like any word.
        matches = [
            (reading, Fact(FactKind.NAME, fact.value, *match.span()))
            for reading in window.readings
            for match in re.finditer(rf"(?<!\w){re.escape(fact.value)}(?![a-z])", reading.text, re.IGNORECASE)
        ]
    if not matches:
        # "Ben says that ..." names him who speaks.
        return fact.kind is FactKind.NAME and line.reports and fact.value in window.speakers
    rivals = [(reading, other) for reading, other in facts if fact.rivals(other)]
    if fact.kind is FactKind.NAME and not _same_role(line, fact, matches):
        return False
    if sum(fact == other or fact.agrees(other) for other in line.facts) > len(matches):
        # One mention does not make two.
        return False
    if not rivals:
        return True
    clause = line.clause_at(fact.start)
    matches = [match for match in matches if not _rival_has_more(clause, match, rivals)]
    if not matches:
        return False
    return max(_nearness(line, clause, fact, *match) for match in matches) >= max(
        _nearness(line, clause, fact, *rival) for rival in rivals
    )


def _rival_has_more(
    clause: Clause, match: tuple[Reading, Fact], rivals: Sequence[tuple[Reading, Fact]]
) -> bool:
    """Says whether words of the line that the match's clause lacks are said of a rival that follows it in its sentence:
    a clause may leave out what was said before it, not what comes after."""
    reading, fact = match
    own = reading.clause_at(fact.start)
    lacking = clause.terms - own.terms
    later = (
        other.clause_at(rival.start)
        for other, rival in rivals
        if other is reading and other.clause_at(rival.start).start > own.start
    )
    return any(lacking & theirs.terms for theirs in later)


def _nearness(
    line: Reading, clause: Clause, fact: Fact, reading: Reading, other: Fact
) -> tuple[int, int, bool, bool]:
    """Ranks a fact of the evidence by what its clause shares with the line's: terms and facts, terms on the same
    side of it, whether both are where something goes from, or to, and in Korean whether the same word follows."""
    theirs = reading.clause_at(other.start)
    shared = clause.terms & theirs.terms
    beside = sum(
        any(mine.agrees(near) for near in reading.facts if theirs.start <= near.start < theirs.end)
        for mine in line.facts
        if mine is not fact and mine.kind is not FactKind.NAME and clause.start <= mine.start < clause.end
    )
    sides = sum((fact.start < clause.places[term]) == (other.start < theirs.places[term]) for term in shared)
    direction = _direction(line.text, fact)
    along = not direction or direction == _direction(reading.text, other)
    return (
        len(shared) + beside,
        sides,
        along,
        _word_behind(line.text, fact) == _word_behind(reading.text, other),
    )


def _word_behind(text: str, fact: Fact) -> str:
    rest = text[fact.end :]
    if _COPULA.match(rest):
        return "="
    following = next(iter(words(rest)), "")
    return canonical(following) if is_hangul(following) else ""


def _direction(text: str, fact: Fact) -> str:
    if _FROM.search(text[: fact.start]) or text.startswith(("에서", "부터"), fact.end):
        return "from"
    if _TO.search(text[: fact.start]) or text.startswith(("으로", "로", "까지"), fact.end):
        return "to"
    return ""


def _same_role(line: Reading, fact: Fact, matches: Sequence[tuple[Reading, Fact]]) -> bool:
    """Says whether a Korean name has the particle of a subject where it is one in the evidence, and not of one who
    receives."""
    role = _role(line.text, fact)
    theirs = {_role(reading.text, other) for reading, other in matches}
    return not role or role in theirs or "" in theirs


def _role(text: str, fact: Fact) -> str:
    if fact.start == fact.end or text[fact.start : fact.end] in ("제가", "저는", "내가", "나는"):
        return "subject"
    if text[fact.start : fact.end] in ("저한테", "저에게", "제게"):
        return "receiver"
    if not is_hangul(text[fact.start : fact.end]):
        return ""
    if _SUBJECT.match(text, fact.end):
        return "subject"
    return "receiver" if _RECEIVER.match(text, fact.end) else ""


def _same_denial(clause: Clause, window: _Window) -> bool:
    """Says whether the fewest clauses that hold the line's clause deny as often as it does."""
    missing = set(clause.terms)
    if not missing:
        return True
    covering: list[Clause] = []
    clauses = window.clauses()
    while missing:
        best = max(clauses, key=lambda other: len(missing & other.terms))
        gained = missing & best.terms
        if not gained:
            break
        covering.append(best)
        missing -= gained
    return sum(other.denials for other in covering) == clause.denials


def _nothing_replaced(line: Reading, clause: Clause, window: _Window) -> bool:
    """Says whether no word from elsewhere stands in a clause of the line where another stands in the evidence.

    The clause of the evidence that the line's clause is most like is laid beside it. A word that it does not have may
    come from around it, as the noun of a pronoun does, but not in the place of words that the line leaves out: that is
    what makes "the price of the cake" of "the price of the bread".
    """
    marks = [(place, term) for term, place in clause.places.items()]
    own = [fact for fact in line.facts if clause.start <= fact.start < clause.end]
    if not marks:
        return True
    most, fits = 0, True
    for number, reading in enumerate(window.readings):
        # An answer belongs to its question.
        until = number + 1 + is_question(reading.text)
        known = frozenset[str]().union(*(other.terms for other in window.readings[:until]))
        for other in reading.clauses:
            theirs = [fact for fact in reading.facts if other.start <= fact.start < other.end]
            pairs = [(place, other.places[term]) for place, term in marks if term in other.places]
            pairs += [(fact.start, match.start) for fact in own for match in theirs if fact.agrees(match)]
            extra = [place for place, term in marks if term not in other.places]
            left_out = [
                place
                for term, place in other.places.items()
                if term not in line.terms and term not in IGNORED
            ]
            left_out += [fact.start for fact in theirs if any(mine.rivals(fact) for mine in own)]
            if is_question(reading.text):
                # What is asked is what the answer is not.
                left_out = []
            if len(pairs) >= most:
                most = len(pairs)
                # What a word from around stands for was said before, not after.
                fits = (
                    _fits(extra, left_out, sorted(pairs))
                    and all(term in known for _, term in marks)
                    and not _other_subject(line, clause, extra, pairs, reading, other)
                )
    return fits


def _all_do_it(line: Reading, clause: Clause, window: _Window) -> bool:
    """Says whether things that a clause joins stand in one clause of the evidence: "the door and the window are open"
    does not follow from "the door is open, and the window is shut"."""
    clauses = window.clauses()
    if len(clauses) > 1 and _JOINT_SUBJECT.search(line.text):
        joint = any(_JOINT_SUBJECT.search(reading.text) for reading in window.readings)
        return joint or any(line.terms <= other.terms for other in clauses)
    joined = _JOINED.search(line.text[clause.start : clause.end])
    return not joined or len(clauses) == 1 or any(clause.terms <= other.terms for other in clauses)


def _fits(extra: Sequence[int], left_out: Sequence[int], pairs: Sequence[tuple[int, int]]) -> bool:
    """Says whether no left-out word of the evidence stands between what is nearest to each extra word of the line."""
    for place in extra:
        after = next((theirs for own, theirs in reversed(pairs) if own < place), -1)
        before = next((theirs for own, theirs in pairs if own > place), 1 << 30)
        if any(min(after, before) < other < max(after, before) for other in left_out):
            return False
    return True


def _other_subject(
    line: Reading,
    clause: Clause,
    extra: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    reading: Reading,
    other: Clause,
) -> bool:
    """Says whether a word from elsewhere leads the line where the evidence has somebody whom the line does not name, or
    where what comes before in its own sentence is about something else."""
    if not extra or min(extra) > min((own for own, _ in pairs), default=1 << 30):
        return False
    for fact in reading.facts:
        here = other.start <= fact.start < other.end
        if here and fact.kind is FactKind.NAME and fact.value not in line.names():
            return True
    before = [earlier.terms for earlier in reading.clauses if earlier.end <= other.start]
    leading = next(term for term, place in clause.places.items() if place == min(extra))
    return bool(before) and not any(leading in terms for terms in before)


def _same_order(line: Reading, window: _Window) -> bool:
    """Says whether facts of one kind that stand in one clause of the evidence come in the same order in the line: who
    gives to whom, from what to what. Korean names have particles for that."""
    if _PASSIVE.search(line.text):
        return True
    for place, first in enumerate(line.facts):
        for second in line.facts[place + 1 :]:
            if first.kind is not second.kind or first.agrees(second):
                continue
            if first.kind is FactKind.NAME and is_hangul(line.text[first.start : first.end]):
                continue
            orders = {
                left.start < right.start
                for reading in window.readings
                for left in reading.facts
                for right in reading.facts
                if first.agrees(left)
                and second.agrees(right)
                and reading.clause_at(left.start) is reading.clause_at(right.start)
            }
            if orders == {False}:
                return False
    return True


def segments_of(sentences: Iterable[Sentence]) -> tuple[Segment, ...]:
    """Returns the segments that sentences touch, each once, in order."""
    found = {segment.index: segment for sentence in sentences for segment in sentence.segments}
    return tuple(found[index] for index in sorted(found))
