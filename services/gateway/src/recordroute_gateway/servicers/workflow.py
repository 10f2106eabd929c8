"""WorkflowService on the wire. Who may see a recording may see its workflows, who may change it may start and stop
them; they belong to the recording's owner."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import grpc.aio
import structlog
from recordroute.gateway.v1 import workflow_pb2, workflow_pb2_grpc
from recordroute_runtime.errors import DomainError, InvalidInput, NotFound
from recordroute_runtime.wire import enum_names

from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.records import Access, Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.templates import TemplateStore
from recordroute_gateway.servicers.records import (
    DEFAULT_PAGE_SIZE,
    event_message,
    failure_message,
    options_record,
    workflow_message,
)
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.outlook import Forecaster
from recordroute_gateway.workflow.records import ARTIFACT_OF_STAGE, Failure, Options, Stage, State, Workflow
from recordroute_gateway.workflow.store import WorkflowStore, not_found

log = structlog.get_logger(__name__)

# Whoever starts a workflow waits no longer for the names of templates.
TEMPLATES_SECONDS = 2.0
# What a stage works on.
NEEDED_STAGE = {Stage.SUMMARISE: Stage.TRANSCRIBE, Stage.EMBED: Stage.TRANSCRIBE, Stage.INDEX: Stage.EMBED}


def batch_request_id(batch_id: str, recording_id: str) -> str:
    """Returns the request id of one recording's workflow in a batch: the same for the same."""
    return str(uuid.uuid5(uuid.UUID(batch_id), recording_id))


