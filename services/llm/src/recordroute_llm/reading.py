"""Reads a sentence for what it claims: its clauses, each with its content terms, its facts and how often it denies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from recordroute_llm.facts import Fact, FactKind, Names, find_facts, without_facts
from recordroute_llm.lexicon import LIGHT_WORDS, SYNONYMS
from recordroute_llm.numerals import is_number
from recordroute_llm.rules import is_decision
from recordroute_llm.terms import count_negations, is_hangul, is_stopword, stem, strip_particle, words

_BORDER = re.compile(
    r"[,;:]\s+|\s+[-–—]\s+|\s+(?=(?:and|but|so|because|while|although|though|whereas|if|unless|when|then|or)\s)"
    r"|(?<=[가-힣])(?:지만|는데|은데|인데|면서|으며|하며|되며|이며|하고|되고|있고|없고|이고|이었고|았고|었고|했고|됐고|않고|으니|니까"
    r"|해서|하면|으면|되면|라면|다면|쓰면|주고|보고)(?=[\s,])"
    r"|(?<=[가-힣\s])(?:않고|말고|없이|못하고)(?=[\s,])"
    r"|[했었았였됐갔왔났샀썼졌렸쳤켰겼봤줬놨]고(?=[\s,])"
)
_LIGHT = frozenset(stem(word) for word in LIGHT_WORDS if not is_hangul(word))
_DENIALS = frozenset({"never", "none", "nothing", "nobody", "neither", "cannot"})
_WITHOUT = re.compile(r"\bwithout\b", re.IGNORECASE)
# What is left of a word that was a name or a number, and the words of denial, which are looked at by themselves.
_KOREAN_REST = re.compile(
    r"(?:님|씨|선생님?|팀장님?|부장님?|과장님?|대리님?|대표님?)?"
    r"(?:은|는|이|가|을|를|의|에|에는|에게|께|께서|께서는|한테|와|과|도|만|로|으로|까지|까지는|부터|에서|에서는|보다|이고|인데|정도|쯤|들|입니다|이다|였습니다)?"
    r"|(?:않|못|없|아니)[가-힣]*|안|말고|말아"
)
# After these a line tells who speaks instead of who acts.
_REPORTS = re.compile(
    r"\b(?:says?|said|mention(?:s|ed)?|report(?:s|ed)?|suggest(?:s|ed)?|explain(?:s|ed)?|propos(?:es|ed)|"
    r"states?|stated|notes?|noted|thinks?|believes?|confirm(?:s|ed)?|point(?:s|ed) out|warn(?:s|ed)?|express(?:es|ed)?|"
    r"according to)\b|말했|말함|말합|보고했|보고함|제안했|제안함|설명했|설명함|밝혔|밝힘|언급|발표했|요청했"
    r"|질문|우려|따르면|전했|물었"
)


_KOREAN_ENDING = re.compile(
    r"(?:겠습니다|었습니다|았습니다|였습니다|습니다|니다|기로|지만|는데|면서|니까|려고|도록|어야|아야|어서|아서|세요|어요|아요|"
    r"지|고|기|게|며|면|서|던|는|은|을|야|자|음|다)$"
)
_SYLLABLES, _VOWELS, _FINALS = 0xAC00, 21, 28
# Finals that endings add to a stem: ㅂ, ㅆ; vowels that they change: ㅕ of ㅣ, ㅐ of ㅏ (해), ㅙ of ㅚ (돼).
_ENDING_FINALS = {17, 20}
_ENDING_VOWELS = {6: 20}
_CONTRACTED_ENDS = "려켜쳐져겨펴여혀해돼"
_SHORT_PARTICLES = "은는이을를에"
_CONTRACTED = {"해": "하", "돼": "되"}


def _korean_key(word: str) -> str:
    """Returns two syllables of a noun, or of a verb without its ending: "올려", "올립니다" and "올리고" are "올리"."""
    noun = strip_particle(word)
    if len(noun) == 2 and noun[1] in _SHORT_PARTICLES:
        return noun[0]
    ending = _KOREAN_ENDING.search(noun)
    if (ending is None and noun[-1] not in _CONTRACTED_ENDS) or (ending and ending.start() == 0):
        return noun[:2]
    root = noun[: ending.start()] if ending else noun
    code = ord(root[-1]) - _SYLLABLES
    initial, vowel, final = code // (_VOWELS * _FINALS), code // _FINALS % _VOWELS, code % _FINALS
    final = 0 if final in _ENDING_FINALS else final
    if final == 0:
        vowel = _ENDING_VOWELS.get(vowel, vowel)
    last = chr(_SYLLABLES + (initial * _VOWELS + vowel) * _FINALS + final)
    root = root[:-1] + _CONTRACTED.get(last, last)
    if len(root) > 1 and root[-1] in "어아":
        root = root[:-1]
    if len(root) > 2 and root[-1] in "하되시":
        root = root[:-1]
    return root[:2]


def _key(word: str) -> str:
    return _korean_key(word) if is_hangul(word) else stem(word)


def canonical(word: str) -> str:
    """Returns the key of a word, which it shares with its other forms and with words that say the same."""
    key = _key(word)
    return _CANONICAL.get(key, key)


_CANONICAL = {_key(word): _key(group[0]) for group in reversed(SYNONYMS) for word in group}
# What tells that something was decided: a sentence with the cues of a decision says it without these words.
_DECIDED = frozenset(map(canonical, ("decided", "결정")))
IGNORED = _DECIDED | frozenset(map(canonical, LIGHT_WORDS))


@dataclass(frozen=True)
class Clause:
    """A stretch of a sentence: `places` has the code point at which each of its terms first stands."""

    start: int
    end: int
    places: dict[str, int]
    denials: int

    @property
    def terms(self) -> frozenset[str]:
        """Its content terms."""
        return frozenset(self.places)


@dataclass(frozen=True)
class Reading:
    """A sentence that was read; `facts` are in order, `terms` those of all clauses."""

    text: str
    clauses: tuple[Clause, ...]
    facts: tuple[Fact, ...]
    terms: frozenset[str]
    reports: bool

    def clause_at(self, place: int) -> Clause:
        """Returns the clause that holds a code point."""
        return next((clause for clause in self.clauses if place < clause.end), self.clauses[-1])

    def names(self) -> frozenset[str]:
        """Returns the names in it."""
        return frozenset(fact.value for fact in self.facts if fact.kind is FactKind.NAME)


def read(text: str, names: Names, speaker: str = "", *, line: bool = False) -> Reading:
    """Reads a sentence of a transcript by `speaker`, or a `line` of minutes.

    Names are no terms: they would make up for words that are missing. Of a line the words that claim nothing are left
    out as well.
    """
    facts = find_facts(text)
    masked = without_facts(text, facts)
    named = [
        fact
        for fact in names.find(text, speaker)
        if not any(fact.start < other.end and other.start < fact.end for other in facts)
    ]
    content = without_facts(masked, named)
    ordered = tuple(sorted([*facts, *named], key=lambda fact: fact.start))
    clauses: list[Clause] = []
    start = 0
    for end in [*(match.end() for match in _BORDER.finditer(text)), len(text)]:
        places = _places(content[start:end], start, line=line)
        denials = count_negations(_WITHOUT.sub("", text[start:end]))
        held = len(places) + sum(start <= fact.start < end for fact in ordered)
        if end < len(text) and not places:
            # "Grace, please ...": whom it is said to belongs to what is said.
            continue
        if clauses and held < 2 and not denials:
            # "... and a chain": a thing more, not a statement more.
            last = clauses.pop()
            clauses.append(Clause(last.start, end, {**places, **last.places}, last.denials))
        else:
            clauses.append(Clause(start, end, places, denials))
        start = end
    terms = frozenset[str]().union(*(clause.places for clause in clauses))
    if not line and is_decision(text):
        terms |= _DECIDED
    return Reading(text, tuple(clauses), ordered, terms, bool(_REPORTS.search(text)))


def _is_light(word: str) -> bool:
    if is_hangul(word):
        return word in LIGHT_WORDS or strip_particle(word) in LIGHT_WORDS
    return stem(word) in _LIGHT


def _places(text: str, offset: int, *, line: bool) -> dict[str, int]:
    places: dict[str, int] = {}
    position = 0
    lacking = False
    for word in words(text):
        position = text.index(word, position)
        if word.casefold() == "without":
            lacking = True
            position += len(word)
            continue
        light = line and _is_light(word)
        empty = (
            is_stopword(word)
            or word.casefold() in _DENIALS
            or is_number(word)
            or bool(_KOREAN_REST.fullmatch(word))
        )
        if not (empty or light or (len(word) == 1 and not is_hangul(word))):
            key = canonical(word)
            places.setdefault(f"without {key}" if lacking else key, offset + position)
            lacking = False
        position += len(word)
    return places
