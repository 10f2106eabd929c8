"""Foretells when workflows will be done: their turn, their stages, and what is ahead of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from recordroute_gateway.database import Database
from recordroute_gateway.tables import recordings
from recordroute_gateway.workflow.gate import StageGate
from recordroute_gateway.workflow.records import Event, Stage, StageStatus, State, Workflow
from recordroute_gateway.workflow.timings import Timings, work_of


@dataclass(frozen=True)
class Outlook:
    """What is to come of a workflow, in seconds from now; None where nothing like it has run."""

    queue_position: int
    remaining: float | None
    stages: Mapping[Stage, float]


class EventClock:
    """Foretells the end of a stage from its events, as they pass."""

    def __init__(self, timings: Timings, workflow: Workflow, recording_seconds: float) -> None:
        self._timings = timings
        self._workflow = workflow
        self._recording_seconds = recording_seconds
        self._begun: dict[Stage, datetime] = {}

    def remaining(self, event: Event) -> float | None:
        """Returns the seconds that the event's stage will take from the event on."""
        if event.stage is None or event.state is not State.RUNNING or event.waiting_for is not None:
            return None
        if event.percent == 0 or event.stage not in self._begun:
            status = self._workflow.status(event.stage)
            known = status.running_since if event.percent else None
            self._begun[event.stage] = known if known and known <= event.time else event.time
        elapsed = (event.time - self._begun[event.stage]).total_seconds()
        work = work_of(self._workflow, event.stage, self._recording_seconds)
        return self._timings.remaining_of_stage(work, event.percent, elapsed)


class Forecaster:
    """Puts together what the gates and the timings know."""

    def __init__(
        self,
        database: Database,
        timings: Timings,
        gates: Mapping[Stage, StageGate],
        limits: Mapping[Stage, int],
    ) -> None:
        self._database = database
        self._timings = timings
        self._gates = gates
        self._limits = limits

    def event_clock(self, workflow: Workflow, recording_seconds: float) -> EventClock:
        """Returns what foretells the ends of a workflow's stages while its events are told."""
        return EventClock(self._timings, workflow, recording_seconds)

    async def outlooks(self, workflows: Sequence[Workflow]) -> dict[str, Outlook]:
        """Returns the outlook of each workflow, by id."""
        going = [workflow for workflow in workflows if not workflow.state.ended]
        lengths: dict[str, float] = {}
        if going:
            ids = {workflow.recording_id for workflow in going}
            query = select(recordings.c.id, recordings.c.duration_seconds).where(recordings.c.id.in_(ids))
            async with self._database.read() as connection:
                lengths = {row.id: row.duration_seconds or 0.0 for row in await connection.execute(query)}
        return {
            workflow.id: self._outlook(workflow, lengths.get(workflow.recording_id, 0.0))
            for workflow in workflows
        }

    def _outlook(self, workflow: Workflow, recording_seconds: float) -> Outlook:
        if workflow.state.ended:
            return Outlook(0, None, {})
        now = datetime.now(UTC)
        stages = {
            status.stage: seconds
            for status in workflow.stages
            if (seconds := self._stage(workflow, status, recording_seconds, now)) is not None
        }
        position, wait = 0, 0.0
        for stage, gate in self._gates.items():
            ahead = gate.ahead(workflow.id)
            if ahead:
                position = max(position, ahead)
                work = work_of(workflow, stage, recording_seconds)
                # Those ahead are taken to be as long as this one.
                wait += ahead / self._limits[stage] * (self._timings.predict(work) or 0.0)
        remaining = self._timings.remaining(workflow, recording_seconds, stages)
        return Outlook(position, None if remaining is None else remaining + wait, stages)

    def _stage(
        self, workflow: Workflow, status: StageStatus, recording_seconds: float, now: datetime
    ) -> float | None:
        if status.state is not State.RUNNING or status.waiting_for or status.running_since is None:
            return None
        elapsed = (now - status.running_since).total_seconds()
        work = work_of(workflow, status.stage, recording_seconds)
        return self._timings.remaining_of_stage(work, status.percent, elapsed)
