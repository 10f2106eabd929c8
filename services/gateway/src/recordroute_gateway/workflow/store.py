"""Keeps workflows and their numbered events.

Every change goes through `record`, in one transaction: it drops what is no news (a step that is repeated after a
crash reports its progress again), refuses changes to what has ended, and gives the event the next number.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import Conflict, NotFound, PreconditionFailed
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.library.pages import after_token, encode_token
from recordroute_gateway.tables import workflow_events, workflow_stages, workflows
from recordroute_gateway.workflow.records import Event, Failure, Options, Stage, StageStatus, State, Workflow

EVENT_PAGE = 200
# Another replica's events are noticed by looking; this replica's wake the watcher at once.
POLL_SECONDS = 1.0


class WorkflowStore:
    """Workflows of all owners."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    async def create(self, owner: str, recording_id: str, request_id: str, options: Options) -> Workflow:
        """Adds a queued workflow. The same request id again returns the workflow of the first time.

        Raises Conflict (WORKFLOW_RUNNING) where another workflow of the recording has not ended.
        """
        known = await self._find_request(owner, request_id)
        if known is not None:
            return known
        workflow_id, now = str(uuid.uuid4()), datetime.now(UTC)
        try:
            async with self._database.write() as connection:
                query = select(workflows.c.id).where(
                    workflows.c.recording_id == recording_id,
                    workflows.c.state.in_((State.QUEUED.value, State.RUNNING.value)),
                )
                running = (await connection.execute(query)).scalars().first()
                if running is not None:
                    raise Conflict(
                        "WORKFLOW_RUNNING",
                        f"workflow {running} is working on this recording; watch or cancel it",
                        metadata={"workflow_id": running},
                    )
                await connection.execute(
                    insert(workflows).values(
                        id=workflow_id,
                        recording_id=recording_id,
                        owner=owner,
                        request_id=request_id,
                        retry_request_id="",
                        state=State.QUEUED.value,
                        attempt=1,
                        options=options.to_json(),
                        created_at=now,
                        last_sequence=1,
                    )
                )
                await connection.execute(
                    insert(workflow_stages),
                    [
                        {
                            "workflow_id": workflow_id,
                            "stage": stage.value,
                            "state": State.QUEUED.value,
                            "percent": 0.0,
                        }
                        for stage in Stage
                    ],
                )
                await _insert_event(connection, workflow_id, 1, now, None, State.QUEUED, 0.0, None)
        except IntegrityError:
            # The same request came twice at once, and the other one won.
            known = await self._find_request(owner, request_id)
            if known is None:
                raise
            return known
        return await self.get(owner, workflow_id)

    async def get(self, owner: str | None, workflow_id: str) -> Workflow:
        """Returns a workflow (`owner` None: of anybody). Raises NotFound."""
        query = select(workflows).where(workflows.c.id == workflow_id)
        if owner is not None:
            query = query.where(workflows.c.owner == owner)
        async with self._database.read() as connection:
            found = await _load(connection, (await connection.execute(query)).all())
        if not found:
            raise NotFound("WORKFLOW_NOT_FOUND", f"there is no workflow {workflow_id}")
        return found[0]

    async def list_page(
        self, owner: str, recording_id: str, page_size: int, page_token: str
    ) -> tuple[list[Workflow], str]:
        """Returns a page of workflows, newest first, and the next page's token (empty at the end)."""
        query = select(workflows).where(workflows.c.owner == owner)
        if recording_id:
            query = query.where(workflows.c.recording_id == recording_id)
        if page_token:
            query = query.where(after_token(workflows, page_token))
        query = query.order_by(workflows.c.created_at.desc(), workflows.c.id.desc()).limit(page_size + 1)
        async with self._database.read() as connection:
            found = await _load(connection, (await connection.execute(query)).all())
        page = found[:page_size]
        token = encode_token(page[-1].created_at, page[-1].id) if len(found) > page_size else ""
        return page, token

    async def record(
        self,
        workflow_id: str,
        stage: Stage | None,
        state: State,
        *,
        percent: float = 0.0,
        failure: Failure | None = None,
    ) -> bool:
        """Records that a stage, or the workflow, is in a state; returns whether that was news."""
        async with self._database.write() as connection:
            row = await _locked(connection, workflow_id)
            if row is None or State(row.state).ended:
                return False
            now, sequence = datetime.now(UTC), row.last_sequence + 1
            changes: dict[str, Any] = {"last_sequence": sequence}
            if stage is None:
                if row.state == state.value:
                    return False
                changes["state"] = state.value
                if state.ended:
                    changes |= {
                        "ended_at": now,
                        "error_reason": failure.reason if failure else None,
                        "error_message": failure.message if failure else None,
                    }
            elif not await _advance_stage(connection, workflow_id, stage, state, percent, now):
                return False
            await connection.execute(update(workflows).where(workflows.c.id == workflow_id).values(changes))
            await _insert_event(connection, workflow_id, sequence, now, stage, state, percent, failure)
        self._wake(workflow_id)
        return True

    async def cancel(self, workflow_id: str) -> bool:
        """Ends a workflow, and the stage that it is in, as cancelled; returns False if it had ended."""
        workflow = await self.get(None, workflow_id)
        for status in workflow.stages:
            if status.state is State.RUNNING:
                await self.record(workflow_id, status.stage, State.CANCELLED, percent=status.percent)
        return await self.record(workflow_id, None, State.CANCELLED)

    async def retry(self, owner: str, workflow_id: str, request_id: str) -> Workflow:
        """Queues a failed or cancelled workflow for another attempt; the same request id again changes nothing.

        Raises NotFound, PreconditionFailed (WORKFLOW_NOT_RETRYABLE).
        """
        await self.get(owner, workflow_id)
        async with self._database.write() as connection:
            row = await _locked(connection, workflow_id)
            assert row is not None, "it was there, and recordings are deleted by the same owner only"
            if row.retry_request_id != request_id:
                if row.state not in (State.FAILED.value, State.CANCELLED.value):
                    raise PreconditionFailed(
                        "WORKFLOW_NOT_RETRYABLE",
                        f"workflow {workflow_id} is {row.state}; there is nothing to retry",
                    )
                now, sequence = datetime.now(UTC), row.last_sequence + 1
                await connection.execute(
                    update(workflows)
                    .where(workflows.c.id == workflow_id)
                    .values(
                        state=State.QUEUED.value,
                        attempt=row.attempt + 1,
                        retry_request_id=request_id,
                        last_sequence=sequence,
                        ended_at=None,
                        error_reason=None,
                        error_message=None,
                    )
                )
                await connection.execute(
                    update(workflow_stages)
                    .where(
                        workflow_stages.c.workflow_id == workflow_id,
                        workflow_stages.c.state != State.SUCCEEDED.value,
                    )
                    .values(state=State.QUEUED.value, percent=0.0, started_at=None, ended_at=None)
                )
                await _insert_event(connection, workflow_id, sequence, now, None, State.QUEUED, 0.0, None)
        self._wake(workflow_id)
        return await self.get(owner, workflow_id)

    async def watch(self, workflow_id: str, after_sequence: int) -> AsyncGenerator[Event]:
        """Yields the events with higher numbers, those to come included, until the workflow has ended."""
        news = asyncio.Event()
        self._watchers[workflow_id].add(news)
        try:
            while True:
                news.clear()
                workflow = await self.get(None, workflow_id)
                while events := await self._events(workflow_id, after_sequence):
                    for event in events:
                        after_sequence = event.sequence
                        yield event
                if workflow.state.ended and after_sequence >= workflow.last_sequence:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), POLL_SECONDS)
        finally:
            self._watchers[workflow_id].discard(news)
            if not self._watchers[workflow_id]:
                del self._watchers[workflow_id]

    async def unfinished(self) -> list[Workflow]:
        """Returns every workflow that has not ended."""
        query = select(workflows).where(workflows.c.state.in_((State.QUEUED.value, State.RUNNING.value)))
        async with self._database.read() as connection:
            return await _load(connection, (await connection.execute(query)).all())

    async def _find_request(self, owner: str, request_id: str) -> Workflow | None:
        query = select(workflows).where(workflows.c.owner == owner, workflows.c.request_id == request_id)
        async with self._database.read() as connection:
            found = await _load(connection, (await connection.execute(query)).all())
        return found[0] if found else None

    async def _events(self, workflow_id: str, after_sequence: int) -> list[Event]:
        query = (
            select(workflow_events)
            .where(workflow_events.c.workflow_id == workflow_id, workflow_events.c.sequence > after_sequence)
            .order_by(workflow_events.c.sequence)
            .limit(EVENT_PAGE)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Event(
                sequence=row.sequence,
                time=row.time,
                stage=Stage(row.stage) if row.stage else None,
                state=State(row.state),
                percent=row.percent,
                failure=_failure(row),
            )
            for row in rows
        ]

    def _wake(self, workflow_id: str) -> None:
        for news in self._watchers.get(workflow_id, ()):
            news.set()


