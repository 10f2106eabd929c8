"""The gateway's tests run on both databases. Each has one of its own: a copy of one that was migrated once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import grpc.aio
import pytest
from recordroute.gateway.v1 import library_pb2_grpc, upload_pb2_grpc
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database, library_url
from recordroute_gateway.identity.caller import LOCAL_USER, Caller, Scope, calling
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.library.chunk_store import make_chunk_store
from recordroute_gateway.library.chunked_uploads import ChunkedUploads
from recordroute_gateway.library.intake import Intake
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.waveform import WaveformStore
from recordroute_gateway.servicers.library_files import FileCalls
from recordroute_gateway.servicers.upload import UploadServicer, add_upload_servicer
from recordroute_gateway.settings import GatewaySettings
from recordroute_runtime.interceptors.handlers import Call, CallInterceptor
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings

NewLibrary = Callable[[Path], str]


def url_of(folder: Path, postgresql_url: str = "") -> str:
    """URL of the library's database: in a data folder, unless a PostgreSQL server has it."""
    return library_url(GatewaySettings(database_url=postgresql_url), CommonSettings(data_dir=folder))


def migrate(url: str) -> None:
    async def upgrade() -> None:
        database = Database(url)
        await database.migrate()
        await database.close()

    # The loops of the tests are this thread's.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, upgrade()).result()


@pytest.fixture(scope="session")
def new_library(tmp_path_factory: pytest.TempPathFactory) -> NewLibrary:
    """Puts an SQLite database of the newest schema into a data folder and returns its URL."""
    folder = tmp_path_factory.mktemp("library")
    migrate(url_of(folder))

    def new(data_dir: Path) -> str:
        shutil.copy(folder / "library.sqlite", data_dir / "library.sqlite")
        return url_of(data_dir)

    return new


@pytest.fixture(scope="session")
def new_postgresql_library(new_postgresql: Callable[..., str]) -> Callable[[], str]:
    """Makes PostgreSQL databases of the newest schema and returns their URLs."""
    template = new_postgresql()
    migrate(url_of(Path(), template))
    name = urlsplit(template).path.removeprefix("/")
    return lambda: new_postgresql(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without a table."""
    is_local = request.param == "sqlite"
    return url_of(tmp_path, "" if is_local else request.getfixturevalue("new_postgresql")())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, new_library: NewLibrary) -> str:
    """URL of a database of the newest schema, without a row."""
    if request.param == "sqlite":
        return new_library(tmp_path)
    return url_of(tmp_path, request.getfixturevalue("new_postgresql_library")())


class AsLocalUser(CallInterceptor):
    """Lets everybody in as the one user of a system without accounts."""

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        with calling(Caller(LOCAL_USER, frozenset(Scope))):
            yield


class FilesGateway:
    """What takes files in and gives them out, as a server on loopback; it can be stopped and started again."""

    names = ("recordroute.gateway.v1.UploadService", "recordroute.gateway.v1.LibraryService")
    interceptors = (AsLocalUser(),)

    def __init__(self, data_dir: Path, url: str, blobs_url: str = "", **settings: Any) -> None:
        self.data_dir = data_dir
        self.settings = GatewaySettings(listen="127.0.0.1:0", drain_grace_seconds=0.0, **settings)
        self.database = Database(url)
        self.blobs = BlobStore(data_dir, blobs_url)
        self.library = LibraryStore(self.database, self.blobs)
        quota = StorageQuota(self.database, self.settings.max_storage_bytes_per_user)
        self.intake = Intake(
            self.database, self.library, quota, max_upload_bytes=self.settings.max_upload_bytes
        )
        self.chunked = ChunkedUploads(
            self.database,
            make_chunk_store(data_dir, self.blobs),
            self.intake,
            expiry=timedelta(seconds=self.settings.upload_expiry_seconds),
            most_per_user=self.settings.max_open_uploads,
        )
        self.waveforms = WaveformStore(self.database, self.library)

    def register(self, server: grpc.aio.Server) -> None:
        add_upload_servicer(UploadServicer(self.intake, self.chunked), server)
        parts: Any = SimpleNamespace(library=self.library, waveforms=self.waveforms)
        servicer = type("Files", (FileCalls, library_pb2_grpc.LibraryServiceServicer), {})(parts)
        library_pb2_grpc.add_LibraryServiceServicer_to_server(servicer, server)

    async def load(self) -> None:
        self.blobs.open()
        await self.database.migrate()

    async def close(self) -> None:
        await self.chunked.close()
        await self.waveforms.close()
        await self.database.close()

    async def __aenter__(self) -> FilesGateway:
        self._server = RunningServer(self, self.settings)
        await self._server.start()
        await self._server.loaded()
        self.channel = grpc.aio.insecure_channel(
            f"127.0.0.1:{self._server.port}", options=(("grpc.enable_http_proxy", 0),)
        )
        self.upload_stub = upload_pb2_grpc.UploadServiceStub(self.channel)
        self.library_stub = library_pb2_grpc.LibraryServiceStub(self.channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self._server.stop()


@pytest.fixture
def files_gateway(tmp_path: Path, new_library: NewLibrary) -> Callable[..., FilesGateway]:
    """Makes gateways of files on one data folder, and one SQLite database unless another URL is given."""
    local_url = new_library(tmp_path)

    def make(url: str = "", **settings: Any) -> FilesGateway:
        return FilesGateway(tmp_path, url or local_url, **settings)

    return make


@pytest.fixture
async def files(files_gateway: Callable[..., FilesGateway]) -> AsyncIterator[FilesGateway]:
    async with files_gateway() as gateway:
        yield gateway
