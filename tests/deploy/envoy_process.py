"""deploy/envoy.yaml in a real Envoy, on free ports of loopback."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from deploy_files import ROOT, tool

CONFIG = ROOT / "deploy/envoy.yaml"
# The clusters of the gRPC server.
CALLS = ("gateway", "gateway_live")


def rendered_config(grpc_port: int, http_port: int = 1) -> dict[str, Any]:
    """The file as it is, but for the addresses: everything on free ports of loopback."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    config["admin"]["address"]["socket_address"]["port_value"] = 0
    (listener,) = config["static_resources"]["listeners"]
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": 0}
    ports = {"gateway": grpc_port, "gateway_live": grpc_port, "gateway_http": http_port}
    for cluster in config["static_resources"]["clusters"]:
        address = upstream_address(cluster)
        address |= {"address": "127.0.0.1", "port_value": ports[cluster["name"]]}
    return config


def upstream_address(cluster: dict[str, Any]) -> dict[str, Any]:
    """The address of a cluster's only endpoint."""
    (locality,) = cluster["load_assignment"]["endpoints"]
    (endpoint,) = locality["lb_endpoints"]
    address: dict[str, Any] = endpoint["endpoint"]["address"]["socket_address"]
    return address


async def wait_until_live(admin: Path, envoy: subprocess.Popen[bytes], log: Path) -> str:
    """Waits until Envoy serves and has found the gRPC server healthy; returns the URL of its listener."""
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False, timeout=60) as client:
        while True:
            assert envoy.poll() is None, log.read_text()
            if admin.exists() and (address := admin.read_text()):
                ready = await client.get(f"http://{address}/ready")
                if ready.status_code == 200 and await _calls_pass(client, address):
                    listeners = (await client.get(f"http://{address}/listeners?format=json")).json()
                    (listener,) = listeners["listener_statuses"]
                    return f"http://127.0.0.1:{listener['local_address']['socket_address']['port_value']}"
            await asyncio.sleep(0.05)


async def _calls_pass(client: httpx.AsyncClient, admin: str) -> bool:
    clusters = (await client.get(f"http://{admin}/clusters?format=json")).json()["cluster_statuses"]
    hosts = [host for cluster in clusters if cluster["name"] in CALLS for host in cluster["host_statuses"]]
    return not any("failed_active_health_check" in host["health_status"] for host in hosts)


@contextmanager
def running(config: Path, admin: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        envoy = subprocess.Popen(
            [
                tool("envoy"), "-c", str(config), "--disable-hot-restart", "--concurrency", "1",
                "--log-level", "warning", "--admin-address-path", str(admin),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield envoy
        finally:
            envoy.terminate()
            try:
                envoy.wait(timeout=10)
            except subprocess.TimeoutExpired:
                envoy.kill()
                envoy.wait()
