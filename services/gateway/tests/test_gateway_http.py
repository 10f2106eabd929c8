"""The HTTP edge by itself: whom it answers, how much it takes, how long it waits, and what it makes of errors."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import psutil
import pytest
import websockets.asyncio.client
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from recordroute.gateway.v1 import (
    identity_pb2,
    identity_pb2_grpc,
    library_pb2,
    library_pb2_grpc,
    upload_pb2,
    upload_pb2_grpc,
    workflow_pb2,
    workflow_pb2_grpc,
)
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_gateway.http import guard, rest, server
from recordroute_gateway.http.actions import Actions
from recordroute_gateway.http.app import Edge, Limits, build_routes
from recordroute_gateway.http.backend import Addresses, Backend
from recordroute_gateway.http.grpc_web import GrpcWebBridge, web_methods
from recordroute_gateway.http.guard import OriginRules
from recordroute_gateway.http.media import ByteRange, parse_range
from recordroute_gateway.http.metadata import decode_message, encode_message, parse_timeout
from recordroute_gateway.http.problems import HTTP_STATUS, problem_body, problem_of
from recordroute_gateway.http.server import HttpServer, split_address
from recordroute_gateway.identity.audit import AuditEvent
from recordroute_gateway.identity.limits import CallLimits
from recordroute_runtime import errors
from recordroute_runtime.documents import document
from recordroute_runtime.interceptors import server_interceptors
from recordroute_runtime.server import AddressInUse, server_options
from recordroute_runtime.settings import ServerSettings
from starlette.datastructures import Headers

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
CONTENT = bytes(range(256)) * 5000
FOUND, NOBODY = str(uuid.uuid4()), str(uuid.uuid4())
TOKENS = {
    "reader": [identity_pb2.SCOPE_READ],
    "writer": [identity_pb2.SCOPE_READ, identity_pb2.SCOPE_WRITE],
}


class Library(library_pb2_grpc.LibraryServiceServicer):
    """One recording, as the contract has it."""

    def __init__(self) -> None:
        self.file_name, self.media_type = 'a "b"\r\n가.mp3', "audio/mpeg"
        self.content = CONTENT
        self.downloads: list[library_pb2.DownloadArtifactRequest] = []
        self.download_ended = asyncio.Event()

    async def GetRecording(self, request: Any, context: Any) -> Any:
        if request.recording_id != FOUND:
            raise errors.NotFound("RECORDING_NOT_FOUND", "there is no such recording")
        recording = library_pb2.Recording(
            id=FOUND,
            file_name=self.file_name,
            media_type=self.media_type,
            size_bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
        )
        return library_pb2.GetRecordingResponse(recording=recording)

    async def DownloadArtifact(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.downloads.append(request)
        try:
            info = library_pb2.ArtifactInfo(size_bytes=len(self.content))
            yield library_pb2.DownloadArtifactResponse(info=info)
            wanted = self.content[request.offset :][: request.length if request.HasField("length") else None]
            for start in range(0, len(wanted), 100_000):
                yield library_pb2.DownloadArtifactResponse(chunk=wanted[start : start + 100_000])
        finally:
            self.download_ended.set()


class Uploads(upload_pb2_grpc.UploadServiceServicer):
    """Counts what comes."""

    def __init__(self) -> None:
        self.size, self.digest = 0, hashlib.sha256()
        self.config = upload_pb2.UploadConfig()
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def UploadRecording(self, request_iterator: Any, context: Any) -> Any:
        try:
            async for message in request_iterator:
                if message.HasField("config"):
                    self.config = message.config
                self.size += len(message.chunk)
                self.begun.set()
                self.digest.update(message.chunk)
            recording = library_pb2.Recording(id=FOUND, size_bytes=self.size, sha256=self.digest.hexdigest())
            return upload_pb2.UploadRecordingResponse(recording=recording)
        finally:
            self.ended.set()


class Workflows(workflow_pb2_grpc.WorkflowServiceServicer):
    """A service that is being stopped: its calls end as CANCELLED."""

    async def GetWorkflow(self, request: Any, context: Any) -> Any:
        raise errors.Cancelled

    async def WatchWorkflow(self, request: Any, context: Any) -> AsyncIterator[Any]:
        event = workflow_pb2.WorkflowEvent(sequence=1, state=workflow_pb2.WORKFLOW_STATE_RUNNING)
        yield workflow_pb2.WatchWorkflowResponse(event=event)
        raise errors.Cancelled


class Identity(identity_pb2_grpc.IdentityServiceServicer):
    async def GetCaller(self, request: Any, context: Any) -> Any:
        headers = dict(context.invocation_metadata() or ())
        token = str(headers.get("authorization", "")).removeprefix("Bearer ")
        if token not in TOKENS:
            raise errors.Unauthenticated("TOKEN_INVALID", "the token is not valid")
        return identity_pb2.GetCallerResponse(user=token, scopes=TOKENS[token])


class Embedding(embedding_pb2_grpc.EmbeddingServiceServicer):
    """A service that is slow, or has no slot."""

    def __init__(self) -> None:
        self.overloaded = False
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def ListModels(self, request: Any, context: Any) -> Any:
        return embedding_pb2.ListModelsResponse()

    async def Rerank(self, request: Any, context: Any) -> Any:
        if self.overloaded:
            raise errors.Overloaded("every slot is taken", retry_after=timedelta(seconds=7))
        self.begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.ended.set()


class Audit:
    """Keeps events as the audit log does, without a database."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[AuditEvent] = asyncio.Queue()

    async def add(self, events: list[AuditEvent]) -> asyncio.Future[None]:
        for event in events:
            self.events.put_nowait(event)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written


