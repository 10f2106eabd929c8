"""What the manager tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What is being done to a model."""

    WAITING = "waiting"
    FETCHING = "fetching"
    CONVERTING = "converting"
    CHECKING = "checking"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """How far a model is: `done_bytes` of `total_bytes` have arrived, or have been checked in `CHECKING`."""

    model: str
    phase: Phase
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Notice:
    """Something that a person may want to know and nobody has to act on."""

    model: str
    message: str


Observer = Callable[[Progress | Notice], None]


def ignore(_event: Progress | Notice) -> None:
    """An observer that looks away."""
