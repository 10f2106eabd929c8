"""The HTTP edge's life beside the gRPC server."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grpc.aio
import structlog
from recordroute_runtime.tls import ClientTls

from recordroute_gateway.http.actions import Actions
from recordroute_gateway.http.app import Edge, Limits, build_routes
from recordroute_gateway.http.backend import Addresses, Backend
from recordroute_gateway.http.grpc_web import GrpcWebBridge, web_methods
from recordroute_gateway.http.server import HttpServer, TlsFiles, split_address
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.settings import GatewaySettings

log = structlog.get_logger(__name__)
FOLDER_PREFIX = "recordroute-http-"
SOCKET = "gateway.sock"
# The limit of a socket's path is 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_BYTES = 100
# Responses of the gateway pass whole, as through a proxy; so does their metadata.
BRIDGE_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_metadata_size", 64 << 10),
    ("grpc.absolute_max_metadata_size", 128 << 10),
    ("grpc.enable_http_proxy", 0),
)
WILDCARDS = ("", "0.0.0.0", "::")


class HttpEdge:
    """Serves HTTP on `settings.http_listen`, and calls the gateway's gRPC server on a Unix socket of its own.

    A socket in a folder that only this user can enter: `settings.listen` may be another process's business (TLS, client
    certificates, any address), and what comes over this one has passed no network.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        data_dir: Path,
        services: Sequence[str],
        models: ModelChoices,
        actions: Actions,
        peer_tls: ClientTls | None = None,
    ) -> None:
        self._settings = settings
        self._actions = actions
        self._peer_tls = peer_tls
        self._services = services
        self._models = models
        self._data_dir = data_dir
        self._folder = _socket_folder(data_dir)
        self._address = f"unix:{self._folder / SOCKET}"
        self._channel: grpc.aio.Channel | None = None
        self._backend: Backend | None = None
        self._server: HttpServer | None = None

    def attach(self, server: grpc.aio.Server) -> None:
        """Makes the gRPC server listen on the socket."""
        server.add_insecure_port(self._address)

    @property
    def port(self) -> int:
        """The port that is served; 0 before the start."""
        return 0 if self._server is None else self._server.port

    async def start(self) -> None:
        """Listens; does nothing if it does already. Raises AddressInUse."""
        if self._server is not None:
            return
        settings = self._settings
        backend = Backend(
            Addresses(self._address, settings.stt_target, settings.llm_target, settings.vector_target),
            self._models,
            self._peer_tls,
            actions=self._actions,
            trusted_proxies=settings.trusted_proxies,
        )
        channel = grpc.aio.insecure_channel(self._address, options=BRIDGE_OPTIONS)
        self._backend, self._channel = backend, channel
        host, _ = split_address(settings.http_listen)
        hosts = [*settings.http_allowed_hosts, *([] if host in WILDCARDS else [_authority(host)])]
        app = Edge(
            build_routes(backend, Limits(settings.max_upload_bytes, self._data_dir)),
            GrpcWebBridge(channel, web_methods(self._services)),
            hosts,
            settings.http_allowed_origins,
        )
        tls = None
        if settings.tls_cert is not None and settings.tls_key is not None:
            tls = TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_ca)
        server = HttpServer(app, settings.http_listen, tls)
        await server.start()
        self._server = server
        log.info("serving http", address=settings.http_listen, port=server.port)

    async def stop(self) -> None:
        """Stops listening. gRPC calls have ended when it runs, and requests with them."""
        if self._server is not None:
            await self._server.stop()
        if self._backend is not None:
            await self._backend.close()
        if self._channel is not None:
            await self._channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _socket_folder(data_dir: Path) -> Path:
    """Makes a folder that only this user can enter: below the data folder, or a temporary one if that is too long."""
    folder = data_dir / "http"
    if len(os.fsencode(folder / SOCKET)) > SOCKET_PATH_BYTES:
        return Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    # A killed process leaves it behind.
    (folder / SOCKET).unlink(missing_ok=True)
    return folder


def _authority(host: str) -> str:
    return f"[{host}]" if ":" in host else host