@dataclass
class Running:
    """The edge before servicers of the test's own."""

    url: str
    port: int
    client: httpx.AsyncClient
    health: HealthServicer
    library: Library
    uploads: Uploads
    embedding: Embedding
    static: Path = field(default_factory=Path)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    token: str = "writer",
    hosts: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    actions: Actions | None = None,
) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        health, library, uploads, embedding = HealthServicer(), Library(), Uploads(), Embedding()
        await health.set("", SERVING)
        address = f"unix:{folder}/s"
        options = server_options(ServerSettings(listen=address))
        grpc_server = grpc.aio.server(interceptors=server_interceptors(), options=options)
        health_pb2_grpc.add_HealthServicer_to_server(health, grpc_server)
        library_pb2_grpc.add_LibraryServiceServicer_to_server(library, grpc_server)
        upload_pb2_grpc.add_UploadServiceServicer_to_server(uploads, grpc_server)
        identity_pb2_grpc.add_IdentityServiceServicer_to_server(Identity(), grpc_server)
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(embedding, grpc_server)
        workflow_pb2_grpc.add_WorkflowServiceServicer_to_server(Workflows(), grpc_server)
        grpc_server.add_insecure_port(address)
        await grpc_server.start()
        stack.push_async_callback(grpc_server.stop, 0)
        backend = Backend(Addresses(address, address, address, address), actions=actions)
        stack.push_async_callback(backend.close)
        bridge = GrpcWebBridge(backend.gateway, web_methods(["recordroute.gateway.v1.LibraryService"]))
        routes = build_routes(backend, Limits(1 << 30, folder), folder / "static")
        http = HttpServer(Edge(routes, bridge, hosts, origins), "127.0.0.1:0")
        await http.start()
        stack.push_async_callback(http.stop)
        url = f"http://127.0.0.1:{http.port}"
        headers = {"authorization": f"Bearer {token}"} if token else {}
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, headers=headers)
        )
        yield Running(url, http.port, client, health, library, uploads, embedding, folder / "static")


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, token="") as found:
        yield found


