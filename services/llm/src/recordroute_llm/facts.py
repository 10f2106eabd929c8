"""Finds what can be checked in a sentence: numbers with their units, clock times, dates and the names of people and
things, in English and Korean, written in one form for both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from recordroute_llm.numerals import DAY_COUNTS, find_numbers
from recordroute_llm.terms import is_hangul, is_stopword, names, words


class FactKind(Enum):
    """What kind of fact it is: facts of one kind compete with each other."""

    NUMBER = auto()
    CLOCK = auto()
    WEEKDAY = auto()
    MONTH = auto()
    DAY = auto()
    NAME = auto()


@dataclass(frozen=True)
class Fact:
    """A fact and its place in code points. `unit` is empty where none is written or it is an ordinary word;
    then `counted` is that word, empty where the number stands alone."""

    kind: FactKind
    value: str
    start: int
    end: int
    unit: str = ""
    counted: str = ""

    def agrees(self, other: Fact) -> bool:
        """Says whether two facts are the same. A number without a unit is the same in any; an hour without a half of
        the day is the same in both."""
        if self.kind is not other.kind:
            if {self.kind, other.kind} != {FactKind.NUMBER, FactKind.CLOCK}:
                return False
            number, clock = (self, other) if self.kind is FactKind.NUMBER else (other, self)
            hour, minute = clock.value.split(":")
            return not number.unit and minute == "00" and int(hour) % 12 == int(_whole(number.value)) % 12
        if self.kind is FactKind.CLOCK:
            return self.value == other.value or (
                not (self.unit and other.unit) and _half_day(self.value) == _half_day(other.value)
            )
        return self.value == other.value and self.comparable(other)

    def comparable(self, other: Fact) -> bool:
        """Says whether one could be taken for the other."""
        if self.kind is not other.kind:
            return False
        if self.kind is not FactKind.NUMBER or not self.unit or not other.unit:
            return True
        return self.unit == other.unit or {self.unit, other.unit} in _ALIKE

    def rivals(self, other: Fact) -> bool:
        """Says whether the other could stand in its place and is not the same."""
        if self.kind in _DATES and other.kind in _DATES:
            return not self.agrees(other)
        dated = {self.unit, other.unit} & {"일", "ordinal", "AD"}
        alone = not dated and (not (self.unit or self.counted) or not (other.unit or other.counted))
        return self.kind is other.kind and (self.unit == other.unit or alone) and not self.agrees(other)


# "15일" is a date or a number of days, "분" minutes or people.
_DATES = (FactKind.WEEKDAY, FactKind.MONTH, FactKind.DAY)
_ALIKE = ({"year", "AD"}, {"day", "일"}, {"ordinal", "일"}, {"minute", "분"}, {"person", "분"})

_UNITS = tuple(
    (re.compile(rf"\s*-?(?:{pattern})", re.IGNORECASE), unit)
    for pattern, unit in (
        (r"percent(?:age points?)?\b|per cent\b|%|퍼센트|프로(?![가-힣])", "%"),
        (r"euros?\b|€|유로", "EUR"),
        (r"dollars?\b|\$|달러", "USD"),
        (r"won\b|₩|원(?=[^가-힣]|$|[을은이의에도만씩]|으로|까지|입니다|이고|인데|정도|짜리|대)", "KRW"),
        (r"pounds?\b|£|파운드", "GBP"),
        (r"hours?\b|시간", "hour"),
        (r"minutes?\b", "minute"),
        (r"seconds\b|초(?![가-힣])", "second"),
        (r"days?\b|일(?=\s?(?:간|동안|정도|안에|치|이상|이내))", "day"),
        (r"일(?!차)", "일"),
        (r"weeks?\b|주(?:일|간)?(?!년)", "week"),
        (r"months?\b|개월|달(?!러)", "month"),
        (r"years?\b|년", "year"),
        (r"분기", "quarter"),
        (r"people\b|persons?\b|명|사람", "person"),
        (r"분", "분"),
        (r"megabytes?\b|mb\b|메가(?:바이트)?", "MB"),
        (r"gigabytes?\b|gb\b|기가(?:바이트)?", "GB"),
        (r"degrees?\b|도(?=[^가-힣]|$|까지|[로에의를가는])", "degree"),
        (r"kilomet(?:er|re)s?\b|km\b|킬로미터|킬로(?![가-힣])", "km"),
        (r"times\b|번(?!째|호)|회(?![가-힣]{2})", "times"),
    )
)
_COUNTER = re.compile(
    r"\s?(?:개|건|가지|곳|대|팀|반|점|배|장|살|권|채|편|층|쪽|차례|상자|글자|자|병|그루|동|마리|송이|잔|벌|줄)"
    r"(?=[^가-힣]|$|[은는이가을를에의로만도씩]|까지|입니다|인데|이고|정도|이상|이하|더)"
)
_CURRENCY_BEFORE = re.compile(r"([€$£₩])\s*$")
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "₩": "KRW"}
_ORDINAL = re.compile(r"(?:first|second|third|fifth|eighth|ninth|twelfth|tieth|[a-z]th)$", re.IGNORECASE)
_FIRST = re.compile(r"\b(first|second)(?=\s+(?!of all|thing\b)[a-z])", re.IGNORECASE)

_WEEKDAYS = {
    **{name: str(place) for place, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))},
    **{f"{name}요일": str(place) for place, name in enumerate("월화수목금토일")},
}  # fmt: skip
_WEEKDAY = re.compile(r"\b(" + "|".join(list(_WEEKDAYS)[:7]) + r")s?\b|[월화수목금토일]요일", re.IGNORECASE)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = re.compile(
    r"\b(january|february|april|june|july|august|september|october|november|december)\b"
    r"|(?:(?<=in )|(?<=of )|(?<=by )|(?<=on )|(?<=until )|(?<=till )|(?<=before )|(?<=after )|(?<=since )|(?<=from )"
    r"|(?<=to )|(?<=next )|(?<=last )|(?<=early )|(?<=late )|(?<=mid-)|(?<=this ))(march|may)\b(?! (?:be|have|not)\b)"
    r"|(?<!\w)(march|may)(?= (?:the )?(?:\d|(?:first|second|third|twent|thirt|\w+th)\b))"
    r"|(?<!\d)(\d{1,2})월(?!요)",
    re.IGNORECASE,
)
_DAYS = tuple(
    (re.compile(pattern, re.IGNORECASE), value)
    for pattern, value in (
        (r"\bday after tomorrow\b|모레", "after tomorrow"),
        (r"\btomorrow\b|내일", "tomorrow"),
        (r"\byesterday\b|어제", "yesterday"),
        (r"\btoday\b|오늘", "today"),
        (r"\btonight\b", "tonight"),
        (r"\bnext week\b|다음\s?주|차주", "next week"),
        (r"\bthis week\b|이번\s?주|금주", "this week"),
        (r"\blast week\b|지난\s?주", "last week"),
        (r"\bnext month\b|다음\s?달", "next month"),
        (r"\bthis month\b|이번\s?달|이달", "this month"),
        (r"\blast month\b|지난\s?달", "last month"),
        (r"\bnext year\b|내년", "next year"),
        (r"\bthis year\b|올해|금년", "this year"),
        (r"\blast year\b|작년|지난해", "last year"),
        (r"\bnext quarter\b|다음\s?분기", "next quarter"),
        (r"\bthis quarter\b|이번\s?분기", "this quarter"),
        (r"\blast quarter\b|지난\s?분기", "last quarter"),
        (r"\bmornings?\b|아침|오전", "morning"),
        (r"\bafternoons?\b|오후", "afternoon"),
        (r"\bevenings?\b|저녁", "evening"),
        (r"\bnoon\b|정오", "noon"),
        (r"\bweekends?\b|주말", "weekend"),
        (r"\bend of the month\b|월말", "end of month"),
        (r"\bend of the year\b|연말", "end of year"),
        (r"\bspring\b|(?<![가-힣])봄(?:에|철|까지|부터|\s)", "spring"),
        (r"\bsummer\b|여름", "summer"),
        (r"\bautumn\b|가을", "autumn"),
        (r"\bwinter\b|겨울", "winter"),
    )
)
_HOUR = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_CLOCKS = (
    re.compile(
        r"(?P<half>오전|오후|아침|저녁|밤|새벽)?\s?(?P<hour>\d{1,2}|열두|열한|열|아홉|여덟|일곱|여섯|다섯|네|세|두|한)\s?"
        r"시(?![간작스장행])"
        r"(?:\s?(?P<minute>\d{1,2})분|\s?(?P<thirty>반))?"
    ),
    re.compile(
        r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s?(?P<half>[ap]\.?m\b\.?)", re.IGNORECASE
    ),
    re.compile(r"(?P<half>오전|오후)?\s?\b(?P<hour>\d{1,2}):(?P<minute>\d{2})\b"),
    re.compile(
        rf"\b(?P<hour>{_HOUR}|\d{{1,2}})(?P<minute> thirty| fifteen| forty[- ]five)? "
        r"(?:o['’]clock|in the (?P<half>morning|afternoon|evening)|(?P<suffix>[ap]\.?m\b\.?))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?<=at )(?P<hour>{_HOUR})(?P<minute> ten| fifteen| twenty| thirty| forty| forty[- ]five| fifty)\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\bhalf past (?P<hour>{_HOUR})\b", re.IGNORECASE),
)  # fmt: skip
_HOURS = {
    **{name: value for value, name in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1)},
    **{name: value for value, name in enumerate(
        ("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두"), 1)},
}  # fmt: skip
_MINUTES = {
    " ten": 10,
    " twenty": 20,
    " forty": 40,
    " fifty": 50,
    " thirty": 30,
    " fifteen": 15,
    " forty five": 45,
    " forty-five": 45,
}
_MORNING = ("오전", "아침", "새벽", "a", "morning")

_FIRST_PERSON = re.compile(
    r"\b(?:I|I['’](?:ll|m|ve|d)|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself|[Ll]et me)\b"
    r"|(?<![가-힣])(?:제가|저는|저도|저한테|저에게|제게|제(?=\s)|내가|나는)"
)
# A Korean sentence leaves "I" out where its verb says it.
_KOREAN_WILL = re.compile(r"(?:겠습니다|겠어요|게요|께요|싶습니다|싶어요)[.!]?$")
_KOREAN_CALLED = re.compile(
    r"(?<![가-힣])(?!(?:선생|팀장|부장|과장|차장|대리|대표|이사|교수|사장|고객|기사|학부모|여러분)(?:님|$))"
    r"([가-힣]{2,4}?)(?=\s?(?:님|씨|팀장|부장|과장|차장|대리|사원|대표|이사|교수|선생|본부장|사장|매니저)(?:[^가-힣]|은|는|이|가|을|를|에게|께|께서|한테|과|와|도|의|님|께서는))"
)


_PARTICLE = re.compile(
    r"(?:님|씨|팀장님?|부장님?|과장님?|대리님?|대표님?|이사님?)?"
    r"(?:은|는|이|가|을|를|의|에게|에게서|께|께서|께서는|한테|와|과|도|만|이랑|랑|로|으로|이라고|라고|에|에서|까지|부터|보다|이나|나|이며)?"
)


def _whole(value: str) -> str:
    return value if value.isdigit() else "-1"


def _half_day(value: str) -> tuple[int, str]:
    hour, minute = value.split(":")
    return int(hour) % 12, minute


# What stands beside a name and is none: many people share it.
_KOREAN_TITLES = (
    "선생", "팀장", "부장", "과장", "차장", "대리", "사원", "대표", "이사", "교수", "본부장", "사장", "매니저",
)  # fmt: skip
_TITLES = frozenset(
    (
        "mr", "mrs", "ms", "miss", "dr", "doctor", "prof", "professor", "sir", "madam", "님", "씨",
        *_KOREAN_TITLES, *(f"{title}님" for title in _KOREAN_TITLES),
    )
)  # fmt: skip
_NO_NAMES = _TITLES | set(_WEEKDAYS) | set(_MONTHS)
_KOREAN_TITLE = re.compile(r"(?<=[가-힣]{2})[님씨]$")


class Names:
    """The names of a transcript: of its speakers, and what its sentences write like names. The parts of one speaker's
    name are one name."""

    def __init__(self, speakers: Iterable[str], texts: Iterable[str]) -> None:
        self._aliases: dict[str, str] = {}
        for speaker in sorted(set(filter(None, speakers))):
            parts = list(_name_parts(speaker))
            given = [part[1:] for part in parts if is_hangul(part) and len(part) == 3]
            for part in (*parts, *given):
                self._aliases.setdefault(part.casefold(), speaker.casefold())
        for text in texts:
            for name in (*names(text), *(match.group(1) for match in _KOREAN_CALLED.finditer(text))):
                if name.casefold() not in _NO_NAMES:
                    self._aliases.setdefault(name.casefold(), name.casefold())

    def find(self, text: str, speaker: str = "") -> list[Fact]:
        """Returns the names in a text; "I" is the speaker's where one is given."""
        found: list[Fact] = []
        local = {name.casefold() for name in names(text)} | {
            match.group(1) for match in _KOREAN_CALLED.finditer(text)
        }
        for match in re.finditer(r"[^\W_][\w-]*", text):
            word = match.group()
            name, end = self._name(word, local)
            if not name or name.removesuffix("s") in _WEEKDAYS or name in _MONTHS:
                continue
            if found and found[-1].value == name and match.start() - found[-1].end <= 2:
                # First and last name are one.
                found[-1] = Fact(FactKind.NAME, name, found[-1].start, match.start() + end)
            else:
                found.append(Fact(FactKind.NAME, name, match.start(), match.start() + end))
        if speaker:
            places = [match.span() for match in _FIRST_PERSON.finditer(text)]
            if not places and not found and _KOREAN_WILL.search(text):
                places = [(0, 0)]
            found += [Fact(FactKind.NAME, speaker.casefold(), start, end) for start, end in places]
        return sorted(found, key=lambda fact: fact.start)

    def _name(self, word: str, local: set[str]) -> tuple[str, int]:
        folded = word.casefold()
        if folded in _TITLES and folded not in self._aliases:
            return "", 0
        if not is_hangul(word):
            capital = word[0].isupper()
            known = folded in self._aliases and capital
            return (
                (self._aliases.get(folded, folded), len(word))
                if known or (capital and folded in local)
                else ("", 0)
            )
        # Korean particles stick to the name.
        for size in range(min(len(folded), 4), 1, -1):
            stem = folded[:size]
            rest = folded[size:]
            if (stem in self._aliases or stem in local) and (not rest or _PARTICLE.fullmatch(rest)):
                return self._aliases.get(stem, stem), size
        return "", 0


