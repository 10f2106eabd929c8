"""Minutes of a recording, and what happens while they are made."""

from __future__ import annotations

from dataclasses import dataclass

from recordroute_llm.engine import Usage
from recordroute_llm.templates import Kind
from recordroute_llm.transcript import Segment


@dataclass(frozen=True)
class Item:
    """A line of the minutes, the segments that it rests on, best first, never empty, and its parts by name."""

    text: str
    evidence: tuple[Segment, ...]
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Section:
    """The lines of one section, never empty, in the order of the recording; `title` as its template has it."""

    kind: Kind
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Minutes:
    """Minutes of one recording; `sections` holds no empty ones. `unsupported` lists what the model wrote and nothing
    supports."""

    language: str
    overview: str
    sections: tuple[Section, ...]
    unsupported: tuple[str, ...]
    template: str


@dataclass(frozen=True)
class Progress:
    """Steps done and steps in all."""

    completed: int
    total: int


@dataclass(frozen=True)
class Delta:
    """Text as the model writes it, before it is checked; `chunk` counts from 0, the overview comes last."""

    chunk: int
    text: str


@dataclass(frozen=True)
class Result:
    """The minutes and what they cost; `seconds` is wall time."""

    minutes: Minutes
    usage: Usage
    seconds: float


Event = Progress | Delta | Result