async def _locked(connection: AsyncConnection, workflow_id: str) -> Row[Any] | None:
    query = select(workflows).where(workflows.c.id == workflow_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def _advance_stage(
    connection: AsyncConnection, workflow_id: str, stage: Stage, state: State, percent: float, now: datetime
) -> bool:
    place = (workflow_stages.c.workflow_id == workflow_id) & (workflow_stages.c.stage == stage.value)
    row = (await connection.execute(select(workflow_stages).where(place))).one()
    before = State(row.state)
    if before.ended or (before is state and percent <= row.percent):
        return False
    changes: dict[str, Any] = {"state": state.value, "percent": percent}
    if row.started_at is None:
        changes["started_at"] = now
    if state.ended:
        changes["ended_at"] = now
    await connection.execute(update(workflow_stages).where(place).values(changes))
    return True


async def _insert_event(
    connection: AsyncConnection,
    workflow_id: str,
    sequence: int,
    time: datetime,
    stage: Stage | None,
    state: State,
    percent: float,
    failure: Failure | None,
) -> None:
    await connection.execute(
        insert(workflow_events).values(
            workflow_id=workflow_id,
            sequence=sequence,
            time=time,
            stage=stage.value if stage else "",
            state=state.value,
            percent=percent,
            error_reason=failure.reason if failure else None,
            error_message=failure.message if failure else None,
        )
    )


def _failure(row: Row[Any]) -> Failure | None:
    return Failure(row.error_reason, row.error_message) if row.error_reason else None


async def _load(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Workflow]:
    stages: dict[str, dict[Stage, StageStatus]] = defaultdict(dict)
    query = select(workflow_stages).where(workflow_stages.c.workflow_id.in_([row.id for row in rows]))
    for row in await connection.execute(query):
        stage = Stage(row.stage)
        stages[row.workflow_id][stage] = StageStatus(
            stage, State(row.state), row.percent, row.started_at, row.ended_at
        )
    return [
        Workflow(
            id=row.id,
            recording_id=row.recording_id,
            owner=row.owner,
            state=State(row.state),
            attempt=row.attempt,
            options=Options.from_json(row.options),
            failure=_failure(row),
            created_at=row.created_at,
            ended_at=row.ended_at,
            last_sequence=row.last_sequence,
            stages=tuple(stages[row.id][stage] for stage in Stage),
        )
        for row in rows
    ]
