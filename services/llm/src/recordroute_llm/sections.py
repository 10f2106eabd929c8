"""Fills the sections that rules and ranking find: topics, decisions, action items, risks, next steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recordroute_llm.evidence import segments_of
from recordroute_llm.extractive import key_phrases
from recordroute_llm.fields import due_of, owner_of, said, task_of
from recordroute_llm.minutes import Item
from recordroute_llm.points import EVIDENCE_SEGMENTS, closed, same
from recordroute_llm.rules import is_action, is_decision, is_next_step, is_risk, tidy
from recordroute_llm.templates import ACTION_FIELDS, Kind
from recordroute_llm.terms import terms
from recordroute_llm.transcript import Sentence

TOPICS = 5


@dataclass(frozen=True)
class Found:
    """What rules found in a transcript. A sentence is in one section at most."""

    topics: tuple[Item, ...]
    decisions: tuple[Item, ...]
    actions: tuple[Item, ...]
    next_steps: tuple[Item, ...]
    risks: tuple[Item, ...]

    def of(self, kind: Kind) -> tuple[Item, ...]:
        """Returns the items of a kind that rules find."""
        by_kind = {
            Kind.TOPICS: self.topics,
            Kind.DECISIONS: self.decisions,
            Kind.ACTION_ITEMS: self.actions,
            Kind.NEXT_STEPS: self.next_steps,
            Kind.RISKS: self.risks,
        }
        return by_kind[kind]


def classify(sentence: str) -> Kind | None:
    """Returns the kind of section that a sentence belongs to: the first of decisions, action items, next steps and
    risks whose cues it has; None where it has none."""
    checks: tuple[tuple[Kind, Callable[[str], bool]], ...] = (
        (Kind.DECISIONS, is_decision),
        (Kind.NEXT_STEPS, is_next_step),
        (Kind.ACTION_ITEMS, is_action),
        (Kind.RISKS, is_risk),
    )
    return next((kind for kind, matches in checks if matches(sentence)), None)


def find_items(sentences: Sequence[Sentence]) -> Found:
    """Finds what rules can find in a transcript, in order."""
    found: dict[Kind, list[Item]] = {}
    for sentence in sentences:
        kind = classify(sentence.text)
        # "I will do that." tells a reader nothing.
        if kind is None or len(terms(sentence.text)) < 2:
            continue
        item = _action(sentence) if kind is Kind.ACTION_ITEMS else _plain(sentence)
        items = found.setdefault(kind, [])
        if not any(item.text == other.text for other in items):
            items.append(item)
    return Found(
        tuple(_topics(sentences)),
        *(
            tuple(found.get(kind, ()))
            for kind in (Kind.DECISIONS, Kind.ACTION_ITEMS, Kind.NEXT_STEPS, Kind.RISKS)
        ),
    )


def _plain(sentence: Sentence) -> Item:
    return Item(closed(tidy(sentence.text)), sentence.segments)


def _action(sentence: Sentence) -> Item:
    text = closed(tidy(sentence.text))
    if sentence.speaker:
        text = f"{sentence.speaker}: {text}"
    owner = owner_of(sentence.text, sentence.speaker)
    values = (owner, task_of(sentence.text, owner), due_of(sentence.text))
    fields = tuple(
        (name, value) for name, value in zip(ACTION_FIELDS, values, strict=True) if said(value, (sentence,))
    )
    return Item(text, sentence.segments, fields)


def without(points: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    """Returns the points that no other item says, each once."""
    kept: list[Item] = []
    for point in points:
        if not any(same(point.text, other.text) for other in (*others, *kept)):
            kept.append(point)
    return kept


def _topics(sentences: Sequence[Sentence]) -> list[Item]:
    phrases = key_phrases(sentences, TOPICS)
    # A single phrase is a coincidence more often than a topic.
    if len(phrases) < 2:
        return []
    items = [
        Item(phrase[:1].upper() + phrase[1:], segments_of(places)[:EVIDENCE_SEGMENTS])
        for phrase, places in phrases
    ]
    return sorted(items, key=lambda item: item.evidence[0].index)