def _name_parts(speaker: str) -> Iterator[str]:
    """Yields the words of a speaker's name, without the title unless that is all that is known of it."""
    parts = [_KOREAN_TITLE.sub("", part) for part in words(speaker) if len(part) > 1 or not is_hangul(part)]
    own = [part for part in parts if part.casefold() not in _TITLES]
    yield from own or parts


def find_facts(text: str) -> list[Fact]:
    """Returns the numbers, times and dates of a text in order; names are left to `Names`."""
    found: list[Fact] = []

    def take(fact: Fact) -> None:
        nonlocal text
        found.append(fact)
        text = text[: fact.start] + " " * (fact.end - fact.start) + text[fact.end :]

    for pattern in _CLOCKS:
        for match in pattern.finditer(text):
            clock = _clock(match)
            if clock is not None and text[match.start() : match.end()].strip():
                take(clock)
    for match in _WEEKDAY.finditer(text):
        value = _WEEKDAYS[(match.group(1) or match.group()).casefold()]
        take(Fact(FactKind.WEEKDAY, value, match.start(), match.end()))
    for match in _MONTH.finditer(text):
        name = next(filter(None, match.groups())).casefold()
        value = name if name.isdigit() else str(1 + _MONTHS.index(name))
        take(Fact(FactKind.MONTH, str(int(value)), match.start(), match.end()))
    for pattern, value in _DAYS:
        for match in pattern.finditer(text):
            take(Fact(FactKind.DAY, value, match.start(), match.end()))
    for match in _FIRST.finditer(text):
        value = "1" if match.group().casefold() == "first" else "2"
        take(Fact(FactKind.NUMBER, value, match.start(), match.end(), "ordinal"))
    months = [fact.end for fact in found if fact.kind is FactKind.MONTH]
    for number in find_numbers(text):
        fact = _quantity(text, number.value, number.start, number.end)
        if not fact.unit and any(_follows(text, end, number.start) for end in months):
            fact = replace(fact, unit="일", counted="")
        take(fact)
    return sorted(found, key=lambda fact: fact.start)


