"""Every RPC of IdentityService by a blocking client, and what happens to a client without a token."""

from __future__ import annotations

import uuid

import grpc
import pytest
from recordroute.gateway.v1 import identity_pb2, identity_pb2_grpc
from recordroute_runtime.bearer import with_token
from recordroute_runtime.remote import read_error

SOCKET = None
SECONDS = 60


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[identity_pb2_grpc.IdentityServiceStub]:
    return identity_pb2_grpc.IdentityServiceStub


def reason(call: object, *arguments: object) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, timeout=SECONDS)
    return read_error(caught.value).reason


def test_client_without_a_token_is_told_so(grpc_addr: str) -> None:
    with grpc.insecure_channel(grpc_addr, options=(("grpc.enable_http_proxy", 0),)) as channel:
        for token, expected in (("", "TOKEN_MISSING"), ("x" * 40, "TOKEN_INVALID")):
            stub = identity_pb2_grpc.IdentityServiceStub(with_token(channel, token))
            assert reason(stub.GetCaller, identity_pb2.GetCallerRequest()) == expected


def test_key_from_its_making_to_its_end(grpc_stub, grpc_addr: str) -> None:
    caller = grpc_stub.GetCaller(identity_pb2.GetCallerRequest(), timeout=SECONDS)
    assert (caller.user, caller.is_operator) == ("local", True)
    request = identity_pb2.CreateApiKeyRequest(request_id=str(uuid.uuid4()), name="contract", scopes=[1])
    made = grpc_stub.CreateApiKey(request, timeout=SECONDS)
    assert reason(grpc_stub.CreateApiKey, request) == "API_KEY_EXISTS"
    assert made.api_key in grpc_stub.ListApiKeys(identity_pb2.ListApiKeysRequest(), timeout=SECONDS).api_keys
    with grpc.insecure_channel(grpc_addr, options=(("grpc.enable_http_proxy", 0),)) as channel:
        by_key = identity_pb2_grpc.IdentityServiceStub(with_token(channel, made.secret))
        assert (
            by_key.GetCaller(identity_pb2.GetCallerRequest(), timeout=SECONDS).api_key_id == made.api_key.id
        )
        request.request_id = str(uuid.uuid4())
        assert reason(by_key.CreateApiKey, request) == "SCOPE_MISSING"
        revocation = identity_pb2.RevokeApiKeyRequest(
            request_id=str(uuid.uuid4()), api_key_id=made.api_key.id
        )
        grpc_stub.RevokeApiKey(revocation, timeout=SECONDS)
        assert reason(by_key.GetCaller, identity_pb2.GetCallerRequest()) == "TOKEN_REVOKED"
    revocation.api_key_id = "rrk_nobody"
    assert reason(grpc_stub.RevokeApiKey, revocation) == "API_KEY_NOT_FOUND"
    request.scopes[:] = [0]
    assert reason(grpc_stub.CreateApiKey, request) == "INVALID_FIELDS"


def test_what_was_done_is_in_the_log(grpc_stub) -> None:
    creation = identity_pb2.CreateApiKeyRequest(request_id=str(uuid.uuid4()), name="log", scopes=[1])
    grpc_stub.CreateApiKey(creation, timeout=SECONDS)
    revocation = identity_pb2.RevokeApiKeyRequest(request_id=str(uuid.uuid4()), api_key_id="rrk_nobody")
    assert reason(grpc_stub.RevokeApiKey, revocation) == "API_KEY_NOT_FOUND"
    events = grpc_stub.ListAuditEvents(identity_pb2.ListAuditEventsRequest(), timeout=SECONDS).events
    actions = [(event.action, event.outcome) for event in events]
    assert ("IdentityService/CreateApiKey", "OK") in actions
    assert ("IdentityService/RevokeApiKey", "API_KEY_NOT_FOUND") in actions
    page = identity_pb2.ListAuditEventsRequest(page_token="?")
    assert reason(grpc_stub.ListAuditEvents, page) == "PAGE_TOKEN"


def test_every_rpc_was_called(called) -> None:
    service = identity_pb2.DESCRIPTOR.services_by_name["IdentityService"]
    assert called.methods >= {method.name for method in service.methods}
