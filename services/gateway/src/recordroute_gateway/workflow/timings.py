"""Learns from past work how long stages take, so that people are told how long it will be.

A stage's time is taken as proportional to the length of the recording, with the median of the last runs as the factor:
robust against the one run that shared its machine.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from sqlalchemy import delete, insert, select

from recordroute_gateway.database import Database
from recordroute_gateway.tables import stage_timings
from recordroute_gateway.workflow.records import Stage, State, Workflow

KEPT_RUNS = 20
# Characters of a document that take about as long to read as a second of speech to hear.
CHARACTERS_PER_SECOND = 15.0
# Very short recordings cost what starting costs.
MIN_SECONDS = 5.0
# From here on a stage's own progress tells more than what others took.
TRUSTED_PERCENT = 10.0


@dataclass(frozen=True)
class StageWork:
    """What a stage works on, as far as it decides over its time: `kind` names the model and how hard it tries."""

    stage: Stage
    kind: str
    seconds: float


def work_of(workflow: Workflow, stage: Stage, recording_seconds: float) -> StageWork:
    """Returns a stage's work of a workflow."""
    options = workflow.options
    kind = {
        Stage.TRANSCRIBE: f"{options.stt_model}/{options.profile}/{'one' if options.skip_speakers else 'all'}",
        Stage.SUMMARISE: f"{options.llm_model}/{options.template}",
    }.get(stage, "")
    return StageWork(stage, kind, max(MIN_SECONDS, recording_seconds))


class Timings:
    """What stages took, in the database and, for this process, in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ratios: dict[tuple[Stage, str], deque[float]] = defaultdict(lambda: deque(maxlen=KEPT_RUNS))

    async def load(self) -> None:
        """Reads what past processes learned."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(stage_timings).order_by(stage_timings.c.id))).all()
        for row in rows:
            self._ratios[Stage(row.stage), row.kind].append(row.ratio)

    async def learn(self, work: StageWork, seconds: float) -> None:
        """Keeps what a stage took, and forgets the oldest runs of its kind."""
        ratio = seconds / work.seconds
        self._ratios[work.stage, work.kind].append(ratio)
        place = (stage_timings.c.stage == work.stage.value) & (stage_timings.c.kind == work.kind)
        async with self._database.write() as connection:
            await connection.execute(
                insert(stage_timings).values(
                    stage=work.stage.value, kind=work.kind, ratio=ratio, created_at=datetime.now(UTC)
                )
            )
            newest = (
                select(stage_timings.c.id).where(place).order_by(stage_timings.c.id.desc()).limit(KEPT_RUNS)
            )
            oldest_kept = min((await connection.execute(newest)).scalars())
            await connection.execute(delete(stage_timings).where(place, stage_timings.c.id < oldest_kept))

    def predict(self, work: StageWork) -> float | None:
        """Returns how long a stage will take in seconds, or None where nothing like it has run."""
        ratios = self._ratios.get((work.stage, work.kind))
        if not ratios:
            ratios = deque(
                ratio for (stage, _), known in self._ratios.items() if stage is work.stage for ratio in known
            )
        return median(ratios) * work.seconds if ratios else None

    def remaining_of_stage(self, work: StageWork, percent: float, elapsed: float) -> float | None:
        """Returns how long a running stage will take from now on."""
        predicted = self.predict(work)
        if percent >= TRUSTED_PERCENT or (predicted is None and percent > 0):
            return elapsed * (100.0 - percent) / percent
        return None if predicted is None else max(0.0, predicted - elapsed)

    def remaining(
        self, workflow: Workflow, recording_seconds: float, running: Mapping[Stage, float]
    ) -> float | None:
        """Returns how long a workflow will take once it has its turn; `running` has the seconds that stages are known
        to need. None where a stage of it has never run here."""
        total = 0.0
        for status in workflow.stages:
            if status.state.ended or left_out(workflow, status.stage):
                continue
            seconds = running.get(status.stage) if status.state is State.RUNNING else None
            if seconds is None:
                seconds = self.predict(work_of(workflow, status.stage, recording_seconds))
            if seconds is None:
                return None
            total += seconds
        return total


def left_out(workflow: Workflow, stage: Stage) -> bool:
    """Says whether the options leave a stage out."""
    options = workflow.options
    order = list(Stage)
    if options.first_stage is not None and order.index(stage) < order.index(options.first_stage):
        return True
    if stage is Stage.SUMMARISE:
        return options.skip_summary
    return stage in (Stage.EMBED, Stage.INDEX) and options.skip_index