class WorkflowServicer(workflow_pb2_grpc.WorkflowServiceServicer):
    def __init__(
        self,
        library: LibraryStore,
        workflows: WorkflowStore,
        engine: WorkflowEngine,
        forecaster: Forecaster,
        templates: TemplateStore,
        llm: LlmClient,
    ) -> None:
        self._library = library
        self._workflows = workflows
        self._engine = engine
        self._forecaster = forecaster
        self._templates = templates
        self._llm = llm

    async def StartWorkflow(
        self, request: workflow_pb2.StartWorkflowRequest, context: Any
    ) -> workflow_pb2.StartWorkflowResponse:
        workflow = await self._start(
            request.recording_id, request.request_id, options_record(request.options), batch_id=""
        )
        return workflow_pb2.StartWorkflowResponse(workflow=(await self._messages([workflow]))[0])

    async def StartWorkflows(
        self, request: workflow_pb2.StartWorkflowsRequest, context: Any
    ) -> workflow_pb2.StartWorkflowsResponse:
        options, results = options_record(request.options), []
        started: dict[str, Workflow] = {}
        for recording_id in request.recording_ids:
            failure = None
            try:
                request_id = batch_request_id(request.request_id, recording_id)
                started[recording_id] = await self._start(
                    recording_id, request_id, options, batch_id=request.request_id
                )
            except DomainError as error:
                failure = failure_message(Failure.of(error))
            results.append(workflow_pb2.StartWorkflowsResult(recording_id=recording_id, error=failure))
        messages = dict(zip(started, await self._messages(list(started.values())), strict=True))
        for result in results:
            if result.recording_id in messages:
                result.workflow.CopyFrom(messages[result.recording_id])
        return workflow_pb2.StartWorkflowsResponse(results=results)

    async def GetWorkflow(
        self, request: workflow_pb2.GetWorkflowRequest, context: Any
    ) -> workflow_pb2.GetWorkflowResponse:
        workflow, _ = await self._find(request.workflow_id, Access.READ)
        return workflow_pb2.GetWorkflowResponse(workflow=(await self._messages([workflow]))[0])

    async def ListWorkflows(
        self, request: workflow_pb2.ListWorkflowsRequest, context: Any
    ) -> workflow_pb2.ListWorkflowsResponse:
        page, token = await self._workflows.list_page(
            current_caller().user,
            request.recording_id,
            request.page_size or DEFAULT_PAGE_SIZE,
            request.page_token,
            states=[State(name) for name in enum_names(request, "states")],
            batch_id=request.batch_id,
        )
        return workflow_pb2.ListWorkflowsResponse(workflows=await self._messages(page), next_page_token=token)

    async def CancelWorkflow(
        self, request: workflow_pb2.CancelWorkflowRequest, context: Any
    ) -> workflow_pb2.CancelWorkflowResponse:
        workflow, _ = await self._find(request.workflow_id, Access.WRITE)
        await self._engine.cancel(workflow)
        workflow = await self._workflows.get(None, request.workflow_id)
        return workflow_pb2.CancelWorkflowResponse(workflow=(await self._messages([workflow]))[0])

    async def RetryWorkflow(
        self, request: workflow_pb2.RetryWorkflowRequest, context: Any
    ) -> workflow_pb2.RetryWorkflowResponse:
        workflow, _ = await self._find(request.workflow_id, Access.WRITE)
        workflow = await self._workflows.retry(workflow.owner, request.workflow_id, request.request_id)
        if not workflow.state.ended:
            await self._engine.enqueue(workflow)
        return workflow_pb2.RetryWorkflowResponse(workflow=(await self._messages([workflow]))[0])

    async def WatchWorkflow(
        self, request: workflow_pb2.WatchWorkflowRequest, context: Any
    ) -> AsyncIterator[workflow_pb2.WatchWorkflowResponse]:
        workflow, recording = await self._find(request.workflow_id, Access.READ)
        clock = self._forecaster.event_clock(workflow, recording.duration_seconds or 0.0)
        async with aclosing(self._workflows.watch(request.workflow_id, request.after_sequence)) as events:
            async for event in events:
                yield workflow_pb2.WatchWorkflowResponse(event=event_message(event, clock.remaining(event)))

    async def _start(
        self, recording_id: str, request_id: str, options: Options, *, batch_id: str
    ) -> Workflow:
        recording = await self._library.get(current_caller().user, recording_id, Access.WRITE)
        needed = NEEDED_STAGE.get(options.first_stage) if options.first_stage else None
        if needed is not None and recording.artifact(ARTIFACT_OF_STAGE[needed]) is None:
            kind = ARTIFACT_OF_STAGE[needed].value
            raise NotFound(
                "ARTIFACT_NOT_READY",
                f"recording {recording_id} has no {kind}: begin with an earlier stage",
                metadata={"artifact": kind},
            )
        await self._check_template(recording.owner, options)
        return await self._engine.start(recording.owner, recording_id, request_id, options, batch_id=batch_id)

    async def _check_template(self, owner: str, options: Options) -> None:
        """Refuses a name that neither the owner's templates nor the llm service's have, before an hour of work ends at
        it. Where the service is away, the stage that needs the template will tell."""
        name = options.template
        if not name or options.skip_summary or await self._templates.find(owner, name) is not None:
            return
        try:
            known = {template.name for template in await self._llm.templates("", timeout=TEMPLATES_SECONDS)}
        except grpc.aio.AioRpcError as error:
            log.info("template not checked", template=name, status=error.code().name)
            return
        if name not in known:
            raise InvalidInput(
                "BAD_TEMPLATE", f"there is no template {name!r}; there are {', '.join(sorted(known))}"
            )

    async def _find(self, workflow_id: str, access: Access) -> tuple[Workflow, Recording]:
        workflow = await self._workflows.get(None, workflow_id)
        try:
            recording = await self._library.get(current_caller().user, workflow.recording_id, access)
        except NotFound:
            # Whoever may not see the recording does not learn that it has a workflow.
            raise not_found(workflow_id) from None
        return workflow, recording

    async def _messages(self, workflows: Sequence[Workflow]) -> list[workflow_pb2.Workflow]:
        outlooks = await self._forecaster.outlooks(workflows)
        return [workflow_message(workflow, outlooks[workflow.id]) for workflow in workflows]
