"""gRPC-Web through the gateway's own bridge and through a real Envoy: one suite, the same answers.

Both stand in front of one gRPC server whose methods do what the request says, so that every way in which a call can end
is met. The raw HTTP answers are compared: what a browser library makes of them can then not differ either.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import struct
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import pytest
import pytest_asyncio
import yaml
from envoy_process import rendered_config, running, wait_until_live
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from recordroute_gateway.http.grpc_web import MAX_MESSAGE_BYTES, GrpcWebBridge
from recordroute_gateway.http.guard import Guard, OriginRules
from recordroute_gateway.http.server import HttpServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROBE = "recordroute.probe.v1.ProbeService"
UNARY, STREAM = f"/{PROBE}/Unary", f"/{PROBE}/Stream"
ORIGIN = "http://localhost:5173"
TYPES = {"binary": "application/grpc-web+proto", "text": "application/grpc-web-text+proto"}
TRAILERS = 0x80
# google.rpc.Status in the trailers of an error: any bytes will do here, zero and high ones among them.
DETAILS = bytes(range(256))


class Probe:
    """Methods that follow a script in the request and tell what they saw."""

    def __init__(self) -> None:
        self.cancelled: dict[str, asyncio.Event] = {}
        self.running: dict[str, asyncio.Event] = {}

    def watch(self) -> str:
        """Makes the key of a call whose fate is to be seen."""
        key = str(uuid.uuid4())
        self.running[key], self.cancelled[key] = asyncio.Event(), asyncio.Event()
        return key

    async def _begin(self, script: Mapping[str, Any], context: Any) -> None:
        if script.get("initial"):
            await context.send_initial_metadata(_pairs(script["initial"]))
        seen = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in context.invocation_metadata() or ()
            if name.startswith(("x-probe", "authorization", "traceparent"))
        }
        remaining = context.time_remaining()
        context.set_trailing_metadata(
            (
                *_pairs(script.get("trailing", [])),
                ("seen", json.dumps(seen, sort_keys=True)),
                ("has-deadline", str(remaining is not None and 0 < remaining < 60)),
            )
        )
        if key := script.get("key"):
            self.running[key].set()
            try:
                await asyncio.sleep(3600)
            finally:
                self.cancelled[key].set()
        if "sleep" in script:
            await asyncio.sleep(script["sleep"])

    @staticmethod
    async def _fail(script: Mapping[str, Any], context: Any) -> None:
        if script.get("code"):
            code = next(code for code in grpc.StatusCode if code.value[0] == script["code"])
            await context.abort(code, script.get("message", ""))

    async def unary(self, request: bytes, context: Any) -> bytes:
        script = json.loads(request or b"{}")
        await self._begin(script, context)
        await self._fail(script, context)
        (message,) = script.get("messages", ["b2s="])
        return _payload(message)

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        script = json.loads(request)
        if script.get("key"):
            yield b"begun"
        await self._begin(script, context)
        for message in script.get("messages", []):
            yield _payload(message)
        await self._fail(script, context)

    def handler(self) -> Any:
        return grpc.method_handlers_generic_handler(
            PROBE,
            {
                "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
                "Stream": grpc.unary_stream_rpc_method_handler(self.stream),
            },
        )


def _pairs(pairs: list[list[str]]) -> tuple[tuple[str, str | bytes], ...]:
    return tuple((name, bytes.fromhex(value) if name.endswith("-bin") else value) for name, value in pairs)


def _payload(message: str | int) -> bytes:
    return bytes(i % 251 for i in range(message)) if isinstance(message, int) else base64.b64decode(message)


@dataclass(frozen=True)
class FrontDoor:
    """A front end and the probe behind it."""

    name: str
    client: httpx.AsyncClient
    probe: Probe

    async def call(self, path: str, script: Mapping[str, Any] | bytes, mode: str, **headers: str) -> Answer:
        response = await self.client.post(path, content=body(script, mode), headers=web(mode, **headers))
        return read_answer(response, mode)


@dataclass(frozen=True)
class Answer:
    """What came: the HTTP status, messages, and the call's status with where it stood."""

    http_status: int
    content_type: str
    initial: dict[str, str]
    messages: list[bytes]
    trailers: dict[str, str]
    in_headers: bool

    @property
    def code(self) -> int:
        return int(self.trailers["grpc-status"])


