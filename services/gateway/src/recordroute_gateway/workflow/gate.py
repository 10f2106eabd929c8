"""Lets so many workflows into a stage at once: in turn between users, and by priority and age within each."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from recordroute_gateway.workflow.records import Priority, Workflow

_RANK = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True)
class _Ticket:
    """A workflow that waits; the smallest key of a user comes first."""

    workflow_id: str
    owner: str
    key: tuple[int, datetime, str]
    admitted: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class StageGate:
    """Admits `limit` workflows at a time. The next is of the user who has the fewest inside and, of these, has waited
    longest since the last admission, so that one user's batch never keeps another's single file waiting."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str, _Ticket] = {}
        self._inside: Counter[str] = Counter()
        self._last_turn: dict[str, int] = {}
        self._turns = itertools.count(1)

    @asynccontextmanager
    async def enter(self, workflow: Workflow) -> AsyncGenerator[None]:
        """Waits for the workflow's turn and holds its place until the block ends."""
        ticket = _Ticket(
            workflow.id,
            workflow.owner,
            (_RANK[workflow.options.priority], workflow.created_at, workflow.id),
        )
        self._waiting[workflow.id] = ticket
        self._admit()
        try:
            await ticket.admitted.wait()
        except BaseException:
            if ticket.admitted.is_set():
                self._leave(workflow.owner)
            else:
                del self._waiting[workflow.id]
            raise
        try:
            yield
        finally:
            self._leave(workflow.owner)

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    def ahead(self, workflow_id: str) -> int:
        """Returns how many workflows get their turn before this one; 0 if it does not wait.

        Users take turns, so the k-th of a user has at most k of each other user before it, and one more of those whose
        turn comes first.
        """
        ticket = self._waiting.get(workflow_id)
        if ticket is None:
            return 0
        of_owner: Counter[str] = Counter(waiting.owner for waiting in self._waiting.values())
        place = sum(
            waiting.owner == ticket.owner and waiting.key < ticket.key for waiting in self._waiting.values()
        )
        turn = self._turn_of(ticket.owner)
        others = (
            min(count, place + (self._turn_of(owner) < turn))
            for owner, count in of_owner.items()
            if owner != ticket.owner
        )
        return place + sum(others)

    def _turn_of(self, owner: str) -> tuple[int, int, str]:
        return self._inside[owner], self._last_turn.get(owner, 0), owner

    def _admit(self) -> None:
        while self._waiting and self._inside.total() < self._limit:
            owner = min({ticket.owner for ticket in self._waiting.values()}, key=self._turn_of)
            ticket = min(
                (ticket for ticket in self._waiting.values() if ticket.owner == owner),
                key=lambda ticket: ticket.key,
            )
            del self._waiting[ticket.workflow_id]
            self._inside[owner] += 1
            self._last_turn[owner] = next(self._turns)
            ticket.admitted.set()

    def _leave(self, owner: str) -> None:
        self._inside[owner] -= 1
        if not self._inside[owner]:
            del self._inside[owner]
        self._admit()
