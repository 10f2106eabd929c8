"""TLS between real servers and clients, with certificates that are made for the test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.probe import probe
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings, ServerSettings, SettingsError, load_settings
from recordroute_runtime.tls import ClientTls, peer_tls, server_credentials


class NoService:
    names = ("recordroute.test.v1.NoService",)

    def register(self, server: grpc.aio.Server) -> None:
        """It has health only."""

    async def load(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to close."""


class Files:
    """An authority with the files that it has signed, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)

    def sign(self, name: str) -> tuple[Path, Path]:
        """Writes a certificate and its key, in one step as those who renew them do."""
        leaf = self.authority.issue_cert(name)
        paths = (self.folder / f"{name}.pem", self.folder / f"{name}.key")
        contents = (b"".join(pem.bytes() for pem in leaf.cert_chain_pems), leaf.private_key_pem.bytes())
        for path, content in zip(paths, contents, strict=True):
            draft = path.with_suffix(".new")
            draft.write_bytes(content)
            draft.replace(path)
        return paths


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@asynccontextmanager
async def serving(files: Files, *, mutual: bool = False) -> AsyncIterator[str]:
    certificate, key = files.sign("localhost")
    settings = ServerSettings(
        listen="127.0.0.1:0",
        tls_cert=certificate,
        tls_key=key,
        tls_ca=files.ca if mutual else None,
        drain_grace_seconds=1,
    )
    server = RunningServer(NoService(), settings)
    await server.start()
    await server.loaded()
    try:
        yield f"localhost:{server.port}"
    finally:
        await server.stop()


async def ask(target: str, tls: ClientTls | None) -> int:
    async with open_channel(target, tls=tls) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return (await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)).status


async def refused(target: str, tls: ClientTls | None) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(target, tls)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_server_proves_itself(files: Files, tmp_path: Path) -> None:
    async with serving(files) as target:
        assert await ask(target, ClientTls(files.ca.read_bytes())) == health_pb2.HealthCheckResponse.SERVING
        # Who trusts somebody else, or speaks without TLS, does not talk to it.
        other = trustme.CA().cert_pem.bytes()
        await refused(target, ClientTls(other))
        await refused(target, None)
        port = target.rpartition(":")[2]
        await refused(f"127.0.0.1:{port}", ClientTls(files.ca.read_bytes()))


async def test_both_prove_themselves(files: Files) -> None:
    certificate, key = files.sign("gateway")
    authorities = files.ca.read_bytes()
    shown = ClientTls(authorities, certificate.read_bytes(), key.read_bytes())
    stranger = trustme.CA().issue_cert("gateway")
    foreign = ClientTls(authorities, stranger.cert_chain_pems[0].bytes(), stranger.private_key_pem.bytes())
    async with serving(files, mutual=True) as target:
        assert await ask(target, shown) == health_pb2.HealthCheckResponse.SERVING
        await refused(target, ClientTls(authorities))
        await refused(target, foreign)


async def test_renewed_certificates_count_without_a_restart(files: Files) -> None:
    async with serving(files) as target:
        before = ClientTls(files.ca.read_bytes())
        await ask(target, before)
        files.authority = trustme.CA()
        # A renewal that is half done changes nothing.
        (files.folder / "localhost.pem").rename(files.folder / "moved")
        await ask(target, before)
        files.sign("localhost")
        await ask(target, ClientTls(files.authority.cert_pem.bytes()))
        await refused(target, before)


async def test_unix_sockets_need_none(tmp_path: Path, files: Files) -> None:
    settings = ServerSettings(listen=f"unix:{tmp_path}/s", drain_grace_seconds=1)
    server = RunningServer(NoService(), settings)
    await server.start()
    await server.loaded()
    assert await ask(settings.listen, ClientTls(files.ca.read_bytes())) == 1
    await server.stop()


async def test_probe_with_tls(files: Files) -> None:
    async with serving(files) as target:
        tls = ClientTls(files.ca.read_bytes())
        assert await asyncio.to_thread(probe, target, "", 5.0, tls) == "SERVING"
        assert await asyncio.to_thread(probe, target, "", 0.5) != "SERVING"


def test_files_that_are_missing_or_half_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ServerSettings(listen="x", tls_cert=tmp_path / "a", tls_key=tmp_path / "b")
    with pytest.raises(SettingsError, match="can't be read"):
        server_credentials(missing)
    monkeypatch.setenv("RECORDROUTE_TLS_CERT", "/c")
    monkeypatch.setenv("RECORDROUTE_LISTEN", "x")
    with pytest.raises(
        SettingsError, match=r"^RECORDROUTE_TLS_CERT and RECORDROUTE_TLS_KEY belong together$"
    ):
        load_settings(ServerSettings)
    monkeypatch.setenv("RECORDROUTE_PEER_TLS_CERT", "/c")
    with pytest.raises(SettingsError, match="RECORDROUTE_PEER_TLS_KEY"):
        load_settings(CommonSettings)


def test_peers(files: Files) -> None:
    certificate, key = files.sign("gateway")
    assert peer_tls(CommonSettings()) is None
    known = peer_tls(CommonSettings(peer_tls_ca=files.ca, peer_tls_cert=certificate, peer_tls_key=key))
    assert known == ClientTls(files.ca.read_bytes(), certificate.read_bytes(), key.read_bytes())
    with pytest.raises(SettingsError):
        peer_tls(CommonSettings(peer_tls_ca=files.folder / "none"))
    assert os.environ.get("RECORDROUTE_PEER_TLS_CA") is None