def _follows(text: str, month_end: int, start: int) -> bool:
    """Says whether a number follows a month: it is a day of it."""
    return 0 < start - month_end <= 5 and text[month_end:start].strip() in ("", "the")


def _clock(match: re.Match[str]) -> Fact | None:
    groups = match.groupdict()
    hour_text = groups["hour"].casefold()
    hour = _HOURS.get(hour_text) or int(hour_text)
    minute_text = (groups.get("minute") or "0").casefold()
    minute = _MINUTES[minute_text] if minute_text in _MINUTES else int(minute_text)
    if groups.get("thirty") or match.group().casefold().startswith("half past"):
        minute = 30
    if hour > 24 or minute > 59:
        return None
    half = (groups.get("half") or groups.get("suffix") or "").casefold()
    if half and half[0] not in "am" and half not in _MORNING and hour < 12:
        hour += 12
    start = match.start() + len(match.group()) - len(match.group().lstrip())
    known = "half" if half or hour > 12 else ""
    return Fact(FactKind.CLOCK, f"{hour}:{minute:02d}", start, match.end(), known)


def _quantity(text: str, value: str, start: int, end: int) -> Fact:
    before = _CURRENCY_BEFORE.search(text, 0, start)
    if before:
        return Fact(FactKind.NUMBER, value, before.start(), end, _SIGNS[before.group(1)])
    ordinal = re.match(r"(?:st|nd|rd|th)\b", text[end:])
    if ordinal:
        return Fact(FactKind.NUMBER, value, start, end + ordinal.end(), "ordinal")
    if _ORDINAL.search(text[start:end]) or re.match(r"\s?(?:번째|째)", text[end:]):
        return Fact(FactKind.NUMBER, value, start, end, "ordinal")
    for pattern, unit in _UNITS:
        match = pattern.match(text, end)
        if match:
            return Fact(FactKind.NUMBER, value, start, match.end(), unit)
    counted = _COUNTER.match(text, end)
    if counted:
        return Fact(FactKind.NUMBER, value, start, counted.end(), counted.group().strip())
    if text[start:end] in DAY_COUNTS:
        return Fact(FactKind.NUMBER, value, start, end, "day")
    if re.fullmatch(r"1[5-9]\d\d|20\d\d", text[start:end]):
        return Fact(FactKind.NUMBER, value, start, end, "AD")
    word = re.match(r"\s?([^\W\d_]+)", text[end:])
    noun = word.group(1) if word and not is_stopword(word.group(1)) else ""
    return Fact(FactKind.NUMBER, value, start, end, counted=noun)


def without_facts(text: str, facts: Sequence[Fact]) -> str:
    """Returns the text with spaces where the facts stand, so that places stay the same."""
    for fact in facts:
        text = text[: fact.start] + " " * (fact.end - fact.start) + text[fact.end :]
    return text
