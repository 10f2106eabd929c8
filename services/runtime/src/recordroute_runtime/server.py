"""Runs one service: from its settings to a drained stop."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from recordroute_runtime.errors import DomainError
from recordroute_runtime.interceptors import server_interceptors
from recordroute_runtime.settings import CommonSettings, ServerSettings, SettingsError, load_settings
from recordroute_runtime.telemetry import configure_telemetry, serve_metrics
from recordroute_runtime.threads import ended
from recordroute_runtime.tls import server_credentials

log = structlog.get_logger(__name__)

# The supervisor of the embedded system holds the other end: when it closes, the supervisor is gone.
LIFELINE_VARIABLE = "RECORDROUTE_LIFELINE_FD"
Settings = TypeVar("Settings", bound=ServerSettings)
LOAD_RETRY_SECONDS = 3.0
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
# A health name that is SERVING whenever the event loop answers, ready or not: what decides over a restart.
LIVENESS = "liveness"


class Service(Protocol):
    """What a service gives to `serve`."""

    @property
    def names(self) -> Sequence[str]:
        """Full names of its gRPC services, for health and reflection."""
        ...

    def register(self, server: grpc.aio.Server) -> None:
        """Adds its servicers."""
        ...

    async def load(self) -> None:
        """Gets ready: loads models, opens stores. The service is NOT_SERVING until this returns; a DomainError
        (ModelMissing, say) is logged and the load tried again."""
        ...

    async def close(self) -> None:
        """Gives back memory, threads and files. Calls have ended when it runs."""
        ...


@runtime_checkable
class Guarded(Protocol):
    """A service with interceptors of its own, which decide who may call."""

    @property
    def interceptors(self) -> Sequence[grpc.aio.ServerInterceptor]:
        """They run inside of trace, errors and deadline and before validation, the outermost first."""
        ...


@runtime_checkable
class Quiet(Protocol):
    """A service with methods that are called many times for one action, like those that take one piece each."""

    @property
    def quiet_methods(self) -> Collection[str]:
        """Paths of the methods whose calls are not worth a line in the log each: `/package.Service/Method`."""
        ...


@runtime_checkable
class Drained(Protocol):
    """A service with streams that would go on for ever."""

    async def drain(self) -> None:
        """Sends away those who hold them; runs before the calls that are left get their grace."""
        ...


class AddressInUse(Exception):
    """The address to listen on is taken or can't be used."""


def server_options(settings: ServerSettings) -> list[tuple[str, int]]:
    options = [
        # Without this a second server on the same port starts as if nothing were wrong.
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]
    if settings.max_connection_age_seconds:
        options += [
            ("grpc.max_connection_age_ms", settings.max_connection_age_seconds * 1000),
            ("grpc.max_connection_age_grace_ms", 3_600_000),
        ]
    return options


def remove_stale_socket(address: str) -> None:
    """Removes the socket that a killed server left at `unix:/path`; other addresses leave nothing."""
    if address.startswith("unix:"):
        path = Path(address.removeprefix("unix:"))
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()


class RunningServer:
    """A started server: its address, its health, its stop. Tests use it as `serve` does."""

    def __init__(self, service: Service, settings: ServerSettings) -> None:
        self._service = service
        self._settings = settings
        self._health = HealthServicer()
        self._loading: asyncio.Task[None] | None = None
        own = service.interceptors if isinstance(service, Guarded) else ()
        quiet = service.quiet_methods if isinstance(service, Quiet) else ()
        self._server = grpc.aio.server(
            interceptors=server_interceptors(own, quiet=quiet), options=server_options(settings)
        )
        self.port = 0

    async def start(self) -> None:
        """Listens and begins to load. Raises AddressInUse, and SettingsError for certificates that can't be read."""
        credentials = server_credentials(self._settings)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._service.register(self._server)
        if self._settings.reflection:
            reflection.enable_server_reflection(
                (
                    *self._service.names,
                    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
                    reflection.SERVICE_NAME,
                ),
                self._server,
            )
        remove_stale_socket(self._settings.listen)
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(self._settings.listen)
            else:
                self.port = self._server.add_secure_port(self._settings.listen, credentials)
        except RuntimeError as error:
            raise AddressInUse(f"can't listen on {self._settings.listen}: is it in use?") from error
        await self._set_health(NOT_SERVING)
        await self._health.set(LIVENESS, SERVING)
        await self._server.start()
        self._loading = asyncio.create_task(self._load())

    async def loaded(self) -> None:
        """Waits until the service is SERVING."""
        assert self._loading is not None, "start() comes first"
        await self._loading

    async def stop(self) -> None:
        """Says NOT_SERVING, lets running calls end within the grace, then closes the service."""
        await self._set_health(NOT_SERVING)
        if self._loading is not None and not self._loading.done():
            self._loading.cancel()
        await asyncio.sleep(self._settings.drain_delay_seconds)
        if isinstance(self._service, Drained):
            await self._service.drain()
        await self._server.stop(self._settings.drain_grace_seconds)
        if self._loading is not None:
            # Cancelled, it may still take back what it had begun.
            await ended(self._loading)
        await self._service.close()

    async def _load(self) -> None:
        while True:
            try:
                await self._service.load()
            except DomainError as error:
                log.error("not ready", reason=error.reason, message=error.message)
                await asyncio.sleep(LOAD_RETRY_SECONDS)
            else:
                break
        await self._set_health(SERVING)
        log.info("serving", address=self._settings.listen)

    async def _set_health(self, status: int) -> None:
        for name in ("", *self._service.names):
            await self._health.set(name, status)


async def _lifeline_closed(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()

    def readable() -> None:
        if not os.read(descriptor, 1):
            loop.remove_reader(descriptor)
            closed.set()

    loop.add_reader(descriptor, readable)
    await closed.wait()


async def _serve(make: Callable[[], Awaitable[Service]], settings: ServerSettings) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waiting: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
    if LIFELINE_VARIABLE in os.environ:
        waiting.append(asyncio.create_task(_lifeline_closed(int(os.environ[LIFELINE_VARIABLE]))))
    async with AsyncExitStack() as stack:
        server = RunningServer(await make(), settings)
        await server.start()
        stack.push_async_callback(server.stop)
        loading = asyncio.create_task(server.loaded())
        done, _ = await asyncio.wait([*waiting, loading], return_when=asyncio.FIRST_COMPLETED)
        if loading in done:
            # A load that breaks for good ends the process: whoever supervises it sees that.
            loading.result()
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        loading.cancel()
        log.info("draining")
    for task in waiting:
        task.cancel()


def serve(
    name: str,
    settings_class: type[Settings],
    make: Callable[[Settings, CommonSettings], Awaitable[Service]],
) -> None:
    """Runs a service until SIGTERM or SIGINT: the whole of its `__main__`.

    Exits with 2 where the settings are wrong and with 1 where the address is taken, each with one line.
    """
    try:
        common = load_settings(CommonSettings)
        settings = load_settings(settings_class)
    except SettingsError as error:
        raise SystemExit(_complain(name, str(error), 2)) from error
    configure_telemetry(name, common)
    serve_metrics(settings)
    import uvloop

    try:
        uvloop.run(_serve(lambda: make(settings, common), settings))
    except SettingsError as error:
        raise SystemExit(_complain(name, str(error), 2)) from error
    except AddressInUse as error:
        raise SystemExit(_complain(name, str(error), 1)) from error


def _complain(name: str, message: str, code: int) -> int:
    print(f"recordroute-{name}: {message}", file=sys.stderr)
    return code
