"""Runs workflows durably on DBOS Transact: a workflow whose process dies goes on, after a restart, with the first
stage that had not ended.

DBOS keeps its functions and its state in the module, so there is one engine a process. It is launched from the
gateway's event loop and runs workflows there.

A service that does not answer holds up its own stage only: minutes are put off until everything else is done, and what
can't be put off waits, without taking a place that others could work in.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from typing import Any

import grpc
import grpc.aio
import stamina
import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._error import DBOSNonExistentWorkflowError
from dbos._serialization import DBOSPortableJSON
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OPENED, OpenedState
from recordroute_runtime.errors import DomainError, UpstreamUnavailable
from recordroute_runtime.remote import read_error
from recordroute_runtime.telemetry import call_span
from recordroute_runtime.threads import in_thread
from sqlalchemy.exc import SQLAlchemyError

from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.workflow.gate import StageGate
from recordroute_gateway.workflow.records import ARTIFACT_OF_STAGE, Failure, Options, Stage, State, Workflow
from recordroute_gateway.workflow.stages import StageContext, Stages
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_gateway.workflow.timings import Timings, left_out, work_of

log = structlog.get_logger(__name__)

# Pinned: the automatic version is a hash of the code, and would strand every unfinished workflow at an upgrade.
# It is part of our ids: where it changes, unfinished workflows begin anew, and find the stages done that are done.
APPLICATION_VERSION = "2"
QUEUE = "recordings"
# Workflows that one replica takes from the queue: those that have no turn yet cost next to nothing, and only among
# these it can be fair.
TAKEN_AT_ONCE = 500
# What a person waits for at most before a workflow begins, against what an idle gateway costs.
POLL_SECONDS = 0.2
# Nothing here uses DBOS's own notifications, but stopping waits for the poll.
NOTIFICATION_POLL_SECONDS = 1.0
CANCEL_CHECK_SECONDS = 0.5
PROGRESS_SECONDS = 0.25
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 15.0
# After so many failures in a row a service is left alone for a time.
BREAKER_FAILURES = 5
BREAKER_SECONDS = 5.0
SERVICE_OF_STAGE = {
    Stage.TRANSCRIBE: "stt",
    Stage.SUMMARISE: "llm",
    Stage.EMBED: "vector",
    Stage.INDEX: "vector",
}
# Nothing else needs what it makes.
CAN_BE_PUT_OFF = Stage.SUMMARISE
TRIES_BEFORE_PUTTING_OFF = 4
# A service that is restarted is back before people could read that it was away.
TRIES_BEFORE_TELLING = 4
# A service may be restarted while it works; one that goes down again and again does so because of the recording.
BREAKDOWNS_AT_MOST = 10
BREAKDOWN_SECONDS = 2.0
# A service's own mistakes and deadlines: perhaps not the next time.
DOUBTFUL = (grpc.StatusCode.INTERNAL, grpc.StatusCode.DEADLINE_EXCEEDED)
DOUBTFUL_TRIES = 3
PUT_OFF = "put_off"


class UpstreamBroken(Exception):
    """A call to a service failed in a way that a later call may not."""


@dataclass
class _Tries:
    """How the tries of one stage went."""

    breakdowns: int = 0
    doubtful: int = 0


class WorkflowEngine:
    """Starts, cancels and recovers workflows, and runs their stages."""

    def __init__(
        self,
        store: WorkflowStore,
        library: LibraryStore,
        stages: Stages,
        *,
        database_url: str,
        executor_id: str,
        limits: Mapping[Stage, int],
        patience_seconds: float,
        timings: Timings,
    ) -> None:
        self._store = store
        self._library = library
        self._stages = stages
        self._database_url = database_url
        self._executor_id = executor_id
        self.gates = {stage: StageGate(limits[stage]) for stage in Stage}
        self._patience_seconds = patience_seconds
        self._timings = timings
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=BREAKER_FAILURES, default_ttl=BREAKER_SECONDS
        )
        self._running: dict[str, asyncio.Task[bool | Failure]] = {}
        self._canceller: asyncio.Task[None] | None = None
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="dbos-close")

    async def launch(self) -> None:
        """Starts DBOS and takes up what was left unfinished."""
        global _engine
        _engine = self
        if self._database_url.startswith("sqlite:///"):
            await in_thread(_use_write_ahead_log, self._database_url.removeprefix("sqlite:///"))
        DBOS(
            config=DBOSConfig(
                name="recordroute",
                system_database_url=self._database_url,
                application_version=APPLICATION_VERSION,
                executor_id=self._executor_id,
                serializer=DBOSPortableJSON,
                notification_listener_polling_interval_sec=NOTIFICATION_POLL_SECONDS,
                log_level="WARNING",
            )
        )
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE,
            worker_concurrency=TAKEN_AT_ONCE,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )
        self._canceller = asyncio.create_task(self._cancel_what_ended())
        # A process that died between our row and DBOS's left a workflow that nobody would ever start.
        for workflow in await self._store.unfinished():
            await self.enqueue(workflow)

    async def start(
        self, owner: str, recording_id: str, request_id: str, options: Options, *, batch_id: str = ""
    ) -> Workflow:
        """Adds a workflow and hands it to DBOS; the same request id again returns that of the first time.

        Raises Conflict (WORKFLOW_RUNNING).
        """
        workflow = await self._store.create(owner, recording_id, request_id, options, batch_id=batch_id)
        if not workflow.state.ended:
            await self.enqueue(workflow)
        return workflow

    async def enqueue(self, workflow: Workflow) -> None:
        """Hands a workflow to DBOS; the same attempt again changes nothing."""
        with SetWorkflowID(_dbos_id(workflow.id, workflow.attempt)):
            await DBOS.enqueue_workflow_async(QUEUE, run_workflow, workflow.id)

    async def cancel(self, workflow: Workflow) -> None:
        """Ends a workflow as cancelled and stops what runs for it."""
        await self._store.cancel(workflow.id)
        with suppress(DBOSNonExistentWorkflowError):
            await DBOS.cancel_workflow_async(_dbos_id(workflow.id, workflow.attempt))
        task = self._running.get(workflow.id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def forget(self, workflows: Iterable[Workflow]) -> None:
        """Deletes what DBOS keeps of ended workflows."""
        ids = [
            _dbos_id(workflow.id, number)
            for workflow in workflows
            for number in range(1, workflow.attempt + 1)
        ]
        if ids:
            await DBOS.delete_workflows_async(ids)

    async def close(self) -> None:
        """Stops without ending anything: what runs is taken up again by the next start."""
        if self._canceller is not None:
            self._canceller.cancel()
        for task in list(self._running.values()):
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()))
        # Its threads are joined, and asyncio's own pool was replaced by one that ends with it.
        await asyncio.get_running_loop().run_in_executor(self._closer, DBOS.destroy)
        self._closer.shutdown()

    async def finish(self, workflow_id: str, failure: Failure | None) -> None:
        state = State.FAILED if failure else State.SUCCEEDED
        await self._store.record(workflow_id, None, state, failure=failure)

    async def run_stage(self, workflow_id: str, stage: Stage, *, can_put_off: bool) -> Failure | None:
        """Runs one stage to its end, in its turn; returns why it failed. A failure of reason PUT_OFF, only where
        `can_put_off`: its service does not answer, and it has to be run again later."""
        workflow = await self._store.get(None, workflow_id)
        if workflow.state.ended:
            return None
        if left_out(workflow, stage):
            await self._store.record(workflow_id, stage, State.SKIPPED)
            return None
        if workflow.status(stage).state is State.SUCCEEDED:
            # By an earlier try; what people have changed of it since stays.
            return None
        done = await self._library.find_artifact(workflow.recording_id, ARTIFACT_OF_STAGE[stage])
        if done is not None and done.workflow_id == workflow_id:
            # The process died after the result was kept and before DBOS knew of it.
            await self._store.record(workflow_id, stage, State.SUCCEEDED, percent=100.0)
            return None
        task = asyncio.create_task(self._with_patience(workflow, stage, can_put_off=can_put_off))
        self._running[workflow_id] = task
        try:
            result = await task
        except UpstreamBroken:
            waiting = _away(SERVICE_OF_STAGE[stage])
            if can_put_off:
                await self._store.record(workflow_id, stage, State.QUEUED, waiting_for=waiting)
                return Failure(PUT_OFF, waiting.message)
            result = waiting
        except Exception:
            log.exception("stage failed", workflow=workflow_id, stage=stage.value)
            result = Failure("INTERNAL", "internal error; look for the workflow's id in the gateway's log")
        finally:
            task.cancel()
            self._running.pop(workflow_id, None)
        if isinstance(result, Failure):
            await self._store.record(workflow_id, stage, State.FAILED, failure=result)
            return result
        state = State.SUCCEEDED if result else State.SKIPPED
        await self._store.record(workflow_id, stage, state, percent=100.0 if result else 0.0)
        return None

    async def leave_out(self, workflow_id: str, stage: Stage) -> None:
        """Records that a stage can't be run: what it needs was not made."""
        await self._store.record(workflow_id, stage, State.SKIPPED)

    async def _cancel_what_ended(self) -> None:
        """Stops what another replica has cancelled: only the database knows."""
        while True:
            await asyncio.sleep(CANCEL_CHECK_SECONDS)
            try:
                ended = await self._store.ended_among(list(self._running))
            except SQLAlchemyError as error:
                log.warning("cancellations of other replicas can't be seen", error=str(error))
                continue
            for workflow_id in ended:
                if task := self._running.get(workflow_id):
                    task.cancel()

    async def holds_back(self, service: str) -> bool:
        """Whether a service gets no calls of stages for some seconds because the last ones broke off."""
        breaker = (await self._breakers.get_breaker(service)).context
        # An open breaker only notices with the next call that its time is over.
        return breaker.state == OPENED and time.time() <= (breaker.opened_at or 0.0) + breaker.ttl

    async def _with_patience(self, workflow: Workflow, stage: Stage, *, can_put_off: bool) -> bool | Failure:
        tries, service = _Tries(), SERVICE_OF_STAGE[stage]
        async for attempt in stamina.retry_context(
            on=UpstreamBroken,
            attempts=TRIES_BEFORE_PUTTING_OFF if can_put_off else None,
            timeout=self._patience_seconds,
            wait_initial=FIRST_WAIT_SECONDS,
            wait_max=LONGEST_WAIT_SECONDS,
        ):
            with attempt:
                try:
                    async with await self._breakers.get_breaker(service):
                        return await self._in_turn(workflow, stage, tries)
                except (OpenedState, UpstreamBroken) as error:
                    waiting = _away(service)
                    if attempt.num >= TRIES_BEFORE_TELLING:
                        await self._store.record(workflow.id, stage, State.RUNNING, waiting_for=waiting)
                    raise UpstreamBroken(waiting.message) from error
        raise AssertionError("the retries end by a result or an error")

    async def _in_turn(self, workflow: Workflow, stage: Stage, tries: _Tries) -> bool | Failure:
        """One try of a stage, when it is its turn: whether there was something to do, or why it failed for good.
        Raises UpstreamBroken where it may not fail the next time."""
        async with self.gates[stage].enter(workflow):
            await self._store.record(workflow.id, None, State.RUNNING)
            await self._store.record(workflow.id, stage, State.RUNNING)
            started = asyncio.get_running_loop().time()
            try:
                recording = await self._library.get(workflow.owner, workflow.recording_id)
                context = StageContext(workflow, recording, self._reporter(workflow.id, stage))
                with call_span(f"workflow/{stage.value}", ()):
                    worked = await self._stages.run(stage, context)
            except DomainError as error:
                return Failure.of(error)
            except grpc.aio.AioRpcError as error:
                return self._judge(error, stage, tries, asyncio.get_running_loop().time() - started)
            if worked:
                # What is learned of a document is of its pages, not of speech.
                length = recording.duration_seconds
                if length:
                    seconds = asyncio.get_running_loop().time() - started
                    await self._timings.learn(work_of(workflow, stage, length), seconds)
            return worked

    def _judge(self, error: grpc.aio.AioRpcError, stage: Stage, tries: _Tries, seconds: float) -> Failure:
        """Returns why a call failed for good; raises UpstreamBroken where it may not fail the next time."""
        remote = read_error(error)
        service = SERVICE_OF_STAGE[stage]
        failure = Failure(remote.reason or remote.code.name, remote.message, remote.metadata)
        if remote.can_retry:
            # A service that is away is waited for; one that worked and broke down is not for ever.
            tries.breakdowns += seconds > BREAKDOWN_SECONDS and remote.retry_after is None
            if tries.breakdowns >= BREAKDOWNS_AT_MOST:
                return Failure(
                    "SERVICE_BROKE_DOWN",
                    f"the {service} service broke down {tries.breakdowns} times over this recording",
                    {"service": service, "count": str(tries.breakdowns)},
                )
        elif remote.code in DOUBTFUL and remote.reason in ("", "INTERNAL", "DEADLINE_EXCEEDED"):
            tries.doubtful += 1
            if tries.doubtful >= DOUBTFUL_TRIES:
                return failure
        else:
            return failure
        log.warning("service does not answer", service=service, stage=stage.value, message=remote.message)
        raise UpstreamBroken(_away(service).message) from error

    def _reporter(self, workflow_id: str, stage: Stage) -> Any:
        last_time, last_percent = 0.0, 0.0

        async def report(percent: float) -> None:
            nonlocal last_time, last_percent
            now = asyncio.get_running_loop().time()
            if percent >= last_percent + 1.0 and now >= last_time + PROGRESS_SECONDS:
                last_time, last_percent = now, percent
                await self._store.record(workflow_id, stage, State.RUNNING, percent=round(percent, 1))

        return report


