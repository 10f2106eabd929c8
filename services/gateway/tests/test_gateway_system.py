"""SystemService over gRPC: how services are that are up, down, slow, not ready, or something else altogether."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2_grpc
from recordroute.gateway.v1 import system_pb2, system_pb2_grpc
from recordroute_gateway.clients.health import HealthClient
from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import LOCAL_USER, Caller, Scope, calling
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.servicers.system import SystemServicer
from recordroute_gateway.workflow import engine as engine_module
from recordroute_gateway.workflow.engine import BREAKER_FAILURES, WorkflowEngine
from recordroute_gateway.workflow.records import Stage
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_runtime.channels import open_channel
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import ServerSettings


class Upstream:
    """A service that is ready as soon as it is told to be."""

    names = ("recordroute.stt.v1.SttService",)

    def __init__(self) -> None:
        self.can_load = asyncio.Event()

    def register(self, server: grpc.aio.Server) -> None:
        """It has no methods: only its health matters."""

    async def load(self) -> None:
        await self.can_load.wait()

    async def close(self) -> None:
        """It holds nothing."""


async def nobody_held_back(service: str) -> bool:
    return False


class AsLocalUser(CallInterceptor):
    """Lets everybody in as the one user of a system without accounts."""

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        with calling(Caller(LOCAL_USER, frozenset(Scope))):
            yield


class System:
    """The gateway's SystemService on a port, for services whose channels are given by name."""

    names = ("recordroute.gateway.v1.SystemService",)
    interceptors = (AsLocalUser(),)

    def __init__(self, database: Database, health: HealthClient) -> None:
        backups: Any = None
        self._servicer = SystemServicer(
            health, StorageQuota(database, 0), WorkflowStore(database), backups, files=None
        )

    def register(self, server: grpc.aio.Server) -> None:
        system_pb2_grpc.add_SystemServiceServicer_to_server(self._servicer, server)

    async def load(self) -> None:
        """Everything is there."""

    async def close(self) -> None:
        """The database is the test's."""


Ask = Callable[..., Any]


@pytest.fixture
async def ask(tmp_path: Path, new_library: Callable[[Path], str]) -> AsyncIterator[Ask]:
    """Asks a SystemService how the services at these addresses are; returns their statuses by name."""
    async with AsyncExitStack() as stack:
        database = Database(new_library(tmp_path))
        stack.push_async_callback(database.close)

        async def ask(
            is_held_back: Callable[[str], Any] = nobody_held_back, **addresses: str
        ) -> dict[str, system_pb2.ServiceStatus]:
            async with AsyncExitStack() as call:
                channels = {name: open_channel(address) for name, address in addresses.items()}
                for channel in channels.values():
                    call.push_async_callback(channel.close)
                server = RunningServer(
                    System(database, HealthClient(channels, is_held_back)),
                    ServerSettings(listen="127.0.0.1:0", drain_grace_seconds=0.0),
                )
                await server.start()
                call.push_async_callback(server.stop)
                await server.loaded()
                channel = await call.enter_async_context(open_channel(f"127.0.0.1:{server.port}"))
                stub: Any = system_pb2_grpc.SystemServiceStub(channel)
                answer = await stub.GetSystemStatus(system_pb2.GetSystemStatusRequest(), timeout=60)
                return {service.name: service for service in answer.services}

        yield ask


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Upstream, RunningServer]]:
    service = Upstream()
    server = RunningServer(service, ServerSettings(listen="127.0.0.1:0", drain_grace_seconds=0.0))
    await server.start()
    yield service, server
    await server.stop()


async def test_a_service_that_starts_runs_and_stops(
    ask: Ask, upstream: tuple[Upstream, RunningServer]
) -> None:
    service, server = upstream
    address = f"127.0.0.1:{server.port}"
    starting = (await ask(stt=address))["stt"]
    assert (starting.ready, starting.reason) == (False, "SERVICE_NOT_READY")
    service.can_load.set()
    await server.loaded()
    running = (await ask(stt=address))["stt"]
    assert (running.ready, running.reason, running.message) == (True, "", "")
    await server.stop()
    away = (await ask(stt=address))["stt"]
    assert (away.ready, away.reason, away.message) == (False, "SERVICE_UNREACHABLE", "does not answer")


class Stuck(health_pb2_grpc.HealthServicer):
    """Never says how it is."""

    async def Check(self, request: Any, context: Any) -> Any:
        await asyncio.Event().wait()


async def test_what_is_at_an_address_but_no_service(ask: Ask) -> None:
    stranger, stuck = grpc.aio.server(), grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(Stuck(), stuck)
    addresses = {}
    for name, server in (("llm", stranger), ("vector", stuck)):
        addresses[name] = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
    statuses = await ask(**addresses)
    await stranger.stop(None)
    await stuck.stop(None)
    assert {name: status.reason for name, status in statuses.items()} == {
        "llm": "SERVICE_FOREIGN",
        "vector": "SERVICE_TIMED_OUT",
    }
    assert all(status.message and not status.ready for status in statuses.values())


async def test_a_service_whose_work_broke_off_is_held_back(
    ask: Ask, upstream: tuple[Upstream, RunningServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, server = upstream
    service.can_load.set()
    await server.loaded()
    # However long the rest takes.
    monkeypatch.setattr(engine_module, "BREAKER_SECONDS", 3600.0)
    nothing: Any = None
    engine = WorkflowEngine(
        nothing,
        nothing,
        nothing,
        database_url="",
        executor_id="",
        limits=dict.fromkeys(Stage, 1),
        patience_seconds=1.0,
        timings=nothing,
    )
    for _ in range(BREAKER_FAILURES):
        assert not await engine.holds_back("stt")
        with pytest.raises(ConnectionError):
            async with await engine._breakers.get_breaker("stt"):
                raise ConnectionError
    address = f"127.0.0.1:{server.port}"
    statuses = await ask(engine.holds_back, stt=address, llm=address)
    assert (statuses["stt"].ready, statuses["stt"].reason) == (False, "SERVICE_HELD_BACK")
    assert statuses["llm"].ready
