"""deploy/envoy.yaml in a real Envoy, in front of a real gRPC server."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import pytest
import yaml
from deploy_files import tool
from envoy_process import CONFIG, rendered_config, running, upstream_address, wait_until_live
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from recordroute.gateway.v1 import live_pb2, live_pb2_grpc
from recordroute_cli.places import DEFAULT_HTTP_PORT

CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
ORIGIN = "http://localhost:5173"
WEB = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "origin": ORIGIN}
TRAILERS = 0x80
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
# A health name of the test's own: Envoy takes a server away whose whole health isn't SERVING.
TOPIC = "topic"


@dataclass(frozen=True)
class FrontDoor:
    """A running Envoy and the health of the server behind it."""

    url: str
    health: HealthServicer
    envoy: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")


def framed(message: bytes) -> bytes:
    """A gRPC message as it goes over the wire: a flag, its length, itself."""
    return struct.pack(">BI", 0, len(message)) + message


def frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames of a grpc-web body: (flag, payload); flag 0x80 marks the trailers."""
    while body:
        flag, size = struct.unpack_from(">BI", body)
        yield flag, body[5 : 5 + size]
        body = body[5 + size :]


def trailers(payload: bytes) -> dict[str, str]:
    return {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in payload.decode().split("\r\n") if line)
    }


def request(service: str) -> bytes:
    return framed(health_pb2.HealthCheckRequest(service=service).SerializeToString())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "envoy.log"


@pytest.fixture
async def door(tmp_path: Path, log: Path) -> AsyncIterator[FrontDoor]:
    async with AsyncExitStack() as stack:
        health = HealthServicer()
        await health.set(TOPIC, SERVING)
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stack.push_async_callback(server.stop, 0)
        config = tmp_path / "envoy.yaml"
        config.write_text(yaml.safe_dump(rendered_config(port)))
        envoy = stack.enter_context(running(config, tmp_path / "admin", log))
        yield FrontDoor(await wait_until_live(tmp_path / "admin", envoy, log), health, envoy)


def plain_channel(door: FrontDoor) -> grpc.aio.Channel:
    """A channel of a gRPC client that is no browser."""
    return grpc.aio.insecure_channel(door.address, options=[("grpc.enable_http_proxy", 0)])


@pytest.fixture
async def browser(door: FrontDoor) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, trust_env=False, timeout=60) as client:
        yield client


def test_the_file_is_valid() -> None:
    validated = subprocess.run(
        [tool("envoy"), "--mode", "validate", "-c", str(CONFIG)], capture_output=True, text=True, check=False
    )
    assert validated.returncode == 0, validated.stderr
    assert "deprecated" not in validated.stderr.lower()


def connection_manager() -> dict[str, Any]:
    (listener,) = yaml.safe_load(CONFIG.read_text())["static_resources"]["listeners"]
    manager: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager


def test_nothing_cuts_a_long_stream() -> None:
    manager = connection_manager()
    (host,) = manager["route_config"]["virtual_hosts"]
    live, calls, rest = (route["route"] for route in host["routes"])
    for route in (live, calls):
        assert route["max_stream_duration"]["max_stream_duration"] == "0s"
    for route in (live, calls, rest):
        assert route["timeout"] == "0s"
        assert "per_try_timeout" not in route["retry_policy"]
        assert "idle_timeout" not in route
    assert manager["stream_idle_timeout"] == "3600s"
    assert "request_timeout" not in manager
    assert "max_connection_duration" not in manager["common_http_protocol_options"]


def test_requests_are_not_buffered() -> None:
    names = [http_filter["name"] for http_filter in connection_manager()["http_filters"]]
    assert names == [
        f"envoy.filters.http.{name}" for name in ("health_check", "cors", "grpc_web", "lua", "router")
    ]


