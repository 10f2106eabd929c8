"""Takes the parts out of a sentence that gives somebody something to do, who, what and by when, and out of any sentence
its first person, date or amount. All values are words of the recording."""

from __future__ import annotations

import re
from collections.abc import Iterable

from recordroute_llm.facts import FactKind, find_facts
from recordroute_llm.rules import tidy
from recordroute_llm.templates import FieldType
from recordroute_llm.terms import is_stopword, names, terms, words
from recordroute_llm.transcript import Sentence

_NAME = r"(?:(?:Mr|Mrs|Ms|Dr|Prof)\. )?[A-Z][\w'’-]*[\w](?: [A-Z][\w-]*\w)?"
_CUE = (
    r"(?:will|['’]ll|['’]s going to|is going to|are going to|needs? to|ha(?:s|ve) to|should|must|shall|can|could|would|"
    r"is responsible for|takes? over|agreed to|promised to|please)\b"
)
_ENGLISH_SELF = re.compile(
    r"\b(?:I['’]ll|I will|I(?:['’]m| am) going to|I can|I have to|I need to|I should|I must|I shall|I promise|let me|"
    r"I(?:['’]m| am) responsible|I take over|I['’]d)\b"
    r"|\bassigned to me\b",
    re.IGNORECASE,
)
_ENGLISH_OTHERS = (
    re.compile(rf"\b(?P<name>{_NAME}),? {_CUE}"),
    re.compile(rf"\b(?P<name>{_NAME})['’](?:ll|s going to)\b"),
    re.compile(rf"\b(?:can|could|would|will) (?P<name>{_NAME}) (?=[a-z])"),
    re.compile(rf"(?:assigned to|responsibility of|action (?:item )?for|job of|up to) (?P<name>{_NAME})"),
    re.compile(rf"\byou\b[^.?!]*, (?P<name>{_NAME})\s*[.?!]?$"),
    re.compile(rf"^(?:[a-z]\w+,? )?(?P<name>{_NAME}), (?:please |(?:can|could|would|will) you\b)"),
    re.compile(rf"[Pp]lease\b[^.?!]*, (?P<name>{_NAME})\s*[.?!]?$"),
    re.compile(rf"\b(?:the )?(?P<name>(?:[a-z]+ )?(?:team|department|office|agency|group|committee)) {_CUE}"),
    re.compile(rf"\b(?:ask|asked|want|need) (?P<name>{_NAME}) to\b"),
)
_KOREAN_SELF = re.compile(r"(?<![가-힣])(?:제가|저는|저도|제 쪽에서|내가)(?![가-힣])")
_TITLE = r"(?:님|씨|사원|(?:팀장|부장|과장|차장|대리|대표|이사|교수|선생|매니저|본부장|사장)님?)"
_KOREAN_OTHERS = (
    re.compile(
        rf"(?<![가-힣])(?P<name>[가-힣]{{2,4}})\s?(?:{_TITLE})(?:은|는|이|가|께서|께서는|도)?(?=[\s,])"
    ),
    re.compile(
        r"(?<![가-힣])(?P<name>[가-힣]{1,6}(?:팀|부서|본부|부|실))(?:은|는|이|가|에서|에서는)?(?=[\s,])"
    ),
)
_NO_OWNERS = frozenset(
    [
        "I",
        "We",
        "You",
        "He",
        "She",
        "They",
        "It",
        "Then",
        "So",
        "And",
        "But",
        "Okay",
        "Ok",
        "Yes",
        "Well",
        "Please",
        "Could",
        "Can",
        "Would",
        "Will",
        "The",
        "This",
        "That",
        "There",
        "Also",
        "Good",
        "Great",
        "Sure",
        "What",
        "Who",
        "How",
        "Everyone",
        "Everybody",
        "Somebody",
        "Someone",
        "Next",
        "Now",
        "Maybe",
        "First",
        "Second",
        "Third",
        "Finally",
    ]
)

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_PART = r"(?: (?:morning|afternoon|evening|noon|night))?"
_COUNT = (
    r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|fourteen|a couple of|the next (?:\w+ )?)"
)
_ORDINAL_DAY = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?"
    r"|(?:(?:twenty|thirty)[- ]?)?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)"
)
_EVENT = "launch|opening|release|deadline|review|weekend|demo|audit|meeting|exam|interview"
_WHEN = (
    rf"(?:the )?(?:end of (?:the |this |next )?(?:day|week|month|quarter|year|{_MONTH}|business)"
    rf"|(?:early |late )?(?:next|this|coming) (?:{_DAY}|week|month|quarter|year|morning|afternoon|evening){_PART}"
    rf"|(?:the )?{_ORDINAL_DAY} of {_MONTH}|{_MONTH} (?:the )?{_ORDINAL_DAY}|{_MONTH}"
    rf"|{_DAY}{_PART}(?: (?:next week|the \w+))?|tomorrow{_PART}|today|tonight|noon|(?:the )?next meeting"
    rf"|the (?:{_EVENT})|the {_ORDINAL_DAY}\b|(?:{_COUNT}) ?(?:day|week|month|hour)s?(?: from now)?"
    r"|\d{1,2}(?::\d{2})?\s?(?:a\.?m|p\.?m)\.?"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) o['’]clock)"
)
_ENGLISH_DUE = (
    re.compile(
        rf"\b(?:by|until|till|before|no later than|due(?: on)?)(?: about| around)? (?P<due>{_WHEN})", re.IGNORECASE
    ),
    re.compile(rf"\b(?:on|in|within|at|during) (?P<due>{_WHEN})", re.IGNORECASE),
    re.compile(
        r"\b(?P<due>(?:tomorrow|today|tonight|next week|this week|next month"
        rf"|this (?:{_DAY}|morning|afternoon|evening)|next {_DAY}){_PART})\b",
        re.IGNORECASE,
    ),
)  # fmt: skip
_KOREAN_WHEN = (
    r"(?:(?:이번|다음|오는)\s?(?:주|달|분기|학기)\s?)?(?:\d{1,2}월\s?(?:\d{1,2}일|말|초|중순)?|\d{1,2}일|[월화수목금토일]요일|"
    r"내일|모레|오늘|내년|연말|월말|주말|다음\s?(?:주|달|회의|시간|수업|분기)|이번\s?(?:주|달|분기)|\d+(?:일|주|시간|개월)|"
    r"하루|이틀|사흘|나흘|일주일|열흘|보름|한 달|두 주|퇴근|출시|회의)(?:\s?(?:오전|오후|저녁|아침|점심|정오|말|초))?"
    r"(?:\s?\d{1,2}시(?:\s?\d{1,2}분|\s?반)?)?"
)
_KOREAN_DUE = (
    re.compile(rf"(?P<due>{_KOREAN_WHEN}(?:\s?(?:전|안))?)(?:까지|내로|이내에|이내로|안으로)"),
    re.compile(rf"(?P<due>{_KOREAN_WHEN})\s?(?:안에|중에|중으로|전에|전까지)"),
    re.compile(r"(?P<due>(?:오늘|내일|모레|(?:이번|다음)\s?주(?:\s?[월화수목금토일]요일)?)(?:\s?(?:오전|오후|저녁|아침))?(?:\s?\d{1,2}시)?)(?:에|\s)"),
    re.compile(rf"(?P<due>{_KOREAN_WHEN})에\s"),
)  # fmt: skip

