"""Tells what has happened from what is planned, wished or asked: words that are all there may still claim more.

"I will fix the crash" does not say "Ben fixed the crash", nor does "예산을 올리기로 했습니다" say "예산을 올렸습니다".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from recordroute_llm.reading import canonical
from recordroute_llm.terms import is_hangul, words


def _listed(text: str) -> list[str]:
    return text.split()


_FINALS = 28
_SYLLABLES = 0xAC00
_FINAL_SS = 20
_FINAL_L = 8
# After these an English verb is planned, wished or possible, not done; a few words may stand between.
_AHEAD = frozenset(
    _listed("""
    will shall would should must can could may might going plan plans planned want wants wanted need needs let lets
    hope hopes hoped try tries please
    """)
)
_WILL = frozenset(("will", "shall", "going"))
# A verb right behind one of these is its participle, whatever stands farther ahead.
_AUXILIARIES = frozenset(("was", "were", "is", "are", "has", "have", "had", "been", "got"))
_NEAR = 2
_ENDS = re.compile(r"[,.;:!?]")
_IRREGULAR = frozenset(
    _listed("""
    became began begun bought broke broken brought built came chose chosen done drew drove fell fallen felt found gave
    given gone grew grown held kept knew known led left lent lost made met paid ran rose risen said sat saw seen sent
    shown sold spent spoke spoken stood stole stolen taken taught thought told took understood went won wore wrote
    written set put cut shut
    """)
)
_PLANNED_KOREAN = re.compile(r"겠|예정|계획|기로|려고|싶|을게|ㄹ게|세요|십시오|합시다|[아어해]야")
_AUXILIARY_KOREAN = tuple("주보두놓드")


@dataclass(frozen=True)
class _Verb:
    """A word with how it stands: done, ahead (planned, wished, possible), or neither."""

    key: str
    done: bool
    ahead: bool
    will: bool


def _final(syllable: str) -> int:
    return (ord(syllable) - _SYLLABLES) % _FINALS if is_hangul(syllable) else 0


def _korean(word: str, following: str) -> _Verb:
    done = any(_final(syllable) == _FINAL_SS and syllable not in "겠있" for syllable in word)
    future = _final(word[-1]) == _FINAL_L and following.startswith(("것", "거", "예정", "계획", "겁", "게"))
    # "준비해 주세요", "해 보겠습니다": the auxiliary behind a verb tells how it stands.
    asked = following.startswith(_AUXILIARY_KOREAN) and bool(_PLANNED_KOREAN.search(following))
    ahead = future or asked or bool(_PLANNED_KOREAN.search(word))
    return _Verb(canonical(word), done and not ahead, ahead, ahead)


def _verbs(text: str) -> list[_Verb]:
    found: list[_Verb] = []
    before: list[str] = []
    tokens = [(part, word) for part in text.replace("'", "’").split() for word in words(part)]
    for place, (part, word) in enumerate(tokens):
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if is_hangul(word):
            found.append(_korean(word, following))
        else:
            small = word.casefold().replace("’", "'")
            participle = not _AUXILIARIES.isdisjoint(before[-_NEAR:]) and _AHEAD.isdisjoint(before[-_NEAR:])
            ahead = not participle and (not _AHEAD.isdisjoint(before) or "to" in before[-1:])
            done = not ahead and (small in _IRREGULAR or (small.endswith("ed") and len(small) > 4))
            will = ahead and not _WILL.isdisjoint(before)
            found.append(_Verb(canonical(word), done, ahead, will))
            before.append("will" if small.endswith("'ll") or small == "ll" else small)
            if _ENDS.search(part[-1]):
                before.clear()
    return found


def claims_more(line: str, evidence: str) -> bool:
    """Says whether a line tells as done what its evidence only plans, wishes or allows, or as planned what is done."""
    theirs: dict[str, list[_Verb]] = {}
    for verb in _verbs(evidence):
        theirs.setdefault(verb.key, []).append(verb)
    for verb in _verbs(line):
        same = theirs.get(verb.key, [])
        if not same:
            continue
        if verb.done and all(other.ahead for other in same):
            return True
        if verb.will and any(other.done for other in same) and not any(other.ahead for other in same):
            return True
    return False