def _away(service: str) -> Failure:
    return Failure.of(UpstreamUnavailable(service))


_engine: WorkflowEngine | None = None


def _current() -> WorkflowEngine:
    assert _engine is not None, "DBOS runs workflows after launch() only"
    return _engine


def _use_write_ahead_log(path: str) -> None:
    # The file remembers it. A recorded step is then one append, an eighth of the time.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _dbos_id(workflow_id: str, attempt: int) -> str:
    return f"{workflow_id}.{attempt}.{APPLICATION_VERSION}"


@DBOS.step(name="stage")
async def run_stage_step(workflow_id: str, stage: str, can_put_off: bool) -> dict[str, str] | None:
    """One stage; the result is a reference (the artifact is in the library), or why it failed."""
    failure = await _current().run_stage(workflow_id, Stage(stage), can_put_off=can_put_off)
    return None if failure is None else asdict(failure)


@DBOS.step(name="leave_out")
async def leave_out_step(workflow_id: str, stage: str) -> None:
    await _current().leave_out(workflow_id, Stage(stage))


@DBOS.step(name="finish")
async def finish_step(workflow_id: str, failure: dict[str, Any] | None) -> None:
    await _current().finish(workflow_id, Failure(**failure) if failure else None)


@DBOS.workflow(name="process_recording")
async def run_workflow(workflow_id: str) -> None:
    """The stages in order. Without a transcript nothing goes on, without minutes everything else."""
    first_failure = None
    put_off = []
    failed: set[Stage] = set()
    for stage in Stage:
        if Stage.TRANSCRIBE in failed or (stage is Stage.INDEX and Stage.EMBED in failed):
            await leave_out_step(workflow_id, stage.value)
            continue
        failure = await run_stage_step(workflow_id, stage.value, stage is CAN_BE_PUT_OFF)
        if failure is not None and failure["reason"] == PUT_OFF:
            put_off.append(stage)
        elif failure is not None:
            failed.add(stage)
            first_failure = first_failure or failure
    for stage in put_off:
        failure = await run_stage_step(workflow_id, stage.value, False)
        first_failure = first_failure or failure
    await finish_step(workflow_id, first_failure)