def test_the_admin_port_is_on_loopback_and_the_clusters_are_the_gateway(ports: Mapping[str, int]) -> None:
    config = yaml.safe_load(CONFIG.read_text())
    assert config["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    calls, live, rest = config["static_resources"]["clusters"]
    for cluster in (calls, live):
        assert upstream_address(cluster) == {"address": "gateway", "port_value": ports["gateway"]}
    assert upstream_address(rest) == {"address": "gateway", "port_value": DEFAULT_HTTP_PORT}
    assert {cluster["cluster_type"]["name"] for cluster in (calls, live, rest)} == {"envoy.cluster.dns"}


async def test_a_browser_calls_a_unary_method(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(CHECK, content=request(""), headers=WEB)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/grpc-web+proto"
    (flag, message), (end_flag, end) = frames(answer.content)
    assert (flag, end_flag) == (0, TRAILERS)
    assert health_pb2.HealthCheckResponse.FromString(message).status == SERVING
    assert trailers(end)["grpc-status"] == "0"


async def test_a_browser_may_read_an_error(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(CHECK, content=request("nobody"), headers=WEB)
    status = answer.headers.get("grpc-status") or trailers(next(frames(answer.content))[1])["grpc-status"]
    assert int(status) == grpc.StatusCode.NOT_FOUND.value[0]
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert exposed == {"grpc-status", "grpc-message", "grpc-status-details-bin"}


async def test_a_stream_arrives_message_by_message(browser: httpx.AsyncClient, door: FrontDoor) -> None:
    async with browser.stream("POST", WATCH, content=request(TOPIC), headers=WEB) as answer:
        arriving = answer.aiter_bytes()
        for expected in (SERVING, NOT_SERVING, SERVING):
            await door.health.set(TOPIC, expected)
            ((flag, message),) = frames(await anext(arriving))
            assert flag == 0
            assert health_pb2.HealthCheckResponse.FromString(message).status == expected


async def test_the_text_mode_works_too(browser: httpx.AsyncClient) -> None:
    text = "application/grpc-web-text+proto"
    answer = await browser.post(
        CHECK,
        content=base64.b64encode(request("")),
        headers=WEB | {"content-type": text, "accept": text},
    )
    # Each piece is encoded, and padded, by itself.
    body = b"".join(base64.b64decode(piece) for piece in re.findall("[^=]+=*", answer.text))
    (flag, message), _ = frames(body)
    assert flag == 0
    assert health_pb2.HealthCheckResponse.FromString(message).status == SERVING


async def test_a_preflight_of_this_machine_is_allowed(browser: httpx.AsyncClient) -> None:
    asked = "content-type,grpc-timeout,traceparent,x-grpc-web,x-session-id,x-user-agent"
    answer = await browser.options(
        CHECK,
        headers={
            "origin": ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": asked,
        },
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert set(asked.split(",")) <= allowed


@pytest.mark.parametrize("origin", ["http://example.org", "http://localhost.example.org", "null"])
async def test_a_page_of_another_site_is_not(origin: str, browser: httpx.AsyncClient) -> None:
    answer = await browser.options(CHECK, headers={"origin": origin, "access-control-request-method": "POST"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "envoy:8080", "envoy.recordroute.svc"]
)
async def test_its_own_names_are_answered(host: str, browser: httpx.AsyncClient) -> None:
    answer = await browser.post(CHECK, content=request(""), headers=WEB | {"host": host})
    assert answer.status_code == 200
    assert len(list(frames(answer.content))) == 2


async def test_a_name_that_was_bent_to_loopback_is_not(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(CHECK, content=request(""), headers=WEB | {"host": "rebound.example.org"})
    assert answer.status_code == 404
    assert answer.content == b""


async def test_the_health_path_answers_any_name(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/healthz", headers={"host": "10.0.0.7:8080"})
    assert answer.status_code == 200


async def test_a_grpc_client_passes_with_a_message_beyond_the_buffers(door: FrontDoor) -> None:
    async with plain_channel(door) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
        assert answer.status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Check(health_pb2.HealthCheckRequest(service="x" * (3 << 20)), timeout=60)
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND


async def test_the_deadline_of_a_client_holds(door: FrontDoor) -> None:
    async with plain_channel(door) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=TOPIC), timeout=4
        )
        assert (await watch.read()).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await watch.read()
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_the_access_log_is_json(door: FrontDoor, log: Path) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with plain_channel(door) as channel:
        await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=60, metadata=[("traceparent", trace)]
        )
    door.envoy.terminate()  # it writes what it still holds
    await asyncio.to_thread(door.envoy.wait, 60)
    (line,) = (json.loads(line) for line in log.read_text().splitlines() if trace in line)
    assert (line["path"], line["status"], line["grpc_status"]) == (CHECK, 200, "0")
    assert line["duration_ms"] >= 0


class Replica(live_pb2_grpc.LiveServiceServicer):
    """Answers with its own number."""

    def __init__(self, number: int) -> None:
        self._number = number

    async def PushLiveAudio(self, request: Any, context: Any) -> live_pb2.PushLiveAudioResponse:
        return live_pb2.PushLiveAudioResponse(next_audio_sequence=self._number)


async def test_calls_of_a_live_session_reach_one_replica(tmp_path: Path, log: Path) -> None:
    async with AsyncExitStack() as stack:
        ports = []
        for number in range(2):
            health = HealthServicer()
            await health.set("", SERVING)
            server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
            health_pb2_grpc.add_HealthServicer_to_server(health, server)
            live_pb2_grpc.add_LiveServiceServicer_to_server(Replica(number), server)
            ports.append(server.add_insecure_port("127.0.0.1:0"))
            await server.start()
            stack.push_async_callback(server.stop, 0)
        rendered = rendered_config(ports[0])
        (live,) = (c for c in rendered["static_resources"]["clusters"] if c["name"] == "gateway_live")
        # Between its checks a busy machine could make a replica look ill, and its sessions move.
        for check in live["health_checks"]:
            check |= {"timeout": "60s", "interval": "60s"}
        # As the name of several replicas is looked up.
        live["cluster_type"] = None
        live["type"] = "STATIC"
        live["load_assignment"]["endpoints"] = [
            {
                "lb_endpoints": [
                    {
                        "endpoint": {
                            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}
                        }
                    }
                    for port in ports
                ]
            }
        ]
        config = tmp_path / "envoy.yaml"
        config.write_text(yaml.safe_dump(rendered))
        envoy = stack.enter_context(running(config, tmp_path / "admin", log))
        url = await wait_until_live(tmp_path / "admin", envoy, log)
        address = url.removeprefix("http://")
        replicas = dict[str, set[int]]()
        for _ in range(3):
            # Over a connection of its own each time: it is not the connection that decides.
            async with grpc.aio.insecure_channel(
                address, options=[("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
            ) as channel:
                stub = live_pb2_grpc.LiveServiceStub(channel)
                for session in (f"session-{number}" for number in range(16)):
                    answer = await stub.PushLiveAudio(
                        live_pb2.PushLiveAudioRequest(), timeout=60, metadata=[("x-session-id", session)]
                    )
                    replicas.setdefault(session, set()).add(answer.next_audio_sequence)
    assert all(len(seen) == 1 for seen in replicas.values())
    assert set.union(*replicas.values()) == {0, 1}
