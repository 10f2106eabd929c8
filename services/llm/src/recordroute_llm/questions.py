"""Questions: what they ask for, what they are about, and how they read without the conversation that they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Engine
from recordroute_llm.facts import Fact, FactKind, Names, find_facts
from recordroute_llm.prompts import rewrite_prompt
from recordroute_llm.reading import canonical, read
from recordroute_llm.terms import is_hangul, names, numbers, strip_particle, terms, words
from recordroute_llm.transcript import split_sentences

# Small models go on in the form of the conversation that they are shown.
_PREFIX = re.compile(r"^\s*(?:(?:Q|A|Rewritten question|Question|Answer|질문|답변?)\s*:\s*)+", re.IGNORECASE)
# Only what was said last is likely to be meant.
HISTORY = 3


@dataclass(frozen=True)
class Exchange:
    """A question of before, with its answer."""

    question: str
    answer: str


class Asked(Enum):
    """What an answer has to hold."""

    ANYTHING = auto()
    PERSON = auto()
    PLACE = auto()
    REASON = auto()
    TIME = auto()
    DURATION = auto()
    FREQUENCY = auto()
    PERCENTAGE = auto()
    MONEY = auto()
    COUNT = auto()
    AMOUNT = auto()


@dataclass(frozen=True)
class Wanted:
    """A question that was read: what it asks for, and the content terms and facts that an answer must be about.

    counted: how an answer to "how many days" would count, whatever the number's value.
    kind, kind_said: terms that only say what kind of answer is wanted, and those of them that the question has.
    which: the thing of "which thing".
    about: terms and names of the questions before it; what "it" stands for is among them.
    predicate, light_verb: its verb, where that is known and a term, and where it is too light to be one.
    nouns: Korean words that have to stand as they are.
    defines: whether it asks what a thing is.
    until, difference: whether it asks for an end, and for how much more or less.
    said_by: words of the name where the question is what somebody said.
    """

    asked: Asked
    terms: frozenset[str]
    facts: tuple[Fact, ...]
    counted: Fact | None = None
    kind: frozenset[str] = frozenset()
    kind_said: frozenset[str] = frozenset()
    which: str = ""
    about: frozenset[str] = frozenset()
    predicate: str = ""
    nouns: frozenset[str] = frozenset()
    light_verb: str = ""
    defines: bool = False
    until: bool = False
    difference: bool = False
    said_by: frozenset[str] = frozenset()


_MONEY_WORDS = (
    r"\b(?:cost|price|charge|worth|expensive|rent|salary|fee|earn|pay|spen[dt]|money)[a-z]*\b|비용|가격|값|요금|금액|예산|월급|연봉"
    r"|[가-힣]{2}(?:료|비)(?=[는은가이를을로의\s]|$)|[샀썼냈]|사나요|내나요|받나요"
)
_MONEY = re.compile(_MONEY_WORDS, re.IGNORECASE)
_DIFFERENCE = re.compile(r"\bby how much\b|얼마나", re.IGNORECASE)
_ASKED = (
    (Asked.REASON, r"\bwhy\b|(?:^|\s)왜(?:\s|\?|$)|왜요|이유|까닭"),
    (Asked.PERCENTAGE, r"\b(?:what|which) (?:percentage|share)\b|\bhow many percent\b|"
     r"몇\s?(?:퍼센트|프로)|(?:확률|비율)[^?]*(?:얼마|몇)"),
    (Asked.FREQUENCY, r"\bhow (?:often|many times)\b|몇\s?(?:번(?!째)|회)|얼마나 자주"),
    (Asked.DURATION, r"\bhow long\b|얼마나 (?:오래|걸)|얼마 (?:동안|전|후|뒤)"),
    (Asked.COUNT, r"\bhow many\b|몇|며칠"),
    (Asked.AMOUNT, r"\bhow (?:much|high|large|big)\b|\b(?:what|which) (?:number|amount)\b|얼마"),
    (Asked.MONEY, r"\bwhat\b[^?]*\b(?:costs?|charges?|price)\b|\b(?:what|which) (?:salary|rent|fee|sum)\b"),
    (
        Asked.TIME,
        r"^\W*(?:(?:and|but|so|since|until|till|by),? )*when\b"
        r"|\b(?:what|which) (?:time|day|date|month|year|week|season)s?\b|\bdeadline\b"
        r"|언제|(?:무슨|어느) (?:요일|날|해|달)|기한|마감",
    ),
    (Asked.PERSON, r"\bwho(?:m|se)?\b|누가|누구|누굴|담당자"),
    (Asked.PLACE, r"\bwhere\b|어디|어느 (?:매장|장소|곳|도시|나라)"),
)  # fmt: skip
_CUES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKED)
# What only says what kind of answer is wanted.
_KIND_WORDS = {
    Asked.REASON: "reason cause 이유 까닭",
    Asked.PERCENTAGE: "percent percentage share 퍼센트 확률 비율",
    Asked.FREQUENCY: "often times time",
    Asked.DURATION: "long",
    Asked.MONEY: "cost price charge worth expensive money amount sum 비용 가격 값 금액 요금 들었다 든다 들다",
    Asked.AMOUNT: "amount number high large big",
    Asked.TIME: "time day date 날짜 시간 요일 기한 마감",
    Asked.PERSON: "person 사람",
    Asked.PLACE: "place 장소 매장 곳",
}
_EMPTY_WORDS = frozenset(
    map(
        canonical,
        words(
            "ever happen exactly kind type exist per 대해 관해 하다 되다 있다 있었다 있는 주다 달라 안 전 후 뒤 동안 수"
        ),
    )
)
_INTERROGATIVE = re.compile(
    r"(?:언제|누가|누구|누굴|무엇|무슨|뭐|뭘|어디|어떤|어느|어떻게|어떠|왜|얼마)(?:나|를|을|은|는|이|가|의|로|에|에서|까지|부터|에게|한테|로서|만큼|나요|예요|인가요|였나요|이었나요|인지|입니까|였습니까|요)*(?=[\s?]|$)"
    r"|\b(?:since|until|till|by) when\b|\bhow (?:long|much|high|large|big|often|far)\b"
    r"|\b(?:take|takes|took|taking) place\b|\bwhose\b"
)
# What points at something that was said before.
_POINTING = re.compile(
    r"(?:^|(?<=\s))(?:그럼|그러면|그리고|그런데)[,\s]|(?:^|(?<=\s))(?:그|이|저)(?:(?:것|건|게|걸|거)[은는이가을를의도]?|\s[가-힣]+)(?=[\s?]|$)"
    r"|\b(?:that|this|these|those) [a-z]+\b",
    re.IGNORECASE,
)
_AUXILIARIES = frozenset(
    map(canonical, words("shall must might may need needed necessary currently already 예정 계획 현재"))
)
# Korean asks with the end of the verb: back to the plain form, which other endings are compared with.
_ASKING_END = re.compile(
    r"(?:이었나요|였나요|인가요|인가|입니까|였습니까|이었습니까|(?<=[가-힣])나요|(?<=[가-힣])(?:는|은|던)가요|(?<=[가-힣])(?:습니까|었습니까)"
    r"|(?<=[가-힣])(?:을까요|까요|지요|죠|니|냐))\s*\?*\s*$"
)
_ASKING_ADJECTIVE = re.compile(r"([가-힣])가요\s*\?*\s*$")
_SYLLABLES, _FINALS, _NIEUN = 0xAC00, 28, 4
_COPULA_END = re.compile(r"^(?:이었나요|였나요|인가|입니까|였습니까|이었습니까)")
_HOW_MANY = re.compile(r"\bhow many\b(?: more| other)?|몇\s*|며칠", re.IGNORECASE)
_SAYS = re.compile(
    r"\b[Ww]hat (?:did|does|has) (?P<who>(?:[A-Z][\w.]* ?)+)(?:say|said|think|mention|suggest|propose|report)\b"
    r"|(?P<whom>[가-힣]{2,4}?)\s?(?:님|씨)?[은는이가]\s.*(?:말했|말하|얘기했|이야기했|제안했)",
)
# The verb, as far as its place tells it: the last word in Korean, in English the one behind "who".
_PREDICATE = re.compile(
    r"([가-힣]+다)\s*$|\bwho (?:will |would |has |had |have |can |should )?([a-z]+)", re.IGNORECASE
)
_NEXT = re.compile(r"다음(?!\s?(?:주|달|분기))")
_DEFINES = re.compile(
    r"^\W*what (?:is|was|are|were)\b(?!.*\babout\W*$)|(?:무엇|뭐)(?:인가요|이었나요|였나요|입니까|예요)",
    re.IGNORECASE,
)
# Verbs that are too light to be terms are needed where they are all that is asked.
_LIGHT_VERB = re.compile(
    r"\bwhat (?:do|does|did)\b.*\b(say|mean|think|know|see|want|need)\W*$", re.IGNORECASE
)
_UNTIL = re.compile(r"\b(?:until|till)\b|까지", re.IGNORECASE)
# Of a long noun two syllables, which are enough for most words, may be another noun.
_LONG_NOUN = 3
_MARKS = ("은", "는", "이", "가", "을", "를", "의")
_VERBAL = ("하", "되", "있", "없", "않", "했", "됐", "시")
_WHICH = re.compile(r"\bwhich (\w+)", re.IGNORECASE)
_LEANS = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|their|he|him|his|she|her|there|then|one|ones|same)\b"
    r"|^(?:and|but|so|also|what about|how about|why|when|where|who|how much|how many)\W*$"
    r"|^(?:and|but|so|also|what about|how about)\b"
    r"|(?:^|\s)(?:그|이|저)(?:것|건|게|걸|거|분|사람|때|날|일|회의|문제)?(?:은|는|이|가|을|를|의|에|도)?(?=\s|\?|$)"
    r"|^(?:그럼|그러면|그리고|그런데|왜요?|언제요?|누가요?|얼마나요?)",
    re.IGNORECASE,
)


def asked_for(question: str) -> Asked:
    """Returns what an answer to the question has to hold."""
    asked = next((kind for kind, cue in _CUES if cue.search(question)), Asked.ANYTHING)
    if asked is Asked.AMOUNT and _MONEY.search(question) and not _DIFFERENCE.search(question):
        return Asked.MONEY
    return asked


def understand(question: str, known: Names) -> Wanted:
    """Reads a question; `known` are the names of the passages. Of several in a row the last one is asked, and the
    others say what it is about."""
    *before, last = list(split_sentences(question)) or [question]
    if not before:
        return _understand(last, known)
    wanted = _understand(_POINTING.sub(" ", last), known)
    if not wanted.terms and not wanted.facts:
        wanted = _understand(last, known)
    earlier = [_understand(part, known) for part in before]
    about = frozenset(_subjects(earlier))
    if wanted.asked is Asked.ANYTHING and not wanted.which:
        # "And for the designer?" asks what was asked before.
        wanted = replace(wanted, asked=earlier[-1].asked, counted=earlier[-1].counted, kind=earlier[-1].kind)
    if not wanted.terms and not wanted.facts:
        return replace(earlier[-1], asked=wanted.asked, counted=wanted.counted, kind=wanted.kind)
    return replace(wanted, about=about)


def _subjects(questions: Sequence[Wanted]) -> Iterator[str]:
    for wanted in questions:
        yield from wanted.terms
        yield from (fact.value for fact in wanted.facts if fact.kind is FactKind.NAME)


def _understand(question: str, known: Names) -> Wanted:
    asked = asked_for(question)
    text = _INTERROGATIVE.sub(lambda match: " " * len(match.group()), _plain(question.strip()))
    counted: Fact | None = None
    how_many = _HOW_MANY.search(text)
    if how_many:
        # "How many days" is answered by what "3 days" counts.
        number = {"몇": "3", "며": "3일"}.get(how_many.group()[0], "3")
        text = text[: how_many.start()] + number + text[how_many.end() :]
        counted = next((fact for fact in find_facts(text) if fact.end > how_many.start()), None)
    reading = read(text, known)
    kind = frozenset(map(canonical, _KIND_WORDS.get(asked, "").split()))
    facts = tuple(fact for fact in reading.facts if not (counted and fact.start == counted.start))
    which = _WHICH.search(question) if asked is Asked.ANYTHING else None
    says = _SAYS.search(question)
    verb = _PREDICATE.search(text)
    light = _LIGHT_VERB.search(question)
    predicate = canonical(verb.group(1) or verb.group(2)) if verb else ""
    return Wanted(
        asked,
        reading.terms - kind - _EMPTY_WORDS - _AUXILIARIES,
        facts,
        counted,
        kind,
        reading.terms & kind,
        canonical(which.group(1)) if which else "",
        nouns=frozenset(_nouns(text)) | {"다음" for _ in _NEXT.finditer(question)},
        light_verb=canonical(light.group(1)) if light and not says else "",
        defines=asked is Asked.ANYTHING and bool(_DEFINES.search(question)),
        until=bool(_UNTIL.search(question)),
        difference=bool(_DIFFERENCE.search(question)),
        predicate=predicate if predicate in reading.terms - kind - _EMPTY_WORDS else "",
        said_by=frozenset(words((says["who"] or says["whom"]).casefold())) if says else frozenset(),
    )


def _nouns(text: str) -> Iterator[str]:
    for word in filter(is_hangul, words(text)):
        # "한빛전자와의" has two.
        noun = strip_particle(strip_particle(word))
        if word != noun and len(noun) >= _LONG_NOUN and word.endswith(_MARKS) and not noun.endswith(_VERBAL):
            yield noun


def _plain(text: str) -> str:
    """Returns a Korean question with its verb in the plain form, and without the copula."""
    end = _ASKING_END.search(text)
    if end is None:
        adjective = _ASKING_ADJECTIVE.search(text)
        if adjective is None or (ord(adjective.group(1)) - _SYLLABLES) % _FINALS != _NIEUN:
            return text
        return f"{text[: adjective.start()]}{chr(ord(adjective.group(1)) - _NIEUN)}다"
    return text[: end.start()] + ("" if _COPULA_END.match(end.group()) else "다")


def leans(question: str) -> bool:
    """Says whether a question is likely to mean something that was said before it."""
    return bool(_LEANS.search(question.strip())) or len(terms(question)) < 2


def standalone(question: str, history: Sequence[Exchange], engine: Engine, token: CancelToken) -> str:
    """Returns the question so that it can be understood without the conversation.

    The model rewrites what leans on the conversation. Where its version says anything that neither the question nor
    the conversation says, the last question is put before this one instead, which is clumsy but true.
    """
    if not history or not leans(question):
        return question
    recent = history[-HISTORY:]
    prompt = rewrite_prompt(question, [(turn.question, turn.answer) for turn in recent])
    written = engine.generate(prompt, token).text.strip().splitlines()
    rewritten = _PREFIX.sub("", written[0]).strip().strip('"“”') if written else ""
    said = " ".join([question, *(f"{turn.question} {turn.answer}" for turn in recent)])
    if _adds_nothing(rewritten, said) and terms(question) <= terms(rewritten):
        return rewritten
    return f"{recent[-1].question} {question}"


def _adds_nothing(rewritten: str, said: str) -> bool:
    known = {word.casefold() for word in re.findall(r"\w+", said)}
    return (
        bool(rewritten)
        and terms(rewritten) <= terms(said)
        and numbers(rewritten) <= numbers(said)
        and names(rewritten) <= known
    )
