"""Runs workflows durably on DBOS Transact: a workflow whose process dies goes on, after a restart, with the first
stage that had not ended.

DBOS keeps its functions and its state in the module, so there is one engine a process. It is launched from the
gateway's event loop and runs workflows there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import grpc
import grpc.aio
import stamina
import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._error import DBOSNonExistentWorkflowError
from dbos._serialization import DBOSPortableJSON
from recordroute_runtime.errors import DomainError
from recordroute_runtime.remote import read_error
from recordroute_runtime.telemetry import call_span

from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.workflow.records import Failure, Stage, State, Workflow
from recordroute_gateway.workflow.stages import ARTIFACT_OF_STAGE, StageContext, Stages
from recordroute_gateway.workflow.store import WorkflowStore

log = structlog.get_logger(__name__)

# Pinned: the automatic version is a hash of the code, and would strand every unfinished workflow at an upgrade.
APPLICATION_VERSION = "1"
QUEUE = "recordings"
# What a person waits for at most before a workflow begins, against what an idle gateway costs.
POLL_SECONDS = 0.2
# Nothing here uses DBOS's own notifications.
NOTIFICATION_POLL_SECONDS = 60.0
CANCEL_CHECK_SECONDS = 0.5
PROGRESS_SECONDS = 0.25


class UpstreamBroken(Exception):
    """A call to a service failed in a way that a later call may not."""


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
        concurrent_workflows: int,
        patience_seconds: float,
    ) -> None:
        self._store = store
        self._library = library
        self._stages = stages
        self._database_url = database_url
        self._executor_id = executor_id
        self._concurrent_workflows = concurrent_workflows
        self._patience_seconds = patience_seconds
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="dbos-close")

    async def launch(self) -> None:
        """Starts DBOS and takes up what was left unfinished."""
        global _engine
        _engine = self
        if self._database_url.startswith("sqlite:///"):
            await asyncio.to_thread(_use_write_ahead_log, self._database_url.removeprefix("sqlite:///"))
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
            worker_concurrency=self._concurrent_workflows,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )
        # A process that died between our row and DBOS's left a workflow that nobody would ever start.
        for workflow in await self._store.unfinished():
            await self.enqueue(workflow)

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

    async def close(self) -> None:
        """Stops without ending anything: what runs is taken up again by the next start."""
        for task in list(self._running.values()):
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()))
        # Its threads are joined, and asyncio's own pool was replaced by one that ends with it.
        await asyncio.get_running_loop().run_in_executor(self._closer, DBOS.destroy)
        self._closer.shutdown()

    async def begin(self, workflow_id: str) -> None:
        await self._store.record(workflow_id, None, State.RUNNING)

    async def finish(self, workflow_id: str, failure: Failure | None) -> None:
        state = State.FAILED if failure else State.SUCCEEDED
        await self._store.record(workflow_id, None, state, failure=failure)

    async def run_stage(self, workflow_id: str, stage: Stage) -> Failure | None:
        """Runs one stage to its end, waiting for services that do not answer; returns why it failed."""
        workflow = await self._store.get(None, workflow_id)
        if workflow.state.ended:
            return None
        done = await self._library.find_artifact(workflow.recording_id, ARTIFACT_OF_STAGE[stage])
        if done is not None and done.workflow_id == workflow_id:
            # The process died after the result was kept and before DBOS knew of it.
            await self._store.record(workflow_id, stage, State.SUCCEEDED, percent=100.0)
            return None
        await self._store.record(workflow_id, stage, State.RUNNING)
        task = asyncio.create_task(self._with_patience(workflow, stage))
        self._running[workflow_id] = task
        try:
            worked = await self._until_cancelled(workflow_id, task)
        except DomainError as error:
            return await self._failed(workflow_id, stage, Failure(error.reason, error.message))
        except grpc.aio.AioRpcError as error:
            remote = read_error(error)
            failure = Failure(remote.reason or remote.code.name, remote.message)
            return await self._failed(workflow_id, stage, failure)
        except UpstreamBroken as error:
            return await self._failed(workflow_id, stage, Failure("UPSTREAM_UNAVAILABLE", str(error)))
        except Exception:
            log.exception("stage failed", workflow=workflow_id, stage=stage.value)
            failure = Failure("INTERNAL", "internal error; look for the workflow's id in the gateway's log")
            return await self._failed(workflow_id, stage, failure)
        finally:
            task.cancel()
            self._running.pop(workflow_id, None)
        await self._store.record(
            workflow_id, stage, State.SUCCEEDED if worked else State.SKIPPED, percent=100.0 if worked else 0.0
        )
        return None

    async def _failed(self, workflow_id: str, stage: Stage, failure: Failure) -> Failure:
        await self._store.record(workflow_id, stage, State.FAILED, failure=failure)
        return failure

    async def _until_cancelled(self, workflow_id: str, task: asyncio.Task[bool]) -> bool:
        # Cancelled by another replica: only the database knows.
        while not (await asyncio.wait([task], timeout=CANCEL_CHECK_SECONDS))[0]:
            if (await self._store.get(None, workflow_id)).state.ended:
                task.cancel()
        return await task

    async def _with_patience(self, workflow: Workflow, stage: Stage) -> bool:
        async for attempt in stamina.retry_context(
            on=UpstreamBroken,
            attempts=None,
            timeout=self._patience_seconds,
            wait_initial=0.2,
            wait_max=5.0,
        ):
            with attempt:
                recording = await self._library.get(workflow.owner, workflow.recording_id)
                context = StageContext(workflow, recording, self._reporter(workflow.id, stage))
                try:
                    with call_span(f"workflow/{stage.value}", ()):
                        return await self._stages.run(stage, context)
                except grpc.aio.AioRpcError as error:
                    remote = read_error(error)
                    if not remote.can_retry:
                        raise
                    log.warning("service does not answer", stage=stage.value, message=remote.message)
                    raise UpstreamBroken(f"the service for stage {stage.value} does not answer") from error
        raise AssertionError("the retries end by a result or an error")

    def _reporter(self, workflow_id: str, stage: Stage) -> Any:
        last_time, last_percent = 0.0, 0.0

        async def report(percent: float) -> None:
            nonlocal last_time, last_percent
            now = asyncio.get_running_loop().time()
            if percent >= last_percent + 1.0 and now >= last_time + PROGRESS_SECONDS:
                last_time, last_percent = now, percent
                await self._store.record(workflow_id, stage, State.RUNNING, percent=round(percent, 1))

        return report


_engine: WorkflowEngine | None = None


def _current() -> WorkflowEngine:
    assert _engine is not None, "DBOS runs workflows after launch() only"
    return _engine


def _use_write_ahead_log(path: str) -> None:
    # The file remembers it. A recorded step is then one append, an eighth of the time.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _dbos_id(workflow_id: str, attempt: int) -> str:
    return f"{workflow_id}.{attempt}"


@DBOS.step(name="stage")
async def run_stage_step(workflow_id: str, stage: str) -> dict[str, str] | None:
    """One stage; the result is a reference (the artifact is in the library), or why it failed."""
    failure = await _current().run_stage(workflow_id, Stage(stage))
    return None if failure is None else {"reason": failure.reason, "message": failure.message}


@DBOS.step(name="begin")
async def begin_step(workflow_id: str) -> None:
    await _current().begin(workflow_id)


@DBOS.step(name="finish")
async def finish_step(workflow_id: str, failure: dict[str, str] | None) -> None:
    await _current().finish(workflow_id, Failure(**failure) if failure else None)


@DBOS.workflow(name="process_recording")
async def run_workflow(workflow_id: str) -> None:
    """The stages in order, up to the first that fails."""
    await begin_step(workflow_id)
    failure = None
    for stage in Stage:
        failure = await run_stage_step(workflow_id, stage.value)
        if failure is not None:
            break
    await finish_step(workflow_id, failure)
