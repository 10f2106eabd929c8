"""Every RPC of the gateway, called by a blocking client with nothing in its request: each is served, and each answers
in the contract's words."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import grpc
import pytest
import recordroute.gateway.v1
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from recordroute_runtime.remote import read_error

SOCKET = None
SECONDS = 60.0
# They go on until their client leaves.
ENDLESS = ("WatchLibrary",)


def _methods() -> Iterator[MethodDescriptor]:
    for module in pkgutil.iter_modules(recordroute.gateway.v1.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"recordroute.gateway.v1.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                yield from service.methods


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[object]:
    return object


@pytest.mark.parametrize(
    "method", list(_methods()), ids=lambda method: method.full_name.rpartition(".v1.")[2]
)
def test_an_empty_request_is_answered(grpc_channel: grpc.Channel, method: MethodDescriptor) -> None:
    request = GetMessageClass(method.input_type)()
    make = {
        (False, False): grpc_channel.unary_unary,
        (False, True): grpc_channel.unary_stream,
        (True, False): grpc_channel.stream_unary,
        (True, True): grpc_channel.stream_stream,
    }[method.client_streaming, method.server_streaming]
    call = make(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    try:
        answer = call(iter([request]) if method.client_streaming else request, timeout=SECONDS)
        if method.name in ENDLESS:
            assert next(answer).sequence >= 0
            answer.cancel()
        elif method.server_streaming:
            assert list(answer)
        else:
            assert isinstance(answer, GetMessageClass(method.output_type))
    except grpc.RpcError as error:
        remote = read_error(error)
        assert remote.code not in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL), remote
        assert remote.reason, remote