def framed(message: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(message)) + message


def body(script: Mapping[str, Any] | bytes, mode: str) -> bytes:
    data = framed(script if isinstance(script, bytes) else json.dumps(script).encode())
    return base64.b64encode(data) if mode == "text" else data


def web(mode: str, **headers: str) -> dict[str, str]:
    return {
        "content-type": TYPES[mode],
        "accept": TYPES[mode],
        "x-grpc-web": "1",
        "origin": ORIGIN,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }


def frames(data: bytes, mode: str) -> Iterator[tuple[int, bytes]]:
    if mode == "text":
        # Each piece is encoded, and padded, by itself.
        data = b"".join(base64.b64decode(piece) for piece in re.findall(b"[^=]+=*", data))
    while data:
        flag, size = struct.unpack_from(">BI", data)
        assert len(data) >= 5 + size
        yield flag, data[5 : 5 + size]
        data = data[5 + size :]


OF_THE_CONNECTION = frozenset(
    (
        "content-length", "content-type", "date", "server", "transfer-encoding", "vary", "connection",
        "x-envoy-upstream-service-time", "grpc-accept-encoding", "accept-encoding", "x-content-type-options",
        "referrer-policy", "cross-origin-resource-policy", "cross-origin-opener-policy", "x-frame-options",
    )
)  # fmt: skip


def read_answer(response: httpx.Response, mode: str) -> Answer:
    headers = {name: value for name, value in response.headers.items() if name not in OF_THE_CONNECTION}
    messages: list[bytes] = []
    trailers: dict[str, str] = {}
    for flag, payload in frames(response.content, mode):
        assert not trailers, "the trailers are the last frame"
        if flag == TRAILERS:
            lines = payload.decode("latin-1").removesuffix("\r\n").split("\r\n")
            trailers = dict(line.split(":", 1) for line in lines)
        else:
            assert flag == 0
            messages.append(payload)
    in_headers = "grpc-status" in headers
    assert in_headers != bool(trailers), "the status stands in one place"
    cors = {name: headers.pop(name) for name in list(headers) if name.startswith("access-control-")}
    assert cors["access-control-allow-origin"] == ORIGIN
    assert {name.strip() for name in cors["access-control-expose-headers"].split(",")} == {
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
    }
    if in_headers:
        trailers, headers = headers, {}
    return Answer(
        response.status_code, response.headers["content-type"], headers, messages, trailers, in_headers
    )


async def start_server(stack: AsyncExitStack) -> tuple[Probe, int]:
    probe, health = Probe(), HealthServicer()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([probe.handler()])
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    await health.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stack.push_async_callback(server.stop, 0)
    return probe, port


async def bridge_door(stack: AsyncExitStack, port: int) -> str:
    channel = grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    )
    stack.push_async_callback(channel.close)
    bridge = GrpcWebBridge(channel, {UNARY, STREAM})
    server = HttpServer(Guard(bridge, OriginRules([], [])), "127.0.0.1:0")
    await server.start()
    stack.push_async_callback(server.stop)
    return f"http://127.0.0.1:{server.port}"


async def envoy_door(stack: AsyncExitStack, port: int, folder: Path) -> str:
    config = folder / "envoy.yaml"
    config.write_text(yaml.safe_dump(rendered_config(port)))
    envoy = stack.enter_context(running(config, folder / "admin", folder / "log"))
    return await wait_until_live(folder / "admin", envoy, folder / "log")


