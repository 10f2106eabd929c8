"""IdentityService on the wire."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import identity_pb2, identity_pb2_grpc
from recordroute_runtime.errors import PermissionDenied
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.identity.audit import AuditEvent, AuditLog
from recordroute_gateway.identity.caller import Scope, current_caller
from recordroute_gateway.identity.keys import ApiKey, KeyStore
from recordroute_gateway.identity.storage import StorageQuota
from recordroute_gateway.servicers.records import DEFAULT_PAGE_SIZE, time_of


class IdentityServicer(identity_pb2_grpc.IdentityServiceServicer):
    def __init__(self, keys: KeyStore, audit: AuditLog, storage: StorageQuota) -> None:
        self._keys = keys
        self._audit = audit
        self._storage = storage

    async def GetCaller(
        self, request: identity_pb2.GetCallerRequest, context: Any
    ) -> identity_pb2.GetCallerResponse:
        caller = current_caller()
        return identity_pb2.GetCallerResponse(
            user=caller.user,
            name=caller.name,
            scopes=_scope_names(caller.scopes),
            storage_bytes=await self._storage.used_bytes(caller.user),
            storage_limit_bytes=self._storage.limit_bytes,
            api_key_id=caller.api_key_id,
            is_operator=caller.is_operator,
        )

    async def CreateApiKey(
        self, request: identity_pb2.CreateApiKeyRequest, context: Any
    ) -> identity_pb2.CreateApiKeyResponse:
        caller = current_caller()
        user = request.user or caller.user
        if user != caller.user and not caller.is_operator:
            raise _not_operator()
        scopes = {
            Scope(identity_pb2.Scope.Name(scope).removeprefix("SCOPE_").lower()) for scope in request.scopes
        }
        missing = sorted(scope.value for scope in scopes - caller.scopes)
        if missing:
            raise PermissionDenied(
                "SCOPE_MISSING",
                f"an API key can't do more than whoever makes it, who may not {', '.join(missing)}",
                metadata={"scope": missing[0]},
            )
        key, secret = await self._keys.create(
            caller,
            user,
            request.request_id,
            request.name,
            scopes,
            time_of(request, "expires_at"),
        )
        return identity_pb2.CreateApiKeyResponse(api_key=_key_message(key), secret=secret)

    async def ListApiKeys(
        self, request: identity_pb2.ListApiKeysRequest, context: Any
    ) -> identity_pb2.ListApiKeysResponse:
        caller = current_caller()
        if request.all_users and not caller.is_operator:
            raise _not_operator()
        keys = await self._keys.list(None if request.all_users else caller.user)
        return identity_pb2.ListApiKeysResponse(api_keys=map(_key_message, keys))

    async def RevokeApiKey(
        self, request: identity_pb2.RevokeApiKeyRequest, context: Any
    ) -> identity_pb2.RevokeApiKeyResponse:
        caller = current_caller()
        await self._keys.revoke(None if caller.is_operator else caller.user, request.api_key_id)
        return identity_pb2.RevokeApiKeyResponse()

    async def ListAuditEvents(
        self, request: identity_pb2.ListAuditEventsRequest, context: Any
    ) -> identity_pb2.ListAuditEventsResponse:
        caller = current_caller()
        if request.all_users and Scope.ADMIN not in caller.scopes:
            raise PermissionDenied(
                "SCOPE_MISSING", "the events of all users need the scope admin", metadata={"scope": "admin"}
            )
        events, token = await self._audit.list_page(
            None if request.all_users else caller.user,
            request.recording_id.lower(),
            request.page_size or DEFAULT_PAGE_SIZE,
            request.page_token,
        )
        return identity_pb2.ListAuditEventsResponse(events=map(_event_message, events), next_page_token=token)


def _not_operator() -> PermissionDenied:
    return PermissionDenied("NOT_OPERATOR", "only whoever runs the system may do this, with its own token")


def _scope_names(scopes: frozenset[Scope]) -> list[str]:
    return [f"SCOPE_{scope.name}" for scope in Scope if scope in scopes]


def _key_message(key: ApiKey) -> identity_pb2.ApiKey:
    return identity_pb2.ApiKey(
        id=key.id,
        name=key.name,
        scopes=_scope_names(key.scopes),
        created_at=to_timestamp(key.created_at),
        expires_at=to_timestamp(key.expires_at) if key.expires_at else None,
        last_used_at=to_timestamp(key.last_used_at) if key.last_used_at else None,
        revoked_at=to_timestamp(key.revoked_at) if key.revoked_at else None,
        user=key.user,
    )


def _event_message(event: AuditEvent) -> identity_pb2.AuditEvent:
    return identity_pb2.AuditEvent(
        time=to_timestamp(event.time),
        user=event.user,
        api_key_id=event.api_key_id,
        action=event.action,
        recording_id=event.recording_id,
        outcome=event.outcome,
        peer=event.peer,
    )