_TASK_START = re.compile(
    r"\b(?:will|['’]ll|(?:am|is|are|['’]m|['’]s|['’]re) going to|needs? to|ha(?:s|ve) to|should|must|shall|"
    r"(?:can|could|would|will) you(?: please)?|(?:am|is|are|['’]m) responsible for|please|let me|agreed to|"
    r"promised to)\s+"
    r"(?:please |also |then |just |probably |definitely |certainly )*",
    re.IGNORECASE,
)
_KOREAN_OWNER_WORDS = re.compile(
    rf"(?<![가-힣])(?:제가|저는|저도|제 쪽에서|(?:[가-힣]{{2,4}}\s?(?:{_TITLE}))(?:은|는|이|가|께서|께서는|도)?,?)\s+"
)
_TAIL = re.compile(r"(?:,? (?:please|then|too|as well))?[.!?…\s]*$", re.IGNORECASE)


def owner_of(text: str, speaker: str = "") -> str:
    """Returns who takes on what the sentence says, by name; empty where it does not tell.

    "I will" is the speaker. "We", "you" and "she" are nobody in particular.
    """
    if _ENGLISH_SELF.search(text) or _KOREAN_SELF.search(text):
        return speaker
    for pattern in (*_ENGLISH_OTHERS, *_KOREAN_OTHERS):
        for match in pattern.finditer(text):
            name = match.group("name")
            if name.split()[0] not in _NO_OWNERS and not is_stopword(name):
                return name
    return ""