@dataclass(frozen=True)
class Doors:
    """Both front ends before one probe."""

    probe: Probe
    urls: Mapping[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        probe, port = await start_server(stack)
        yield Doors(
            probe,
            {
                "bridge": await bridge_door(stack, port),
                "envoy": await envoy_door(stack, port, tmp_path_factory.mktemp("envoy")),
            },
        )


@pytest_asyncio.fixture(loop_scope="module", params=["bridge", "envoy"])
async def door(request: pytest.FixtureRequest, doors: Doors) -> AsyncIterator[FrontDoor]:
    async with client_of(doors.urls[request.param]) as client:
        yield FrontDoor(request.param, client, doors.probe)


@pytest_asyncio.fixture(loop_scope="module")
async def bridge(doors: Doors) -> AsyncIterator[FrontDoor]:
    async with client_of(doors.urls["bridge"]) as client:
        yield FrontDoor("bridge", client, doors.probe)


def client_of(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)


@pytest.fixture(params=sorted(TYPES))
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


HI = base64.b64encode(b"hi").decode()
SCRIPTS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "unary": (UNARY, {"messages": [HI]}, {}),
    "unary empty message": (UNARY, {"messages": [""]}, {}),
    "unary 1 MB": (UNARY, {"messages": [1_000_000]}, {}),
    "unary error": (UNARY, {"code": 5, "message": "nö %, 없음\n"}, {}),
    "unary error without message": (UNARY, {"code": 16}, {}),
    "unary cancelled by the server": (UNARY, {"code": 1, "message": "stopped"}, {}),
    "unary error with details": (
        UNARY,
        {"code": 8, "message": "later", "trailing": [["grpc-status-details-bin", DETAILS.hex()], ["t", "u"]]},
        {},
    ),
    "unary metadata": (
        UNARY,
        {
            "initial": [["a", "b"], ["a", "c"], ["b-bin", DETAILS.hex()]],
            "messages": [HI],
            "trailing": [["t", "u"], ["t-bin", DETAILS.hex()]],
        },
        {"x_probe": "a b", "x_probe_bin": base64.b64encode(DETAILS).decode(), "authorization": "Bearer t"},
    ),
    "unary error after initial metadata": (UNARY, {"initial": [["a", "b"]], "code": 9, "message": "m"}, {}),
    "unary with deadline": (UNARY, {"messages": [HI]}, {"grpc_timeout": "30S"}),
    "unary with trace": (
        UNARY,
        {"messages": [HI]},
        {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    ),
    "stream": (STREAM, {"messages": [HI, "", HI]}, {}),
    "stream empty": (STREAM, {}, {}),
    "stream 1 MB": (STREAM, {"messages": [1_000_000, 1, 3_500_000]}, {}),
    "stream of many": (STREAM, {"messages": [100] * 500}, {}),
    "stream early error": (STREAM, {"code": 7, "message": "no"}, {}),
    "stream early error with details": (
        STREAM,
        {"code": 8, "message": "later", "trailing": [["grpc-status-details-bin", DETAILS.hex()]]},
        {},
    ),
    "stream mid-stream error": (STREAM, {"messages": [HI, 70_000], "code": 13, "message": "half way"}, {}),
    "stream mid-stream error with details": (
        STREAM,
        {"messages": [HI], "code": 14, "trailing": [["grpc-status-details-bin", DETAILS.hex()]]},
        {},
    ),
    "stream cancelled by the server": (STREAM, {"messages": [HI], "code": 1, "message": "stopped"}, {}),
    "stream metadata": (
        STREAM,
        {"initial": [["a", "b"]], "messages": [HI], "trailing": [["t", "u"]]},
        {"x_probe": "1", "x_probe_bin": base64.b64encode(b"\xff\x00").decode()},
    ),
    "stream error after initial metadata": (STREAM, {"initial": [["a", "b"]], "code": 2}, {}),
    "stream with deadline": (STREAM, {"messages": [HI]}, {"grpc_timeout": "20000m"}),
    "method that is not there": (f"/{PROBE}/Nothing", {}, {}),
    "service that is not there": ("/recordroute.probe.v2.Nothing/Nothing", {}, {}),
    "method of deep path": (f"{UNARY}/more", {}, {}),
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_the_call_ends_as_scripted(name: str, door: FrontDoor, mode: str) -> None:
    path, script, headers = SCRIPTS[name]
    answer = await door.call(path, script, mode, **headers)
    assert (answer.http_status, answer.content_type) == (200, TYPES[mode])
    if path not in (UNARY, STREAM):
        assert (answer.code, answer.messages) == (grpc.StatusCode.UNIMPLEMENTED.value[0], [])
        return
    assert answer.code == script.get("code", 0)
    assert decoded(answer.trailers["grpc-message"]) == script.get("message", "")
    sent = [_payload(message) for message in script.get("messages", [])]
    assert answer.messages == ([] if path == UNARY and answer.code else sent)
    # An answer without a message and without metadata before it is headers alone.
    assert answer.in_headers == (not answer.messages and not script.get("initial"))
    for place, pairs in (
        (answer.initial, script.get("initial", [])),
        (answer.trailers, script.get("trailing", [])),
    ):
        for key, value in pairs:
            expected = (
                base64.b64encode(bytes.fromhex(value)).decode().rstrip("=") if key.endswith("-bin") else value
            )
            assert expected in place[key].split(", ")
    seen = json.loads(answer.trailers["seen"])
    for key, value in headers.items():
        wire = key.replace("_", "-")
        if wire != "grpc-timeout":
            assert seen[wire] == (base64.b64decode(value).hex() if wire.endswith("-bin") else value)
    assert answer.trailers["has-deadline"] == str("grpc_timeout" in headers)


@pytest.mark.parametrize("name", SCRIPTS)
async def test_both_give_the_same_answer(name: str, doors: Doors, mode: str) -> None:
    path, script, headers = SCRIPTS[name]
    answers = []
    for front, url in doors.urls.items():
        async with client_of(url) as client:
            answers.append(await FrontDoor(front, client, doors.probe).call(path, script, mode, **headers))
    assert answers[0] == answers[1]


def decoded(text: str) -> str:
    return re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode("latin-1")
    ).decode()


@pytest.mark.parametrize("path", [UNARY, STREAM])
async def test_a_deadline_ends_the_call(path: str, door: FrontDoor, mode: str) -> None:
    answer = await door.call(path, {"sleep": 30, "messages": [HI]}, mode, grpc_timeout="200m")
    assert (answer.code, answer.messages) == (grpc.StatusCode.DEADLINE_EXCEEDED.value[0], [])


async def test_a_deadline_ends_a_stream_that_has_begun(doors: Doors) -> None:
    async def call(front: str, url: str, mode: str) -> None:
        async with client_of(url) as client:
            door = FrontDoor(front, client, doors.probe)
            # Far more than a busy machine takes to begin.
            answer = await door.call(STREAM, {"key": door.probe.watch()}, mode, grpc_timeout="6S")
        assert answer.messages == [b"begun"], front
        assert answer.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0], front

    await asyncio.gather(*(call(front, url, mode) for front, url in doors.urls.items() for mode in TYPES))


