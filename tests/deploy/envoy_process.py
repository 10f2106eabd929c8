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


def rendered_config(upstream_port: int) -> dict[str, Any]:
    """The file as it is, but for the addresses: everything on free ports of loopback."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    config["admin"]["address"]["socket_address"]["port_value"] = 0
    (listener,) = config["static_resources"]["listeners"]
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": 0}
    (cluster,) = config["static_resources"]["clusters"]
    (locality,) = cluster["load_assignment"]["endpoints"]
    (endpoint,) = locality["lb_endpoints"]
    endpoint["endpoint"]["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": upstream_port}
    return config


async def wait_until_live(admin: Path, envoy: subprocess.Popen[bytes], log: Path) -> str:
    """Waits until Envoy serves; returns the URL of its listener."""
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert envoy.poll() is None, log.read_text()
            if admin.exists() and (address := admin.read_text()):
                ready = await client.get(f"http://{address}/ready")
                if ready.status_code == 200:
                    listeners = (await client.get(f"http://{address}/listeners?format=json")).json()
                    (listener,) = listeners["listener_statuses"]
                    return f"http://127.0.0.1:{listener['local_address']['socket_address']['port_value']}"
            await asyncio.sleep(0.05)


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
