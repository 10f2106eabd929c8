"""Every RPC of the contract, called by a plain blocking client through pytest-grpc.

pytest-grpc would start a synchronous server of its own; its address and server are replaced by the running system, so
that the servers are the real ones. Each test file says which service it is about (`SERVICE`) and where that listens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from recordroute.common.v1 import transcript_pb2
from recordroute_runtime.bearer import with_token
from recordroute_runtime.wire import to_duration

SAID = (
    "Good morning everyone, let us begin with the budget for the new library.",
    "We decided to open the new library on the third of May.",
    "Anna will send the invitations to all readers by Friday.",
    "The old building will be sold to the city after that.",
)


class _Recorder(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Notes which methods were called."""

    def __init__(self) -> None:
        self.methods: set[str] = set()

    def _note(self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: Any) -> Any:
        self.methods.add(details.method.rpartition("/")[2])
        return continuation(details, request)

    intercept_unary_unary = _note
    intercept_unary_stream = _note
    intercept_stream_unary = _note
    intercept_stream_stream = _note


@pytest.fixture(scope="module")
def called() -> _Recorder:
    return _Recorder()


@pytest.fixture(scope="module")
def grpc_addr(request: pytest.FixtureRequest, system) -> str:
    socket = request.module.SOCKET
    if socket is None:
        return system.address()
    run_dir = json.loads((system.data_dir / "server.json").read_text())["run_dir"]
    return f"unix:{run_dir}/{socket}.sock"


@pytest.fixture(scope="module")
def grpc_server(system) -> Any:
    return system


@pytest.fixture(scope="module")
def grpc_channel(
    grpc_create_channel: Callable[..., grpc.Channel], called: _Recorder, system
) -> Iterator[grpc.Channel]:
    with grpc_create_channel(options=(("grpc.enable_http_proxy", 0),)) as channel:
        yield grpc.intercept_channel(with_token(channel, system.token()), called)


@pytest.fixture(scope="module")
def meeting() -> list[transcript_pb2.Segment]:
    """A transcript of four sentences, four seconds each."""
    return [
        transcript_pb2.Segment(index=i, start=to_duration(4 * i), end=to_duration(4 * i + 4), text=text)
        for i, text in enumerate(SAID)
    ]