@pytest.mark.parametrize("path", [UNARY, STREAM])
async def test_a_browser_that_goes_away_cancels_the_call(path: str, door: FrontDoor, mode: str) -> None:
    key = door.probe.watch()
    calling = asyncio.create_task(door.call(path, {"key": key}, mode))
    async with asyncio.timeout(60):
        await door.probe.running[key].wait()
        calling.cancel()
        await door.probe.cancelled[key].wait()


async def test_a_stream_arrives_message_by_message(door: FrontDoor, mode: str) -> None:
    key = door.probe.watch()
    async with door.client.stream(
        "POST", STREAM, content=body({"key": key}, mode), headers=web(mode)
    ) as response:
        async with asyncio.timeout(60):
            piece = await anext(response.aiter_raw())
        assert list(frames(piece, mode)) == [(0, b"begun")]
        assert not door.probe.cancelled[key].is_set()


async def test_a_request_of_4_mib_passes_and_more_does_not(door: FrontDoor, mode: str) -> None:
    script = json.dumps({"messages": [HI]}).encode()
    answer = await door.call(UNARY, script.ljust(MAX_MESSAGE_BYTES), mode)
    assert (answer.code, answer.messages) == (0, [b"hi"])
    answer = await door.call(UNARY, script.ljust(MAX_MESSAGE_BYTES + 1), mode)
    assert (answer.code, answer.messages) == (grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], [])


