"""WorkflowService on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from recordroute.gateway.v1 import workflow_pb2, workflow_pb2_grpc

from recordroute_gateway.library.records import LOCAL_OWNER
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.servicers.records import (
    DEFAULT_PAGE_SIZE,
    event_message,
    options_record,
    workflow_message,
)
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.store import WorkflowStore


class WorkflowServicer(workflow_pb2_grpc.WorkflowServiceServicer):
    def __init__(self, library: LibraryStore, workflows: WorkflowStore, engine: WorkflowEngine) -> None:
        self._library = library
        self._workflows = workflows
        self._engine = engine

    async def StartWorkflow(
        self, request: workflow_pb2.StartWorkflowRequest, context: Any
    ) -> workflow_pb2.StartWorkflowResponse:
        await self._library.get(LOCAL_OWNER, request.recording_id)
        workflow = await self._workflows.create(
            LOCAL_OWNER, request.recording_id, request.request_id, options_record(request.options)
        )
        if not workflow.state.ended:
            await self._engine.enqueue(workflow)
        return workflow_pb2.StartWorkflowResponse(workflow=workflow_message(workflow))

    async def GetWorkflow(
        self, request: workflow_pb2.GetWorkflowRequest, context: Any
    ) -> workflow_pb2.GetWorkflowResponse:
        workflow = await self._workflows.get(LOCAL_OWNER, request.workflow_id)
        return workflow_pb2.GetWorkflowResponse(workflow=workflow_message(workflow))

    async def ListWorkflows(
        self, request: workflow_pb2.ListWorkflowsRequest, context: Any
    ) -> workflow_pb2.ListWorkflowsResponse:
        page, token = await self._workflows.list_page(
            LOCAL_OWNER, request.recording_id, request.page_size or DEFAULT_PAGE_SIZE, request.page_token
        )
        return workflow_pb2.ListWorkflowsResponse(
            workflows=[workflow_message(workflow) for workflow in page], next_page_token=token
        )

    async def CancelWorkflow(
        self, request: workflow_pb2.CancelWorkflowRequest, context: Any
    ) -> workflow_pb2.CancelWorkflowResponse:
        await self._engine.cancel(await self._workflows.get(LOCAL_OWNER, request.workflow_id))
        workflow = await self._workflows.get(LOCAL_OWNER, request.workflow_id)
        return workflow_pb2.CancelWorkflowResponse(workflow=workflow_message(workflow))

    async def RetryWorkflow(
        self, request: workflow_pb2.RetryWorkflowRequest, context: Any
    ) -> workflow_pb2.RetryWorkflowResponse:
        workflow = await self._workflows.retry(LOCAL_OWNER, request.workflow_id, request.request_id)
        if not workflow.state.ended:
            await self._engine.enqueue(workflow)
        return workflow_pb2.RetryWorkflowResponse(workflow=workflow_message(workflow))

    async def WatchWorkflow(
        self, request: workflow_pb2.WatchWorkflowRequest, context: Any
    ) -> AsyncIterator[workflow_pb2.WatchWorkflowResponse]:
        await self._workflows.get(LOCAL_OWNER, request.workflow_id)
        async with aclosing(self._workflows.watch(request.workflow_id, request.after_sequence)) as events:
            async for event in events:
                yield workflow_pb2.WatchWorkflowResponse(event=event_message(event))