def due_of(text: str) -> str:
    """Returns by when, in the sentence's words; empty where it does not tell."""
    for pattern in (*_ENGLISH_DUE, *_KOREAN_DUE):
        match = pattern.search(text)
        if match:
            return match.group("due").strip()
    return ""


def task_of(text: str, owner: str = "") -> str:
    """Returns what is to be done: the sentence without who and by when."""
    sentence = tidy(text)
    for pattern in (*_ENGLISH_DUE, *_KOREAN_DUE):
        match = pattern.search(sentence)
        if match:
            sentence = " ".join(f"{sentence[: match.start()]} {sentence[match.end() :]}".split())
            break
    started = _TASK_START.search(sentence)
    if started:
        sentence = sentence[started.end() :]
    sentence = _KOREAN_OWNER_WORDS.sub("", sentence)
    if owner:
        sentence = re.sub(
            rf",? {re.escape(owner)}(?=\s*[.?!]?$)|(?<![가-힣]){re.escape(owner)}(?:에서는?|은|는|이|가)\s",
            "",
            sentence,
        )
    task = _TAIL.sub("", sentence).strip(" ,;:")
    return task if terms(task) else ""


def said(value: str, sentences: Iterable[Sentence]) -> bool:
    """Says whether a value stands in the sentences, or is the name of who says them: its words and its facts."""
    text = " ".join(f"{sentence.speaker} {sentence.text}" for sentence in sentences)
    known = {word.casefold() for word in words(text)}
    facts = find_facts(text)
    return (
        bool(value.strip())
        and all(any(fact.agrees(other) for other in facts) for fact in find_facts(value))
        and (" ".join(value.split()) in " ".join(text.split()) or terms(value) <= terms(text))
        and {name.casefold() for name in names(f". {value}")} <= known
    )


def first_of_type(kind: FieldType, sentences: Iterable[Sentence]) -> str:
    """Returns the first person, date or amount in the sentences, in their words; empty where there is none."""
    find = _TYPES.get(kind)
    if find is None:
        return ""
    return next(filter(None, map(find, sentences)), "")


def _person(sentence: Sentence) -> str:
    return owner_of(sentence.text, sentence.speaker)


def _date(sentence: Sentence) -> str:
    due = due_of(sentence.text)
    if due:
        return due
    dates = {FactKind.WEEKDAY, FactKind.MONTH, FactKind.DAY, FactKind.CLOCK}
    found = [fact for fact in find_facts(sentence.text) if fact.kind in dates]
    return sentence.text[found[0].start : found[0].end].strip() if found else ""


def _amount(sentence: Sentence) -> str:
    for fact in find_facts(sentence.text):
        if fact.kind is FactKind.NUMBER and fact.unit not in ("ordinal", "일"):
            text = sentence.text[fact.start : fact.end]
            # A unit that we don't know is the next word.
            following = words(sentence.text[fact.end :])[:1]
            return text if fact.unit or not following else f"{text} {following[0]}"
    return ""


_TYPES = {FieldType.PERSON: _person, FieldType.DATE: _date, FieldType.AMOUNT: _amount}
