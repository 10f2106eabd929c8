"""Tells whether a sentence holds the kind of thing that a question asks for: a person, a time, so many of a thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recordroute_llm.facts import Fact, FactKind
from recordroute_llm.numerals import is_number
from recordroute_llm.questions import Asked, Wanted
from recordroute_llm.reading import canonical
from recordroute_llm.said import Line, Said
from recordroute_llm.terms import is_hangul, is_stopword, words

KOREAN_SUBJECT = re.compile(
    r"(?<![가-힣])(?<![그이저]\s)([가-힣]{2,}?)(?:은|는|이|가|께서|님은|님이)(?=\s)|([가-힣]+)의(?=\s)"
)
_REASONS = re.compile(
    r"\b(?:because|since|due to|so that|therefore|reason|that['’]?s why|as a result|thanks to|in order to|otherwise)\b"
    r"|때문|덕분|탓|이유|원인|결함으로",
    re.IGNORECASE,
)
_KOREAN_SO = re.compile(r"(?:니까|므로|라서|[아어해여]서)(?=[\s,])")
_LOCATIVE = re.compile(
    r"\b(?:in|at|on|from|to|into|behind|above|under|near|through|via|next to|inside|outside)\s+(?!and\b|or\b|but\b)"
    r"(?:\w+\s){0,3}?[\w-]+|[가-힣A-Za-z0-9]{2,}(?:에서|에|으로|로)(?=[\s.])",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"\b(?:half|third|quarter|twice|double|all|none|most)\b|절반|반 정도|두 배|모두|전부", re.IGNORECASE
)
_OFTEN = re.compile(
    r"\b(?:once|twice|thrice|daily|weekly|monthly|every)\b|매일|매주|매월|매년", re.IGNORECASE
)
# Times that are no facts of minutes.
_SOMETIME = re.compile(
    r"(?<![가-힣])(?:[일이삼사오유칠팔구시]|십일|십이)월(?=[에부까이\s])|평일|매일|매주|낮에|밤에|새벽"
    r"|\bweekdays?\b|\bdaily\b|\bmidnight\b|\bdaytime\b",
    re.IGNORECASE,
)
_SPAN = re.compile(r"\b(?:in|within|after|for)\s+(?:about\s+|at least\s+)?$", re.IGNORECASE)
_SPAN_AFTER = re.compile(r"\s?(?:(?:ago|later|from now|before)\b|안|후|뒤|전|이내|만에)", re.IGNORECASE)
_COPULA = re.compile(
    r"\b(?:is|was|are|were)\b|['’]s\b|(?:입니다|이고|이며|였습니다|였는데|인데|이에요|예요|라고)(?=[\s.,!]|$)",
    re.IGNORECASE,
)
_BY = re.compile(r"\bby\s+(?:about\s+)?$", re.IGNORECASE)
_AFTER_IT = re.compile(r"[가-힣]+\s(?:전|후|뒤)(?:에|에는|까지)")
_BEFORE_IT = re.compile(r"\b(?:before|after) (?:the |a |an |our |my )?$", re.IGNORECASE)
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|Professor)\.? ([A-Z]\w+)")
# A capital that opens a sentence tells nothing of itself; before these verbs it is who does it.
_OPENING_SUBJECT = re.compile(
    r"([A-Z][\w'’-]+)(?: [A-Z][\w'’-]+)? (?:will|would|is|was|has|had|can|could|should|must|may|does|did|\w+ed|\w+s)\b"
)
_CURRENCIES = ("EUR", "USD", "KRW", "GBP")
_DURATIONS = ("year", "month", "week", "day", "hour", "minute", "second", "일", "분")
_MEASURES = (
    *_CURRENCIES, "%", "degree", "MB", "GB", "km", "hour", "minute", "day", "week", "month", "year", "배", "점",
    "kilogram", "kilograms", "kilos", "grams", "pounds", "tons", "tonnes", "litres", "liters", "meters", "metres",
)  # fmt: skip
_NOT_COUNTED_WORDS = 3


def asked_facts(wanted: Wanted, line: Line) -> list[Fact] | None:
    """Returns the facts of a sentence that may be what is asked for, none where that is no fact, and None where the
    sentence does not hold it."""
    match wanted.asked:
        case Asked.PERSON:
            return _person(wanted, line)
        case Asked.PLACE:
            return [] if _names_place(wanted, line) else None
        case Asked.REASON:
            return [] if _gives_reason(wanted, line) else None
        case Asked.ANYTHING:
            return [] if _tells_what(wanted, line) else None
    facts = [fact for fact in line.reading.facts if not any(fact.agrees(given) for given in wanted.facts)]
    return _of_kind(wanted, line, facts) or ([] if _tells_without_number(wanted, line.text) else None)


def _of_kind(wanted: Wanted, line: Line, facts: Sequence[Fact]) -> list[Fact]:
    counts = [fact for fact in facts if fact.kind is FactKind.NUMBER]
    if wanted.asked in (Asked.AMOUNT, Asked.MONEY) and not wanted.difference:
        counts = [fact for fact in counts if not _BY.search(line.text[: fact.start])]
    if wanted.counted is not None:
        return [fact for fact in facts if _counts(wanted.counted, fact, line.text, until=wanted.until)]
    match wanted.asked:
        case Asked.PERCENTAGE:
            return [fact for fact in counts if fact.unit == "%"]
        case Asked.FREQUENCY:
            return [fact for fact in counts if fact.unit == "times"]
        case Asked.DURATION:
            return [fact for fact in counts if fact.unit in _DURATIONS]
        case Asked.TIME:
            if any(_only_orders(term, line) for term in wanted.terms):
                return []
            return [fact for fact in facts if _is_time(fact, line.text)]
        case Asked.MONEY:
            found = [fact for fact in counts if fact.unit in _CURRENCIES]
            return found or [
                fact for fact in counts if not (fact.unit or fact.counted) and len(fact.value) > 2
            ]
        case _:
            found = [fact for fact in counts if {fact.unit, fact.counted} & set(_MEASURES)]
            return [fact for fact in found if not _is_year(fact)] or [
                fact for fact in counts if not (fact.unit or fact.counted)
            ]


def _tells_without_number(wanted: Wanted, text: str) -> bool:
    match wanted.asked:
        case Asked.FREQUENCY:
            return bool(_OFTEN.search(text))
        case Asked.TIME:
            return bool(_SOMETIME.search(text))
        case Asked.PERCENTAGE:
            return bool(_DEGREE.search(text))
        case _:
            return wanted.difference and bool(_DEGREE.search(text))


def _counts(pattern: Fact, fact: Fact, text: str, *, until: bool) -> bool:
    """Says whether a fact counts what "how many" asks for."""
    if fact.kind is not pattern.kind:
        return pattern.kind is FactKind.MONTH and fact.kind is FactKind.DAY and "month" in fact.value
    if fact.kind is not FactKind.NUMBER:
        # "Until nine" is no answer to "at what time".
        return text.startswith("까지", fact.end) == until
    if pattern.unit == "person":
        return fact.unit == "person"
    if pattern.unit:
        written = is_hangul(pattern.unit) and text.startswith((pattern.unit, f" {pattern.unit}"), fact.end)
        return written or (bool(fact.unit) and fact.comparable(pattern))
    following = {canonical(word) for word in words(text[fact.end :])[:_NOT_COUNTED_WORDS]}
    return fact.unit in ("", "person") and (not fact.counted or canonical(pattern.counted) in following)


def _is_year(fact: Fact) -> bool:
    return fact.unit == "AD" or (fact.unit == "year" and len(fact.value) == 4)


def _is_time(fact: Fact, text: str) -> bool:
    if fact.kind is not FactKind.NUMBER:
        return fact.kind is not FactKind.NAME
    if fact.unit == "일" or _is_year(fact):
        return True
    span = _SPAN.search(text[: fact.start]) or _SPAN_AFTER.match(text, fact.end)
    return fact.unit in _DURATIONS and bool(span)


def _only_orders(term: str, line: Line) -> bool:
    """Says whether something is only what comes before or after: "three hours before the match" does not tell when the
    match is."""
    places = (clause.places[term] for clause in line.reading.clauses if term in clause.places)
    return any(_AFTER_IT.match(line.text, place) or _BEFORE_IT.search(line.text[:place]) for place in places)


def _person(wanted: Wanted, line: Line) -> list[Fact] | None:
    """Returns the names that the question does not give. In Korean a particle shows who does it; in English nothing
    tells other persons from things."""
    given = {fact.value for fact in wanted.facts} | wanted.terms
    named = [fact for fact in line.reading.facts if fact.kind is FactKind.NAME and fact.value not in given]
    titled = any(match.group(1).casefold() not in given for match in _TITLED.finditer(line.text))
    asked = Said("", wanted.terms)
    subjects = [match.group(1) or match.group(2) for match in KOREAN_SUBJECT.finditer(line.text)]
    acts = bool(wanted.predicate) and any(
        noun not in given and not asked.says(canonical(noun)) for noun in subjects
    )
    opening = _OPENING_SUBJECT.match(line.text)
    opens = (
        opening is not None and not is_stopword(opening.group(1)) and opening.group(1).casefold() not in given
    )
    return named if named or titled or acts or opens else None


def _names_place(wanted: Wanted, line: Line) -> bool:
    """Says whether a place stands in a clause that has most of what the question names."""
    shared = [len(wanted.terms & clause.terms) for clause in line.reading.clauses]
    return any(
        _LOCATIVE.search(line.text, clause.start, clause.end)
        for clause, count in zip(line.reading.clauses, shared, strict=True)
        if count == max(shared)
    )


def _gives_reason(wanted: Wanted, line: Line) -> bool:
    """Says whether a sentence has a cue of a reason; the endings of Korean verbs give one only for what follows."""
    if _REASONS.search(line.text):
        return True
    ends = [match.end() for match in _KOREAN_SO.finditer(line.text)]
    places = [
        place
        for clause in line.reading.clauses
        for term, place in clause.places.items()
        if term in wanted.terms
    ]
    return bool(ends) and ends[-1] <= max(places, default=0)


def _tells_what(wanted: Wanted, line: Line) -> bool:
    if wanted.which and _is_bare(wanted.which, line.text):
        return False
    if wanted.light_verb and wanted.light_verb not in map(canonical, words(line.text)):
        return False
    counts = any(fact.kind is FactKind.NUMBER for fact in line.reading.facts)
    return not wanted.defines or counts or bool(_COPULA.search(line.text))


def _is_bare(noun: str, text: str) -> bool:
    """Says whether a text speaks of a thing without telling which."""
    pairs = re.findall(r"(\w+)\s+(?=(\w+))", text)
    before = [word for word, following in pairs if canonical(following) == noun]
    return bool(before) and all(is_stopword(word) or is_number(word) for word in before)
