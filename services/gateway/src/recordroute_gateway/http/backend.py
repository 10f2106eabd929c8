"""What the routes call: the gateway's own gRPC server, and the services behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import grpc.aio
from fastapi import Depends, Request, WebSocket
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.gateway.v1 import (
    identity_pb2,
    identity_pb2_grpc,
    library_pb2_grpc,
    search_pb2_grpc,
    upload_pb2_grpc,
    workflow_pb2_grpc,
)
from recordroute.llm.v1 import llm_pb2_grpc
from recordroute.stt.v1 import stt_pb2_grpc
from recordroute.vector.v1 import embedding_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import Cancelled, PermissionDenied
from recordroute_runtime.tls import ClientTls
from starlette.requests import HTTPConnection

from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.records import Task
from recordroute_gateway.servicers.access import client_address

if TYPE_CHECKING:
    from recordroute_gateway.http.actions import Actions

# Deadlines of unary calls, in seconds: reading and changing the library, and inference.
CALL_SECONDS = 30.0
INFERENCE_SECONDS = 300.0
PROBE_SECONDS = 2.0
_FORWARDED = ("authorization", "traceparent", "tracestate", "x-forwarded-for")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")

Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result")
Metadata = tuple[tuple[str, str], ...]


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True)
class Addresses:
    """gRPC targets: the gateway itself, on a socket of its own, and the services."""

    gateway: str
    stt: str
    llm: str
    vector: str


class Backend:
    """Stubs on channels of the running event loop."""

    def __init__(
        self,
        addresses: Addresses,
        models: ModelChoices | None = None,
        peer_tls: ClientTls | None = None,
        *,
        actions: Actions | None = None,
        trusted_proxies: int = 0,
    ) -> None:
        self._models = models
        self.actions = actions
        self.trusted_proxies = trusted_proxies
        self.gateway = open_channel(addresses.gateway)
        self._channels = [
            self.gateway,
            *(
                open_channel(target, tls=peer_tls)
                for target in (addresses.stt, addresses.llm, addresses.vector)
            ),
        ]
        _, stt, llm, vector = self._channels
        self.library = library_pb2_grpc.LibraryServiceStub(self.gateway)
        self.uploads = upload_pb2_grpc.UploadServiceStub(self.gateway)
        self.workflows = workflow_pb2_grpc.WorkflowServiceStub(self.gateway)
        self.search = search_pb2_grpc.SearchServiceStub(self.gateway)
        self.stt = stt_pb2_grpc.SttServiceStub(stt)
        self.llm = llm_pb2_grpc.LlmServiceStub(llm)
        self.vector = embedding_pb2_grpc.EmbeddingServiceStub(vector)
        self._identity = identity_pb2_grpc.IdentityServiceStub(self.gateway)
        self._health: Any = health_pb2_grpc.HealthStub(self.gateway)

    async def model_for(self, task: Task, named: str) -> str:
        """Returns the id of the model for a request that names `named`; empty: the service decides."""
        return named if self._models is None else await self._models.model_for(task, named)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    async def ready(self) -> bool:
        """Whether the gateway is SERVING."""
        try:
            answer = await self._health.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def authorise(self, metadata: Metadata, scope: int) -> identity_pb2.GetCallerResponse:
        """Returns the caller: the routes to services behind the gateway have nobody else who asks for it.

        The gateway's own interceptors decide, as for every call. Raises their errors, and PermissionDenied
        (SCOPE_MISSING).
        """
        caller = await self._identity.GetCaller(
            identity_pb2.GetCallerRequest(), metadata=metadata, timeout=CALL_SECONDS
        )
        if scope not in caller.scopes:
            name = identity_pb2.Scope.Name(scope).removeprefix("SCOPE_").lower()
            raise PermissionDenied("SCOPE_MISSING", f"this needs the scope {name}")
        return caller


def backend_of(connection: HTTPConnection) -> Backend:
    backend: Backend = connection.app.state.backend
    return backend


def _request_backend(request: Request) -> Backend:
    return backend_of(request)


def metadata_of(connection: HTTPConnection | WebSocket) -> Metadata:
    """Returns what goes along to every gRPC call: who calls, and the trace."""
    return tuple(
        (name, value)
        for name in _FORWARDED
        if (value := connection.headers.get(name)) and _PRINTABLE.fullmatch(value)
    )


def _request_metadata(request: Request) -> Metadata:
    return metadata_of(request)


BackendOf = Annotated[Backend, Depends(_request_backend)]
MetadataOf = Annotated[Metadata, Depends(_request_metadata)]


async def _caller_who_reads(backend: BackendOf, metadata: MetadataOf) -> str:
    return (await backend.authorise(metadata, identity_pb2.SCOPE_READ)).user


async def _action_of_reader(request: Request, backend: BackendOf, metadata: MetadataOf) -> AsyncIterator[str]:
    async with _action(request, backend, metadata, identity_pb2.SCOPE_READ) as user:
        yield user


async def _action_of_writer(request: Request, backend: BackendOf, metadata: MetadataOf) -> AsyncIterator[str]:
    async with _action(request, backend, metadata, identity_pb2.SCOPE_WRITE) as user:
        yield user


@asynccontextmanager
async def _action(request: Request, backend: Backend, metadata: Metadata, scope: int) -> AsyncIterator[str]:
    caller = await backend.authorise(metadata, scope)
    if backend.actions is None:
        yield caller.user
        return
    name = request.scope["route"].operation_id
    # As over the socket that the RPCs take from here.
    peer = client_address("unix:", dict(metadata).get("x-forwarded-for", ""), backend.trusted_proxies)
    async with backend.actions.running(caller.user, caller.api_key_id, name, peer):
        yield caller.user


# The id of a user who may read.
Reader = Annotated[str, Depends(_caller_who_reads)]
# The same for an action of its own, which counts until its response has been sent and is in the audit log.
ReaderActs = Annotated[str, Depends(_action_of_reader)]
WriterActs = Annotated[str, Depends(_action_of_writer)]


async def while_connected(request: Request, work: Awaitable[Result]) -> Result:
    """Returns the result of `work`, and cancels it when the client goes away. Raises ClientGone then.

    The request's body must have been read.
    """
    with ExitStack() as stack:
        working = asyncio.ensure_future(work)
        gone = asyncio.create_task(_gone(request))
        for task in (working, gone):
            stack.callback(task.cancel)
        await asyncio.wait([working, gone], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@contextmanager
def told_cancelled() -> Iterator[None]:
    """Raises Cancelled where a call inside ended as CANCELLED: grpc.aio raises CancelledError for that, as for a task
    that is being cancelled itself."""
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise Cancelled("the server stopped the call") from None


class OpenedStream(Generic[Response]):
    """The responses of a call that has answered: an error before its first response can still set the HTTP status.

    Whoever opens one closes it, which ends the call.
    """

    def __init__(self, call: Any, first: Response | None, rest: AsyncIterator[Response]) -> None:
        self._call = call
        self._first = first
        self._rest = rest

    async def __aiter__(self) -> AsyncIterator[Response]:
        if self._first is None:
            return
        yield self._first
        while True:
            with told_cancelled():
                response = await anext(self._rest, None)
            if response is None:
                return
            yield response

    def close(self) -> None:
        self._call.cancel()


async def opened(call: Any, _: type[Response]) -> OpenedStream[Response]:
    """Waits for a call's first response. Raises AioRpcError where the call fails before it."""
    rest = aiter(call)
    try:
        with told_cancelled():
            first = await anext(rest, None)
    except BaseException:
        call.cancel()
        raise
    return OpenedStream(call, first, rest)


async def send_all(method: Any, requests: AsyncIterator[Message], metadata: Metadata) -> Any:
    """Calls a method whose requests are a stream. An error of the stream is raised as it is: gRPC itself would log it
    and cancel the call."""
    failure: Exception | None = None

    async def guarded() -> AsyncIterator[Message]:
        nonlocal failure
        try:
            async for request in requests:
                yield request
        except Exception as error:
            failure = error
            raise

    try:
        with told_cancelled():
            return await method(guarded(), metadata=metadata)
    except Cancelled:
        if failure is not None:
            raise failure from None
        raise