async def test_calls_on_one_connection(door: FrontDoor, mode: str) -> None:
    for count in range(20):
        answer = await door.call(STREAM, {"messages": [count]}, mode)
        assert [len(message) for message in answer.messages] == [count]


async def test_many_calls_at_once(door: FrontDoor, mode: str) -> None:
    answers = await asyncio.gather(
        *(door.call(UNARY, {"messages": [size], "sleep": 0.05}, mode) for size in range(1, 60))
    )
    assert [len(answer.messages[0]) for answer in answers] == list(range(1, 60))


async def test_too_much_metadata_is_refused(door: FrontDoor, mode: str) -> None:
    answer = await door.call(UNARY, {}, mode, x_probe="y" * 20_000)
    assert answer.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


async def test_the_answers_form_follows_accept(door: FrontDoor) -> None:
    for sent, wanted in (("binary", "text"), ("text", "binary")):
        headers = web(sent) | {"accept": TYPES[wanted]}
        response = await door.client.post(UNARY, content=body({"messages": [HI]}, sent), headers=headers)
        assert read_answer(response, wanted).messages == [b"hi"]


async def test_a_preflight_of_this_machine_is_allowed(door: FrontDoor) -> None:
    asked = "authorization,content-type,grpc-timeout,traceparent,x-grpc-web,x-user-agent"
    response = await door.client.options(
        UNARY,
        headers={
            "origin": ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": asked,
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-max-age"] == "86400"
    allowed = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert set(asked.split(",")) <= allowed


FOREIGN = ["http://example.org", "http://localhost.example.org", "null", "http://localhost:5173.example.org"]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_site_may_read_nothing(origin: str, door: FrontDoor) -> None:
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    response = await door.client.options(UNARY, headers=preflight)
    assert "access-control-allow-origin" not in response.headers
    response = await door.client.post(
        UNARY, content=body({}, "binary"), headers=web("binary") | {"origin": origin}
    )
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"])
async def test_names_of_this_machine_are_answered(host: str, door: FrontDoor) -> None:
    answer = await door.call(UNARY, {"messages": [HI]}, "binary", host=host)
    assert answer.messages == [b"hi"]


@pytest.mark.parametrize(
    "host", ["rebound.example.org", "localhost.example.org", "127.0.0.1.example.org", ""]
)
async def test_a_name_that_was_bent_to_this_machine_is_not(host: str, door: FrontDoor) -> None:
    response = await door.client.post(
        UNARY, content=body({}, "binary"), headers=web("binary") | {"host": host}
    )
    assert response.status_code in (400, 404, 421)
    assert "grpc-status" not in response.headers


async def test_header_names_with_underscores_are_refused(door: FrontDoor) -> None:
    response = await door.client.post(
        UNARY, content=body({}, "binary"), headers=web("binary") | {"x_probe": "1"}
    )
    assert response.status_code == 400


NO_MESSAGES = {
    "nothing": b"",
    "half a head": b"\0\0",
    "half a message": framed(b"{}")[:-1],
    "two messages": framed(b"{}") * 2,
    "trailers": framed(b"{}", TRAILERS),
    "compressed": framed(b"{}", 1),
    "a length beyond the limit": struct.pack(">BI", 0, 0xFFFFFFFF) + b"{}",
}


@pytest.mark.parametrize("name", NO_MESSAGES)
async def test_the_bridge_refuses_what_is_not_one_message(name: str, bridge: FrontDoor, mode: str) -> None:
    """Envoy passes most of these on and waits for the rest for ever."""
    data = NO_MESSAGES[name]
    content = base64.b64encode(data) if mode == "text" else data
    answer = read_answer(await bridge.client.post(UNARY, content=content, headers=web(mode)), mode)
    code = grpc.StatusCode.RESOURCE_EXHAUSTED if "limit" in name else grpc.StatusCode.INVALID_ARGUMENT
    assert (answer.code, answer.in_headers) == (code.value[0], True)


@pytest.mark.parametrize(
    "headers",
    [{"grpc-timeout": "soon"}, {"grpc-timeout": "1"}, {"x-probe-bin": "!"}, {"x-probe": "\xe4"}],
)
async def test_the_bridge_refuses_headers_that_mean_nothing(
    headers: dict[str, str], bridge: FrontDoor
) -> None:
    encoded = {name: value.encode("latin-1") for name, value in (web("binary") | headers).items()}
    response = await bridge.client.post(UNARY, content=body({}, "binary"), headers=encoded)
    assert read_answer(response, "binary").code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


async def test_text_that_was_encoded_in_pieces(bridge: FrontDoor) -> None:
    data = framed(json.dumps({"messages": [HI]}).encode())
    content = b"".join(base64.b64encode(data[start : start + 4]) for start in range(0, len(data), 4))
    answer = read_answer(await bridge.client.post(UNARY, content=content, headers=web("text")), "text")
    assert answer.messages == [b"hi"]
    response = await bridge.client.post(UNARY, content=b"!!!!", headers=web("text"))
    assert read_answer(response, "text").code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


SAME = "SAME"
# Headers of a call with the session's cookie, and the authorization that has to come of it.
COOKIES: dict[str, tuple[dict[str, str], str | None]] = {
    "the page's own": ({"origin": SAME, "sec-fetch-site": "same-origin"}, "Bearer secret"),
    "no page": ({}, "Bearer secret"),
    "opened by the user": ({"sec-fetch-site": "none"}, "Bearer secret"),
    "another port of this machine": ({"origin": ORIGIN}, None),
    "another site of the same domain": ({"origin": SAME, "sec-fetch-site": "same-site"}, None),
    "another site without origin": ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, None),
    "a token of its own": ({"origin": SAME, "authorization": "Bearer own"}, "Bearer own"),
    "among others": ({"cookie": "a=b; recordroute_token=secret; c=d"}, "Bearer secret"),
    "quoted": ({"cookie": 'recordroute_token="secret"'}, "Bearer secret"),
    "another's": ({"cookie": "recordroute_token2=secret; x_recordroute_token=secret"}, None),
    "nothing in it": ({"cookie": "theme=dark"}, None),
}


@pytest.mark.parametrize("name", COOKIES)
async def test_a_cookie_counts_for_the_page_itself_only(name: str, door: FrontDoor) -> None:
    headers, expected = COOKIES[name]
    same = str(door.client.base_url).rstrip("/")
    sent = {key: same if value == SAME else value for key, value in headers.items()}
    wire = {key: value for key, value in web("binary").items() if key != "origin"}
    response = await door.client.post(
        UNARY,
        content=body({"messages": [HI]}, "binary"),
        headers={**wire, "cookie": "recordroute_token=secret", **sent},
    )
    (_, last) = list(frames(response.content, "binary"))[-1]
    trailers = dict(line.split(":", 1) for line in last.decode().split("\r\n") if line)
    assert json.loads(trailers["seen"]) == ({} if expected is None else {"authorization": expected})


async def test_other_requests_are_no_calls(bridge: FrontDoor) -> None:
    response = await bridge.client.post(UNARY, json={})
    assert response.status_code == 415
