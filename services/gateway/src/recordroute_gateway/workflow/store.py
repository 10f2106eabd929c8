"""Keeps workflows and their numbered events.

Every change goes through `record`, in one transaction: it drops what is no news (a step that is repeated after a
crash reports its progress again), refuses changes to what has ended, and gives the event the next number.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import Conflict, NotFound, PreconditionFailed
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.library.changes import ChangeKind, append_changes, seen_by
from recordroute_gateway.library.pages import after_token, encode_token
from recordroute_gateway.tables import shares, workflow_events, workflow_stages, workflows
from recordroute_gateway.webhooks.records import WebhookEvent
from recordroute_gateway.webhooks.store import queue_deliveries
from recordroute_gateway.workflow.records import Event, Failure, Options, Stage, StageStatus, State, Workflow

EVENT_PAGE = 200
# Another replica's events are noticed by looking; this replica's wake the watcher at once.
POLL_SECONDS = 1.0
WEBHOOK_EVENTS = {
    State.SUCCEEDED: WebhookEvent.WORKFLOW_SUCCEEDED,
    State.FAILED: WebhookEvent.WORKFLOW_FAILED,
}


class WorkflowStore:
    """Workflows of all owners."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        # Called where a webhook may have something to send.
        self.on_webhook_event: Callable[[], None] = lambda: None

    async def create(
        self, owner: str, recording_id: str, request_id: str, options: Options, *, batch_id: str = ""
    ) -> Workflow:
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
                        batch_id=batch_id,
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
                await self._log_change(connection, workflow_id, recording_id, None)
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
            raise not_found(workflow_id)
        return found[0]

    async def list_page(
        self,
        user: str,
        recording_id: str,
        page_size: int,
        page_token: str,
        *,
        states: Collection[State] = (),
        batch_id: str = "",
    ) -> tuple[list[Workflow], str]:
        """Returns a page of the workflows of recordings that a user sees, newest first, and the next page's token
        (empty at the end)."""
        shared = select(shares.c.recording_id).where(shares.c.user == user)
        query = select(workflows).where((workflows.c.owner == user) | workflows.c.recording_id.in_(shared))
        if recording_id:
            query = query.where(workflows.c.recording_id == recording_id)
        if states:
            query = query.where(workflows.c.state.in_([state.value for state in states]))
        if batch_id:
            query = query.where(workflows.c.batch_id == batch_id)
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
        waiting_for: Failure | None = None,
    ) -> bool:
        """Records that a stage, or the workflow, is in a state; returns whether that was news.

        `waiting_for` says what a stage waits for, None that nothing is in its way.
        """
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
                        **_failure_columns("error", failure),
                    }
            else:
                advanced = await _advance_stage(
                    connection, workflow_id, stage, state, percent, waiting_for, now
                )
                if advanced is None:
                    return False
                percent = advanced
            await connection.execute(update(workflows).where(workflows.c.id == workflow_id).values(changes))
            await _insert_event(
                connection, workflow_id, sequence, now, stage, state, percent, failure, waiting_for
            )
            await self._log_change(connection, workflow_id, row.recording_id, stage, state)
            told = WEBHOOK_EVENTS.get(state) if stage is None else None
            if told is not None:
                await queue_deliveries(connection, row.owner, told, _webhook_data(row, failure))
        self._wake(workflow_id)
        if told is not None:
            self.on_webhook_event()
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
                        **_failure_columns("error", None),
                    )
                )
                await connection.execute(
                    update(workflow_stages)
                    .where(
                        workflow_stages.c.workflow_id == workflow_id,
                        workflow_stages.c.state != State.SUCCEEDED.value,
                    )
                    .values(
                        state=State.QUEUED.value,
                        percent=0.0,
                        started_at=None,
                        ended_at=None,
                        running_since=None,
                        **_failure_columns("waiting", None),
                    )
                )
                await _insert_event(connection, workflow_id, sequence, now, None, State.QUEUED, 0.0, None)
                await self._log_change(connection, workflow_id, row.recording_id, None)
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

    async def ended_among(self, workflow_ids: Sequence[str]) -> list[str]:
        """Returns those of the workflows that have ended."""
        if not workflow_ids:
            return []
        going = (State.QUEUED.value, State.RUNNING.value)
        query = select(workflows.c.id).where(
            workflows.c.id.in_(workflow_ids), workflows.c.state.not_in(going)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def counts(self) -> tuple[int, int]:
        """Returns how many workflows wait and how many run, of all users."""
        query = (
            select(workflows.c.state, func.count())
            .where(workflows.c.state.in_((State.QUEUED.value, State.RUNNING.value)))
            .group_by(workflows.c.state)
        )
        async with self._database.read() as connection:
            found = {row[0]: row[1] for row in await connection.execute(query)}
        return found.get(State.QUEUED.value, 0), found.get(State.RUNNING.value, 0)

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
                waiting_for=_waiting(row),
            )
            for row in rows
        ]

    async def get_many(self, ids: Sequence[str]) -> dict[str, Workflow]:
        """Returns those of the workflows that there are, whoever's they are, by id."""
        query = select(workflows).where(workflows.c.id.in_(ids))
        async with self._database.read() as connection:
            found = await _load(connection, (await connection.execute(query)).all())
        return {workflow.id: workflow for workflow in found}

    async def of_recording(self, recording_id: str) -> list[Workflow]:
        """Returns all workflows of a recording, whoever started them."""
        query = select(workflows).where(workflows.c.recording_id == recording_id)
        async with self._database.read() as connection:
            return await _load(connection, (await connection.execute(query)).all())

    async def _log_change(
        self,
        connection: AsyncConnection,
        workflow_id: str,
        recording_id: str,
        stage: Stage | None,
        state: State = State.QUEUED,
    ) -> None:
        # A recording tells the state of its workflow, and which of its artifacts could not be made.
        things = [(ChangeKind.WORKFLOW, workflow_id)]
        if stage is None or state is State.FAILED:
            things.append((ChangeKind.RECORDING, recording_id))
        users = await seen_by(connection, recording_id)
        await append_changes(self._database, connection, users, things)

    def _wake(self, workflow_id: str) -> None:
        for news in self._watchers.get(workflow_id, ()):
            news.set()