# Whom it answers


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:5", "LOCALHOST.", "lib.example.org:443"])
async def test_known_names_are_answered(host: str, tmp_path: Path) -> None:
    async with running(tmp_path, hosts=("Lib.Example.org",)) as edge:
        assert (await edge.client.get("/docs", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost@evil"],
)
async def test_other_names_are_not(host: str, edge: Running) -> None:
    answer = await edge.client.get("/docs", headers={"host": host})
    assert answer.status_code in (400, 421)
    assert (await edge.client.get("/healthz", headers={"host": host or "x"})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:5173"}, 200),
        ({"origin": "https://app.example.org"}, 200),
        ({"origin": "https://app.example.org.evil.example"}, 403),
        ({"origin": "https://appXexample.org"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
async def test_pages_of_other_sites_get_nothing(headers: dict[str, str], status: int, tmp_path: Path) -> None:
    async with running(tmp_path, origins=("https://app.example.org",)) as edge:
        answer = await edge.client.get("/docs", headers=headers)
        assert answer.status_code == status
        allowed = answer.headers.get("access-control-allow-origin")
        assert allowed == (headers.get("origin") if status == 200 else None)
        assert "access-control-allow-credentials" not in answer.headers


async def test_two_host_headers_are_refused(edge: Running) -> None:
    answer = await talk(edge.port, b"GET /docs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


def test_same_origin_is_told_by_host_and_fetch_metadata() -> None:
    rules = OriginRules([], [])
    for headers, same in (
        ({"host": "localhost:7180", "origin": "http://localhost:7180"}, True),
        ({"host": "localhost:7180", "origin": "http://localhost:5173"}, False),
        ({"host": "localhost:7180"}, True),
        ({"host": "localhost:7180", "sec-fetch-site": "same-site"}, False),
        ({"host": "localhost:7180", "sec-fetch-site": "cross-site"}, False),
    ):
        assert rules.is_same_origin(Headers(headers)) == same


# Tokens


async def test_a_token_decides_over_the_routes_to_services(guarded: Running) -> None:
    client = guarded.client
    for path in ("/models", "/v1/models", "/metrics"):
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers={"authorization": "Bearer wrong"})).status_code == 401
    assert (await client.get("/metrics", headers={"authorization": "Bearer reader"})).status_code == 200
    body = {"model": "default", "messages": [{"role": "user", "content": "a"}]}
    nobody = await client.post("/v1/chat/completions", json=body)
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert nobody.json()["error"]["type"] == "authentication_error"
    reader = await client.post("/v1/chat/completions", json=body, headers={"authorization": "Bearer reader"})
    assert (reader.status_code, reader.json()["error"]["code"]) == (403, "scope_missing")


async def test_the_cookie_of_a_session(guarded: Running) -> None:
    client = guarded.client
    assert (await client.post("/session")).status_code == 401
    opened = await client.post("/session", headers={"authorization": "Bearer reader"})
    assert opened.status_code == 204
    cookie = opened.headers["set-cookie"].lower()
    assert cookie.startswith("recordroute_token=reader;")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert (await client.get("/metrics")).status_code == 200
    # A page of another port is of the same site, and still not this server's.
    foreign = await client.get("/metrics", headers={"origin": "http://localhost:5173"})
    assert foreign.status_code == 401
    assert (await client.get("/metrics", headers={"sec-fetch-site": "same-site"})).status_code == 401
    assert (await client.get("/metrics", headers={"authorization": "Bearer wrong"})).status_code == 401
    await client.delete("/session")
    assert (await client.get("/metrics")).status_code == 401


UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Authorization: Bearer reader", 101),
        ("Cookie: recordroute_token=reader", 101),
        ("Cookie: recordroute_token=reader\r\nOrigin: http://localhost", 101),
        ("Cookie: recordroute_token=reader\r\nOrigin: http://localhost:5173", 403),
        ("Cookie: recordroute_token=reader\r\nOrigin: http://evil.example", 403),
        ("Authorization: Bearer wrong", 403),
        ("X-None: 1", 403),
    ],
)
async def test_who_may_open_a_websocket(headers: str, status: int, guarded: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    writer.write(f"{UPGRADE}{headers}\r\n\r\n".encode())
    async with asyncio.timeout(60):
        assert (await reader.readline()).split()[1] == str(status).encode()
    writer.close()


# How much and how slowly


async def talk(port: int, data: bytes, *, then: bytes = b"", seconds: float = 60.0) -> bytes:
    """Sends bytes and returns everything that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        await writer.drain()
        if then:
            writer.write(then)
        async with asyncio.timeout(seconds):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(server, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(guard, "BODY_IDLE_SECONDS", 0.3)
    monkeypatch.setattr(guard, "BODY_START_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /healthz HTTP/1.1\r\nHost: loc", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea"],
)
async def test_a_head_that_does_not_come_is_not_waited_for(sent: bytes, edge: Running) -> None:
    answer = await talk(edge.port, sent)
    assert answer.count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\n")


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_stands_still_is_given_up(edge: Running) -> None:
    head = b"POST /upload?file_name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    answer = await talk(edge.port, head + b"x" * 10)
    assert answer.startswith(b"HTTP/1.1 408")
    async with asyncio.timeout(60):
        await edge.uploads.ended.wait()


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_trickles_is_given_up(edge: Running) -> None:
    head = b"POST /upload?file_name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(head)
    answer = asyncio.create_task(reader.read())
    async with asyncio.timeout(60):
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=0.05)
    assert answer.result().startswith(b"HTTP/1.1 408")
    assert b"\r\nconnection: close\r\n" in answer.result()
    writer.close()


@pytest.mark.usefixtures("impatient")
async def test_a_reader_that_takes_nothing_is_dropped(edge: Running) -> None:
    # More than what sockets and gRPC hold by themselves.
    edge.library.content = b"x" * (64 << 20)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port, limit=1024)
    writer.write(f"GET /media/{FOUND} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(60):
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await edge.library.download_ended.wait()
    writer.close()


REFUSED = b"POST /process HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000000\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1000, 10_000_000])
async def test_who_is_refused_while_it_sends_is_told(
    size: int, edge: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LINGER_SECONDS", 60.0)
    assert (await talk(edge.port, REFUSED, then=b"x" * size)).startswith(b"HTTP/1.1 421")


async def test_a_refused_body_is_not_read_for_ever(edge: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LINGER_SECONDS", 0.3)
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(REFUSED)
    async with asyncio.timeout(60):
        while not writer.transport.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)


async def test_a_refused_body_that_comes_all_the_same_keeps_the_connection(
    guarded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired: list[Callable[[], None]] = []
    start = server.EdgeProtocol._start

    def noted(protocol: server.EdgeProtocol, name: str, seconds: float, act: Callable[[], None]) -> None:
        if name == "linger":
            expired.append(act)
        else:
            start(protocol, name, seconds, act)

    monkeypatch.setattr(server.EdgeProtocol, "_start", noted)
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    writer.write(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
    async with asyncio.timeout(60):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
        body = b'{"query": "a", "documents": ["b"]}'
        writer.write(
            b"x" * 10 + b"POST /v2/rerank HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer writer\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await guarded.embedding.begun.wait()
    # The time for the body that was refused is over while the next request is worked on.
    (give_up,) = expired
    give_up()
    ended = asyncio.create_task(guarded.embedding.ended.wait())
    await asyncio.wait([ended], timeout=0.2)
    assert not ended.done()
    writer.close()
    await asyncio.wait_for(ended, 60)


async def test_heads_have_a_limit(edge: Running) -> None:
    for headers in ({"x-long": "y" * 40_000}, {f"x-{i}": "y" * 1000 for i in range(40)}):
        answer = await edge.client.get("/healthz", headers=headers)
        assert answer.status_code in (400, 431)
    assert (await edge.client.get("/healthz?" + "a" * 40_000)).status_code in (400, 431)
    endless = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"x-a: " + b"y" * 200_000
    assert (await talk(edge.port, endless)).startswith(b"HTTP/1.1 400")


async def test_json_bodies_have_a_limit(edge: Running) -> None:
    answer = await edge.client.post(
        "/process", content=b" " * (rest.MAX_JSON_BYTES + 1), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_requests_that_can_be_read_in_two_ways_are_refused(head: bytes, edge: Running) -> None:
    assert (await talk(edge.port, head + b"\r\n", then=b"")).startswith(b"HTTP/1.1 400")


async def test_file_names_put_nothing_into_headers(edge: Running) -> None:
    answer = await edge.client.get(f"/media/{FOUND}")
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''a%20%22b%22%0D%0A%EA%B0%80.mp3"


async def chunks(total: int) -> AsyncIterator[bytes]:
    piece = bytes(range(256)) * 4096
    for _ in range(total // len(piece)):
        yield piece


@pytest.mark.parametrize("form", [False, True])
async def test_memory_is_flat_whatever_the_size_of_an_upload(form: bool, edge: Running) -> None:
    total = 128 << 20
    expected = hashlib.sha256()
    async for piece in chunks(total):
        expected.update(piece)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        if form:
            yield head
        async for piece in chunks(total):
            peak[0] = max(peak[0], process.memory_info().rss)
            yield piece
        if form:
            yield b"\r\n--x--\r\n"

    process = psutil.Process()
    before = process.memory_info().rss
    peak = [before]
    headers = {"content-type": "multipart/form-data; boundary=x" if form else "application/octet-stream"}
    answer = await edge.client.post("/upload", params={"file_name": "a.bin"}, content=body(), headers=headers)
    assert answer.status_code == 201
    assert (answer.json()["size_bytes"], answer.json()["sha256"]) == (total, expected.hexdigest())
    assert peak[0] - before < 48 << 20


async def test_parameters_of_an_upload(edge: Running) -> None:
    request_id = str(uuid.uuid4())
    parameters: dict[str, Any] = {"title": "T", "folder": "a/b", "tag": ["x", "y"], "request_id": request_id}
    answer = await edge.client.post(
        "/upload",
        params={**parameters, "recorded_at": "2026-01-31T09:00:00+01:00", "allow_duplicate": "true"},
        files={"file": ("../..\\dir/a.mp3", b"sound")},
    )
    assert answer.status_code == 201
    config = edge.uploads.config
    assert (config.title, config.folder, list(config.tags), config.request_id) == (
        "T",
        "a/b",
        ["x", "y"],
        request_id,
    )
    assert config.recorded_at.ToJsonString() == "2026-01-31T08:00:00Z"
    assert config.allow_duplicate
    assert edge.uploads.size == len(b"sound")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x\r\n\r\n\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        b"--x\r\n" + b"a: b\r\n" * 10_000,
        b'--x\r\nContent-Disposition: form-data; filename="a"\r\n\r\nb\r\n--x--\r\n',
        b"\xff\xfe" * 100,
    ],
)
async def test_broken_forms_are_refused(body: bytes, edge: Running) -> None:
    for path in ("/upload", "/v1/audio/transcriptions"):
        answer = await edge.client.post(
            path, content=body, headers={"content-type": "multipart/form-data; boundary=x"}
        )
        assert answer.status_code == 400


async def test_an_upload_that_is_broken_off_ends_the_call(edge: Running) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"POST /upload?file_name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n")
    writer.write(b"x" * 3_000_000)
    await writer.drain()
    async with asyncio.timeout(60):
        await edge.uploads.begun.wait()
        writer.close()
        await edge.uploads.ended.wait()


async def test_a_client_that_goes_away_ends_the_inference(edge: Running) -> None:
    body = {"query": "a", "documents": ["b"]}
    calling = asyncio.create_task(edge.client.post("/v2/rerank", json=body))
    async with asyncio.timeout(60):
        await edge.embedding.begun.wait()
        calling.cancel()
        await edge.embedding.ended.wait()


async def test_inference_is_bounded_and_in_the_audit_log(tmp_path: Path) -> None:
    audit: Any = Audit()
    actions = Actions(CallLimits(rate=0, burst=0, unary_calls=1, streams=1), audit)
    body = {"query": "a", "documents": ["b"]}

    async def next_event() -> tuple[str, str, str, str]:
        event = await asyncio.wait_for(audit.events.get(), 60)
        return event.user, event.action, event.outcome, event.peer

    async with running(tmp_path, actions=actions) as edge:
        calling = asyncio.create_task(edge.client.post("/v2/rerank", json=body))
        await asyncio.wait_for(edge.embedding.begun.wait(), 60)
        second = await edge.client.post("/v1/rerank", json=body)
        assert (second.status_code, second.headers["retry-after"]) == (429, "1")
        calling.cancel()
        # What was one too many is no action.
        assert await next_event() == ("writer", "http/rerank_v2", "CANCELLED", "127.0.0.1")
        edge.embedding.overloaded = True
        assert (await edge.client.post("/v1/rerank", json=body)).status_code == 429
        assert await next_event() == ("writer", "http/rerank_v1", "OVERLOADED", "127.0.0.1")
        # Neither is what is malformed, or refused to somebody unknown.
        assert (await edge.client.post("/v2/rerank", json={})).status_code == 400
        unknown = await edge.client.post("/v2/rerank", json=body, headers={"authorization": "Bearer x"})
        assert unknown.status_code == 401
        assert audit.events.empty()


# Files for players and browsers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=5-999", (5, 10)),
        ("Bytes=1-2", (1, 3)),
        ("bytes=0-0,2-3", None),
        ("bytes=-", None),
        ("bytes=3-2", None),
        ("pages=1-2", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges(header: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == (None if expected is None else ByteRange(*expected))


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_ranges_with_nothing_in_them(header: str) -> None:
    with pytest.raises(ValueError, match="behind the end"):
        parse_range(header, 10)


async def test_media_whole_and_in_parts(edge: Running) -> None:
    client, path = edge.client, f"/media/{FOUND}"
    whole = await client.get(path)
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["content-type"] == "audio/mpeg"
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-security-policy"].startswith("default-src 'none'")
    etag = whole.headers["etag"]
    part = await client.get(path, headers={"range": "bytes=100000-300000", "if-range": etag})
    assert (part.status_code, part.content) == (206, CONTENT[100_000:300_001])
    assert part.headers["content-range"] == f"bytes 100000-300000/{len(CONTENT)}"
    assert part.headers["content-length"] == "200001"
    assert (edge.library.downloads[-1].offset, edge.library.downloads[-1].length) == (100_000, 200_001)
    assert (await client.get(path, headers={"range": "bytes=-7"})).content == CONTENT[-7:]
    changed = await client.get(path, headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (changed.status_code, len(changed.content)) == (200, len(CONTENT))
    behind = await client.get(path, headers={"range": f"bytes={len(CONTENT)}-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
    assert (await client.get(path, headers={"if-none-match": f'"x", W/{etag}'})).status_code == 304
    head = await client.head(path, headers={"range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"], head.content) == (206, "10", b"")
    assert (await client.get(f"/media/{NOBODY}")).status_code == 404


async def test_media_that_a_browser_could_run_is_saved_instead(edge: Running) -> None:
    edge.library.media_type = "text/html"
    answer = await edge.client.get(f"/media/{FOUND}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_player_that_stops_ends_the_download(edge: Running) -> None:
    edge.library.content = b"x" * (64 << 20)
    async with edge.client.stream("GET", f"/media/{FOUND}") as answer:
        await anext(answer.aiter_raw())
    async with asyncio.timeout(60):
        await edge.library.download_ended.wait()


async def test_the_web_client(tmp_path: Path) -> None:
    (tmp_path / "static/assets").mkdir(parents=True)
    (tmp_path / "static/index.html").write_text("<!doctype html>page")
    (tmp_path / "static/assets/main-4f3a.js").write_text("1")
    (tmp_path / "secret").write_text("secret")
    async with running(tmp_path) as edge:
        html = {"accept": "text/html,*/*"}
        for path in ("/", "/recordings/1", "/index.html"):
            page = await edge.client.get(path, headers=html)
            assert (page.status_code, page.text) == (200, "<!doctype html>page")
            assert page.headers["cache-control"] == "no-cache"
            policy = page.headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "'unsafe" not in policy
            assert page.headers["x-frame-options"] == "DENY"
        script = await edge.client.get("/assets/main-4f3a.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-type"].startswith("text/javascript")
        # A file of an older build that is gone is not the page.
        assert (await edge.client.get("/assets/gone.js")).status_code == 404
        assert (await edge.client.post("/recordings/1", headers=html)).status_code in (404, 405)
        for path in (b"/../secret", b"/%2e%2e/secret", b"/assets/..%2f..%2fsecret", b"//secret"):
            answer = await talk(
                edge.port, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            assert b"secret" not in answer.partition(b"\r\n\r\n")[2]
        assert (await edge.client.get("/healthz")).text == "ok\n"
        assert (await edge.client.get("/openapi.json")).json()["openapi"] == "3.1.0"


async def test_the_web_client_is_sent_compressed(tmp_path: Path) -> None:
    (tmp_path / "static/assets").mkdir(parents=True)
    (tmp_path / "static/index.html").write_text("<!doctype html>page")
    source = "export const words = 1;\n" * 20_000
    (tmp_path / "static/assets/main-4f3a.js").write_text(source)
    async with running(tmp_path) as edge:
        sizes = {}
        for encoding in ("gzip", "identity"):
            headers = {"accept-encoding": encoding}
            async with edge.client.stream("GET", "/assets/main-4f3a.js", headers=headers) as answer:
                body = b"".join([chunk async for chunk in answer.aiter_raw()])
            assert "Accept-Encoding" in answer.headers["vary"]
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert (gzip.decompress(body) if encoding == "gzip" else body).decode() == source
            sizes[encoding] = len(body)
        assert sizes["gzip"] < sizes["identity"] / 10
        again = {"if-none-match": answer.headers["etag"], "accept-encoding": "gzip"}
        assert (await edge.client.get("/assets/main-4f3a.js", headers=again)).status_code == 304


async def test_the_docs_need_nothing_from_elsewhere(edge: Running) -> None:
    # Where the client has not been built the docs are all there is to see.
    page = await edge.client.get("/", follow_redirects=True)
    assert page.url.path == "/docs"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    operations = (await edge.client.get("/openapi.json")).json()["paths"]
    assert all(path.replace("{", "{") in page.text for path in operations)
    assert (await edge.client.get("/docs.css")).headers["content-type"].startswith("text/css")


# Operations and errors


async def test_readiness_follows_the_grpc_server(edge: Running) -> None:
    assert (await edge.client.get("/readyz")).status_code == 200
    await edge.health.set("", NOT_SERVING)
    assert (await edge.client.get("/readyz")).status_code == 503
    assert (await edge.client.get("/healthz")).status_code == 200


async def test_overload_says_when_to_come_again(edge: Running) -> None:
    edge.embedding.overloaded = True
    cohere = await edge.client.post("/v2/rerank", json={"query": "a", "documents": ["b"]})
    assert (cohere.status_code, cohere.headers["retry-after"]) == (429, "7")
    assert cohere.json()["message"] == "every slot is taken"
    tei = await edge.client.post("/rerank", json={"query": "a", "texts": ["b"]})
    assert (tei.status_code, tei.json()["error_type"]) == (429, "Overloaded")


async def test_calls_that_the_server_cancels_are_told(edge: Running) -> None:
    """grpc.aio raises CancelledError for them, which would pass for the end of our own task."""
    answer = await edge.client.get(f"/tasks/{FOUND}")
    assert (answer.status_code, answer.json()["reason"]) == (499, "CANCELLED")
    address = edge.url.replace("http://", "ws://") + f"/ws?task_id={FOUND}"
    async with websockets.asyncio.client.connect(
        address, additional_headers={"authorization": "Bearer reader"}, proxy=None
    ) as connection:
        events = [json.loads(await asyncio.wait_for(connection.recv(), 60)) for _ in range(2)]
    assert [event["type"] for event in events] == ["progress", "error"]
    assert events[1]["reason"] == "CANCELLED"


async def test_errors_without_a_reason_name_no_addresses(tmp_path: Path) -> None:
    backend = Backend(Addresses(*[f"unix:{tmp_path}/nobody"] * 4))
    http = HttpServer(
        Edge(build_routes(backend, Limits(1, tmp_path)), GrpcWebBridge(backend.gateway, []), [], []),
        "[::1]:0",
    )
    await http.start()
    async with httpx.AsyncClient(base_url=f"http://[::1]:{http.port}", trust_env=False, timeout=60) as client:
        for path in ("/history", "/v1/models", "/metrics"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "nobody" not in answer.text
            assert "does not answer" in answer.text
        assert (await client.get("/readyz")).status_code == 503
    await http.stop()
    await backend.close()


def all_errors() -> Iterator[errors.DomainError]:
    yield errors.InvalidInput("A", "m")
    yield errors.FieldViolations([("f", "bad")])
    yield errors.NotFound("A", "m")
    yield errors.Conflict("A", "m")
    yield errors.PreconditionFailed("A", "m")
    yield errors.ModelMissing("m")
    yield errors.Overloaded("m")
    yield errors.StorageFull("m")
    yield errors.UpstreamUnavailable("stt")
    yield errors.DeadlineExceeded()


@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: error.reason)
def test_every_api_tells_errors_in_its_own_form(error: errors.DomainError) -> None:
    problem = problem_of(error)
    assert 400 <= problem.status < 600
    openai_form = problem_body("/v1/embeddings", problem)["error"]
    assert set(openai_form) == {"message", "type", "param", "code"}
    assert openai_form["message"] == error.message
    assert problem_body("/v2/rerank", problem)["message"] == error.message
    assert set(problem_body("/embed", problem)) == {"error", "error_type"}
    assert problem_body("/history", problem)["reason"] == error.reason


def test_every_status_has_a_place_in_http() -> None:
    assert set(HTTP_STATUS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


def test_an_unexpected_error_tells_nothing() -> None:
    problem = problem_of(RuntimeError("password"))
    assert problem.status == 500
    assert "password" not in json.dumps(problem_body("/history", problem))


# Small parts


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1S", 1.0), ("250m", 0.25), ("2M", 120.0), ("1H", 3600.0), ("5u", 5e-6), (None, None)],
)
def test_timeouts(text: str | None, seconds: float | None) -> None:
    assert parse_timeout(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("text", ["", "1", "S", "123456789S", "1s", "-1S", "1.5S"])
def test_timeouts_that_mean_nothing(text: str) -> None:
    with pytest.raises(errors.InvalidInput):
        parse_timeout(text)


@pytest.mark.parametrize("text", ["", "plain", "100 %", "가\n\x00ü", "~!@#"])
def test_messages_survive_the_wire(text: str) -> None:
    wire = encode_message(text)
    assert wire.isascii()
    assert wire.isprintable()
    assert decode_message(wire) == text


@pytest.mark.parametrize(
    ("listen", "expected"),
    [("127.0.0.1:7180", ("127.0.0.1", 7180)), ("[::1]:0", ("::1", 0)), (":80", ("", 80))],
)
def test_addresses(listen: str, expected: tuple[str, int]) -> None:
    assert split_address(listen) == expected


@pytest.mark.parametrize("listen", ["localhost", "localhost:", "localhost:http", "localhost:70000"])
def test_addresses_that_are_none(listen: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        split_address(listen)


def test_methods_are_allowed_by_their_descriptors() -> None:
    methods = web_methods(
        [
            file.DESCRIPTOR.services_by_name[name].full_name
            for file, name in ((library_pb2, "LibraryService"), (upload_pb2, "UploadService"))
        ]
    )
    assert "/recordroute.gateway.v1.LibraryService/GetRecording" in methods
    assert "/recordroute.gateway.v1.LibraryService/Export" in methods
    assert "/recordroute.gateway.v1.UploadService/UploadRecording" not in methods


async def test_a_taken_port_is_said() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody calls")

    first = HttpServer(app, "127.0.0.1:0")
    await first.start()
    with pytest.raises(AddressInUse, match="in use"):
        await HttpServer(app, f"127.0.0.1:{first.port}").start()
    await first.stop()


def test_documents_are_the_contracts() -> None:
    message = library_pb2.Recording(
        id="a", artifacts=[library_pb2.Artifact(kind=library_pb2.ARTIFACT_KIND_MEDIA, size_bytes=5)]
    )
    message.duration.FromTimedelta(timedelta(seconds=1.5))
    found = document(message)
    assert (found["duration"], found["recorded_at"], found["tags"]) == (1.5, None, [])
    assert found["artifacts"][0]["kind"] == "media"
    assert set(found) == {entry.name for entry in library_pb2.Recording.DESCRIPTOR.fields}
