"""Questions: what they ask for, and how they read without the conversation that they stand in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Engine
from recordroute_llm.prompts import rewrite_prompt
from recordroute_llm.terms import names, numbers, terms

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
    TIME = auto()
    NUMBER = auto()


_ASKED = (
    (
        Asked.NUMBER,
        re.compile(
            r"\bhow (?:much|many|long|often|far|old)\b|\bwhat (?:price|percentage|number)\b|몇|얼마|비율|금액",
            re.IGNORECASE,
        ),
    ),
    (
        Asked.TIME,
        re.compile(
            r"\bwhen\b|\bwhat (?:time|day|date|month|year)\b|\bdeadline\b|언제|무슨 요일|기한|마감",
            re.IGNORECASE,
        ),
    ),
    (Asked.PERSON, re.compile(r"\bwho(?:m|se)?\b|누가|누구|누굴|담당자", re.IGNORECASE)),
)
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
    return next((kind for kind, cue in _ASKED if cue.search(question)), Asked.ANYTHING)


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
    rewritten = written[0].strip().strip('"“”') if written else ""
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