def not_found(workflow_id: str) -> NotFound:
    return NotFound("WORKFLOW_NOT_FOUND", f"there is no workflow {workflow_id}")


def _webhook_data(row: Row[Any], failure: Failure | None) -> dict[str, Any]:
    return {
        "workflow_id": row.id,
        "recording_id": row.recording_id,
        "batch_id": row.batch_id,
        "error": {"reason": failure.reason, "message": failure.message} if failure else None,
    }


async def _locked(connection: AsyncConnection, workflow_id: str) -> Row[Any] | None:
    query = select(workflows).where(workflows.c.id == workflow_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def _advance_stage(
    connection: AsyncConnection,
    workflow_id: str,
    stage: Stage,
    state: State,
    percent: float,
    waiting_for: Failure | None,
    now: datetime,
) -> float | None:
    """Returns the percentage that the stage has now, or None where nothing was news."""
    place = (workflow_stages.c.workflow_id == workflow_id) & (workflow_stages.c.stage == stage.value)
    row = (await connection.execute(select(workflow_stages).where(place))).one()
    before, waited = State(row.state), _waiting(row)
    if before.ended or (before is state and percent <= row.percent and waited == waiting_for):
        return None
    if state is State.RUNNING and before is state:
        percent = max(percent, row.percent)
    changes: dict[str, Any] = {
        "state": state.value,
        "percent": percent,
        **_failure_columns("waiting", waiting_for),
    }
    if row.started_at is None and state is not State.SKIPPED:
        changes["started_at"] = now
    if state is State.RUNNING and (before is not state or (waited and not waiting_for)):
        changes["running_since"] = now
    if state.ended:
        changes["ended_at"] = now
    await connection.execute(update(workflow_stages).where(place).values(changes))
    return percent


async def _insert_event(
    connection: AsyncConnection,
    workflow_id: str,
    sequence: int,
    time: datetime,
    stage: Stage | None,
    state: State,
    percent: float,
    failure: Failure | None,
    waiting_for: Failure | None = None,
) -> None:
    await connection.execute(
        insert(workflow_events).values(
            workflow_id=workflow_id,
            sequence=sequence,
            time=time,
            stage=stage.value if stage else "",
            state=state.value,
            percent=percent,
            **_failure_columns("error", failure),
            **_failure_columns("waiting", waiting_for),
        )
    )


def _failure_columns(prefix: str, failure: Failure | None) -> dict[str, Any]:
    return {
        f"{prefix}_reason": failure.reason if failure else None,
        f"{prefix}_message": failure.message if failure else None,
        f"{prefix}_metadata": dict(failure.metadata) if failure and failure.metadata else None,
    }


def _failure(row: Row[Any]) -> Failure | None:
    if not row.error_reason:
        return None
    return Failure(row.error_reason, row.error_message, row.error_metadata or {})


def _waiting(row: Row[Any]) -> Failure | None:
    if not row.waiting_reason:
        return None
    return Failure(row.waiting_reason, row.waiting_message, row.waiting_metadata or {})


async def _load(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Workflow]:
    stages: dict[str, dict[Stage, StageStatus]] = defaultdict(dict)
    query = select(workflow_stages).where(workflow_stages.c.workflow_id.in_([row.id for row in rows]))
    for row in await connection.execute(query):
        stage = Stage(row.stage)
        stages[row.workflow_id][stage] = StageStatus(
            stage,
            State(row.state),
            row.percent,
            row.started_at,
            row.ended_at,
            row.running_since,
            _waiting(row),
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
            batch_id=row.batch_id,
        )
        for row in rows
    ]
